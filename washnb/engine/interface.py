"""How Python code says that it implements a WIT interface, and the values that cross the border by name.

    class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):
        Bucket = Bucket                                  # the resource classes of the interface

        async def open(self, identifier: str) -> Bucket: ...

Names are those of WIT in Python's spelling: functions in snake_case, resources, records and cases in CamelCase. A free
function is a method of the interface; `[method]bucket.get` is `get` of the object that stands for the resource;
`[constructor]fields` is a call of the interface's attribute `Fields`, `[static]fields.from-list` is
`Fields.from_list`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from washnb.errors import ConfigError, WitError
from washnb.wit import WitInterface

from .abi.shapes import Function

T = TypeVar("T")
E = TypeVar("E")
C = TypeVar("C", bound=type)

Serve = Callable[..., Any]
"""What serves a function: it may return an awaitable."""


class Interface:
    """One WIT interface, implemented in Python; `wit` is its full name.

    Methods may be `def` or `async def`. They run on the loop that all guests of an engine share: what takes time is
    awaited, `await asyncio.to_thread(...)` where it cannot be otherwise. `raise Err(value)` is the error of the WIT
    result; any other exception ends the guest.
    """

    wit: ClassVar[str]

    def __init_subclass__(cls, *, wit: str | None = None, **keywords: Any) -> None:
        """Check the name. A subclass without `wit` implements the interface of its parent."""
        super().__init_subclass__(**keywords)
        if wit is not None:
            if len(WitInterface.parse(wit).interfaces) != 1:
                raise ConfigError(
                    f"class {cls.__name__} names several interfaces: {wit}", repair="write one class for each interface"
                )
            cls.wit = wit
        elif not hasattr(cls, "wit"):
            raise ConfigError(
                f"class {cls.__name__} does not say which WIT interface it implements",
                repair=f'class {cls.__name__}(Interface, wit="namespace:package/interface@version"):',
            )


class Around(Interface):
    """Serves what another interface serves, with somebody's say in each function.

    `around` gets the name of the import, the function in WIT, and what serves it; it returns what is called instead,
    with the same arguments.
    """

    wit = ""

    def __init__(self, implementation: Interface, around: Callable[[str, Function, Serve], Serve]) -> None:
        """Serve the interface of `implementation`."""
        self.implementation = implementation
        self.around = around
        self.wit = implementation.wit  # type: ignore[misc]  # each object has that of another class


def resource(name: str) -> Callable[[C], C]:
    """Mark a class whose objects stand for the WIT resource `name` (kebab-case, as in WIT).

    Where the class has a method `drop`, it is called, without arguments, when the guest drops its last handle or goes
    away; it must be quick. An exception ends the guest that dropped the handle; where the guest is gone, it is logged.
    """

    def mark(cls: C) -> C:
        cls.wit_resource = name  # type: ignore[attr-defined]  # the mark is what this decorator adds
        return cls

    return mark


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The good case of a WIT result that is nested in another value. At the top a plain value stands for it."""

    value: T = None  # type: ignore[assignment]  # result<_, E> has no payload


class Err(WitError, Generic[E]):  # noqa: N818 - WIT's word
    """The error case of a WIT result: raised by a function whose result it is, a plain value where nested."""

    def __init__(self, value: E = None) -> None:  # type: ignore[assignment]  # result<T, _> has no payload
        """Keep the payload of the error case."""
        super().__init__(value)
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Equal when both are errors with equal payloads."""
        return isinstance(other, Err) and self.value == other.value

    def __hash__(self) -> int:
        """Agrees with `==`."""
        return hash((Err, self.value))

    def __repr__(self) -> str:
        """As it is written in code."""
        return f"Err({self.value!r})"


@dataclass(frozen=True, slots=True)
class Some(Generic[T]):
    """The full case of an option that holds an option: there None alone would not say which of the two is empty."""

    value: T
