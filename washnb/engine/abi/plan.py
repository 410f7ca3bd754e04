"""Plans: the functions that are generated to serve one imported function, or to call one exported function."""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from washnb.errors import GuestError, MismatchError

from ..interface import Err
from .check import find, mismatch_error
from .layout import PAYLOAD
from .lift import FindClasses, Lift
from .lower import Lower
from .names import parse_function, python_name
from .place import MISFITS, write_result
from .shapes import Function, Result
from .source import Source

Handler = Callable[[Any, int, int], object]
"""Serves a host call: (store, address of the arguments, address of the results) -> whether the call is pending, to be
done off the fiber."""

ResultWriter = Callable[[Any, Any, int], None]
"""Writes a result: (store, value, address of the results)."""

Keep = Callable[[Any], None]
"""Called with each object that packed arguments point into, to keep it alive for as long as the call lasts."""


class Injection(NamedTuple):
    """What is done in place of a call, for example a fault.

    `serve` is called with the callable that it replaces and a tuple of the arguments, and returns the result or an
    awaitable of it. `mark` is a word for it in the trace.
    """

    mark: str
    serve: Callable[[Callable[..., Any], tuple[Any, ...]], Any]


Intercept = Callable[[], Injection | None]
"""Called before each call of a function: returns what is done in its place, or None where the call goes on."""


Pending = tuple["ImportPlan", tuple[Any, ...], Any, int]
"""A host call that is to be done off the fiber. It is a plain tuple, which is made faster than an object of a class.

Of a call that has not begun: (plan, arguments, None, address of the results). Of one whose target returned a coroutine:
(plan, (observer, token) or () without an observer, the coroutine, address of the results).
"""


def label_of(interface: str, function: str) -> str:
    """Return `interface#function`, or just the function's name where it is at the root."""
    return f"{interface}#{function}" if interface else function


class Callee:
    """The function that is called, as observers see it: its interface, its type, and the name of who serves it.

    There is one object for all calls of a function in a binding table. In `memo` observers keep what they work out once
    for all of them.
    """

    __slots__ = ("function", "interface", "memo", "provider")

    def __init__(self, interface: str, function: Function, provider: str) -> None:
        self.interface = interface
        self.function = function
        self.provider = provider
        self.memo: Any = None


