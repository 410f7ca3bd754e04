"""What crossed the border between a guest and the host during one request: recorded safely, readable as text.

Values are copied the moment they cross, in a form that can be kept and shown: long text and bytes shortened, resources
as name and number, secrets redacted.
"""

from __future__ import annotations

import enum
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, overload

from washnb.engine import Err, Function, Ok, Some, shapes
from washnb.events import HostCall

MAX_CALLS = 1_000
MAX_BYTES = 256 * 1024
_LONGEST = 64  # characters or bytes of one value, items of one list
_LONGEST_BINARY = 16  # bytes that are no text: nobody reads more of them
_BINARY = re.compile(rb"[^\t\n\r\x20-\x7e\x80-\xff]")
_DEEPEST = 6  # levels of one value

_SECRET = re.compile(r"authorization|cookie|token|secret|password", re.IGNORECASE)
_SECRET_PARAMETER = re.compile(r"([?&][^=&#\s]*(?:token|secret|password)[^=&#\s]*=)[^&#\s]+", re.IGNORECASE)
_KEYED_BY = frozenset({"key", "name"})  # parameters that say what the other values of a call belong to


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A resource, by the name of its type and a number that it has for the time of one request."""

    name: str
    number: int

    def __repr__(self) -> str:
        return f"{self.name}#{self.number}"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The beginning of a long value; `size` is its whole length in characters, bytes or items."""

    start: str | bytes | tuple[Any, ...]
    size: int

    def __repr__(self) -> str:
        unit = {str: "characters", bytes: "bytes", tuple: "items"}[type(self.start)]
        return f"{_text(self.start)}... ({self.size:,} {unit})"


@dataclass(frozen=True, slots=True)
class Redacted:
    """A value that was secret by its name."""

    def __repr__(self) -> str:
        return "<redacted>"


@dataclass(frozen=True, slots=True)
class RecordValue:
    """A record: its fields with their names."""

    fields: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        return "{" + ", ".join(f"{name}: {_text(value)}" for name, value in self.fields) + "}"


@dataclass(frozen=True, slots=True)
class CaseValue:
    """A case of a variant, an enum, an option or a result, and its payload where it has one."""

    name: str
    payload: tuple[Any, ...] = ()

    def __repr__(self) -> str:
        return self.name + "".join(f"({_text(value)})" for value in self.payload)


REDACTED = Redacted()


class Trace(Sequence[HostCall]):
    """The host calls of one request, in order. `str()` is one line for each.

    Bounded by count and bytes: `dropped` says how many calls came after that.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._calls: list[HostCall] = []
        self._room = MAX_BYTES
        self.dropped = 0

    def append(self, call: HostCall) -> None:
        """Keep one more call, while there is room."""
        size = len(_text(call.arguments)) + len(_text(call.result)) + len(call.error or "")
        if len(self._calls) >= MAX_CALLS or size > self._room:
            self.dropped += 1
            return
        self._room -= size
        self._calls.append(call)

    @overload
    def __getitem__(self, index: int) -> HostCall: ...

    @overload
    def __getitem__(self, index: slice) -> list[HostCall]: ...

    def __getitem__(self, index: int | slice) -> HostCall | list[HostCall]:
        """The call at that place, or the calls of a slice."""
        return self._calls[index]

    def __len__(self) -> int:
        """How many calls are kept."""
        return len(self._calls)

    def __iter__(self) -> Iterator[HostCall]:
        """The calls in the order in which they began to return."""
        return iter(self._calls)

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Each call as number, call, duration, and who served it."""
        return [(str(call.number), sentence(call), _time(call.duration), call.provider) for call in self]

    def __str__(self) -> str:
        """One line for each call: number, call, duration, who served it."""
        rows = self.rows
        if not rows:
            return "no host calls"
        widths = [min(max(len(row[column]) for row in rows), 120) for column in range(3)]
        lines = [
            f"{number:>{widths[0]}}  {call:<{widths[1]}}  {duration:>{widths[2]}}  {provider}"
            for number, call, duration, provider in rows
        ]
        if self.dropped:
            lines.append(f"... and {self.dropped} more calls that were not kept")
        return "\n".join(lines)

    __repr__ = __str__


