"""Resource handles on their way through the border: of host objects by their reps, of guest resources as they are."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from washnb.errors import MismatchError

from .layout import (
    BYTES,
    HOST_HANDLE,
    LENT,
    MEMORY,
    OWNED,
    REP,
    REP_OFFSET,
    WORD,
    any_clone,
    any_to_host,
    host_delete,
    host_to_any,
)
from .shapes import Resource

_lock = threading.Lock()
_numbers = itertools.count(1)
_type_ids: dict[str, int] = {}

_word = WORD.unpack_from
_rep = REP.unpack_from
_image = HOST_HANDLE.pack


def type_id(key: str) -> int:
    """The number of the host resource type `key`, the same in every engine of this process.

    One number for all versions of an interface lets a resource travel between components that were built against
    different ones.
    """
    known = _type_ids.get(key)
    if known is None:
        with _lock:
            known = _type_ids.get(key) or _type_ids.setdefault(key, next(_numbers))
    return known


class GuestResource:
    """A handle to a resource that a guest defines: an argument for later calls of the same instance, gone with it.

    A function that takes ownership uses the handle up.
    """

    __slots__ = ("address", "owner", "resource", "used_up")

    def __init__(self, owner: object, resource: Resource, address: int) -> None:
        self.owner = owner
        self.resource = resource
        self.address = address
        self.used_up = False

    def __repr__(self) -> str:
        return f"<guest resource {self.resource.name}{' (used up)' if self.used_up else ''}>"


def rep_of(store: Any, handle: int) -> int:
    """The rep of a host object from the handle that the guest passed.

    This gives a loan back: a guest that ends its call with one open traps.
    """
    if any_to_host(store.context, handle, store.scratch):
        raise MismatchError("the guest passed a handle of another resource type")
    (host,) = _word(MEMORY, store.scratch)
    (rep,) = _rep(MEMORY, host + REP_OFFSET)
    host_delete(host)
    return int(rep)


def give(store: Any, value: object, kind: int, at: int) -> None:
    """Enter `value` in the store's table and write the address of an owned handle to it, a box, at `at`."""
    rep = store.next_rep
    store.next_rep = rep + 1
    store.objects[rep] = value
    image = _image(OWNED, rep, kind)
    if host_to_any(store.context, id(image) + BYTES, at):
        raise MismatchError(f"wasmtime refused a handle to {value!r}")


def lend(store: Any, value: object, kind: int, at: int) -> None:
    """As `give`, with a lent handle; the object leaves the table when the call is over."""
    rep = store.next_rep
    store.next_rep = rep + 1
    store.objects[rep] = value
    store.lent.append(rep)
    image = _image(LENT, rep, kind)
    if host_to_any(store.context, id(image) + BYTES, at):
        raise MismatchError(f"wasmtime refused a handle to {value!r}")


def adopt(store: Any, handle: int, resource: Resource) -> GuestResource:
    """A handle of our own to a resource that the guest defines."""
    adopted = GuestResource(store, resource, any_clone(handle))
    store.handles.append(adopted)
    return adopted


def hand_back(store: Any, value: object, resource: Resource, *, owned: bool) -> int:
    """The address of a box for a guest's own resource, given or lent. Raises MismatchError for anything else."""
    if not isinstance(value, GuestResource) or value.resource.key != resource.key:
        raise MismatchError(f"a handle to the guest's resource {resource.name} is needed, not {value!r}")
    if value.owner is not store:
        raise MismatchError(f"{value!r} belongs to another instance")
    if value.used_up:
        raise MismatchError(f"{value!r} was given away before")
    value.used_up = owned
    return int(any_clone(value.address))
