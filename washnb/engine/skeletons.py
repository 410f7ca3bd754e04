"""Writing a Python module for a WIT interface: classes for it, its types and its resources, to be filled in."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from washnb.wit import split_version

from .abi.annotations import Named, normal_form
from .abi.names import class_name, member_name, parse_function, python_name, without_kind
from .abi.shapes import (
    Borrow,
    Enum,
    Flags,
    Function,
    InterfaceType,
    List,
    Option,
    Own,
    Record,
    Resource,
    Result,
    Shape,
    Tuple,
    Variant,
)

_BUILTINS = frozenset({"bool", "bytes", "float", "int", "list", "str", "tuple"})
_MODULES = {"builtins": "", "dataclass": "dataclasses", "Enum": "enum", "Flag": "enum", "Any": "typing"}
_OURS = ("Err", "Interface", "Ok", "Some", "resource")
TAKEN = {*_MODULES, *_OURS, "False", "None", "True"}
"""Names that a skeleton imports or finds in Python: the classes that it defines must have others."""

_WORD = re.compile(r"\w+")
_WIDTH = 110


class Skeleton(NamedTuple):
    """The text of a Python module, and the name of the class in it that serves the interface."""

    class_name: str
    text: str


def skeleton(
    interface: InterfaceType,
    declared: Mapping[str, Shape] | None = None,
    *,
    home: str | None = None,
    given: Collection[Shape] = (),
) -> Skeleton:
    """Write a module with classes for `interface`, its types and its resources.

    The module can be imported as it is; each method raises NotImplementedError. `declared` are the types of the
    interface by their names in WIT; a type without a name gets one from the place where it is used. `home` is the
    interface's name in the keys of its resources, where that differs from `interface.name`. Classes of the types in
    `given` are left out.
    """
    names = TypeNames(interface, declared or {})
    writing = _Writing(interface, names, interface.name if home is None else home)
    return Skeleton(names.interface, writing.text(given))


class TypeNames:
    """The names of the classes of an interface; `types` has each type after those that it is made of."""

    def __init__(self, interface: InterfaceType, declared: Mapping[str, Shape]) -> None:
        self.declared = {shape: name for name, shape in reversed([*declared.items()])}
        self.resources: dict[Resource, str] = {}
        self.types: dict[Shape, str] = {}
        self._taken = set(TAKEN)
        for name, resource in interface.resources.items():
            if resource not in self.resources:
                self.resources[resource] = self._unused(name)
        for function in interface.functions.values():
            parsed = parse_function(function.name)
            for name, shape in function.params:
                self._name(shape, name)
            self._name(function.result, f"{parsed.name or parsed.resource}-result")
        self.interface = self._unused(split_version(interface.name)[0].rpartition("/")[2], "Interface")
        by_length = sorted(self.declared.items(), key=lambda each: len(str(each[0])), reverse=True)
        self._wit_names = [(str(shape), name) for shape, name in by_length]

    def wit(self, subject: Shape | Function, *, spelled_out: str = "") -> str:
        """Write a type or a function in WIT, with names for the declared types in it.

        The type whose text in WIT is `spelled_out` is written with its contents instead.
        """
        text = str(subject)
        for inner, name in self._wit_names:
            text = text if inner == spelled_out else text.replace(inner, name)
        return text

    def definition(self, shape: Shape) -> str:
        """Write the definition of a type in WIT: `enum color { red, green }`."""
        kind, _, body = self.wit(shape, spelled_out=str(shape)).partition(" ")
        return " ".join([kind, *filter(None, [self.declared.get(shape)]), body])

    def _name(self, shape: Shape | None, place: str) -> None:
        """Name the classes for `shape` and the types in it; one without a name in WIT is called after its `place`."""
        if shape is None:
            return
        name = self.declared.get(shape, place)
        for inner, where in _parts(shape):
            self._name(inner, f"{name}-{where}" if where else name)
        if isinstance(shape, Record | Variant | Enum | Flags) and shape not in self.types:
            self.types[shape] = self._unused(name)

    def _unused(self, wit: str, suffix: str = "") -> str:
        found = name = class_name(wit)
        number = 1
        while found in self._taken:
            number += 1
            found, suffix = f"{name}{suffix or number}", ""
        self._taken.add(found)
        return found


def _parts(shape: Shape) -> Iterator[tuple[Shape | None, str]]:
    """Yield the types inside a type, each with the name of its field or case, or "" where it has none."""
    if isinstance(shape, List):
        yield shape.element, ""
    elif isinstance(shape, Option):
        yield shape.some, ""
    elif isinstance(shape, Result):
        yield from ((shape.ok, ""), (shape.err, "error"))
    elif isinstance(shape, Tuple):
        yield from ((item, f"item{number}") for number, item in enumerate(shape.items))
    elif isinstance(shape, Record):
        yield from ((inner, name) for name, inner in shape.fields)
    elif isinstance(shape, Variant):
        yield from ((inner, name) for name, inner in shape.cases)


class _Writing:
    """Writes one module; remembers which classes are still to be defined, and which names have to be imported."""

    def __init__(self, interface: InterfaceType, names: TypeNames, home: str) -> None:
        self._interface = interface
        self._names = names
        self._homes = split_version(home)[0], home
        self._functions = [(parse_function(each.name), each) for each in interface.functions.values()]
        self._shadowed = _BUILTINS.intersection(python_name(parsed.name) for parsed, _ in self._functions)
        self._to_come = {*names.types.values(), *names.resources.values()}
        self._uses = {"Interface"}

    def text(self, given: Collection[Shape]) -> str:
        """Write the whole module, without the classes of the types in `given`."""
        self._to_come -= {self._names.types[shape] for shape in given}
        own = {each: name for each, name in self._names.resources.items() if self._is_own(each)}
        blocks = [self._foreign(each, name) for each, name in self._names.resources.items() if each not in own]
        blocks += [self._type(shape, name) for shape, name in self._names.types.items() if shape not in given]
        blocks += [self._resource(each, name) for each, name in own.items()]
        blocks.append(self._served(own.values()))
        return "\n\n\n".join([self._imports(), *blocks]) + "\n"

    def _is_own(self, resource: Resource) -> bool:
        """Whether this interface defines `resource`; the keys of a guest's resources end in a digest."""
        return resource.key.partition("#")[0] in {f"{home}/{resource.name}" for home in self._homes}

    def _imports(self) -> str:
        ours = f"from washnb import {', '.join(name for name in _OURS if name in self._uses)}"
        lines = [
            f"from {module} import {', '.join(names)}" if module else f"import {', '.join(names)}"
            for module, names in groupby((name for name in _MODULES if name in self._uses), key=_MODULES.__getitem__)
        ]
        return "\n".join([*lines, "", ours] if lines else [ours])

    def _foreign(self, resource: Resource, name: str) -> str:
        self._uses.add("Any")
        self._to_come.remove(name)
        return f"{name} = Any  # of {resource.key.rpartition('/')[0]}: an object of whoever serves that"

    def _type(self, shape: Shape, name: str) -> str:
        wit = f"{type(shape).__name__.lower()} {self._names.declared.get(shape, '')}".rstrip()
        if isinstance(shape, Record):
            text = self._dataclass(name, wit, shape.fields)
        elif isinstance(shape, Variant):
            text = self._variant(shape, name, wit)
        elif isinstance(shape, Enum):
            text = self._members("Enum", name, wit, enumerate(shape.names))
        else:
            assert isinstance(shape, Flags)
            text = self._members("Flag", name, wit, ((1 << bit, each) for bit, each in enumerate(shape.names)))
        self._to_come.remove(name)
        return text

    def _members(self, kind: str, name: str, wit: str, values: Iterable[tuple[int, str]]) -> str:
        self._uses.add(kind)
        lines = [f"{member_name(each)} = {value}" for value, each in values]
        return _class(f"class {name}({kind}):", wit, "\n".join(lines))

    def _dataclass(self, name: str, wit: str, fields: Iterable[tuple[str, Shape]]) -> str:
        self._uses.add("dataclass")
        lines = [f"{python_name(each)}: {self._hint(shape)}" for each, shape in fields]
        return "@dataclass(frozen=True)\n" + _class(f"class {name}:", wit, *(["\n".join(lines)] if lines else []))

    def _variant(self, shape: Variant, name: str, wit: str) -> str:
        cases = [
            (f"{name}_{class_name(each)}", each, [] if payload is None else [("value", payload)])
            for each, payload in shape.cases
        ]
        classes = [self._dataclass(cls, f"{wit}: {each}", fields) for cls, each, fields in cases]
        names = [cls for cls, _, _ in cases]
        union = f"{name} = {' | '.join(names)}"
        if len(union) > _WIDTH:
            union = "\n".join([f"{name} = (", *(f"    | {each}" for each in names), ")"]).replace("    | ", "    ", 1)
        return "\n\n\n".join([*classes, union])

    def _resource(self, resource: Resource, name: str) -> str:
        self._uses.add("resource")
        methods = [
            self._method(function, name, parsed.kind, parsed.name)
            for parsed, function in self._functions
            if parsed.resource == resource.name
        ]
        self._to_come.remove(name)
        return f'@resource("{resource.name}")\n' + _class(f"class {name}:", f"resource {resource.name}", *methods)

    def _served(self, resources: Iterable[str]) -> str:
        name = self._names.interface
        attributes = "\n".join(f"{each} = {each}" for each in resources)
        methods = [
            self._method(each, name, parsed.kind, parsed.name) for parsed, each in self._functions if not parsed.kind
        ]
        head = f'class {name}(Interface, wit="{self._interface.name}"):'
        return _class(head, f"interface {self._interface.name}", *filter(None, [attributes]), *methods)

    def _method(self, function: Function, owner: str, kind: str, wit: str) -> str:
        name = python_name(wit) if wit else "__init__"
        params = [(python_name(each), shape) for each, shape in function.params]
        receiver = [] if kind == "static" else ["self"]
        if kind == "method":
            params = params[1:]
        listed = [f"{f'{each}_' if each in receiver else each}: {self._hint(shape)}" for each, shape in params]
        result = function.result
        if isinstance(result, Result):
            self._uses.add("Err")
            result = result.ok
        returned = "None" if result is None or kind == "constructor" else self._hint(result)
        signature = without_kind(self._names.wit(function))
        doc = "\n".join(textwrap.wrap(signature, _WIDTH - 10, break_on_hyphens=False, break_long_words=False))
        lines = [
            *(["@staticmethod"] if kind == "static" else []),
            f"def {name}({', '.join(receiver + listed)}) -> {returned}:",
            textwrap.indent(f'"""{doc}"""', "    "),
            f'    raise NotImplementedError("{owner}.{name} is not written yet")',
        ]
        return "\n".join(lines)

    def _hint(self, shape: Shape) -> str:
        """Write the annotation for a type; in quotes where it names a class that is defined further down."""
        text = normal_form(shape, self._class_of)
        words = set(_WORD.findall(text))
        self._uses |= words & TAKEN
        if shadowed := words & self._shadowed:
            self._uses.add("builtins")
            text = _WORD.sub(lambda word: f"builtins.{word[0]}" if word[0] in shadowed else word[0], text)
        return f'"{text}"' if words & self._to_come else text

    def _class_of(self, shape: Named) -> str:
        if isinstance(shape, Own | Borrow):
            return self._names.resources.get(shape.resource, "Any")
        return self._names.types[shape]


def _class(head: str, doc: str, *members: str) -> str:
    """Write a class; `doc` is its docstring, what it stands for in WIT."""
    return "\n\n".join([f'{head}\n    """{doc}"""', *(textwrap.indent(each, "    ") for each in members)])