def sentence(call: HostCall) -> str:
    """One call in a line: `wasi:keyvalue/store.bucket#1.get("count") -> b"3"`."""
    interface = call.interface.partition("@")[0]
    values = [value for _, value in call.arguments]
    kind, _, rest = call.function.rpartition("]")
    name = rest
    if kind == "[method" and values:
        name = f"{_text(values.pop(0))}.{rest.partition('.')[2]}"
    prefix = f"{interface}." if interface else ""
    answer = "" if call.result is None and call.error is None else f" -> {_text(call.result)}"
    if call.error is not None:
        answer = f" -> error {call.error}".rstrip()
    return f"{prefix}{name}({', '.join(map(_text, values))}){answer}"


class Recorder:
    """Observes the calls of one guest to its host, for one request: the engine's `CallObserver`."""

    def __init__(self, request: int, workload: str, component: str, keep: Callable[[HostCall], None]) -> None:
        """Hand every call of `component`, once it has returned, to `keep`."""
        self._request = request
        self._workload = workload
        self._component = component
        self._keep = keep
        self._begun = time.perf_counter()
        self._number = 0
        self._values = ValueKeeper()

    def called(self, interface: str, function: Function, arguments: tuple[object, ...], provider: str) -> object:
        """Note a call that begins, and its arguments as they are now."""
        self._number += 1
        params = list(zip(function.params, arguments, strict=False))
        secret = any(name in _KEYED_BY and isinstance(value, str) and is_secret(value) for (name, _), value in params)
        kept = tuple((name, self._argument(name, shape, value, secret=secret)) for (name, shape), value in params)
        return _Pending(self._number, interface, function, kept, provider, secret, time.perf_counter())

    def returned(self, token: object, result: object) -> None:
        """Complete the call that `token` stands for."""
        assert isinstance(token, _Pending)
        shape = token.function.result
        if isinstance(shape, shapes.Result):
            shape = shape.ok
        self._complete(token, REDACTED if token.secret and result is not None else self._values.safe(result, shape))

    def failed(self, token: object, error: BaseException) -> None:
        """Complete a call that raised: the WIT error of the function, or what ended the guest."""
        assert isinstance(token, _Pending)
        shape = token.function.result
        if isinstance(error, Err) and isinstance(shape, shapes.Result):
            told = "" if shape.err is None else _text(self._values.safe(error.value, shape.err))
        else:
            said = str(error)
            told = _text(CaseValue(type(error).__name__, (self._values.safe(said, None),) if said else ()))
        self._complete(token, None, told)

    def _argument(self, name: str, shape: shapes.Shape, value: object, *, secret: bool) -> Any:
        if is_secret(name) or (secret and name not in _KEYED_BY and not isinstance(shape, shapes.Borrow)):
            return REDACTED
        return self._values.safe(value, shape)

    def _complete(self, token: _Pending, result: Any, error: str | None = None) -> None:
        self._keep(
            HostCall(
                request=self._request,
                number=token.number,
                workload=self._workload,
                component=self._component,
                interface=token.interface,
                function=token.function.name,
                arguments=token.arguments,
                result=result,
                error=error,
                provider=token.provider,
                started=token.started - self._begun,
                duration=time.perf_counter() - token.started,
            )
        )


