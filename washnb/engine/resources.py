"""Resources: the numbers that wasmtime knows host resource types by, and handles to the resources that guests define."""

from __future__ import annotations

import itertools
import threading

from .abi.shapes import Resource

_lock = threading.Lock()
_numbers = itertools.count(1)
_type_ids: dict[str, int] = {}


def type_id(key: str) -> int:
    """The number of the host resource type `key`, the same in every engine of this process.

    One number for all versions of an interface lets a resource travel between components that were built against
    different ones.
    """
    known = _type_ids.get(key)
    if known is None:
        with _lock:
            known = _type_ids.setdefault(key, next(_numbers))
    return known


class GuestResource:
    """A handle to a resource that a guest defines. It can be passed to functions of the same instance, and goes with it.

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
