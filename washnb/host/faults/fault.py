"""A fault: which calls of guests, or to guests, go wrong, and how. It is data, checked when it is made."""

from __future__ import annotations

from dataclasses import dataclass

from washnb.errors import ConfigError, spelled_out

NOTHING: object = ...
"""The `value` of a fault that answers with no value; None is a value."""

_LONGEST_DELAY = 3600.0
_FARTHEST_JUMP = 1e10
"""Seconds that a clock may jump: three centuries. The nanoseconds of more do not fit into WIT's u64."""

_NUMBERS = {"delay": "0.5", "jump": "3600", "after": "3", "times": "2", "short": "1"}
_WHOLE = ("after", "times", "short")
_LIMITS = ("times", "short")  # the fields that may be None, for no limit


@dataclass(frozen=True)
class Fault:
    """What goes wrong with the calls of a function.

    `target` names one function or all of an interface: imports of components, as `keyvalue.get`, `clocks.now`,
    `wasi:keyvalue/store#open`, or exports, as `incoming-handler.handle`, `adder.add`. The first `after` calls go well,
    the next `times` calls go wrong (None: all that follow), and further ones go well again.

    A call that goes wrong is answered by one of these: `error`, the error of the function's WIT result
    (`"no-such-store"`, `"other(disk full)"`, or a value that fits), or an exception, which ends the guest; `trap`,
    which ends it, too; `value`, a result; `jump`, a clock that is so many seconds off from then on, never before zero,
    and waits for an instant of it as well; `short`, a read of at most so many bytes. `delay` seconds pass before that,
    or before the call itself where there is only a delay. `of` names the workload that the fault is for; "" for all.

    Raises ConfigError for fields that contradict each other or are out of range.
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
        """Check the fields as far as that goes without the function. Raises ConfigError."""
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
        """Raise ConfigError for an empty target, and for a field that has not the type of its value."""
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
        """Return in words what happens, and at which calls."""
        shown = {
            "error": f"error {_spoken(self.error)}",
            "value": f"value {self.value!r}",
            "short": self.at_most,
        }
        shown |= {"trap": "trap", "jump": f"jump {self.jump:+g} s"}
        words = [f"delay {self.delay:g} s"] if self.delay else []
        words += [shown[way] for way in self.ways]
        words += [f"after {self.after} call{'s' if self.after > 1 else ''}"] if self.after else []
        words += [] if self.times is None else [f"{self.times} times" if self.times > 1 else "once"]
        return ", ".join([*words, *([f"of {self.of}"] if self.of else [])])

    @property
    def at_most(self) -> str:
        """How far a read goes, in words: `at most 1 byte`."""
        return f"at most {self.short} byte{'' if self.short == 1 else 's'}"

    @property
    def ways(self) -> tuple[str, ...]:
        """The names of the fields that say what happens in place of a call: error, trap, value ..."""
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
    """Return an error in words: a text as it is, an exception by its class and its message."""
    if isinstance(error, type):
        return error.__name__
    if isinstance(error, Exception):
        return spelled_out(error)
    return str(error)
