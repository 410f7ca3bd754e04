"""Guests in WAT for any WIT type: what comes in through an export goes out through an import, and the answer back.

The text follows the canonical ABI: how a type is flattened into core parameters, how large it is in memory.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from types import MappingProxyType

from washnb.engine.abi.shapes import (
    Borrow,
    Enum,
    Flags,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Shape,
    Tuple,
    Variant,
)

HOST = "test:echo/host@1.0.0"
_SIZES = {"bool": 1, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "s64": 8, "u64": 8, "f64": 8}
_FLAT = {"s64": "i64", "u64": "i64", "f32": "f32", "f64": "f64"}

ALLOCATOR = """
    (memory (export "memory") 1)
    (global $heap (mut i32) (i32.const 1024))
    (func $realloc (export "realloc")
      (param $old i32) (param $had i32) (param $align i32) (param $want i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get $align))))
      (global.set $heap (i32.add (local.get $at) (local.get $want)))
      (block $fits
        (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $fits (i32.ne (i32.const -1) (memory.grow (i32.add (i32.const 1) (i32.shr_u (i32.sub (global.get $heap)
          (i32.mul (memory.size) (i32.const 65536))) (i32.const 16))))))
        unreachable)
      (memory.copy (local.get $at) (local.get $old) (local.get $had))
      (local.get $at))
    (func $free (export "free") (global.set $heap (i32.const 1024)))
    (func $mark (export "mark") (result i32) (global.get $heap))
    (func $back (export "back") (param i32) (global.set $heap (local.get 0)))
