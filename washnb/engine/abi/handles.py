"""Resource handles between guest and Python.

A guest's handle to a host resource carries a rep, a number under which the store keeps the Python object. A resource
that the guest defines is a `GuestResource` in Python.
"""

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
from .shapes import PLAIN, Resource

_lock = threading.Lock()
_numbers = itertools.count(1)
_type_ids: dict[str, int] = {}

_word = WORD.unpack_from
_rep = REP.unpack_from
_image = HOST_HANDLE.pack


def type_id(key: str) -> int:
    """Return wasmtime's number for the host resource type `key`; it is the same in every engine of this process.

    All versions of an interface have one number, so that a resource can pass between components that were built against
    different versions.
    """
    known = _type_ids.get(key)
    if known is None:
        with _lock:
            known = _type_ids.get(key) or _type_ids.setdefault(key, next(_numbers))
    return known


class GuestResource:
    """A handle to a resource that a guest defines. It can be passed to exports of the same instance, while that lives.

    A function that takes ownership uses the handle up. Where an argument is expected to be one, an object that has one
    as its attribute `wit_handle` is taken, too.
    """

    __slots__ = ("address", "owner", "resource", "used_up")

    def __init__(self, owner: Any, resource: Resource, address: int) -> None:
        self.owner = owner
        self.resource = resource
        self.address = address
        self.used_up = False

    def give_up(self) -> None:
        """Free the handle without dropping the resource, which stays in the guest until the instance ends.

        To be called in the thread of the instance.
        """
        if not self.used_up and self in self.owner.handles:
            self.used_up = True
            self.owner.handles.remove(self)
            any_delete(self.address)

    def __repr__(self) -> str:
        return f"<guest resource {self.resource.name}{' (used up)' if self.used_up else ''}>"


def rep_of(store: Any, handle: int) -> int:
    """Return the rep of a host object from the handle that the guest has passed, given by its address.

    For a borrowed handle this also ends the loan: wasmtime traps a call that returns with a loan open.
    """
    if error := any_to_host(store.context, handle, store.scratch):
        raise _refused(error)
    (host,) = _word(VIEW, store.scratch)
    (rep,) = _rep(VIEW, host + REP_OFFSET)
    host_delete(host)
    return int(rep)


def give(store: Any, value: object, kind: int, at: int) -> None:
    """Enter `value` in the store's table, make an owned handle to it, and write the handle's address at `at`.

    `kind` is the resource's `type_id`. Raises TypeError for what is no object of a resource: a number, or the None of
    a function without `return`.
    """
    if type(value) in PLAIN:
        raise TypeError
    rep = store.next_rep
    store.next_rep = rep + 1
    store.objects[rep] = value
    if error := host_to_any(store.context, _image(OWNED, rep, kind), at):
        raise _refused(error)


def lend(store: Any, value: object, kind: int, at: int) -> None:
    """As `give`, with a borrowed handle; the object leaves the store's table when the call is over."""
    if type(value) in PLAIN:
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
    """Return a GuestResource for a handle from the guest, or what the instance's `represent` makes of it."""
    adopted = GuestResource(store, resource, any_clone(handle))
    store.handles.add(adopted)
    return adopted if store.stand_in is None else store.stand_in(adopted)


def hand_back(store: Any, value: object, resource: Resource, *, owned: bool) -> int:
    """Return the address of a handle for wasmtime to a resource that the guest defines.

    With `owned` ownership goes to the guest, and `value` is used up. Raises MismatchError where `value` is no handle to
    this `resource`, belongs to another instance, or was used up before.
    """
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
    """Free a handle that no guest has received, and wasmtime's entry for it where it is one to a host object."""
    error = any_to_host(store.context, box, store.scratch)
    if error:  # a guest's own resource
        error_delete(error)
    else:
        host_delete(_word(VIEW, store.scratch)[0])
    any_delete(box)
