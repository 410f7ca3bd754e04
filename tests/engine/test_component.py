"""What a compiled component says about itself: imports and exports as shapes, and whose resources they name."""

from __future__ import annotations

import gc

import pytest
from wasmtime.component import ResourceType

from washnb.engine import CompiledComponent
from washnb.engine.abi.shapes import (
    Borrow,
    Enum,
    Flags,
    Function,
    List,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Tuple,
    Variant,
)
from washnb.errors import CompileError, ComponentError, NotAComponentError

U8, U32, STRING = Primitive("u8"), Primitive("u32"), Primitive("string")


@pytest.fixture
def load(engine):
    """Compiles the text of a component's fields."""

    async def load(fields: str, name: str = "guest") -> CompiledComponent:
        return await engine.compile(f"(component {fields})".encode(), name=name)

    return load


@pytest.mark.parametrize(
    ("wat", "shape", "wit"),
    [
        *((name, Primitive(name), name) for name in ("bool", "s8", "s16", "s32", "s64", "u8", "u16", "u32", "u64")),
        *((name, Primitive(name), name) for name in ("f32", "f64", "char", "string")),
        ("(list u8)", List(U8), "list<u8>"),
        ("(list (list string))", List(List(STRING)), "list<list<string>>"),
        ("(option (option u8))", Option(Option(U8)), "option<option<u8>>"),
        ("(tuple u8 string)", Tuple((U8, STRING)), "tuple<u8, string>"),
        ("(result)", Result(None, None), "result"),
        ("(result u8)", Result(U8, None), "result<u8>"),
        ("(result (error string))", Result(None, STRING), "result<_, string>"),
        ("(result u8 (error string))", Result(U8, STRING), "result<u8, string>"),
        ("$point", Record((("left-edge", U8), ("top", U32))), "record { left-edge: u8, top: u32 }"),
        ("$shade", Enum(("red", "dark-green")), "enum { red, dark-green }"),
        ("$rights", Flags(("read", "write")), "flags { read, write }"),
        ("$shape", Variant((("none", None), ("circle", U32))), "variant { none, circle(u32) }"),
    ],
)
async def test_every_kind_of_value_has_its_shape(load, wat, shape, wit):
    """Each WIT type comes out as the shape that says the same, and prints as WIT."""
    component = await load(f"""
      (type $point' (record (field "left-edge" u8) (field "top" u32)))
      (import "point" (type $point (eq $point')))
      (type $shade' (enum "red" "dark-green"))
      (import "shade" (type $shade (eq $shade')))
      (type $rights' (flags "read" "write"))
      (import "rights" (type $rights (eq $rights')))
      (type $shape' (variant (case "none") (case "circle" u32)))
      (import "shape" (type $shape (eq $shape')))
      (import "use" (func (param "value" {wat}) (result {wat})))""")
    function = component.imports[""].functions["use"]
    assert function == Function("use", (("value", shape),), shape)
    assert str(function) == f"use: func(value: {wit}) -> {wit}"


STREAMS = """
  (import "wasi:io/poll@0.2.0" (instance $poll (export "pollable" (type (sub resource)))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:http/types@0.2.1" (instance $http
    (export "pollable" (type $waiting (eq $pollable)))
    (export "fields" (type $fields (sub resource)))
    (export "headers" (type $headers (eq $fields)))
    (export "wait" (func (param "headers" (borrow $headers)) (result (own $waiting))))))
"""


async def test_an_alias_is_the_resource_that_it_stands_for(load):
    """However an interface calls it, a resource has the key of the import that defines it, without version."""
    component = await load(STREAMS)
    pollable = Resource("wasi:io/poll/pollable", "pollable", host=True)
    fields = Resource("wasi:http/types/fields", "fields", host=True)
    types = component.imports["wasi:http/types@0.2.1"]
    assert types.resources == {"pollable": pollable, "fields": fields, "headers": fields}
    assert types.functions["wait"] == Function("wait", (("headers", Borrow(fields)),), Own(pollable))


