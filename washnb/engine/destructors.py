"""Letting the host drop resources that a guest defines.

A host cannot drop a handle to a resource that a component exports: wasmtime's C API refuses in a store with async
functions, and WIT has no function for it. So `with_destructors` appends to a component, for each such resource, a root
function that takes the handle, and whose core function is the canonical `resource.drop`, which runs the destructor.
What the component had before is not changed. A binary with forms that this module does not read stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from .abi.shapes import InterfaceType, Own, Resource
from .source import sections, unsigned

_PREFIX = "washnb-drop"
REVISION = b"drop2"
"""Part of the cache's key, to be changed with the functions that are appended: old artifacts have others."""

_COMPONENT, _INSTANCE, _ALIAS, _TYPE, _CANON, _IMPORT, _EXPORT = 4, 5, 6, 7, 8, 10, 11
_CORE_SORT, _FUNC_SORT, _TYPE_SORT, _COMPONENT_SORT, _INSTANCE_SORT = 0, 1, 3, 4, 5
_LIFT, _LOWER, _RESOURCE_DROP = 0, 1, 3
_OF_A_RESOURCE = frozenset({2, _RESOURCE_DROP, 4})  # new, drop, rep
_CORE_FUNC = (_CORE_SORT, 0)


class _UnknownForm(Exception):  # noqa: N818 - caught in this module
    """The binary has a form that this module does not read."""


def with_destructors(binary: bytes) -> bytes:
    """Return the component with a drop function for each resource that it defines and exports in an interface.

    Where it has no such resource, or a form that is not known here, the very same bytes are returned.
    """
    try:
        scope = _Scope.read(memoryview(binary))
        found = scope.resources()
    except (_UnknownForm, IndexError, ValueError):
        return binary
    return binary + _appended(scope, found) if found else binary


def split_destructors(exports: dict[str, InterfaceType]) -> tuple[dict[str, InterfaceType], dict[Resource, str]]:
    """Part a component's exports into its own and the drop functions that were appended, as names by resource."""
    root = exports.get("")
    functions = {} if root is None else root.functions
    added = {
        shape.resource: name
        for name, function in functions.items()
        if name.startswith(_PREFIX)
        for _, shape in function.params
        if isinstance(shape, Own)
    }
    if root is None or not added:
        return exports, {}
    own = {name: function for name, function in functions.items() if name not in added.values()}
    others = {name: each for name, each in exports.items() if name}
    return ({"": InterfaceType("", own, root.resources), **others} if own or root.resources else others), added


