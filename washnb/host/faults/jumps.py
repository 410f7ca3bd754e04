"""Clocks that jump: what they tell guests, and how guests wait for an instant of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SECOND = 1_000_000_000
_CLOCKS = "wasi:clocks/"
_WAITING = "wasi:clocks/monotonic-clock#subscribe-instant"


def tells_time(label: str) -> bool:
    """Return whether a function, given by its label, tells the time of a clock, which can jump."""
    return label.startswith(_CLOCKS) and label.endswith("#now")


def goes_by(label: str, clock: str) -> bool:
    """Return whether a function takes an instant of `clock`: a guest waits for instants that it has read there."""
    return label == _WAITING and clock == "wasi:clocks/monotonic-clock#now"


class Jump:
    """How far the clocks of a fault are off. A clock jumps at its first reading, and goes on from there.

    It never jumps to before zero, for which WIT has no value.
    """

    def __init__(self, seconds: float) -> None:
        """Jump by `seconds` when a clock is read first."""
        self._wanted = round(seconds * _SECOND)
        self._off: dict[type, int] = {}

    def reading(self, value: Any) -> Any:
        """Return what a clock tells in place of `value`: nanoseconds, or a record of seconds and nanoseconds."""
        told = value if isinstance(value, int) else value.seconds * _SECOND + value.nanoseconds
        moved = told + self._off.setdefault(type(value), max(self._wanted, -told))
        if isinstance(value, int):
            return moved
        return dict(zip(("seconds", "nanoseconds"), divmod(max(0, moved), _SECOND), strict=True))

    def wait(self, target: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call `target`, which waits for an instant, with that instant on the clock that has not jumped."""
        (when,) = arguments
        return target(max(0, when - self._off.get(int, 0)))