async def test_two_versions_of_an_interface_share_their_keys(load):
    """What a host serves by one class has one key, although wasmtime tells the two apart."""
    component = await load("""
      (import "wasi:io/poll@0.2.0" (instance (export "pollable" (type (sub resource)))))
      (import "wasi:io/poll@0.2.6" (instance (export "pollable" (type (sub resource)))))""")
    first, second = (each.resources["pollable"] for each in component.imports.values())
    assert first == second == Resource("wasi:io/poll/pollable", "pollable", host=True)


GUEST_RESOURCE = """
  (core module $m (func (export "rep") (param i32) (result i32) local.get 0))
  (core instance $i (instantiate $m))
  (type $thing (resource (rep i32)))
  (component $shim
    (import "thing" (type $thing (sub resource)))
    (import "take" (func $take (param "self" (borrow $thing)) (result u32)))
    (export $out "thing" (type $thing))
    (export "take" (func $take) (func (param "self" (borrow $out)) (result u32))))
  (core func $drop (canon resource.drop $thing))
  (func $take (param "self" (borrow $thing)) (result u32) (canon lift (core func $i "rep")))
  (instance $made (instantiate $shim (with "thing" (type $thing)) (with "take" (func $take))))
  (export "shop:stock/things@1.0.0" (instance $made))
"""


async def test_a_resource_of_the_guest_is_its_own(load):
    """A guest's resource is marked as such, and its key is that of no other component."""
    one = await load(GUEST_RESOURCE)
    two = await load(GUEST_RESOURCE + '(import "x" (func))')
    keys = set()
    for component in (one, two):
        interface = component.exports["shop:stock/things@1.0.0"]
        thing = interface.resources["thing"]
        assert (thing.name, thing.host) == ("thing", False)
        assert interface.functions["take"] == Function("take", (("self", Borrow(thing)),), U32)
        keys.add(thing.key)
    assert len(keys) == 2
    assert all("shop:stock/things@1.0.0/thing" in key for key in keys)


async def test_an_export_may_speak_of_imported_resources(load):
    """A handler's parameters are the host's resources, under the host's keys."""
    component = await load("""
      (import "wasi:http/types@0.2.0" (instance $http (export "fields" (type (sub resource)))))
      (alias export $http "fields" (type $fields))
      (core module $m (func (export "handle") (param i32)))
      (core instance $i (instantiate $m))
      (func $handle (param "fields" (own $fields)) (canon lift (core func $i "handle")))
      (instance $handler (export "handle" (func $handle)))
      (export "shop:web/handler" (instance $handler))""")
    (_, shape) = component.exports["shop:web/handler"].functions["handle"].params[0]
    assert shape == Own(Resource("wasi:http/types/fields", "fields", host=True))


async def test_functions_at_the_root_have_the_empty_name(load):
    """What a world imports or exports without an interface is found under ""; a world of interfaces has no such key."""
    component = await load("""
      (import "now" (func (result u32)))
      (core module $m (func (export "later") (result i32) i32.const 1))
      (core instance $i (instantiate $m))
      (func $later (result u32) (canon lift (core func $i "later")))
      (export "later" (func $later))""")
    assert str(component.imports[""].functions["now"]) == "now: func() -> u32"
    assert str(component.exports[""].functions["later"]) == "later: func() -> u32"
    assert "" not in (await load(STREAMS)).imports


async def test_resources_at_the_root_are_known_to_interfaces(load):
    """A world may declare a resource without an interface, and an alias of one; both keep their owner's key."""
    component = await load(
        STREAMS
        + """
      (import "waiting" (type $waiting (eq $pollable)))
      (import "ticket" (type $ticket (sub resource)))
      (import "shop:web/desk" (instance
        (export "ticket" (type $t (eq $ticket)))
        (export "serve" (func (param "ticket" (own $t)) (result (own $waiting))))))"""
    )
    ticket = Resource("/ticket", "ticket", host=True)
    pollable = Resource("wasi:io/poll/pollable", "pollable", host=True)
    assert component.imports[""].resources == {"waiting": pollable, "ticket": ticket}
    serve = component.imports["shop:web/desk"].functions["serve"]
    assert serve == Function("serve", (("ticket", Own(ticket)),), Own(pollable))


