"""Methods for WASI packages that no guest may use: components that import these link, and every call is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from washnb.engine import Err


def refusal(error: object) -> Callable[..., NoReturn]:
    """Return a method that takes any arguments and raises `Err(error)`."""

    def refuse(self: Any, *arguments: Any) -> NoReturn:  # noqa: ARG001 - neither changes the answer
        raise Err(error)

    return refuse
