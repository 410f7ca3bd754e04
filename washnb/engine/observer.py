"""The protocol of what is told of an instance's calls: the trace, for one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .abi.plan import Callee

INJECTOR = "fault"
"""The `provider` that an observer sees for a call of an export that something is injected into."""


class CallObserver(Protocol):
    """Is told of every host call of one instance, and of calls of its exports that something is injected into.

    Arguments and results are Python values; for a method of a resource the first argument is the resource's object.
    For an injection into an export the callee's `provider` is `INJECTOR`.
    """

    @property
    def hold(self) -> Callable[[Any], Awaitable[None]] | None:
        """A function that takes the token of `called`, and whose awaitable ends when the call may go on (slow motion).

        None where calls are not held.
        """

    def called(self, callee: Callee, arguments: tuple[object, ...], injected: str) -> Any:
        """A call begins. Returns a token, which the other methods get when this call ends.

        `injected` is the `mark` of the injection that is done in place of the call, or "".
        """

    def returned(self, token: Any, result: object) -> None:
        """The call returned `result`."""

    def failed(self, token: Any, error: BaseException) -> None:
        """The call raised `error`: an `Err` for the error case of a WIT result, or what ends the guest."""

    def passed(self, token: Any) -> None:
        """An injection into a call of an export has been done, and has left the call to the guest."""


Watching = Callable[[str], AbstractContextManager[CallObserver | None]]
"""Given `interface#function`, makes a context manager around one call of that export, which gives the observer of the
call's host calls, or None where there is none."""