class ImportPlan:
    """How one function of an import is served by one Python callable, the target.

    The generated handlers lift the arguments, and then call the target at once (`on_fiber`), or leave the call pending.
    `hints` returns the annotations of the target's parameters, `named` the classes for types without an annotation;
    `provider` names who serves the function, for observers. With `direct` and `on_fiber`, a method of a resource is
    looked up on the object that the guest passes, and the target is not used.
    """

    def __init__(
        self,
        interface: str,
        function: Function,
        target: Callable[..., Any],
        hints: Callable[[], Sequence[Any]],
        *,
        named: FindClasses,
        provider: str,
        on_fiber: bool,
        direct: bool = True,
    ) -> None:
        self.interface = interface
        self.function = function
        self.target = target
        self.callee = Callee(interface, function, provider)
        self.label = label_of(interface, function.name)
        self.hints = hints
        self.named = named
        self._on_fiber = on_fiber
        self._direct = direct

    @cached_property
    def handle(self) -> Handler:
        """The handler for stores without an observer."""
        return self._handler(watched=False)

    @cached_property
    def watched(self) -> Handler:
        """The handler for stores with an observer."""
        return self._handler(watched=True)

    def _handler(self, *, watched: bool) -> Handler:
        source = Source("handle(store, arguments, results)")
        values = Lift(source, self.named).values(
            [shape for _, shape in self.function.params], self.hints(), "arguments"
        )
        names = [source.local("a", value) for value in values]
        together = f"({''.join(f'{name}, ' for name in names)})"
        plan = source.constant("plan", self)
        if self._on_fiber:
            if watched:
                self._begin_watching(source, together, plan)
            self._call(source, self._direct_call(source, names), watched=watched)
            with source.block(f"if type(value) is {source.constant('coroutine', types.CoroutineType)}:"):
                source.line(f"store.pending = {plan}, {'(observer, token)' if watched else '()'}, value, results")
                source.line("return True")
            if watched:
                source.line("observer.returned(token, value)")
            write_result(source, self.function, self.label, self.named)
        else:
            source.line(f"store.pending = {plan}, {together}, None, results")
            source.line("return True")
        handler: Handler = source.compile(self.label)
        return handler

    def _begin_watching(self, source: Source, arguments: str, plan: str) -> None:
        """Add what `watch` does up to the call itself: as generated code it is faster, and WASI's calls are many.

        Where calls are held (slow motion), the code leaves the call pending instead.
        """
        source.line("observer = store.observer")
        with source.block("if observer.hold is not None:"):
            source.line(f"store.pending = {plan}, {arguments}, None, results")
            source.line("return True")
        source.line(f"token = observer.called({source.constant('callee', self.callee)}, {arguments}, '')")

    def _direct_call(self, source: Source, names: list[str]) -> str:
        parsed = parse_function(self.function.name)
        if parsed.kind == "method" and self._direct:
            return f"{names[0]}.{python_name(parsed.name)}({', '.join(names[1:])})"
        return f"{source.constant('target', self.target)}({', '.join(names)})"

    def _call(self, source: Source, call: str, *, watched: bool) -> None:
        """Add code that assigns the value of `call` to the local `value`; for an `Err` it writes that and returns."""
        with source.block("try:"):
            source.line(f"value = {call}")
        with source.block(f"except {source.constant('err', Err)} as error:"):
            if watched:
                source.line("observer.failed(token, error)")
            source.line(f"return {source.constant('refuse', self.refuse)}(store, error, results)")
        if watched:
            with source.block("except BaseException as error:"):
                source.line("observer.failed(token, error)")
                source.line("raise")

    @cached_property
    def answer(self) -> ResultWriter:
        """The function that writes what the target returned; for a WIT result that is the payload of the ok case."""
        return self._writer(is_ok=True)

    @cached_property
    def _refusal(self) -> ResultWriter:
        return self._writer(is_ok=False)

    def _writer(self, *, is_ok: bool) -> ResultWriter:
        source = Source("answer(store, value, results)")
        write_result(source, self.function, self.label, self.named, is_ok=is_ok)
        answer: ResultWriter = source.compile(self.label)
        return answer

    def refuse(self, store: Any, error: Err[Any], results: int) -> None:
        """Write an `Err` of the target as the function's result. Raises GuestError where that is no WIT result."""
        if not isinstance(self.function.result, Result):
            raise GuestError(
                f"{self.label} raised {error!r}, but its result has no error case", interface=self.interface
            ) from error
        self._refusal(store, error.value, results)

    def watch(self, observer: Any, arguments: tuple[Any, ...], injection: Injection | None = None) -> tuple[Any, Any]:
        """Call the target, or do the injection in its place, and tell the observer that it began, and if it fails.

        Returns the observer's token of the call, and the result or an awaitable of it. That the call has returned is
        the caller's to tell, once the result is written: it may not fit its WIT type.
        """
        mark = "" if injection is None else injection.mark
        token = observer.called(self.callee, arguments, mark)
        if observer.hold is not None:
            return token, observed(observer, token, self._held(observer, token, arguments, injection))
        try:
            value = self._do(arguments, injection)
        except BaseException as error:
            observer.failed(token, error)
            raise
        return token, observed(observer, token, value) if hasattr(value, "__await__") else value

    async def _held(self, observer: Any, token: object, arguments: tuple[Any, ...], injection: Injection | None) -> Any:
        """Make the call once the observer lets it go on."""
        await observer.hold(token)
        value = self._do(arguments, injection)
        return await value if hasattr(value, "__await__") else value

    def _do(self, arguments: tuple[Any, ...], injection: Injection | None) -> Any:
        return self.target(*arguments) if injection is None else injection.serve(self.target, arguments)


