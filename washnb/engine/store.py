"""A store: wasmtime's state of one instance, and the Python objects behind the handles that its guest holds."""

from __future__ import annotations

import ctypes
import logging
import struct
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .abi.handles import GuestResource, release
from .abi.layout import (
    FUNC,
    HOST_HANDLE,
    INSTANCE,
    LENT,
    OWNED,
    VAL,
    VIEW,
    WORD,
    any_delete,
    continuation,
    set_epoch_deadline,
    store_context,
    store_delete,
    store_limiter,
    store_new,
    yield_at_deadline,
)

_CLEAR = struct.Struct(f"{VAL + WORD.size}x")  # the result and, behind it, the error
_Memory = ctypes.c_char * (2 * VAL + HOST_HANDLE.size + WORD.size + FUNC + INSTANCE)
_log = logging.getLogger(__name__)

STORES: dict[int, Store] = {}
"""Every live store by the address of its context: wasmtime passes that to the destructor of a host resource."""

RUNNING: ContextVar[Store] = ContextVar("RUNNING")
"""The store whose guest runs at present. A host call finds it here in a third of the time that `STORES` would take."""


@dataclass(frozen=True)
class Limits:
    """What one instance may use: MiB of each linear memory (None: no limit of washnb's), and how many memories."""

    memory_mib: int | None = None
    memories: int = 16


class Store:
    """One wasmtime store with its table of host objects, and the native memory that its calls need.

    - `slots`: the handlers of the imports, of the binding table that the present call goes by.
    - `objects`: host objects by rep, the number that wasmtime keeps in a handle; `lent` are the reps of those that are
      lent for the present call alone.
    - `handles`: handles of ours to resources that the guest defines; `spent` are those that the present call takes.
    - `boxes`: addresses of handles that are packed into values and have to be freed.
    - `pending`: the host call that waits to be done off the fiber; `failure`: the exception that ends the guest, and
      the slot or the name of what raised it; `closing`: whether somebody has asked for the end of the instance.
    - `result`, `error`, `scratch`, `switch`, `func`, `instance`: addresses in the native memory.
    """

    __slots__ = (
        *("_memory", "_raw", "boxes", "closing", "context", "error", "failure", "func", "handles", "instance", "lent"),
        *("next_rep", "objects", "observer", "pending", "result", "scratch", "slots", "spent", "stand_in", "switch"),
    )

    def __init__(self, engine: int, slots: list[Any], observer: Any, limits: Limits) -> None:
        self._raw = store_new(engine, 0, 0)
        self.context: int = store_context(self._raw)
        memory = -1 if limits.memory_mib is None else limits.memory_mib << 20
        store_limiter(self._raw, memory, -1, -1, -1, limits.memories)
        set_epoch_deadline(self.context, 1)
        yield_at_deadline(self.context, 1)
        self._memory = _Memory()
        self.result: int = ctypes.addressof(self._memory)
        self.error = self.result + VAL
        self.scratch = self.error + WORD.size
        self.switch = self.scratch + VAL
        self.func = self.switch + HOST_HANDLE.size
        self.instance = self.func + FUNC
        self.slots = slots
        self.observer = observer
        self.objects: dict[int, Any] = {}
        self.next_rep = 1
        self.boxes: list[int] = []
        self.lent: list[int] = []
        self.handles: set[GuestResource] = set()
        self.spent: list[GuestResource] = []
        self.stand_in: Any = None  # see Instance.represent
        self.pending: Any = None
        self.failure: tuple[BaseException, int | str] | None = None
        self.closing = False
        STORES[self.context] = self

    def clear(self) -> None:
        """Zero the result and the error before a call: a result that is not written must be safe to free."""
        _CLEAR.pack_into(VIEW, self.result)

    def free_boxes(self) -> None:
        """Free the handles that were packed into values. Call it once wasmtime has made copies of its own."""
        while self.boxes:
            any_delete(self.boxes.pop())

    def settle(self) -> None:
        """After a call, drop the objects that were lent to it, and the handles to guest resources that it took."""
        while self.lent:
            self.objects.pop(self.lent.pop(), None)
        while self.spent:
            handle = self.spent.pop()
            self.handles.discard(handle)
            any_delete(handle.address)

    def take_back(self, first: int) -> None:
        """Undo the packing of arguments of which one did not fit.

        Host objects that were entered from rep `first` on leave the table, and guest resources can be used again.
        """
        while self.boxes:
            release(self, self.boxes.pop())
        while self.spent:
            self.spent.pop().used_up = False
        self.lent.clear()
        for rep in range(first, self.next_rep):
            self.objects.pop(rep, None)

    def close(self) -> None:
        """Drop the host objects that are left, newest first, and delete the store. No call may be in flight."""
        if not self._raw:
            return
        raw, self._raw = self._raw, 0
        self.failure = None  # its traceback keeps this store alive
        self.free_boxes()
        self.settle()
        while self.handles:
            any_delete(self.handles.pop().address)
        try:
            while self.objects:
                drop(self.objects.popitem()[1])
        finally:
            del STORES[self.context]
            store_delete(raw)


def drop(value: Any) -> None:
    """Call the `drop` of a host object, if it has one, when its guest is gone.

    An exception is logged, because no guest is left for it to end; only KeyboardInterrupt is raised.
    """
    method = getattr(value, "drop", None)
    if method is not None:
        try:
            method()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - whatever one `drop` raises, the other objects have to be dropped, too
            _log.exception("%s.drop() failed", type(value).__name__)


def suspend(store: Store) -> bytes:
    """Return the continuation of a pending host call, in which polls find it pending until `resume` is called."""
    WORD.pack_into(VIEW, store.switch, LENT)
    return continuation(store.switch)


def resume(store: Store) -> None:
    """Let the next poll find the pending host call done."""
    WORD.pack_into(VIEW, store.switch, OWNED)
