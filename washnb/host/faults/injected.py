"""What a fault does in place of a call: made for one function, and checked against its WIT type when it is set."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

from washnb.engine import Err, Function, Injection, case_class, find_mismatch, mismatch_error, names, shapes, typed
from washnb.errors import ConfigError, GuestError, TrapError
from washnb.wasi import Error

from .fault import NOTHING, Fault
from .jumps import Jump, tells_time
from .set_fault import SetFault
from .targets import Callee

SAID = "injected by a fault"
"""The text in an error for which the fault gives none."""

Target = Callable[..., Any]
Serve = Callable[[Target, tuple[Any, ...]], Any]

_CASE = re.compile(r"\s*([\w-]+)\s*(?:\((.*)\))?\s*", re.DOTALL)
_LENGTHS = frozenset({"len", "length"})
_IO_ERROR = "wasi:io/error/error"
_STRING = shapes.Primitive("string")
_CLEAR = "%wash fault clear"


def injection(fault: SetFault, callee: Callee) -> Injection:
    """Return what is done in place of a call. Raises ConfigError where the fault does not fit the function's type."""
    mark, serve = _served(fault.fault, callee, fault.jump)
    if not fault.fault.delay:
        return Injection(mark, serve)

    async def later(target: Target, arguments: tuple[Any, ...]) -> Any:
        value = serve(target, arguments) if await fault.delay() else target(*arguments)
        return await value if hasattr(value, "__await__") else value

    delay = f"delay {fault.fault.delay:g} s"
    return Injection(f"{delay}, {mark}" if mark else delay, later)


def _served(fault: Fault, callee: Callee, jump: Jump) -> tuple[str, Serve]:
    label, function = callee.label, callee.function
    if fault.trap:
        return "trap", _raise_trap(callee) if callee.exported else _trap(callee)
    if fault.error is not None:
        return _error(fault.error, callee)
    if fault.value is not NOTHING:
        return "value", _value(fault.value, callee)
    if callee.exported and (fault.jump or fault.short is not None):
        raise ConfigError(
            f"{label} is exported: jump and short are for what a guest imports",
            interface=label.partition("#")[0],
            repair="delay, error, value and trap are for exports, too",
        )
    if fault.jump:
        return f"jump {fault.jump:+g} s", _jump(jump, label)
    if fault.short is not None:
        return fault.at_most, _short(fault.short, label, function)
    return "", lambda target, arguments: target(*arguments)


def _trap(callee: Callee) -> Serve:
    said = f"{callee.component.label}: a fault ended the guest at {callee.label}"

    def serve(_target: Target, _arguments: tuple[Any, ...]) -> Any:
        raise GuestError(said, interface=callee.label.partition("#")[0], repair=_CLEAR)

    return serve


def _raise_trap(callee: Callee) -> Serve:
    """Return what raises TrapError to callers of an export, as where the guest has trapped."""
    said = f"{callee.component.label}: {callee.label} ended: {SAID}"

    def serve(_target: Target, _arguments: tuple[Any, ...]) -> Any:
        raise TrapError(said, reason=SAID, interface=callee.label.partition("#")[0], repair=_CLEAR)

    return serve


def _error(error: object, callee: Callee) -> tuple[str, Serve]:
    if isinstance(error, type) and issubclass(error, Exception):
        error = _made(error)
    if isinstance(error, Exception) and not isinstance(error, Err):
        return f"error {type(error).__name__}", _raise(error)
    given = error.value if isinstance(error, Err) else error
    value = wit_error(given, callee.label, callee.function, wit=callee.surface.wit)
    assert isinstance(callee.function.result, shapes.Result)
    shape = callee.function.result.err
    case = _case_name(shape, value)
    told = _told(value, shape, callee)

    def refuse(_target: Target, _arguments: tuple[Any, ...]) -> Any:
        raise Err(told)

    return f"error {case}" if case else "error", refuse


def _made(kind: type[Exception]) -> Exception:
    try:
        return kind(SAID)
    except TypeError:
        raise ConfigError(
            f"error={kind.__name__} is not made of a text alone", repair=f"error={kind.__name__}(...)"
        ) from None


def _raise(error: Exception) -> Serve:
    def serve(_target: Target, _arguments: tuple[Any, ...]) -> Any:
        error.__context__ = None
        raise error.with_traceback(None)  # it is raised at each call: drop the frames of the last one

    return serve


def _value(value: object, callee: Callee) -> Serve:
    label, function = callee.label, callee.function
    shape = function.result.ok if isinstance(function.result, shapes.Result) else function.result
    if find_mismatch(shape, value, "value") is not None:
        error = mismatch_error(label, "value", shape, value, signature=function, classes=callee.surface)
        raise ConfigError(error.message, repair=error.repair)
    if callee.exported and isinstance(shape, shapes.Own):
        raise ConfigError(
            f"{label} answers a resource of the guest, which nobody else can make",
            repair="delay, error and trap fit it",
        )
    told = _told(value, shape, callee)
    return lambda _target, _arguments: told


def _told(value: object, shape: shapes.Shape | None, callee: Callee) -> object:
    """Return a value as callers get it: those of an export get instances of the classes of its WIT types."""
    if not callee.exported:
        return value
    return typed(value, shape, callee.surface)


