"""Plans: the generated functions that serve one import, or call one export."""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Sequence
from typing import Any

from washnb.errors import GuestError, MismatchError

from ..interface import Err
from . import layout
from .check import mismatch_error
from .layout import BYTES, KIND, PAYLOAD
from .lift import Lift
from .lower import Lower, kind_of, val_layout
from .names import parse_function, python_name
from .shapes import Borrow, Function, List, Option, Own, Primitive, Record, Result, Shape, Tuple, Variant
from .source import Source

Handler = Callable[[Any, int, int], object]  # (store, arguments, results) -> whether the call is pending
Answer = Callable[[Any, Any, int], None]  # (store, value, results)

_MISFITS = (TypeError, ValueError, AttributeError, KeyError, OverflowError, struct.error)
_COROUTINE = types.CoroutineType


class Pending:
    """A host call that goes on off the fiber: `begun` is its coroutine, or else `arguments` are what to begin it with."""

    __slots__ = ("arguments", "begun", "plan", "results")

    def __init__(self, plan: ImportPlan, arguments: tuple[Any, ...], begun: Any, results: int) -> None:
        self.plan = plan
        self.arguments = arguments
        self.begun = begun
        self.results = results


class ImportPlan:
    """How one function of an import is served: `handle` reads the arguments and calls the target, `answer` and `refuse`
    write what came of it. `watch` is the same target under an observer."""

    def __init__(
        self,
        interface: str,
        function: Function,
        target: Callable[..., Any],
        hints: Sequence[Any],
        *,
        provider: str,
        on_fiber: bool,
    ) -> None:
        self.interface = interface
        self.function = function
        self.target = target
        self.provider = provider
        self.answer = _answer(interface, function)
        self.handle = self._on_fiber(hints) if on_fiber else self._off_fiber(hints)

    @property
    def label(self) -> str:
        """Interface and function, for messages."""
        return f"{self.interface}#{self.function.name}" if self.interface else self.function.name

    def _begin(self) -> Source:
        return Source("handle(store, arguments, results)")

    def _lifted(self, source: Source, hints: Sequence[Any]) -> list[str]:
        values = Lift(source).values([shape for _, shape in self.function.params], hints, "arguments")
        names = [source.name("a") for _ in values]
        for name, value in zip(names, values, strict=True):
            source.line(f"{name} = {value}")
        return names

    def _on_fiber(self, hints: Sequence[Any]) -> Handler:
        source = self._begin()
        names = self._lifted(source, hints)
        parsed = parse_function(self.function.name)
        together = f"({', '.join(names)}{',' if names else ''})"
        if parsed.kind == "method":
            direct = f"{names[0]}.{python_name(parsed.name)}({', '.join(names[1:])})"
        else:
            direct = f"{source.constant('target', self.target)}({', '.join(names)})"
        with source.block("try:"):
            with source.block("if store.observer is None:"):
                source.line(f"value = {direct}")
            with source.block("else:"):
                source.line(f"value = {source.constant('watch', self.watch)}(store.observer, {together})")
        with source.block(f"except {source.constant('err', Err)} as error:"):
            source.line(f"return {source.constant('refuse', self.refuse)}(store, error, results)")
        with source.block(f"if type(value) is {source.constant('coroutine', _COROUTINE)}:"):
            pending, plan = source.constant("pending", Pending), source.constant("plan", self)
            source.line(f"store.pending = {pending}({plan}, (), value, results)")
            source.line("return True")
        source.line(f"{source.constant('answer', self.answer)}(store, value, results)")
        handler: Handler = source.compile(self.label)
        return handler

    def _off_fiber(self, hints: Sequence[Any]) -> Handler:
        source = self._begin()
        names = self._lifted(source, hints)
        pending, plan = source.constant("pending", Pending), source.constant("plan", self)
        together = f"({', '.join(names)}{',' if names else ''})"
        source.line(f"store.pending = {pending}({plan}, {together}, None, results)")
        source.line("return True")
        handler: Handler = source.compile(self.label)
        return handler

    def watch(self, observer: Any, arguments: tuple[Any, ...]) -> Any:
        """Call the target and tell the observer; of a coroutine it hears when that ends."""
        token = observer.called(self.interface, self.function, arguments, self.provider)
        try:
            value = self.target(*arguments)
        except BaseException as error:
            observer.failed(token, error)
            raise
        if type(value) is _COROUTINE:
            return _watched(observer, token, value)
        observer.returned(token, value)
        return value

    def refuse(self, store: Any, error: Err[Any], results: int) -> None:
        """Write the error case of the function's result. Raises GuestError where it has none."""
        if not isinstance(self.function.result, Result):
            raise GuestError(
                f"{self.label} raised {error!r}, but its result has no error case", interface=self.interface
            ) from error
        _refusal(self.interface, self.function)(store, error.value, results)


