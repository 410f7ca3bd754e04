"""What the type of a function says of how the values of its calls are shown."""

from __future__ import annotations

from collections.abc import Sequence

from washnb.engine import Callee, shapes
from washnb.secrecy import is_secret

from .values import SIZE, Keep, keep_all, keep_as, keep_hidden

_SILENT = ("wasi:http/types@", "wasi:io/poll@")  # interfaces whose functions log nothing and change no state
_KEYED_BY = frozenset({"key", "name"})  # parameters that say what the other values of a call belong to


class Signature:
    """How the values of a function's calls are kept, as far as its type tells: found out once, for all of them.

    `arguments` keeps those of a call behind their names; `around_secret` those of a call that is about a secret, which
    shows what it is about, and nothing else. `result` keeps what is returned, `error` what is raised as a WIT error;
    None: the function has none. `tells`: what a call does may be told of, and is then known to be its. `size` is about
    how many bytes the values take, without what is in them.
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
        """Look at the names and types of a function."""
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
        """Whether what a call with these arguments is about has the name of a secret."""
        return any(is_secret(key) for key in map(arguments.__getitem__, self.keys) if isinstance(key, str))


def _keep_error(result: shapes.Result) -> Keep:
    return (lambda _keeper, _value: None) if result.err is None else keep_as(result.err)