class ValueKeeper:
    """Copies values that cross the border into ones that can be kept and shown. Resources keep their numbers."""

    def __init__(self) -> None:
        """Begin with no resource."""
        self._names: dict[int, ResourceName] = {}
        self._named: list[object] = []  # an id is not used again while its object lives here
        self._counts: dict[str, int] = {}

    def safe(self, value: object, shape: shapes.Shape | None, depth: int = 0) -> Any:
        """Copy `value`, whose WIT type is `shape` (None: a scalar, or nothing).

        Of a value that does not fit the type only the name of its class is kept: the engine is about to say the rest.
        """
        if shape is None or isinstance(shape, shapes.Primitive):
            return _scalar(value)
        if depth > _DEEPEST:
            return CaseValue("...")
        try:
            return self._keepers[type(shape)](self, value, shape, depth + 1)
        except Exception:  # noqa: BLE001 - whatever the value raises where it is asked for what it does not have
            return CaseValue(type(value).__name__)

    def _list(self, value: Any, shape: shapes.List, depth: int) -> Any:
        if isinstance(value, bytes):
            return _scalar(value)
        kept = tuple(self.safe(item, shape.element, depth) for item in value[:_LONGEST])
        return kept if len(value) <= _LONGEST else Excerpt(kept, len(value))

    def _option(self, value: Any, shape: shapes.Option, depth: int) -> Any:
        if value is None:
            return CaseValue("none")
        if isinstance(value, Some):
            return CaseValue("some", (self.safe(value.value, shape.some, depth),))
        return self.safe(value, shape.some, depth)

    def _result(self, value: Any, shape: shapes.Result, depth: int) -> Any:
        name, payload = ("err", shape.err) if isinstance(value, Err) else ("ok", shape.ok)
        inner = value.value if isinstance(value, Ok | Err) else value
        return CaseValue(name, () if payload is None else (self.safe(inner, payload, depth),))

    def _tuple(self, value: Any, shape: shapes.Tuple, depth: int) -> Any:
        """A pair whose first half is a secret's name, such as a header, loses its second half."""
        kept = [self.safe(item, inner, depth) for item, inner in zip(value, shape.items, strict=False)]
        if len(kept) == 2 and isinstance(value[0], str) and is_secret(value[0]):
            kept[1] = REDACTED
        return tuple(kept)

    def _record(self, value: Any, shape: shapes.Record, depth: int) -> Any:
        def field(name: str) -> object:
            if isinstance(value, Mapping):
                return value.get(name, value.get(_snake(name)))
            return getattr(value, _snake(name), None)

        return RecordValue(
            tuple(
                (name, REDACTED if is_secret(name) else self.safe(field(name), inner, depth))
                for name, inner in shape.fields
            )
        )

    def _variant(self, value: Any, shape: shapes.Variant, depth: int) -> Any:
        spoken = type(value).__name__.rpartition("_")[2].lower()
        for name, payload in shape.cases:
            if name.replace("-", "").lower() == spoken:
                return CaseValue(name, () if payload is None else (self.safe(value.value, payload, depth),))
        return CaseValue(spoken)

    def _enum(self, value: Any, _shape: shapes.Enum, _depth: int) -> Any:
        return CaseValue(_kebab(value.name) if isinstance(value, enum.Enum) else str(value))

    def _flags(self, value: Any, _shape: shapes.Flags, _depth: int) -> Any:
        names = (_kebab(flag.name) if isinstance(flag, enum.Flag) else _kebab(str(flag)) for flag in value)
        return tuple(CaseValue(name) for name in sorted(names))

    def _resource(self, value: object, shape: shapes.Own | shapes.Borrow, _depth: int) -> ResourceName:
        name = self._names.get(id(value))
        if name is None:
            resource = shape.resource.name
            self._counts[resource] = number = self._counts.get(resource, 0) + 1
            name = self._names[id(value)] = ResourceName(resource, number)
            self._named.append(value)
        return name

    _keepers: ClassVar[dict[type, Callable[..., Any]]] = {
        shapes.List: _list,
        shapes.Option: _option,
        shapes.Result: _result,
        shapes.Tuple: _tuple,
        shapes.Record: _record,
        shapes.Variant: _variant,
        shapes.Enum: _enum,
        shapes.Flags: _flags,
        shapes.Own: _resource,
        shapes.Borrow: _resource,
    }


@dataclass(frozen=True, slots=True)
class _Pending:
    number: int
    interface: str
    function: Function
    arguments: tuple[tuple[str, Any], ...]
    provider: str
    secret: bool
    started: float


def is_secret(name: str) -> bool:
    """Whether nobody is shown a value of this name: Authorization, Cookie, or with token, secret or password in it."""
    return _SECRET.search(name) is not None


def without_secrets(target: str) -> str:
    """A path or address whose query shows no value of a secret name."""
    return _SECRET_PARAMETER.sub(r"\1<redacted>", target) if "=" in target else target


def _scalar(value: object) -> Any:
    if isinstance(value, str):
        value = without_secrets(value)
    if isinstance(value, str | bytes):
        binary = isinstance(value, bytes) and _BINARY.search(value, 0, _LONGEST) is not None
        longest = _LONGEST_BINARY if binary else _LONGEST
        return value if len(value) <= longest else Excerpt(value[:longest], len(value))
    return value if value is None or isinstance(value, bool | int | float) else CaseValue(type(value).__name__)


def _text(value: object) -> str:
    """A kept value, as a reader of WIT expects it."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_text, value)) + "]"
    return repr(value)


def _time(seconds: float) -> str:
    """A duration in the unit that people would choose."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs" if seconds >= 5e-7 else "<1 µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _snake(name: str) -> str:
    return name.replace("-", "_")


def _kebab(name: str | None) -> str:
    return str(name).replace("_", "-").lower()
