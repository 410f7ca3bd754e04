"""How the values of a function's calls are kept, as far as the function's type decides it."""

from __future__ import annotations

from collections.abc import Sequence

from washnb.engine import Callee, shapes
from washnb.secrecy import is_secret

from .values import SIZE, Keep, keep_all, keep_as, keep_hidden

_SILENT = ("wasi:http/types@", "wasi:io/poll@")  # interfaces whose functions log nothing and change no state
_KEYED_BY = frozenset({"key", "name"})  # parameters that say what the other values of a call belong to


class Signature:
    """How the values of a function's calls are kept, worked out from its type once for all calls.

    `arguments` keeps the arguments of a call with their names; `around_secret` does so for a call about a secret, of
    which only the names and keys are kept. `result` keeps what is returned, `error` the payload of a WIT error, or is
    None where the function has no error. `tells` says whether calls may cause log lines or changes of state, which then
    name the call. `size` is about how many bytes the values take, without their contents.
    """

    __slots__ = (
        "arguments",
        "around_secret",
        "error",
        "interface",
        "keys",
        "name",
        "provider",
        "result",
        "size",
        "tells",
    )

    def __init__(self, callee: Callee) -> None:
        """Work out how to keep the values of `callee` from the names and types of its parameters and its result."""
        self.interface, self.name, self.provider = callee.interface, callee.function.name, callee.provider
        self.tells = not callee.interface.startswith(_SILENT)
        params, result = callee.function.params, callee.function.result
        shown = [(name, keep_hidden if is_secret(name) else keep_as(shape)) for name, shape in params]
        about = [
            (name, keep if name in _KEYED_BY or isinstance(shape, shapes.Borrow) else keep_hidden)
            for (name, keep), (_, shape) in zip(shown, params, strict=True)
        ]
        self.arguments, self.around_secret = keep_all(shown), keep_all(about)
        self.result = keep_as(result.ok if isinstance(result, shapes.Result) else result)
        self.error = _keep_error(result) if isinstance(result, shapes.Result) else None
        self.size = SIZE * (len(params) + 1)
        self.keys = [place for place, (name, _) in enumerate(params) if name in _KEYED_BY]

    def is_about_secret(self, arguments: Sequence[object]) -> bool:
        """Return whether a key or name among `arguments` is that of a secret."""
        return any(is_secret(key) for key in map(arguments.__getitem__, self.keys) if isinstance(key, str))


def _keep_error(result: shapes.Result) -> Keep:
    return (lambda _keeper, _value: None) if result.err is None else keep_as(result.err)
