"""Room for guests that is reserved once, so that a fresh instance for each request needs no system call for its memory.

Measured with hello over HTTP, this is a third to a half of what a request costs. What is reserved is address space, not
memory: a slot takes what its guest touches. Where the space cannot be had (`ulimit -v`, `ulimit -d`, a kernel that
promises no more than it has, a system other than Linux), memory is asked for guest by guest.
"""

from __future__ import annotations

import mmap
import sys

import wasmtime
from wasmtime import _bindings as bindings

INSTANCES = 1_200
"""How many instances may live at once: the requests of many workloads, and those that are kept for calls."""

STACK_BYTES = 8 << 20
"""Address space for the stack of each guest: as much as a thread has, because Python runs on it too.

That is WASI, what looks on at it, and the `drop` of a plugin's resources. Python stops a recursion in time only on a
stack of this size.
"""

_MEMORIES = 1_500
_MEMORY_BYTES = 1 << 32
_SPACE = 8 << 40  # what the memories and their guard pages come to, and a margin
_NO_RESERVE = 0x4000  # MAP_NORESERVE, as wasmtime asks for it; Python 3.11 has no name for it
_WRITABLE = 15 << 30  # the same for stacks and tables, which count as data from the start

_SETTINGS = {
    "total_component_instances": INSTANCES,
    "total_core_instances": INSTANCES * 8,
    "total_memories": _MEMORIES,
    "total_tables": INSTANCES * 4,
    "total_stacks": INSTANCES + 100,
    "max_memory_size": _MEMORY_BYTES,
    "max_memories_per_module": 16,
    "max_tables_per_module": 16,
    "max_core_instance_size": 4 << 20,
    "table_elements": 100_000,
    "max_unused_warm_slots": 64,
    # bytes of a slot that stay with it between two guests: zeroed, which is cheaper than asking for them again
    "async_stack_keep_resident": 64 << 10,
    "linear_memory_keep_resident": 64 << 10,
    "table_keep_resident": 64 << 10,
}


def pool(config: wasmtime.Config) -> None:
    """Let the engine of `config` reserve room for its guests, where this process may."""
    if not _can_reserve():
        return
    settings = bindings.wasmtime_pooling_allocation_config_new()
    for name, value in _SETTINGS.items():
        getattr(bindings, f"wasmtime_pooling_allocation_config_{name}_set")(settings, value)
    bindings.wasmtime_pooling_allocation_strategy_set(config.ptr(), settings)
    bindings.wasmtime_pooling_allocation_config_delete(settings)


def _can_reserve() -> bool:
    """Try, because wasmtime ends the process where it cannot."""
    if sys.platform != "linux" or sys.maxsize < _SPACE:
        return False
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NO_RESERVE
    try:
        mmap.mmap(-1, _SPACE, flags=flags, prot=0).close()
        mmap.mmap(-1, _WRITABLE, flags=flags).close()
    except (OSError, ValueError):
        return False
    return True
