"""What the type of a function says of how the values of its calls are shown."""

from __future__ import annotations

from collections.abc import Sequence

from washnb.engine import Function, shapes

from .values import ValueKeeper, is_secret

_MOST = 1_000  # functions that are remembered
_KEYED_BY = frozenset({"key", "name"})  # parameters that say what the other values of a call belong to


class Signature:
    """How the values of a function's calls are kept, as far as its type tells: found out once, for all of them.

    `parameters` are what `ValueKeeper.named` takes; `around_secret` the same for calls that are about a secret, which
    show what they are about, and nothing else. `result` is the type of what is returned.
    """

    __slots__ = ("_keys", "around_secret", "function", "parameters", "result")

    def __init__(self, function: Function) -> None:
        """Look at the names and types of `function`."""
        self.function = function
        shown, about = [], []
        for name, shape in function.params:
            secret = is_secret(name)
            detail = name not in _KEYED_BY and not isinstance(shape, shapes.Borrow)
            shown.append(ValueKeeper.parameter(name, shape, hidden=secret))
            about.append(ValueKeeper.parameter(name, shape, hidden=secret or detail))
        self.parameters, self.around_secret = tuple(shown), tuple(about)
        result = function.result
        self.result = result.ok if isinstance(result, shapes.Result) else result
        self._keys = [place for place, (name, _) in enumerate(function.params) if name in _KEYED_BY]

    def is_about_secret(self, arguments: Sequence[object]) -> bool:
        """Whether what a call with these arguments is about has the name of a secret."""
        return bool(self._keys) and any(
            is_secret(key) for key in map(arguments.__getitem__, self._keys) if isinstance(key, str)
        )


_signatures: dict[int, Signature] = {}  # by the id of a function, which lives as long as its entry here


def signature_of(function: Function) -> Signature:
    """Return the signature of a function. Those of the functions in use are remembered."""
    known = _signatures.get(id(function))
    if known is None:
        if len(_signatures) >= _MOST:
            _signatures.clear()
        known = _signatures[id(function)] = Signature(function)
    return known