async def test_the_world_names_imports_and_exports(engine):
    """`world()` is the component's contract as names, without the walk through their types showing."""
    world = (await engine.compile("example:counter")).world()
    assert (
        str(world)
        == """world {
  import wasi:io/error@0.2.0;
  import wasi:io/streams@0.2.0;
  import wasi:http/types@0.2.0;
  import wasi:keyvalue/store@0.2.0-draft;
  import wasi:keyvalue/atomics@0.2.0-draft;
  export wasi:http/incoming-handler@0.2.0;
}"""
    )


async def test_a_plain_name_is_no_interface_of_the_world(load):
    """A world may import an instance under a plain name; it has types, but no package to name."""
    component = await load('(import "notes" (instance (export "write" (func))))')
    assert list(component.imports) == ["notes"]
    assert component.world().imports == ()


async def test_an_interface_with_an_acronym_is_in_the_world(load):
    """WIT writes acronyms in upper case."""
    component = await load('(import "docs:web/HTTP-log" (instance (export "write" (func))))')
    assert list(map(str, component.world().imports)) == ["docs:web/HTTP-log"]
    assert component.import_surfaces["docs:web/HTTP-log"].served.__name__ == "HttpLog"


async def test_a_component_shows_what_it_is(load):
    """Name, digest and size, short enough for a notebook."""
    component = await load("", name="empty")
    assert repr(component) == f"<CompiledComponent 'empty' {component.digest[:12]} 8 bytes>"


@pytest.mark.parametrize("name", ["url=<x/a: pass\\0aprint(1)\\0aclass b>", "unlocked-dep=<a:b@{>=1.0.0}>"])
@pytest.mark.parametrize("item", ['(instance (export "f" (func)))', "(func)"])
async def test_a_name_that_is_none_of_wit_is_refused(load, name, item):
    """It may have any text in it, lines of Python, too, and nobody could serve it."""
    component = await load(f'(import "{name}" {item})')
    with pytest.raises(
        NotAComponentError, match=r"guest has an import or export '(url|unlocked-dep)=<.*no name in WIT"
    ):
        _ = component.imports
    with pytest.raises(NotAComponentError):
        _ = component.import_surfaces


async def test_names_of_cases_are_identifiers_in_python(load):
    """A name begins with a letter, or wasmtime refuses the component; digits may stand in the words behind it."""
    users = '(export "t" (type $u (eq $t))) (export "f" (func (param "x" $u)))'
    component = await load(f'(type $t (enum "x-1y")) (import "a:b/c" (instance {users}))')
    assert component.import_surfaces["a:b/c"].types["T"].X_1Y.value == 0
    with pytest.raises(CompileError, match="not in kebab case"):
        await load(f'(type $t (enum "1y")) (import "a:b/c" (instance {users}))')


async def test_a_function_that_is_called_as_an_interface_is_refused(load):
    """Python could not call it so."""
    component = await load('(import "a:b/c" (instance (export "a:b/c@1.0.0" (func))))')
    with pytest.raises(NotAComponentError, match=r"'a:b/c@1\.0\.0', which is no name in WIT"):
        _ = component.imports


async def test_reading_leaves_no_resource_types_to_the_garbage_collector(load):
    """It frees them whenever it likes, in the midst of a cell, too; an interrupt that comes just then is lost."""
    component = await load('(import "a:b/c" (instance (export "r" (type (sub resource)))))')

    def alive() -> int:
        return sum(isinstance(each, ResourceType) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = alive()
        assert component.imports["a:b/c"].resources
        assert alive() == before
    finally:
        gc.enable()


async def test_types_that_double_are_refused(load):
    """A few lines of types that each hold two of the one before would keep the loop for seconds and fill the memory."""
    pairs = "".join(f"(type $t{n} (tuple $t{n - 1} $t{n - 1}))" for n in range(1, 17))
    component = await load(f"""
      (type $t0 (list u8)) {pairs}
      (import "f" (func (param "a" $t11)))
      (import "a:b/c" (instance (export "g" (func (param "a" $t16)))))""")
    with pytest.raises(ComponentError, match=r"guest has a function whose types have more than 10,000 parts"):
        _ = component.imports