async def _watched(observer: Any, token: object, coroutine: Any) -> Any:
    try:
        value = await coroutine
    except BaseException as error:
        observer.failed(token, error)
        raise
    observer.returned(token, value)
    return value


class ExportPlan:
    """How one export is called: `lower` packs the arguments, `lift` reads the result."""

    def __init__(self, interface: str, function: Function) -> None:
        self.interface = interface
        self.function = function
        self.lower = self._lower()
        self.lift = self._lift()

    @property
    def label(self) -> str:
        """Interface and function, for messages."""
        return f"{self.interface}#{self.function.name}" if self.interface else self.function.name

    def _lower(self) -> Callable[[Any, tuple[Any, ...], Callable[[Any], None]], bytes]:
        source = Source("lower(store, arguments, keep)")
        names = [source.name("a") for _ in self.function.params]
        if not names:
            source.line("return b''")
        else:
            source.line(f"{', '.join(names)}, = arguments")
            source.line(f"return {Lower(source).packed([shape for _, shape in self.function.params], names)}")
        lower = source.compile(f"call {self.label}")

        def checked(store: Any, arguments: tuple[Any, ...], keep: Callable[[Any], None]) -> bytes:
            if len(arguments) != len(names):
                raise MismatchError(f"{self.label} takes {len(names)} arguments, not {len(arguments)}: {self.function}")
            try:
                return lower(store, arguments, keep)  # type: ignore[no-any-return]
            except MismatchError:
                raise
            except _MISFITS as error:
                raise self._mismatch(arguments) from error

        return checked

    def _mismatch(self, arguments: tuple[Any, ...]) -> MismatchError:
        from .check import find

        for (name, shape), value in zip(self.function.params, arguments, strict=True):
            if find(shape, value, name) is not None:
                return mismatch_error(self.label, name, shape, value)
        return MismatchError(f"{self.label}: the arguments do not fit {self.function}")

    def _lift(self) -> Callable[[Any, int], Any]:
        source = Source("lift(store, address)")
        lift, result = Lift(source), self.function.result
        if isinstance(result, Result):
            unpack = source.unpacker(f"{PAYLOAD}x?7xQ")
            source.line(f"is_ok, payload = {unpack}(MEMORY, address)")
            with source.block("if is_ok:"):
                source.line(f"return {'None' if result.ok is None else lift.boxed(result.ok, None, 'payload')}")
            value = "" if result.err is None else lift.boxed(result.err, None, "payload")
            source.line(f"raise {source.constant('err', Err)}({value})")
        elif result is not None:
            source.line(f"return {lift.boxed(result, None, 'address')}")
        else:
            source.line("return None")
        return source.compile(f"result of {self.label}")  # type: ignore[no-any-return]


def _answer(interface: str, function: Function) -> Answer:
    """Write a plain return value: the ok case where the result is a result."""
    result = function.result
    label = f"{interface}#{function.name}"
    if isinstance(result, Result):
        return _writer(label, result.ok, lambda place: place.case(True, result.ok))
    return _writer(label, result, lambda place: place.at(result, "value", "results"))


_refusals: dict[tuple[str, Function], Answer] = {}


def _refusal(interface: str, function: Function) -> Answer:
    key = interface, function
    if key not in _refusals:
        result = function.result
        assert isinstance(result, Result)
        _refusals[key] = _writer(
            f"{interface}#{function.name}", result.err, lambda place: place.case(False, result.err)
        )
    return _refusals[key]


def _writer(label: str, shape: Shape | None, write: Callable[[_Place], None]) -> Answer:
    source = Source("answer(store, value, results)")
    given = source.name("given")
    source.line(f"{given} = value")
    source.line("hold = []")
    source.line("keep = hold.append")
    with source.block("try:"):
        write(_Place(source))
    with source.block(f"except {source.constant('mismatch', MismatchError)}:"):
        source.line("raise")
    with source.block(f"except {source.constant('misfits', _MISFITS)} as error:"):
        explain = source.constant("explain", mismatch_error)
        source.line(f"raise {explain}({label!r}, 'result', {source.constant('shape', shape)}, {given}) from error")
    answer: Answer = source.compile(f"result of {label}")
    return answer


