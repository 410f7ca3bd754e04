"""Clocks that jump: what they tell, and what waits for an instant of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SECOND = 1_000_000_000
_CLOCKS = "wasi:clocks/"
_WAITING = "wasi:clocks/monotonic-clock#subscribe-instant"


def tells_time(label: str) -> bool:
    """Whether a function is one that can jump."""
    return label.startswith(_CLOCKS) and label.endswith("#now")


def goes_by(label: str, clock: str) -> bool:
    """Whether a function takes an instant of a clock that jumps: what a guest reads and waits for is of one clock."""
    return label == _WAITING and clock == "wasi:clocks/monotonic-clock#now"


class Jump:
    """How far the clocks of a fault are off. From its first reading on a clock goes on from where it has jumped to.

    It never jumps to before zero, which WIT has no value for.
    """

    def __init__(self, seconds: float) -> None:
        """Begin before the jump."""
        self._wanted = round(seconds * _SECOND)
        self._off: dict[type, int] = {}

    def reading(self, value: Any) -> Any:
        """What a clock tells in place of `value`: nanoseconds, or a record of seconds and nanoseconds."""
        told = value if isinstance(value, int) else value.seconds * _SECOND + value.nanoseconds
        moved = told + self._off.setdefault(type(value), max(self._wanted, -told))
        if isinstance(value, int):
            return moved
        return dict(zip(("seconds", "nanoseconds"), divmod(max(0, moved), _SECOND), strict=True))

    def wait(self, target: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Wait for an instant of the clock that has jumped."""
        (when,) = arguments
        return target(max(0, when - self._off.get(int, 0)))