"""


def cases(shape: Shape) -> list[Shape | None] | None:
    """The payloads of a shape that is a variant underneath, None for others."""
    if isinstance(shape, Option):
        return [None, shape.some]
    if isinstance(shape, Result):
        return [shape.ok, shape.err]
    if isinstance(shape, Variant):
        return [payload for _, payload in shape.cases]
    return [None] * len(shape.names) if isinstance(shape, Enum) else None


def parts(shape: Shape) -> list[Shape] | None:
    """The parts of a shape that is a record underneath, None for others."""
    if isinstance(shape, Tuple):
        return list(shape.items)
    return [field for _, field in shape.fields] if isinstance(shape, Record) else None


def _discriminant(count: int) -> int:
    return 1 if count <= 256 else 2 if count <= 65536 else 4


def alignment(shape: Shape | None) -> int:
    """Bytes that a value is aligned to in memory."""
    if shape is None:
        return 1
    if (inner := cases(shape)) is not None:
        return max([_discriminant(len(inner)), *map(alignment, inner)])
    if (items := parts(shape)) is not None:
        return max(map(alignment, items))
    if isinstance(shape, Flags):
        return 1 if len(shape.names) <= 8 else 2 if len(shape.names) <= 16 else 4
    return _SIZES.get(shape.name, 4) if isinstance(shape, Primitive) else 4


def _align(offset: int, to: int) -> int:
    return math.ceil(offset / to) * to


def size(shape: Shape | None) -> int:
    """Bytes that a value takes in memory."""
    if shape is None:
        return 0
    if (inner := cases(shape)) is not None:
        head = _align(_discriminant(len(inner)), max(map(alignment, inner)))
        return _align(head + max(map(size, inner)), alignment(shape))
    if (items := parts(shape)) is not None:
        offset = 0
        for item in items:
            offset = _align(offset, alignment(item)) + size(item)
        return _align(offset, alignment(shape))
    if isinstance(shape, Primitive) and shape.name != "string":
        return _SIZES.get(shape.name, 4)
    return 4 if isinstance(shape, Own | Borrow) else alignment(shape) if isinstance(shape, Flags) else 8


def flat(shape: Shape | None) -> list[str]:
    """The core types that a value is flattened into."""
    if shape is None:
        return []
    if (inner := cases(shape)) is not None:
        joined: list[str] = []
        for row in itertools.zip_longest(*map(flat, inner)):
            kinds = {kind for kind in row if kind is not None}
            joined.append(kinds.pop() if len(kinds) == 1 else "i32" if kinds == {"i32", "f32"} else "i64")
        return ["i32", *joined]
    if (items := parts(shape)) is not None:
        return [kind for item in items for kind in flat(item)]
    if isinstance(shape, Primitive) and shape.name != "string":
        return [_FLAT.get(shape.name, "i32")]
    return ["i32"] if isinstance(shape, Own | Borrow | Flags) else ["i32", "i32"]


class Types:
    """Writes type definitions, each shape once; named ones are exported from the host instance, or aliased from it."""

    def __init__(self, names: Mapping[Shape, str], *, outer: bool) -> None:
        self.lines: list[str] = []
        self._names = names
        self._known: dict[object, str] = {}
        self._outer = outer

    def ref(self, shape: Shape) -> str:
        """How to refer to a shape, once it is defined."""
        if isinstance(shape, Primitive):
            return shape.name
        if shape not in self._known:
            self._known[shape] = self._define(shape)
        return self._known[shape]

    def _define(self, shape: Shape) -> str:
        if isinstance(shape, Own | Borrow):
            kind = "own" if isinstance(shape, Own) else "borrow"
            return f"({kind} {self._resource(shape.resource)})"
        text = self._text(shape)
        name = f"$t{len(self._known)}"
        wit = self._names.get(shape, name[1:])
        if not isinstance(shape, Record | Variant | Enum | Flags):
            self.lines.append(f"(type {name} {text})")
        elif self._outer:
            self.lines.append(f'(alias export $host "{wit}" (type {name}))')
        else:
            self.lines.append(f'(type {name}d {text}) (export "{wit}" (type {name} (eq {name}d)))')
        return name

    def _resource(self, resource: Resource) -> str:
        if resource not in self._known:
            name = self._known[resource] = f"$r{resource.name}"
            self.lines.append(
                f'(alias export $host "{resource.name}" (type {name}))'
                if self._outer
                else f'(export "{resource.name}" (type {name} (sub resource)))'
            )
        return self._known[resource]

    def _text(self, shape: Shape) -> str:
        if isinstance(shape, List):
            return f"(list {self.ref(shape.element)})"
        if isinstance(shape, Option):
            return f"(option {self.ref(shape.some)})"
        if isinstance(shape, Result):
            ok = "" if shape.ok is None else f" {self.ref(shape.ok)}"
            return f"(result{ok}{'' if shape.err is None else f' (error {self.ref(shape.err)})'})"
        if isinstance(shape, Tuple):
            return f"(tuple {' '.join(map(self.ref, shape.items))})"
        if isinstance(shape, Record):
            return f"(record {' '.join(f'(field {quoted(name)} {self.ref(field)})' for name, field in shape.fields)})"
        if isinstance(shape, Variant):
            inner = [f"{quoted(name)}{'' if of is None else f' {self.ref(of)}'}" for name, of in shape.cases]
            return f"(variant {' '.join(f'(case {case})' for case in inner)})"
        kind = "enum" if isinstance(shape, Enum) else "flags"
        return f"({kind} {' '.join(map(quoted, shape.names))})"


def quoted(name: str) -> str:
    """A name as a WAT string."""
    return f'"{name}"'


def echo_component(*shapes: Shape, names: Mapping[Shape, str] = MappingProxyType({})) -> str:
    """A component with two functions at its root for each shape, over `echo0`, `echo1`, ... of its import.

    `echo0(a)` calls the import once. `repeat0(a, n)` does it n times and returns the last answer; memory that the
    answers before it took is used again. `names` are those of types in WIT.
    """
    inner, outer = Types(names, outer=False), Types(names, outer=True)
    imports, lowers, core_imports, core, links, exports = [], [], [], [], [], []
    for index, shape in enumerate(shapes):
        imports.append(f'(export "echo{index}" (func (param "a" {inner.ref(shape)}) (result {inner.ref(shape)})))')
        lowers.append(f'(core func $echo{index} (canon lower (func $host "echo{index}") {_OPTIONS}))')
        links.append(f'(export "echo{index}" (func $echo{index}))')
        core_imports.append(_core_import(index, shape))
        core.append(_core_echo(index, shape))
        lift = f'{_OPTIONS} (post-return (core func $guest "free-{core_result(shape)}"))'
        param, result = f'(param "a" {outer.ref(shape)})', f"(result {outer.ref(shape)})"
        exports.append(
            f'(func (export "echo{index}") {param} {result} (canon lift (core func $guest "echo{index}") {lift}))'
        )
        if len(flat(shape)) < 16:
            core.append(_core_repeat(index, shape))
            exports.append(
                f'(func (export "repeat{index}") {param} (param "n" u32) {result}'
                f' (canon lift (core func $guest "repeat{index}") {lift}))'
            )
    frees = [f'(func (export "free-{kind}") (param {kind}) (call $free))' for kind in ("i32", "i64", "f32", "f64")]
    return f"""(component
  (import "{HOST}" (instance $host
    {" ".join(inner.lines)}
    {" ".join(imports)}))
  {" ".join(outer.lines)}
  (core module $allocator {ALLOCATOR})
  (core instance $memory (instantiate $allocator))
  {" ".join(lowers)}
  (core module $module
    (import "memory" "memory" (memory 1))
    (import "memory" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "memory" "free" (func $free))
    (import "memory" "mark" (func $mark (result i32)))
    (import "memory" "back" (func $back (param i32)))
    {" ".join(core_imports)}
    {" ".join(core)}
    {" ".join(frees)})
  (core instance $guest (instantiate $module
    (with "memory" (instance $memory))
    (with "host" (instance {" ".join(links)}))))
  {" ".join(exports)})"""


_OPTIONS = '(memory (core memory $memory "memory")) (realloc (core func $memory "realloc")) string-encoding=utf8'


def core_result(shape: Shape) -> str:
    """The core type of what a lifted function returns: the value itself where it is one, else its address."""
    return flat(shape)[0] if len(flat(shape)) == 1 else "i32"


def _core_params(shape: Shape) -> list[str]:
    return flat(shape) if len(flat(shape)) <= 16 else ["i32"]


def _core_import(index: int, shape: Shape) -> str:
    room = "" if len(flat(shape)) == 1 else " i32"
    result = f" (result {core_result(shape)})" if not room else ""
    return f'(import "host" "echo{index}" (func $echo{index} (param {" ".join(_core_params(shape))}{room}){result}))'


def _loads(shape: Shape) -> str:
    return " ".join(f"(local.get {number})" for number in range(len(_core_params(shape))))


def _room(shape: Shape) -> str:
    sizes = f"(i32.const {alignment(shape)}) (i32.const {size(shape)})"
    return f"(local.set $room (call $realloc (i32.const 0) (i32.const 0) {sizes}))"


def _core_echo(index: int, shape: Shape) -> str:
    head = f'(func (export "echo{index}") (param {" ".join(_core_params(shape))}) (result {core_result(shape)})'
    if len(flat(shape)) == 1:
        return f"{head} (call $echo{index} {_loads(shape)}))"
    return f"""{head} (local $room i32)
      {_room(shape)}
      (call $echo{index} {_loads(shape)} (local.get $room))
      (local.get $room))"""


def _core_repeat(index: int, shape: Shape) -> str:
    params = _core_params(shape)
    head = f'(func (export "repeat{index}") (param {" ".join(params)}) (param $n i32) (result {core_result(shape)})'
    step = "(br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))"
    if len(params) == 1 == len(flat(shape)):
        return f"""{head}
      (loop $again (local.set 0 (call $echo{index} (local.get 0))) {step})
      (local.get 0))"""
    return f"""{head} (local $room i32) (local $mark i32)
      {_room(shape)}
      (local.set $mark (call $mark))
      (loop $again
        (call $back (local.get $mark))
        (call $echo{index} {_loads(shape)} (local.get $room))
        {step})
      (local.get $room))"""
