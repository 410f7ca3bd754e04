"""How a package that a guest may not use answers: every function can be linked, and says no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from washnb.engine import Err


def refusal(error: object) -> Callable[..., NoReturn]:
    """Make a method that takes any arguments and raises `Err(error)`."""

    def refuse(self: Any, *arguments: Any) -> NoReturn:  # noqa: ARG001 - neither changes the answer
        raise Err(error)

    return refuse
