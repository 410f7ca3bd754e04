"""The memory layout of values in wasmtime's component C API, and the raw functions that work on them.

A value (`wasmtime_component_val_t`) is a kind byte and, at `PAYLOAD`, a union of `VAL - PAYLOAD` bytes. All of it is
read and written by address through `MEMORY`, a view of the whole address space: one unpacking of a struct fetches all
arguments of a call. The content of a bytes object is at the address `id(packed) + BYTES`, so that values for wasmtime
are packed into bytes objects, from the leaves up, and read in place.

All layouts are taken from the ctypes declarations of wasmtime-py, or probed at import. The import raises ConfigError on
a machine or a release of wasmtime where they are different.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from ctypes import c_bool, c_char_p, c_int64, c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from wasmtime import _ffi as ffi

from washnb.errors import ConfigError

MEMORY: Any = (ctypes.c_char * (2**63 - 1)).from_address(0)  # its slices are bytes
VIEW = memoryview(MEMORY)  # the same memory for structs: they read a memoryview faster
BYTES = bytes.__basicsize__ - 1  # from the address of a bytes object to that of its content
VAL = ctypes.sizeof(ffi.wasmtime_component_val_t)
PAYLOAD: int = ffi.wasmtime_component_val_t.of.offset
ENTRY = ctypes.sizeof(ffi.wasmtime_component_valrecord_entry_t)
FUNC = ctypes.sizeof(ffi.wasmtime_component_func_t)
INSTANCE = ctypes.sizeof(ffi.wasmtime_component_instance_t)

KIND: dict[str, bytes] = {  # bytes, not numbers: a struct packs one byte in half the time of a number
    name: bytes([getattr(ffi, f"WASMTIME_COMPONENT_{name.upper()}").value])
    for name in (
        *("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string"),
        *("list", "record", "tuple", "variant", "enum", "option", "result", "flags", "resource"),
    )
}

# the payload of each scalar, as a struct code
SCALARS = dict(
    zip(
        ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char"),
        "?bBhHiIqQfdI",
        strict=True,
    )
)

# Thunks take plain integers: building ctypes pointers for each call would cost more than the call. Arguments that they
# do not use, in parentheses here, are declared as one byte, which is the cheapest to convert:
# slot, (context), (type), arguments, (their number), results, (their number), error, continuation
THUNK = ctypes.CFUNCTYPE(None, c_size_t, c_uint8, *[c_uint8, c_size_t] * 3, c_size_t)
DESTRUCTOR = ctypes.CFUNCTYPE(c_size_t, c_size_t, c_size_t, c_uint32)

# Addresses and sizes are passed as c_void_p, which takes an int as it is, and bytes as their address. With other types
# of a word ctypes first asks whether the argument is an object of that type, which costs 45 ns for each.
_word = c_void_p

_leaf_library = ctypes.PyDLL(ffi.dll._name)
_running_library = ctypes.CDLL(ffi.dll._name)


def _leaf(name: str, result: Any, *arguments: Any) -> Any:
    """Bind a C function that returns at once: it is called with the GIL held, which halves the cost of the call."""
    function = getattr(_leaf_library, name)
    function.restype, function.argtypes = result, arguments
    return function


def _running(name: str, result: Any, *arguments: Any) -> Any:
    """Bind a C function that may run a guest, or take long: it is called with the GIL released."""
    function = getattr(_running_library, name)
    function.restype, function.argtypes = result, arguments
    return function


val_new = _leaf("wasmtime_component_val_new", c_size_t, _word)
val_clone = _leaf("wasmtime_component_val_clone", None, _word, _word)
val_delete = _leaf("wasmtime_component_val_delete", None, _word)
vallist_new = _leaf("wasmtime_component_vallist_new", None, _word, _word, _word)
byte_vec_new = _leaf("wasm_byte_vec_new", None, _word, _word, _word)
byte_vec_delete = _leaf("wasm_byte_vec_delete", None, _word)

host_new = _leaf("wasmtime_component_resource_host_new", c_size_t, c_bool, c_uint32, c_uint32)
host_delete = _leaf("wasmtime_component_resource_host_delete", None, _word)
any_to_host = _leaf("wasmtime_component_resource_any_to_host", c_size_t, _word, _word, _word)
host_to_any = _leaf("wasmtime_component_resource_host_to_any", c_size_t, _word, _word, _word)
any_clone = _leaf("wasmtime_component_resource_any_clone", c_size_t, _word)
any_delete = _leaf("wasmtime_component_resource_any_delete", None, _word)

error_new = _leaf("wasmtime_error_new", c_size_t, c_char_p)
error_message = _leaf("wasmtime_error_message", None, _word, _word)
error_delete = _leaf("wasmtime_error_delete", None, _word)

store_new = _leaf("wasmtime_store_new", c_size_t, _word, _word, _word)
store_context = _leaf("wasmtime_store_context", c_size_t, _word)
store_limiter = _leaf("wasmtime_store_limiter", None, _word, *[c_int64] * 5)
set_epoch_deadline = _leaf("wasmtime_context_set_epoch_deadline", None, _word, c_uint64)
yield_at_deadline = _leaf("wasmtime_context_epoch_deadline_async_yield_and_update", c_size_t, _word, c_uint64)

get_func = _leaf("wasmtime_component_instance_get_func", c_bool, *[_word] * 4)
add_func_async = _leaf(
    "wasmtime_component_linker_instance_add_func_async", c_size_t, _word, c_char_p, _word, THUNK, *[_word] * 2
)
add_resource = _leaf(
    "wasmtime_component_linker_instance_add_resource",
    *(c_size_t, _word, c_char_p, _word, _word, DESTRUCTOR, _word, _word),
)

# these two return a future, and run nothing: the guest runs in `poll`
call_async = _leaf("wasmtime_component_func_call_async", c_size_t, *[_word] * 7)
instantiate_async = _leaf("wasmtime_component_linker_instantiate_async", c_size_t, *[_word] * 5)

poll = _running("wasmtime_call_future_poll", c_bool, _word)
future_delete = _running("wasmtime_call_future_delete", None, _word)
store_delete = _running("wasmtime_store_delete", None, _word)

WORD = struct.Struct("<Q")
REP = struct.Struct("<I")
CONTINUATION = struct.Struct("<16s")  # callback and its argument, packed; the finalizer behind them stays null
HOST_HANDLE = struct.Struct("<QII8x")  # OWNED or LENT, rep, type id, and 8 bytes more than wasmtime reads
REP_OFFSET = 8  # of the rep in a host handle


_Vector = ctypes.c_char * (2 * WORD.size)  # size and address


def error_text(error: int) -> str:
    """Return the message of an error of wasmtime's, given by its address, and free the error."""
    message = _Vector()
    error_message(error, ctypes.addressof(message))
    size, data = struct.unpack("<QQ", message.raw)
    text: str = MEMORY[data : data + size].decode("utf-8", "replace")
    byte_vec_delete(ctypes.addressof(message))
    error_delete(error)
    return text


