"""Who hears of the calls of one instance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .abi.plan import Callee

INJECTOR = "fault"
"""Who serves a call of an export, for its observer, as far as something is injected into it."""


class CallObserver(Protocol):
    """Hears of every host call of one instance, in Python values; the first argument of a method is its object.

    Of a call of an export it hears what is injected into it; then `provider` is `INJECTOR`.
    """

    @property
    def hold(self) -> Callable[[Any], Awaitable[None]] | None:
        """What is awaited between `called`, whose answer it gets, and the call itself; None: calls are not held."""

    def called(self, callee: Callee, arguments: tuple[object, ...], injected: str) -> Any:
        """A call begins; the answer is handed back when it ends. `injected` says what is done in its place, if so."""

    def returned(self, token: Any, result: object) -> None:
        """It returned `result`."""

    def failed(self, token: Any, error: BaseException) -> None:
        """It raised: `Err` for the error of a WIT result, or what ends the guest."""

    def passed(self, token: Any) -> None:
        """Something was injected into a call of an export, and the guest does the rest."""


Watching = Callable[[str], AbstractContextManager[CallObserver | None]]
"""Makes the observer of one call, `interface#function`, and is told of its end; None: nobody wants to hear of it."""
