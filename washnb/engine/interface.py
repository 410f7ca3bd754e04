"""How Python code says that it implements a WIT interface, and the values that cross the border by name.

    class Store(Interface, wit="wasi:keyvalue/store@0.2.0-draft"):
        Bucket = Bucket                                  # the resource classes of the interface

        async def open(self, identifier: str) -> Bucket: ...

Names are those of WIT in Python's spelling: functions in snake_case, resources, records and cases in CamelCase. A free
function is a method of the interface; `[method]bucket.get` is `get` of the object that stands for the resource;
`[constructor]fields` is a call of the interface's attribute `Fields`, `[static]fields.from-list` is
`Fields.from_list`. Keywords, `wit` and `drop` get an underscore: `from_`, `wit_`, `drop_`.
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
"""A Python callable that serves a function of WIT: it returns the result, or an awaitable of it."""


class Interface:
    """One WIT interface, implemented in Python; `wit` is its full name.

    Methods may be `def` or `async def`. They run on the loop that all guests of the host share: await what takes time,
    and `await asyncio.to_thread(...)` what blocks. `raise Err(value)` returns the error case of a WIT result to the
    guest; any other exception ends the guest.
    """

    wit: ClassVar[str]

    def __init_subclass__(cls, *, wit: str | None = None, **keywords: Any) -> None:
        """Set `wit`; a subclass without it implements the interface of its parent.

        Raises ConfigError where `wit` names no interface, or several, or neither class nor parent has one.
        """
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
    """Serves the interface that `implementation` serves, with a wrapper around each function.

    `around(import_name, function, serve)` is called once for each function, methods of resources among them, when the
    interface is bound. It returns the callable that is called in place of `serve`, with the same arguments.
    """

    wit = ""

    def __init__(self, implementation: Interface, around: Callable[[str, Function, Serve], Serve]) -> None:
        """Wrap every function of `implementation` in what `around` makes of it."""
        self.implementation = implementation
        self.around = around
        self.wit = implementation.wit  # type: ignore[misc]  # here the interface is one of the object, not of the class


def resource(name: str) -> Callable[[C], C]:
    """Mark a class whose objects stand for the WIT resource `name` (kebab-case, as in WIT).

    A method `drop`, where the class has one, is called without arguments when the guest drops its owned handle, or
    when the guest's instance ends; it must be quick. An exception from it ends the guest; of an instance that is ending
    it is logged. A function that WIT calls `drop` is served by `drop_`.
    """

    def mark(cls: C) -> C:
        cls.wit_resource = name  # type: ignore[attr-defined]  # the mark is what this decorator adds
        return cls

    return mark


@dataclass(frozen=True, slots=True)
class Ok(Generic[T]):
    """The ok case of a WIT result that is nested in another value.

    A function whose own result is a WIT result returns the plain payload instead.
    """

    value: T = None  # type: ignore[assignment]  # result<_, E> has no payload


class Err(WitError, Generic[E]):  # noqa: N818 - WIT's word
    """The error case of a WIT result.

    A function whose own result is a WIT result raises it; where the result is nested in another value, it is a value.
    """

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
    """The some case of an option<option<T>>: None alone would not say which of the two options is empty.

    Of any other option the plain payload stands for the some case.
    """

    value: T