@dataclass
class _Scope:
    """The index spaces of one component, as far as its sections have been read.

    - `counts`: how many definitions of each sort there are, which is the index of the next one.
    - `components`: binaries of the inner components by index.
    - `foreign`: type indices of aliases, imports and exports; the type itself is defined under another index.
    - `imported`: type indices of imported resources, with their import names; `names`: those that are exported again,
      import name by export name.
    - `made`: for an instance's index the component that it was made of, and its type arguments by name.
    - `exported`: for the new index that exporting an instance gives it, the index that it had before.
    """

    counts: dict[int | tuple[int, int], int] = field(default_factory=dict)
    components: dict[int, memoryview] = field(default_factory=dict)
    foreign: set[int] = field(default_factory=set)
    imported: dict[int, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    made: dict[int, tuple[int, dict[str, int]]] = field(default_factory=dict)
    exported: dict[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, binary: memoryview) -> _Scope:
        """Read the sections of a component, but not of the components in it.

        Raises _UnknownForm, IndexError where the binary breaks off, and ValueError for a name that is not UTF-8.
        """
        scope = cls()
        entries = {
            _INSTANCE: scope._instance,
            _ALIAS: scope._alias,
            _CANON: scope._canon,
            _IMPORT: scope._import,
            _EXPORT: scope._export,
        }
        for kind, payload in sections(binary):
            reader = _Reader(payload)
            if kind == _COMPONENT:
                scope.components[scope._count(_COMPONENT_SORT)] = payload
            elif kind == _TYPE:
                scope.counts[_TYPE_SORT] = scope.next(_TYPE_SORT) + reader.number()
            elif kind in entries:
                for _ in range(reader.number()):
                    entries[kind](reader)
        return scope

    def resources(self) -> list[tuple[int, str]]:
        """Find the resources that are defined here and exported: for each the index of an instance, and its name there.

        Raises as `read`. An inner component is read once, however many instances are made of it; where several
        instances export the same resource, the last one is returned.
        """
        made = {exported: self.made[index] for exported, index in self.exported.items() if index in self.made}
        names = {
            component: self.read(self.components[component]).names
            for component in {component for component, _ in made.values()}
            if component in self.components
        }
        found: dict[int, tuple[int, str]] = {}
        for exported, (component, types) in made.items():
            for name, imported in names.get(component, {}).items():
                if imported in types and types[imported] not in self.foreign:
                    found[types[imported]] = exported, name
        return list(found.values())

    def next(self, sort: int | tuple[int, int]) -> int:
        """The index that the next definition of `sort` gets."""
        return self.counts.get(sort, 0)

    def _count(self, sort: int | tuple[int, int]) -> int:
        """Take the next index of `sort`. Types that are defined here do not come this way: one that does is foreign."""
        index = self.next(sort)
        self.counts[sort] = index + 1
        if sort == _TYPE_SORT:
            self.foreign.add(index)
        return index

    def _instance(self, reader: _Reader) -> None:
        """Read an instance: of a component and arguments, or a mere collection of exports."""
        index = self._count(_INSTANCE_SORT)
        if reader.byte() == 0:
            component, types = reader.number(), {}
            for _ in range(reader.number()):
                name, sort, given = reader.name(), reader.sort(), reader.number()
                if sort == _TYPE_SORT:
                    types[name] = given
            self.made[index] = component, types
            return
        for _ in range(reader.number()):
            reader.extern_name()
            reader.sort()
            reader.number()

    def _alias(self, reader: _Reader) -> None:
        """Read an alias: a definition of an instance, or of an enclosing component, under an index of this one."""
        sort, target = reader.sort(), reader.byte()
        reader.number()
        if target < 2:  # an export of a (core) instance; else something of an enclosing component
            reader.name()
        else:
            reader.number()
        self._count(sort)

    def _canon(self, reader: _Reader) -> None:
        """Read a canonical function. Raises _UnknownForm for any that WASI 0.2 does not use."""
        kind = reader.byte()
        if kind in {_LIFT, _LOWER}:
            reader.byte()
            reader.number()
            reader.options()
            if kind == _LIFT:
                reader.number()
        elif kind in _OF_A_RESOURCE:
            reader.number()
        else:
            raise _UnknownForm
        self._count(_FUNC_SORT if kind == _LIFT else _CORE_FUNC)

    def _import(self, reader: _Reader) -> None:
        name = reader.extern_name()
        sort, is_resource = reader.description()
        index = self._count(sort)
        if is_resource:
            self.imported[index] = name

    def _export(self, reader: _Reader) -> None:
        name = reader.extern_name()
        sort, index = reader.sort(), reader.number()
        if reader.byte():
            reader.description()
        exported = self._count(sort)
        if sort == _TYPE_SORT and index in self.imported:
            self.imported[exported] = self.names[name] = self.imported[index]
        if sort == _INSTANCE_SORT:
            self.exported[exported] = index


class _Reader:
    """Reads the entries of a section in the component model's binary format; IndexError where it breaks off."""

    def __init__(self, payload: memoryview) -> None:
        self._payload = payload
        self._at = 0

    def byte(self) -> int:
        self._at += 1
        return self._payload[self._at - 1]

    def number(self) -> int:
        value, self._at = unsigned(self._payload, self._at)
        return value

    def name(self) -> str:
        size = self.number()
        self._at += size
        return bytes(self._payload[self._at - size : self._at]).decode()

    def extern_name(self) -> str:
        if self.byte() > 1:
            raise _UnknownForm
        return self.name()

    def sort(self) -> int | tuple[int, int]:
        kind = self.byte()
        return (kind, self.byte()) if kind == _CORE_SORT else kind

    def description(self) -> tuple[int | tuple[int, int], bool]:
        """Read an extern description: the sort of what is imported or exported, and whether it is a resource."""
        sort = self.sort()
        if sort == _TYPE_SORT and self.byte():
            return sort, True
        if sort == 2:  # a value
            raise _UnknownForm
        self.number()
        return sort, False

    def options(self) -> None:
        for _ in range(self.number()):
            kind = self.byte()
            if kind in {3, 4, 5}:  # memory, realloc, post-return; the others are encodings of text
                self.number()
            elif kind > 2:
                raise _UnknownForm


def _appended(scope: _Scope, found: list[tuple[int, str]]) -> bytes:
    """Write the sections that alias the resources `found` (instance index and name) and export their drop functions."""
    count = len(found)
    types, funcs, cores = (scope.next(sort) for sort in (_TYPE_SORT, _FUNC_SORT, _CORE_FUNC))
    handles, signatures = types + count, types + 2 * count

    def each(write: Callable[[int], bytes]) -> list[bytes]:
        return [write(number) for number in range(count)]

    # alias export; own type; function type with one parameter and no result; canon resource.drop; canon lift; export
    aliases = [bytes([_TYPE_SORT, 0]) + _leb(index) + _text(name) for index, name in found]
    owned = each(lambda number: b"\x69" + _leb(types + number))
    functions = each(lambda number: b"\x40\x01" + _text("handle") + _signed(handles + number) + b"\x01\x00")
    drops = each(lambda number: bytes([_RESOURCE_DROP]) + _leb(types + number))
    lifts = each(lambda number: b"\x00\x00" + _leb(cores + number) + b"\x00" + _leb(signatures + number))
    exports = each(
        lambda number: b"\x00" + _text(f"{_PREFIX}{number}") + bytes([_FUNC_SORT]) + _leb(funcs + number) + b"\x00"
    )
    contents = (_ALIAS, aliases), (_TYPE, owned + functions), (_CANON, drops + lifts), (_EXPORT, exports)
    return b"".join(_section(kind, entries) for kind, entries in contents)


def _section(kind: int, entries: Iterable[bytes]) -> bytes:
    """A section of this id with a vector of entries."""
    listed = [*entries]
    content = _leb(len(listed)) + b"".join(listed)
    return bytes([kind]) + _leb(len(content)) + content


def _text(name: str) -> bytes:
    return _leb(len(name.encode())) + name.encode()


def _bytes_of(value: int, limit: int) -> Iterator[int]:
    """Write `value` in LEB128: seven bits in a byte, until what is left is below `limit`, which is at most 0x80."""
    while value >= limit:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def _leb(value: int) -> bytes:
    """`value` in unsigned LEB128."""
    return bytes(_bytes_of(value, 0x80))


def _signed(value: int) -> bytes:
    """A number that is not negative in signed LEB128, whose last byte keeps its sign bit clear for that."""
    return bytes(_bytes_of(value, 0x40))
