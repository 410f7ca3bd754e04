"""The trace of a request: the host calls of its guest, recorded with values that are safe to keep, readable as text."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from time import perf_counter
from typing import Any, overload

from washnb.engine import Callee, Err, Function, names, shapes
from washnb.errors import BackendError, WashError, said_by
from washnb.events import CallHeld, CallId, HostCall, current_call

from .signature import Signature
from .values import REDACTED, CaseValue, ValueKeeper, text_of

MAX_CALLS = 1_000
MAX_BYTES = 256 * 1024
_UNTOLD: CallId | None = 0, 0  # in place of the call around it, for a call that was not made the current one
INJECTED = "⚡ injected"
"""Marks a call that a fault has changed, with a shape and a word."""


class Trace(Sequence[HostCall]):
    """The host calls of one request, in order. `str()` is one line for each.

    It keeps 1,000 calls and 256 KiB of values at most; `dropped` is the number of calls that were not kept.
    """

    def __init__(self) -> None:
        """Begin without calls."""
        self._calls: list[HostCall] = []
        self._room = MAX_BYTES
        self.dropped = 0

    def append(self, call: HostCall) -> None:
        """Keep one more call where there is room, else count it as dropped."""
        if len(self._calls) >= MAX_CALLS or self._room <= 0:
            self.dropped += 1
            return
        self._room -= call.size
        self._calls.append(call)

    def only(self, passes: Callable[[HostCall], bool]) -> Trace:
        """Return a trace of the calls for which `passes` is true."""
        chosen = Trace()
        chosen._calls = list(filter(passes, self._calls))
        return chosen

    @overload
    def __getitem__(self, index: int) -> HostCall: ...

    @overload
    def __getitem__(self, index: slice) -> list[HostCall]: ...

    def __getitem__(self, index: int | slice) -> HostCall | list[HostCall]:
        """Return the call at that place, or a list of the calls in a slice."""
        return self._calls[index]

    def __len__(self) -> int:
        """Return the number of calls that are kept."""
        return len(self._calls)

    def __iter__(self) -> Iterator[HostCall]:
        """Yield the calls in the order in which they returned."""
        return iter(self._calls)

    @property
    def rows(self) -> list[tuple[str, str, str, str]]:
        """Each call as texts: its number, the call, its duration, and what served it."""
        return [(str(call.number), sentence(call), _time(call.duration), call.provider) for call in self]

    def __str__(self) -> str:
        """Return a line for each call: its number, the call, its duration, what served it."""
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
    """Return a host call as one line: `wasi:keyvalue/store.bucket#1.get("count") -> b"3"`."""
    interface = call.interface.partition("@")[0]
    values = [value for _, value in call.arguments]
    name = names.without_kind(call.function)
    function = names.parse_function(call.function)
    if function.kind == "method" and values:
        name = f"{text_of(values.pop(0))}.{function.name}"
    prefix = f"{interface}." if interface else ""
    answer = "" if call.result is None and call.error is None else f" -> {text_of(call.result)}"
    if call.error is not None:
        answer = f" -> error {call.error}".rstrip()
    mark = f"  {INJECTED} {call.injected}" if call.injected else ""
    return f"{prefix}{name}({', '.join(map(text_of, values))}){answer}{mark}"


PendingCall = tuple[int, Signature, tuple[tuple[str, Any], ...], bool, int, str, CallId | None, float]
"""A call that has begun: its number, the signature of its function, its arguments, whether it is about a secret, the
size of all values kept before, what a fault injects, the call around it, and when it began. A plain tuple, which is the
quickest to make."""


class Recorder:
    """Records the host calls of one guest during one request: implements the engine's `CallObserver`."""

    hold: Callable[[Any], Awaitable[None]] | None = None

    def __init__(
        self,
        request: int,
        workload: str,
        component: str,
        publish: Callable[[HostCall | CallHeld], None],
        trace: Trace | None = None,
    ) -> None:
        """Publish every host call of `component` when it has returned, and append it to `trace` if there is one."""
        self._request = request
        self._workload = workload
        self._component = component
        self._publish = publish
        self._trace = trace
        self._begun = perf_counter()
        self._number = 0
        self._values = ValueKeeper()

    def called(self, callee: Callee, arguments: tuple[object, ...], injected: str = "") -> PendingCall:
        """Return what is kept of a call that begins: its arguments as they are now, and what `injected` says."""
        signature = callee.memo
        if signature is None:
            signature = callee.memo = Signature(callee)
        self._number = number = self._number + 1
        values, keep, secret, around = self._values, signature.arguments, False, _UNTOLD
        size = values.size
        if signature.keys and signature.is_about_secret(arguments):
            keep, secret = signature.around_secret, True
        kept = keep(values, arguments)
        if signature.tells:
            around = current_call.get()
            current_call.set((self._request, number))  # what happens in the call has it as its cause
        return number, signature, kept, secret, size, injected, around, perf_counter()

    def returned(self, token: PendingCall, result: object) -> None:
        """Publish a call that `called` has begun, with its result."""
        signature, secret = token[1], token[3]
        hidden = secret and result is not None
        self._complete(token, REDACTED if hidden else signature.result(self._values, result))

    def failed(self, token: PendingCall, error: BaseException) -> None:
        """Publish a call that has raised: the error of its WIT result, or the exception that ended the guest."""
        keep = token[1].error
        if isinstance(error, Err) and keep is not None:
            value, cause = keep(self._values, error.value), error.__cause__
            told = _failed(value, cause) if isinstance(cause, BackendError) else "" if value is None else text_of(value)
        else:
            said = said_by(error)
            told = text_of(CaseValue(type(error).__name__, (self._values.safe(said, None),) if said else ()))
        self._complete(token, None, told)

    def passed(self, token: PendingCall) -> None:
        """Publish a call of an export that a fault has looked at, and that goes on in the guest."""
        self._complete(token, None)

    def asked(self, token: PendingCall) -> HostCall:
        """Return the event of a call that is still going on, without result and error."""
        return self._call(token, None, None, token[-1])

    def _complete(self, token: PendingCall, result: Any, error: str | None = None) -> None:
        call = self._call(token, result, error, perf_counter())
        around = token[6]
        if around is not _UNTOLD:
            current_call.set(around)
        if self._trace is not None:
            self._trace.append(call)
        self._publish(call)

    def _call(self, token: PendingCall, result: Any, error: str | None, ended: float) -> HostCall:
        number, signature, arguments, _, size, injected, _, started = token
        values = (
            self._request,
            number,
            self._workload,
            self._component,
            signature.interface,
            signature.name,
            arguments,
            result,
            error,
            signature.provider,
            started - self._begun,
            ended - started,
            self._values.size - size + signature.size,
            injected,
            0.0,
        )
        return tuple.__new__(HostCall, values)  # HostCall(...) takes twice as long


def failure_of(error: BaseException, function: Function | None) -> str:
    """Return the text for a call of an export that failed: the error of its WIT result, or the exception's message.

    `function` is the type of the export.
    """
    if isinstance(error, Err):
        result = None if function is None else function.result
        value = ValueKeeper().safe(error.value, result.err if isinstance(result, shapes.Result) else None)
        return f"error {text_of(value)}"
    return (error.message if isinstance(error, WashError) else str(error)) or type(error).__name__


def _failed(value: object, cause: BackendError) -> str:
    """Return the text for a call that a backend failed: the case that the guest got, then what the backend says."""
    case = f"{value.name}: " if isinstance(value, CaseValue) else ""
    return f"{case}{cause.message}" + (f"  ({'; '.join(cause.repair)})" if cause.repair else "")


def _time(seconds: float) -> str:
    """Return a duration in seconds as text, in µs, ms or s."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs" if seconds >= 5e-7 else "<1 µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
