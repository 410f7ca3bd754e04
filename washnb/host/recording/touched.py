"""What a host call was about: the hosts, buckets, keys, files and subjects that its arguments name."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from washnb.events import HostCall
from washnb.plugins import lasting_subject
from washnb.secrecy import behind_userinfo

from .values import CaseValue, Excerpt, RecordValue, ResourceName, text_of

KINDS = ("hosts", "buckets", "keys", "containers", "objects", "settings", "subjects", "files")
"""The kinds of names that host calls can be about, in the order in which receipts list them."""

_NAMING: Mapping[str, Mapping[str, str]] = {
    "wasi:keyvalue": {"identifier": "buckets", "key": "keys", "keys": "keys", "key-values": "keys"},
    "wasi:blobstore/blobstore": {"name": "containers", "src": "objects", "dest": "objects"},
    "wasi:blobstore/container": {"name": "objects", "names": "objects"},
    "wasi:config": {"key": "settings"},
    "wasmcloud:messaging": {"subject": "subjects", "msg": "subjects"},
    "wasi:filesystem": {"path": "files", "old-path": "files", "new-path": "files"},
    "wasi:sockets": {"name": "hosts", "remote-address": "hosts"},
}
"""By package or interface: the parameters that hold names, with the kind of each."""

_HTTP = "wasi:http/"
_ASKING = frozenset({"handle", "[method]outgoing-request.set-authority", "[method]outgoing-request.set-scheme"})
"""The functions of wasi:http that say where an outgoing request goes."""


class Meanings:
    """What the resources of one request stand for: a bucket's name, the address of an outgoing request."""

    def __init__(self) -> None:
        """Begin without any resource."""
        self._names: dict[ResourceName, str] = {}
        self._schemes: dict[ResourceName, str] = {}

    def touched(self, call: HostCall) -> Iterable[tuple[str, str]]:
        """Return the kind and the name of each thing that a host call is about."""
        if not may_touch(call.interface, call.function):
            return ()
        if call.interface.startswith(_HTTP):
            return self._asked(call)
        return self._named(call)

    def _named(self, call: HostCall) -> Iterator[tuple[str, str]]:
        naming = _naming(call.interface)
        resources = (value for _, value in call.arguments if isinstance(value, ResourceName))
        scope = next((self._names[each] for each in resources if each in self._names), None)
        for parameter, value in call.arguments:
            for name in _names_in(value) if parameter in naming else ():
                if isinstance(call.result, ResourceName):
                    self._names[call.result] = name
                yield naming[parameter], name if scope is None else f"{scope}/{name}"

    def _asked(self, call: HostCall) -> Iterator[tuple[str, str]]:
        """Remember the host that an outgoing request is for, and yield it when `handle` sends the request."""
        function = call.function.rpartition(".")[2]
        request, value = call.arguments[0][1], call.arguments[-1][1]
        if function == "handle":
            scheme = self._schemes.pop(request, "https")
            yield "hosts", f"{scheme}://{self._names.pop(request, '')}"
        elif function == "set-authority" and call.error is None:
            authority = value if isinstance(value, str) else text_of(value)
            self._names[request] = behind_userinfo(authority)  # the rest is not sent either
        elif isinstance(value, CaseValue) and call.error is None and value.name != "none":
            self._schemes[request] = str(value.payload[0] if value.payload else value.name).lower()


@functools.lru_cache(maxsize=4096)
def may_touch(interface: str, function: str) -> bool:
    """Return whether calls of a function can name anything. Calls of most functions cannot, and those are many."""
    return function in _ASKING if interface.startswith(_HTTP) else bool(_naming(interface))


@functools.lru_cache(maxsize=1024)
def _naming(interface: str) -> Mapping[str, str]:
    plain = interface.partition("@")[0]
    return _NAMING.get(plain) or _NAMING.get(plain.partition("/")[0], {})


def _names_in(value: Any) -> Iterator[str]:
    """Yield the names in an argument: a text, a list of texts or of pairs, an object's id, or a message."""
    if isinstance(value, Excerpt) and isinstance(value.start, tuple):
        value = value.start
    if isinstance(value, RecordValue):
        fields = dict(value.fields)
        parts = [fields[each] for each in ("container", "object", "subject") if each in fields]
        yield lasting_subject("/".join(each if isinstance(each, str) else text_of(each) for each in parts))
    elif isinstance(value, tuple):
        for each in value:
            yield from _names_in(each[0] if isinstance(each, tuple) and each else each)
    else:
        yield lasting_subject(value if isinstance(value, str) else text_of(value))