class _Place:
    """Writes values into memory that wasmtime will free: all of it must come from wasmtime's allocator."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lower = Lower(source)

    def at(self, shape: Shape | None, value: str, address: str) -> None:
        """Write the statements that put `value` at `address`."""
        if shape is None:
            with self._source.block(f"if {value} is not None:"):
                self._source.line("raise TypeError")
            return
        if isinstance(shape, Option) and _is_direct(shape.some):
            with self._source.block(f"if {value} is None:"):
                self._pack(shape, address, "0")
            with self._source.block("else:"):
                self._pack(shape, address, self._box(shape.some, value))
        elif _is_direct(shape):
            self._direct(shape, value, address)
        else:
            self._clone(shape, self._lower.packed([shape], [value]), address)

    def case(self, is_ok: bool, payload: Shape | None) -> None:
        """Write the statements that put a case of a result, with `value` as its payload, at `results`."""
        result = Result(None, None)
        if payload is not None and _is_direct(payload):
            self._pack(result, "results", str(is_ok), self._box(payload, "value"))
            return
        address = self._source.name("address")
        self._lower.payload_of(payload, "value", address)
        if payload is None:
            self._pack(result, "results", str(is_ok), "0")
            return
        pack = self._source.packer(val_layout(result))
        self._clone(payload, f"{pack}({kind_of(result)}, {is_ok}, {address})", "results")

    def _clone(self, shape: Shape, packed: str, address: str) -> None:
        name = self._source.name("tree")
        self._source.line(f"{name} = {packed}")
        clone = self._source.constant("clone", layout.val_clone)
        self._source.line(f"{clone}(id({name}) + {BYTES}, {address})")
        if _holds_handles(shape):
            self._source.line("store.free_boxes()")

    def _box(self, shape: Shape, value: str) -> str:
        self._direct(shape, value, "store.scratch")
        return f"{self._source.constant('val_new', layout.val_new)}(store.scratch)"

    def _direct(self, shape: Shape, value: str, address: str) -> None:
        native = {Primitive("string"): layout.byte_vec_new, List(Primitive("u8")): layout.vallist_new}.get(shape)
        if native is None:
            parts = (
                [f"store.give({value}, {self._source.constant('resource', shape.resource)})"]
                if isinstance(shape, Own)
                else self._lower.payload(shape, value)
            )
            self._pack(shape, address, *parts)
            return
        if isinstance(shape, Primitive):
            self._source.line(f"text = encode({value})")
            size, data = "len(text)", "text"
        else:
            size, data = self._lower.payload(shape, value)
        self._source.line(f"{self._source.constant('native', native)}({address} + {PAYLOAD}, {size}, {data})")
        self._source.line(f"MEMORY[{address}] = {bytes([kind_of(shape)])!r}")

    def _pack(self, shape: Shape, address: str, *parts: str) -> None:
        pack = self._source.constant("pack_into", self._source.struct(val_layout(shape)).pack_into)
        self._source.line(f"{pack}(MEMORY, {address}, {kind_of(shape)}, {', '.join(parts)})")


def _is_direct(shape: Shape) -> bool:
    """Whether a value can be made in wasmtime's memory with one native call, or none."""
    return isinstance(shape, Primitive | Own) or shape == List(Primitive("u8"))


def _holds_handles(shape: Shape | None) -> bool:
    if isinstance(shape, Own | Borrow):
        return True
    inner: tuple[Shape | None, ...] = ()
    if isinstance(shape, List):
        inner = (shape.element,)
    elif isinstance(shape, Option):
        inner = (shape.some,)
    elif isinstance(shape, Result):
        inner = (shape.ok, shape.err)
    elif isinstance(shape, Tuple):
        inner = shape.items
    elif isinstance(shape, Record):
        inner = tuple(field for _, field in shape.fields)
    elif isinstance(shape, Variant):
        inner = tuple(payload for _, payload in shape.cases)
    return any(map(_holds_handles, inner))


__all__ = ["KIND", "ExportPlan", "Handler", "ImportPlan", "Pending"]
