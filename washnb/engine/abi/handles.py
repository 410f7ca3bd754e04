"""Resource handles on their way through the border: of host objects by their reps, of guest resources as they are."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from washnb.errors import GuestError, MismatchError

from .layout import (
    HOST_HANDLE,
    LENT,
    OWNED,
    REP,
    REP_OFFSET,
    VIEW,
    WORD,
    any_clone,
    any_delete,
    any_to_host,
    error_delete,
    error_text,
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

    A function that takes ownership uses the handle up. What has it as its attribute `wit_handle` can stand for it.
    """

    __slots__ = ("address", "owner", "resource", "used_up")

    def __init__(self, owner: Any, resource: Resource, address: int) -> None:
        self.owner = owner
        self.resource = resource
        self.address = address
        self.used_up = False

    def give_up(self) -> None:
        """Let go of the handle, on the thread of its instance. The guest keeps its resource: nobody can drop it."""
        if not self.used_up and self in self.owner.handles:
            self.used_up = True
            self.owner.handles.remove(self)
            any_delete(self.address)

    def __repr__(self) -> str:
        return f"<guest resource {self.resource.name}{' (used up)' if self.used_up else ''}>"


def rep_of(store: Any, handle: int) -> int:
    """The rep of a host object from the handle that the guest passed.

    This gives a loan back: a guest that ends its call with one open traps.
    """
    if error := any_to_host(store.context, handle, store.scratch):
        raise _refused(error)
    (host,) = _word(VIEW, store.scratch)
    (rep,) = _rep(VIEW, host + REP_OFFSET)
    host_delete(host)
    return int(rep)


def give(store: Any, value: object, kind: int, at: int) -> None:
    """Enter `value` in the store's table and write the address of an owned handle to it, a box, at `at`.

    Raises TypeError for None, which is what a function returns that has forgotten to.
    """
    if value is None:
        raise TypeError
    rep = store.next_rep
    store.next_rep = rep + 1
    store.objects[rep] = value
    if error := host_to_any(store.context, _image(OWNED, rep, kind), at):
        raise _refused(error)


def lend(store: Any, value: object, kind: int, at: int) -> None:
    """As `give`, with a lent handle; the object leaves the table when the call is over."""
    if value is None:
        raise TypeError
    rep = store.next_rep
    store.next_rep = rep + 1
    store.objects[rep] = value
    store.lent.append(rep)
    if error := host_to_any(store.context, _image(LENT, rep, kind), at):
        raise _refused(error)


def _refused(error: int) -> GuestError:
    return GuestError(
        f"wasmtime refuses a handle: {error_text(error)}", repair="let the guest drop the handles that it is done with"
    )


def adopt(store: Any, handle: int, resource: Resource) -> Any:
    """A handle of our own to a resource that the guest defines, or what stands for it."""
    adopted = GuestResource(store, resource, any_clone(handle))
    store.handles.add(adopted)
    return adopted if store.stand_in is None else store.stand_in(adopted)


def hand_back(store: Any, value: object, resource: Resource, *, owned: bool) -> int:
    """The address of a box for a guest's own resource, given or lent. Raises MismatchError for anything else."""
    if not isinstance(value, type):
        value = getattr(value, "wit_handle", value)
    if not isinstance(value, GuestResource) or value.resource.key != resource.key:
        raise MismatchError(f"an object of the guest's resource {resource.name} is needed, not {_shown(value)}")
    if value.owner is not store:
        raise MismatchError(f"{value!r} belongs to another instance")
    if value.used_up:
        raise MismatchError(f"{value!r} was given away before")
    if owned:
        value.used_up = True
        store.spent.append(value)
    return int(any_clone(value.address))


def _shown(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"{value!r:.80}"


def release(store: Any, box: int) -> None:
    """Free a box whose handle no guest has received; wasmtime's entry for a host object goes with it."""
    error = any_to_host(store.context, box, store.scratch)
    if error:  # a guest's own resource
        error_delete(error)
    else:
        host_delete(_word(VIEW, store.scratch)[0])
    any_delete(box)
