"""A store: what wasmtime keeps for one instance, and the Python objects that stand behind its handles."""

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
"""Every live store by the address of its context, which is what wasmtime hands to a destructor."""

RUNNING: ContextVar[Store] = ContextVar("RUNNING")
"""The store whose guest is polled: a host function finds it here, in a third of the time that `STORES` takes."""


@dataclass(frozen=True)
class Limits:
    """What one instance may use: MiB of each linear memory (None: no limit of ours), and how many memories."""

    memory_mib: int | None = None
    memories: int = 16


class Store:
    """One wasmtime store with its object table and the little native memory that its calls need.

    `slots` are the handlers of the imports, shared with the bindings; `pending` is the host call that waits to be done
    off the fiber; `failure` the exception that ended the guest. Host objects live in `objects` by rep, the number that
    wasmtime keeps in a handle.
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
        """Make room for what a call leaves: a result that was never written must be one that can be freed."""
        _CLEAR.pack_into(VIEW, self.result)

    def free_boxes(self) -> None:
        """Free the handles that were packed into values, once wasmtime has its own copies."""
        while self.boxes:
            any_delete(self.boxes.pop())

    def settle(self) -> None:
        """End the loans of a call, and let go of the guest's own resources that it took."""
        while self.lent:
            self.objects.pop(self.lent.pop(), None)
        while self.spent:
            handle = self.spent.pop()
            self.handles.discard(handle)
            any_delete(handle.address)

    def take_back(self, first: int) -> None:
        """Undo the packing of arguments that did not all fit: what was to be given, from rep `first` on, stays ours."""
        while self.boxes:
            release(self, self.boxes.pop())
        while self.spent:
            self.spent.pop().used_up = False
        self.lent.clear()
        for rep in range(first, self.next_rep):
            self.objects.pop(rep, None)

    def close(self) -> None:
        """Drop what the guest left in the table, newest first, and delete the store. No call may be in flight."""
        if not self._raw:
            return
        raw, self._raw = self._raw, 0
        self.failure = None  # whose traceback holds the store
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
    """Tell an object that no guest holds it any more. An error is logged: there is nobody to tell."""
    method = getattr(value, "drop", None)
    if method is not None:
        try:
            method()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - a drop may raise anything, and the others must have their turn
            _log.exception("%s.drop() failed", type(value).__name__)


def suspend(store: Store) -> bytes:
    """The continuation of a pending host call: polls find it pending until `resume`."""
    WORD.pack_into(VIEW, store.switch, LENT)
    return continuation(store.switch)


def resume(store: Store) -> None:
    """The next poll finds the pending host call done."""
    WORD.pack_into(VIEW, store.switch, OWNED)
