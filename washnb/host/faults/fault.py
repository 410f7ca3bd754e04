"""A fault: which calls of guests, or to them, go wrong, and how. Data, that says of itself when it cannot be."""

from __future__ import annotations

from dataclasses import dataclass

from washnb.errors import ConfigError, spelled_out

NOTHING: object = ...
"""The value of a fault that answers with none: None is one."""

_LONGEST_DELAY = 3600.0
_FARTHEST_JUMP = 1e10
"""Three centuries: nanoseconds of more do not fit into what clocks tell."""

_NUMBERS = {"delay": "0.5", "jump": "3600", "after": "3", "times": "2", "short": "1"}
_WHOLE = ("after", "times", "short")
_LIMITS = ("times", "short")  # which may be None: without a limit


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the calls of a function.

    `target` is `keyvalue.get`, `wasi:keyvalue/store#open`, `clocks.now`: what components import, one function or all
    of an interface; or what they export: `incoming-handler.handle`, `adder.add`. The first `after` calls go well, then
    `times` calls do not (None: all), then they go well again.

    In place of each such call there is one of these: `error`, of the function's WIT result (`"no-such-store"`,
    `"other(disk full)"`, or a value that fits), or an exception, which ends the guest; `trap`, which ends it, too;
    `value`, a result; `jump`, a clock that is so many seconds off from then on, never before zero, with what waits for
    an instant of it; `short`, a read of at most so many bytes. Before it, or before the call itself where it is none of
    these, `delay` seconds pass. `of` is the workload that it is about; "": all.

    Raises ConfigError for what cannot be.
    """

    target: str
    error: object = None
    delay: float = 0.0
    after: int = 0
    times: int | None = None
    trap: bool = False
    value: object = NOTHING
    jump: float = 0.0
    short: int | None = None
    of: str = ""

    def __post_init__(self) -> None:
        """Check what can be checked without the function."""
        self._require_types()
        given = self.ways
        if len(given) > 1:
            raise ConfigError(f"a fault is one of {', '.join(given)}, not several", repair="set one fault for each")
        if not given and not self.delay:
            raise ConfigError(
                f"nothing is said of what happens to {self.target}",
                repair=f"%wash fault {self.target} --delay 0.5  # or --error, --trap, --value, --jump, --short",
            )
        if not 0 <= self.delay <= _LONGEST_DELAY:
            raise ConfigError(f"delay is 0 to {_LONGEST_DELAY:g} seconds, not {self.delay:g}", repair="delay=0.5")
        if not abs(self.jump) <= _FARTHEST_JUMP:
            raise ConfigError(f"jump is up to {_FARTHEST_JUMP:g} seconds, not {self.jump:g}", repair="jump=-3600")
        if self.after < 0 or (self.times is not None and self.times < 1) or (self.short is not None and self.short < 1):
            raise ConfigError("after is 0 or more, times and short are 1 or more", repair="after=3, times=2")

    def _require_types(self) -> None:
        """Refuse what is no target, no number of seconds, or no whole number."""
        if not isinstance(self.target, str) or not self.target.strip():
            raise ConfigError(
                f"a fault needs a target, not {self.target!r:.60}", repair="%wash fault keyvalue.get --delay 0.5"
            )
        if not isinstance(self.of, str):
            raise ConfigError(f"of is the name of a workload, not {self.of!r:.60}", repair='of="counter"')
        if not isinstance(self.trap, bool):
            raise ConfigError(f"trap is True or False, not {self.trap!r:.60}", repair="trap=True")
        if isinstance(self.error, BaseException | type) and not _is_exception(self.error):
            raise ConfigError(
                f"error is a WIT error or an Exception, not {self.error!r:.60}",
                repair='error=RuntimeError("the disk is gone")',
            )
        for name, example in _NUMBERS.items():
            value = getattr(self, name)
            kind = "whole number" if name in _WHOLE else "number of seconds"
            fits = isinstance(value, int if name in _WHOLE else int | float) and not isinstance(value, bool)
            if not fits and not (value is None and name in _LIMITS):
                raise ConfigError(f"{name} is a {kind}, not {value!r:.60}", repair=f"{name}={example}")

    def __str__(self) -> str:
        """What happens, and when, in words."""
        shown = {
            "error": f"error {_spoken(self.error)}",
            "value": f"value {self.value!r}",
            "short": f"at most {self.short} bytes",
        }
        shown |= {"trap": "trap", "jump": f"jump {self.jump:+g} s"}
        words = [f"delay {self.delay:g} s"] if self.delay else []
        words += [shown[way] for way in self.ways]
        words += [f"after {self.after} call{'s' if self.after > 1 else ''}"] if self.after else []
        words += [] if self.times is None else [f"{self.times} times" if self.times > 1 else "once"]
        return ", ".join([*words, *([f"of {self.of}"] if self.of else [])])

    @property
    def ways(self) -> tuple[str, ...]:
        """The names of what it does in place of a call."""
        given = {
            "error": self.error is not None,
            "trap": self.trap,
            "value": self.value is not NOTHING,
            "jump": bool(self.jump),
            "short": self.short is not None,
        }
        return tuple(name for name, there in given.items() if there)


def _is_exception(error: object) -> bool:
    return issubclass(error if isinstance(error, type) else type(error), Exception)


def _spoken(error: object) -> str:
    """An error in words: a text as it is, of an exception its kind and what it says."""
    if isinstance(error, type):
        return error.__name__
    if isinstance(error, Exception):
        return spelled_out(error)
    return str(error)