def _probe_host_handle() -> tuple[int, int]:
    """Return the words that mark a host handle as owned and as lent.

    Raises ConfigError where host handles are not laid out as `HOST_HANDLE`.
    """
    rep, kind, marks = 0x5EED_0001, 0x5EED_0002, []
    for owned in (True, False):
        handle = host_new(owned, rep, kind)
        marks.append(WORD.unpack_from(VIEW, handle)[0])
        if MEMORY[handle + REP_OFFSET : handle + REP_OFFSET + 8] != REP.pack(rep) + REP.pack(kind):
            raise _refusal("host handles have an unknown layout")
        host_delete(handle)
    if marks[0] == marks[1]:
        raise _refusal("owned and lent host handles look alike")
    return marks[0], marks[1]


def _refusal(reason: str) -> ConfigError:
    return ConfigError(
        f"washnb cannot marshal on this machine: {reason}", repair="pip install 'wasmtime>=50.0.1,<50.1'"
    )


def _offset(structure: Any, field: str) -> int:
    return int(getattr(structure, field).offset)


def _check() -> None:
    probe = b"washnb reads bytes objects in place"
    checks = {
        "it is not little-endian": sys.byteorder == "little",
        "pointers have not 8 bytes": ctypes.sizeof(ctypes.c_void_p) == WORD.size,
        "component values have an unknown layout": (VAL, PAYLOAD, ENTRY) == (32, 8, 48),
        "continuations have an unknown layout": (
            _offset(ffi.wasmtime_async_continuation_t, "env"),
            _offset(ffi.wasmtime_async_continuation_t, "finalizer"),
        )
        == (WORD.size, CONTINUATION.size),
        "bytes objects have an unknown layout": MEMORY[id(probe) + BYTES : id(probe) + BYTES + len(probe)] == probe,
    }
    for reason, passed in checks.items():
        if not passed:
            raise _refusal(reason)


_check()
OWNED, LENT = _probe_host_handle()

_CONTINUE = ctypes.cast(_leaf_library.wasmtime_component_resource_host_owned, ctypes.c_void_p).value


def continuation(handle: int) -> bytes:
    """Return the packed continuation of a host call, which wasmtime polls until the call is done.

    Its callback is wasmtime's own function that tells whether a host handle is owned, so that polling runs no Python:
    the call is done when the memory at the address `handle` holds `OWNED`.
    """
    return struct.pack("<QQ", _CONTINUE, handle)


_done = HOST_HANDLE.pack(OWNED, 0, 0)
DONE = continuation(id(_done) + BYTES)  # of a host call that was done at once