class InterceptedPlan(ImportPlan):
    """A plan with an intercept, which is asked at each call what is injected into it.

    Its calls are always done off the fiber: an injection may wait, and is no code of WASI's.
    """

    def __init__(self, plan: ImportPlan, intercept: Intercept) -> None:
        super().__init__(
            *(plan.interface, plan.function, self._serve, plan.hints),
            named=plan.named,
            provider=plan.callee.provider,
            on_fiber=False,
        )
        self._plan = plan
        self._intercept = intercept

    def _serve(self, *arguments: Any) -> Any:
        return self._plan._do(arguments, self._intercept())

    def watch(self, observer: Any, arguments: tuple[Any, ...], _: Injection | None = None) -> tuple[Any, Any]:
        """Ask the intercept what is injected, and make the call with that as the plan behind it does."""
        return self._plan.watch(observer, arguments, self._intercept())


async def observed(observer: Any, token: object, awaitable: Any) -> Any:
    """Await the awaitable of a call, return its result, and tell the call's observer if it fails."""
    try:
        return await awaitable
    except BaseException as error:
        observer.failed(token, error)
        raise


class ExportPlan:
    """How one exported function is called: `lower` packs the arguments, `lift` reads the result, or raises its `Err`.

    `named` returns the classes for the types in the result.
    """

    def __init__(self, interface: str, function: Function, named: FindClasses) -> None:
        self.function = function
        self._named = named
        self.label = label_of(interface, function.name)
        self._pack = self._packer()
        self.lift = self._reader()

    def lower(self, store: Any, arguments: tuple[Any, ...], keep: Keep) -> bytes:
        """Pack the arguments for wasmtime to read in place; `keep` is called with what has to live until it has.

        Raises MismatchError where the number of arguments, or one of them, does not fit.
        """
        if len(arguments) != len(self.function.params):
            itself = 1 if arguments and parse_function(self.function.name).kind == "method" else 0
            count, given = len(self.function.params) - itself, len(arguments) - itself
            wanted = "1 argument" if count == 1 else f"{count or 'no'} arguments"
            raise MismatchError(f"{self.label} takes {wanted}, not {given}", repair=self._signature)
        try:
            return self._pack(store, arguments, keep)
        except MismatchError as error:  # from `hand_back`, for a handle: it does not know the function
            raise MismatchError(
                f"{self.label}: {error.message}", repair=error.repair or self._signature
            ) from error.__cause__
        except MISFITS as error:
            mismatch = self._mismatch(arguments, error)
            raise mismatch from mismatch.__cause__

    def _packer(self) -> Callable[[Any, tuple[Any, ...], Keep], bytes]:
        source = Source("lower(store, arguments, keep)")
        shapes = [shape for _, shape in self.function.params]
        names = [source.name("a") for _ in shapes]
        if names:
            source.line(f"{', '.join(names)}, = arguments")
            source.line(f"return {Lower(source).packed(shapes, names)}")
        else:
            source.line("return b''")
        packer: Callable[[Any, tuple[Any, ...], Keep], bytes] = source.compile(self.label)
        return packer

    def _mismatch(self, arguments: tuple[Any, ...], error: BaseException) -> MismatchError:
        for (name, shape), value in zip(self.function.params, arguments, strict=True):
            if find(shape, value, name) is not None:
                return mismatch_error(self.label, name, shape, value, signature=self.function, classes=self._named())
        mismatch = MismatchError(f"{self.label}: the arguments do not fit", repair=self._signature)
        mismatch.__cause__ = error
        return mismatch

    @property
    def _signature(self) -> str:
        return self._named().wit(self.function)

    def _reader(self) -> Callable[[Any, int], Any]:
        source = Source("lift(store, address)")
        lift, result = Lift(source, self._named), self.function.result
        if isinstance(result, Result):
            source.line(f"is_ok, payload = {source.unpacker(f'{PAYLOAD}x?7xQ')}(VIEW, address)")
            with source.block("if is_ok:"):
                source.line(f"return {'None' if result.ok is None else lift.boxed(result.ok, None, 'payload')}")
            value = "" if result.err is None else lift.boxed(result.err, None, "payload")
            source.line(f"raise {source.constant('err', Err)}({value})")
        else:
            source.line(f"return {'None' if result is None else lift.boxed(result, None, 'address')}")
        reader: Callable[[Any, int], Any] = source.compile(self.label)
        return reader