def _jump(jump: Jump, label: str) -> Serve:
    if not tells_time(label):
        raise ConfigError(f"{label} tells no time, and cannot jump", repair="jump is for clocks.now")
    return lambda target, arguments: _changed(target(*arguments), jump.reading)


def _changed(value: Any, change: Callable[[Any], Any]) -> Any:
    if not hasattr(value, "__await__"):
        return change(value)

    async def later() -> Any:
        return change(await value)

    return later()


def _short(most: int, label: str, function: Function) -> Serve:
    """Return what lets a read ask for at most `most` bytes; the next read gets the rest."""
    length = next((index for index, (name, _) in enumerate(function.params) if name in _LENGTHS), None)
    result = function.result
    if length is None or not (isinstance(result, shapes.Result) and result.ok):  # else the rest is lost
        raise ConfigError(
            f"{label} reads no number of bytes, and cannot read less", repair="short is for io.read and filesystem.read"
        )

    def serve(target: Target, arguments: tuple[Any, ...]) -> Any:
        return target(*arguments[:length], min(arguments[length], most), *arguments[length + 1 :])

    return serve


def wit_error(
    given: object, label: str, function: Function, *, wit: Callable[[shapes.Shape | Function], str] = str
) -> object:
    """Return the error of the function's WIT result: `given` is a case by name, `other(text)`, or a value that fits.

    `wit` writes types for the message. Raises ConfigError, which lists the cases, where it does not fit.
    """
    if not isinstance(function.result, shapes.Result):
        raise ConfigError(
            f"{label} has no error in WIT: {wit(function)}",
            interface=label.partition("#")[0],
            repair="an exception as error, or trap, ends the guest; value and delay fit any function",
        )
    shape = function.result.err
    value = _read(given, shape) if isinstance(given, str) else given
    if shape is None:
        value = None
    if find_mismatch(shape, value, "error") is None:
        return value
    raise ConfigError(
        f"{label} has no error {given!r}",
        interface=label.partition("#")[0],
        repair=f"its errors are {_cases(shape, wit)}",
    )


def error_cases(function: Function) -> tuple[str, ...]:
    """Return the names of the cases of the function's WIT error; none where the error has no cases."""
    return _case_names(function.result.err) if isinstance(function.result, shapes.Result) else ()


def _read(text: str, shape: shapes.Shape | None) -> object:
    """Return the value that a text writes for a shape; the text itself, which will not fit, where it writes none."""
    match = _CASE.fullmatch(text)
    if isinstance(shape, shapes.Variant) and match:
        name = _case_name(shape, match[1])
        if name is None:
            return text
        payload = dict(shape.cases)[name]
        made = case_class(shape, name)
        return made() if payload is None else made(_payload(match[2], payload))
    if isinstance(shape, shapes.Enum) and match:
        return _case_name(shape, match[1]) or text
    return text if shape == _STRING else _literal(text)


def _payload(text: str | None, shape: shapes.Shape) -> object:
    if text is None:
        return _anything(shape)
    if _is_io_error(shape):
        return Error(str(_literal(text)))
    value = _literal(text)
    return text if shape == _STRING and not isinstance(value, str) else value


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return text


def _anything(shape: shapes.Shape) -> object:
    """Return some value of a shape, for the payload of an error that was given without one."""
    match shape:
        case shapes.Primitive(name):
            return {"string": SAID, "char": "?", "bool": False}.get(name, 0)
        case shapes.Record(fields):
            return {name.replace("-", "_"): _anything(field) for name, field in fields}
        case shapes.Tuple(items):
            return tuple(map(_anything, items))
        case shapes.Variant(cases):
            name, payload = cases[0]
            return case_class(shape, name)(*(() if payload is None else (_anything(payload),)))
        case shapes.Enum(known):
            return known[0]
        case shapes.Result(_, err):
            return Err(None if err is None else _anything(err))
        case shapes.Own() if _is_io_error(shape):
            return Error(SAID)
        case shapes.List() | shapes.Flags():
            return ()
    return None


def _is_io_error(shape: shapes.Shape) -> bool:
    return isinstance(shape, shapes.Own) and shape.resource.key == _IO_ERROR


def _case_name(shape: shapes.Shape | None, given: object) -> str | None:
    """Return the name of an error's case as WIT spells it; None where it has none."""
    text = given if isinstance(given, str) else getattr(given, "name", None) or type(given).__name__
    spellings = {names.folded(name): name for name in _case_names(shape)}
    return spellings.get(names.folded(text)) or spellings.get(names.folded(text.rpartition("_")[2]))


def _case_names(shape: shapes.Shape | None) -> tuple[str, ...]:
    if isinstance(shape, shapes.Variant):
        return tuple(name for name, _ in shape.cases)
    return shape.names if isinstance(shape, shapes.Enum) else ()


def _cases(shape: shapes.Shape | None, wit: Callable[[shapes.Shape | Function], str]) -> str:
    if isinstance(shape, shapes.Variant):
        return ", ".join(name if payload is None else f"{name}({wit(payload)})" for name, payload in shape.cases)
    return ", ".join(_case_names(shape)) or f"of the type {'nothing' if shape is None else wit(shape)}"
