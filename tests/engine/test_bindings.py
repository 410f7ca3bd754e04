"""The binding table: what serves an import, what is said of what does not fit, and changes while guests run."""

from __future__ import annotations

import asyncio
import functools
import traceback

import pytest

from tests.engine.echo import HOST as ECHO
from tests.engine.echo import echo_component
from tests.engine.guests import DRIVEN, HOST, THINGS
from tests.engine.hosting import bound, started
from washnb.engine import Bindings, Err, Instance, Interface, resource
from washnb.engine.abi.shapes import Enum, Primitive, Result, Variant
from washnb.errors import ConfigError, GuestError


class Driven(Interface, wit=HOST):
    """Serves the guest, and says who it is."""

    def __init__(self, number: int = 0) -> None:
        self.number = number

    def wait(self, n: int) -> int:
        return n + self.number

    def maybe(self, n: int) -> int:
        return n


@resource("thing")
class Thing:
    """A resource."""

    def __init__(self, n: int) -> None:
        self.n = n

    def number(self) -> int:
        return self.n

    @classmethod
    def count(cls) -> int:
        return 1


class Things(Interface, wit=HOST):
    """Names its resource as an attribute."""

    Thing = Thing

    def sum(self, a: Thing, b: Thing) -> int:
        return a.n + b.n

    def keep(self, a: Thing) -> None:
        pass


async def refusal(engine, text: str, implementation: Interface) -> str:
    """What is said when an implementation does not fit."""
    with pytest.raises(ConfigError) as caught:
        await bound(engine, text, implementation)
    assert caught.value.interface == implementation.wit
    return str(caught.value)


async def test_a_missing_function_is_named_with_the_line_that_adds_it(shared_engine):
    """At bind time, with the WIT signature."""

    class Short(Interface, wit=HOST):
        def wait(self, n: int) -> int:
            return n

    assert await refusal(shared_engine, DRIVEN, Short()) == (
        f"Short has nothing that serves {HOST}#maybe: func(n: u32) -> result<u32, u32>\n  def maybe(self, n): ..."
    )


async def test_a_wrong_number_of_parameters_is_named_with_both_signatures(shared_engine):
    """The Python one as found, and the line that would fit."""

    class Wide(Driven):
        def wait(self, n: int, more: int) -> int:
            return n + more

    said = await refusal(shared_engine, DRIVEN, Wide())
    assert "Wide.wait(n: 'int', more: 'int') -> 'int' does not fit" in said
    assert f"{HOST}#wait: func(n: u32) -> u32\n  def wait(self, n): ..." in said


@pytest.mark.parametrize(
    ("broken", "said", "repair"),
    [
        ({"__init__": lambda self: None}, "does not fit", "def __init__(self, n)"),
        ({"number": None}, "Things.Thing has nothing that serves", "def number(self): ..."),
        ({"number": lambda self, more: more}, "does not fit", "def number(self): ..."),
        ({"count": None}, "Things.Thing has nothing that serves", "@staticmethod def count(): ..."),
        ({"count": staticmethod(lambda n: n)}, "does not fit", "@staticmethod def count(): ..."),
    ],
)
async def test_the_class_of_a_resource_is_checked(shared_engine, broken, said, repair):
    """Constructor, methods and statics, of the class that the interface names."""
    cls = type("Thing", (Thing,), broken)
    message = await refusal(shared_engine, THINGS, type("Things", (Things,), {"Thing": cls})())
    assert said in message
    assert repair in message


async def test_a_resource_without_a_class_is_missing(shared_engine):
    """Where it has a constructor, something must be called."""

    class Bare(Interface, wit=HOST):
        def sum(self, a, b):
            return 0

        def keep(self, a):
            pass

    assert "Bare.Thing has nothing that serves" in await refusal(shared_engine, THINGS, Bare())


async def test_the_class_of_a_resource_is_found_through_annotations(shared_engine):
    """As text, and inside of other types: so `Thing = Thing` need not be written."""

    class Annotated(Interface, wit=HOST):
        def sum(self, a, b) -> int:
            return a.n + b.n

        def keep(self, a: dict[str, list[Thing] | None]) -> None:
            pass

    async with await started(shared_engine, THINGS, Annotated()) as instance:
        assert await instance.call("add") == 7


async def test_binding_runs_no_property(shared_engine):
    """A plugin may have attributes that cost something, or that are not ready yet."""

    class Lazy(Interface, wit=HOST):
        @property
        def connection(self) -> object:
            raise ConnectionError

        def sum(self, a: Thing, b: Thing) -> int:
            return a.n + b.n

        def keep(self, a: Thing) -> None:
            pass

    assert (await bound(shared_engine, THINGS, Lazy())).unserved() == ()


async def test_decorated_and_flexible_functions_are_taken(shared_engine):
    """Defaults, *args, partials and wrapped functions all accept one argument."""

    def logged(function):
        @functools.wraps(function)
        def call(*args):
            return function(*args)

        return call

    class Flexible(Interface, wit=HOST):
        wait = functools.partialmethod(lambda _self, more, n: n + more, 1)

        @logged
        def maybe(self, n: int, more: int = 2) -> int:
            return n + more

    async with await started(shared_engine, DRIVEN, Flexible()) as instance:
        assert await instance.call("wait", 1) == 2
        assert await instance.call("maybe", 1) == 3


async def test_an_unknown_import_is_refused_with_the_known_ones(shared_engine):
    """A wrong version or name."""
    bindings = await bound(shared_engine, DRIVEN)
    with pytest.raises(ConfigError, match=rf"guest does not import test:other/x\n  it imports {HOST}"):
        bindings.bind("test:other/x", Driven(), provider="test")


async def test_what_nobody_serves_is_listed_and_ends_a_guest_that_calls_it(shared_engine, no_stores_left):
    """Until it is bound; a guest that never calls it is none the worse."""
    bindings = await bound(shared_engine, DRIVEN)
    assert bindings.unserved() == (HOST,)
    instance = await Instance.new(bindings.component, bindings)
    assert await instance.call("five") == 5
    with pytest.raises(GuestError, match=f"guest called {HOST}#wait, which nobody serves"):
        await instance.call("wait", 1)
    bindings.bind(HOST, Driven(), provider="test")
    assert bindings.unserved() == ()


async def test_a_swap_takes_effect_at_the_next_call(shared_engine):
    """Also of instances that run, and while another instance waits."""
    bindings = await bound(shared_engine, DRIVEN, Driven(10))
    async with await Instance.new(bindings.component, bindings) as instance:
        assert await instance.call("wait", 1) == 11
        bindings.bind(HOST, Driven(20), provider="other", on_fiber=False)
        assert await instance.call("wait", 1) == 21


async def test_a_copy_is_independent(shared_engine):
    """`run` binds its own on a copy, and the workload keeps what it had."""
    bindings = await bound(shared_engine, DRIVEN, Driven(10))
    twin = bindings.copy()
    assert twin.unserved() == ()
    async with await Instance.new(twin.component, twin) as same:
        assert await same.call("wait", 1) == 11
    twin.bind(HOST, Driven(20), provider="other")
    async with (
        await Instance.new(bindings.component, bindings) as one,
        await Instance.new(bindings.component, twin) as two,
    ):
        assert [await one.call("wait", 1), await two.call("wait", 1)] == [11, 21]


NOT_ALLOWED = [
    Result(None, Enum(("other", "access-denied"))),
    Result(None, Variant((("no-such-store", None), ("access-denied", None)))),
    Result(Primitive("string"), Variant((("access-denied", Primitive("string")),))),
]


@pytest.mark.parametrize("kind", NOT_ALLOWED, ids=str)
async def test_a_revoked_import_answers_access_denied_where_it_can(shared_engine, kind):
    """The guest hears it in the interface's own words, and lives."""

    class Echo(Interface, wit=ECHO):
        def echo0(self, a):
            return a.value

    from washnb.engine import Ok

    bindings = Bindings(await shared_engine.compile(echo_component(kind).encode(), name="guest"))
    bindings.bind(ECHO, Echo(), provider="test")
    good = Ok("x") if kind.ok else Ok()
    async with await Instance.new(bindings.component, bindings) as instance:
        await instance.call("echo0", good)
        bindings.unbind(ECHO, "the grant was revoked")
        assert bindings.unserved() == (ECHO,)
        for _ in range(2):
            with pytest.raises(Err) as caught:
                await instance.call("echo0", good)
            denied = caught.value.value
            assert "ACCESS_DENIED" in str(denied) or type(denied).__name__.endswith("_AccessDenied")
        bindings.bind(ECHO, Echo(), provider="test")
        await instance.call("echo0", good)


async def test_a_revoked_import_ends_a_guest_whose_interface_has_no_such_error(shared_engine, no_stores_left):
    """With the reason."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    instance = await Instance.new(bindings.component, bindings)
    bindings.unbind(HOST, "keyvalue was revoked")
    with pytest.raises(GuestError, match=f"{HOST}#wait: keyvalue was revoked"):
        await instance.call("wait", 1)


async def test_an_import_is_revoked_in_copies_too(shared_engine, no_stores_left):
    """A command that runs with bindings of its own must not go on with what its workload has lost."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    twin = bindings.copy()
    async with await Instance.new(twin.component, twin) as running:
        assert await running.call("wait", 1) == 1
        bindings.unbind(HOST, "keyvalue was revoked")
        with pytest.raises(GuestError, match=f"{HOST}#wait: keyvalue was revoked"):
            await running.call("wait", 1)


async def test_each_call_of_a_revoked_import_has_an_error_of_its_own(shared_engine, no_stores_left):
    """One error for all would gather the frames of every call that it ended, and keep what they held."""
    bindings = await bound(shared_engine, DRIVEN, Driven())
    bindings.unbind(HOST, "keyvalue was revoked")
    caught = []
    for _ in range(3):  # the first has one more frame, in which its code is generated
        async with await Instance.new(bindings.component, bindings) as instance:
            with pytest.raises(GuestError) as each:
                await instance.call("wait", 1)
            caught.append(each.value)
    assert caught[1] is not caught[2]
    assert len(traceback.extract_tb(caught[1].__traceback__)) == len(traceback.extract_tb(caught[2].__traceback__))


class Observer:
    """Writes down what it hears."""

    hold = None

    def __init__(self) -> None:
        self.heard: list[tuple] = []

    def called(self, callee, arguments, injected):
        self.heard.append(("called", callee.interface, callee.function.name, arguments, callee.provider))
        return len(self.heard)

    def returned(self, token, result):
        self.heard.append(("returned", token, result))

    def failed(self, token, error):
        self.heard.append(("failed", token, repr(error)))


@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_an_observer_hears_that_a_result_does_not_fit(shared_engine, as_coroutine):
    """The call has failed, not returned: what the guest never got is no result."""

    class Host(Interface, wit=HOST):
        def wait(self, n):
            return "three"

        def maybe(self, n):
            return n

    class Later(Host, wit=HOST):
        async def wait(self, n):
            await asyncio.sleep(0)
            return "three"

    bindings = await bound(shared_engine, DRIVEN, Later() if as_coroutine else Host(), on_fiber=False)
    observer = Observer()
    instance = await Instance.new(bindings.component, bindings, observer=observer)
    with pytest.raises(GuestError, match="three"):
        await instance.call("wait", 3)
    (_, failed) = observer.heard
    assert failed[:2] == ("failed", 1)
    assert "'three'" in failed[2]


@pytest.mark.parametrize("on_fiber", [True, False])
@pytest.mark.parametrize("as_coroutine", [True, False])
async def test_an_observer_hears_every_call_and_its_end(shared_engine, on_fiber, as_coroutine):
    """With lifted arguments, the provider, and results, errors of the WIT type, and exceptions; others hear nothing."""

    class Host(Interface, wit=HOST):
        def wait(self, n):
            return n + 1

        def maybe(self, n):
            if n == 1:
                raise Err(7)
            raise LookupError("gone")

    class Later(Interface, wit=HOST):
        async def wait(self, n):
            await asyncio.sleep(0)
            return Host().wait(n)

        async def maybe(self, n):
            await asyncio.sleep(0)
            return Host().maybe(n)

    bindings = await bound(shared_engine, DRIVEN, Later() if as_coroutine else Host(), on_fiber=on_fiber)
    observer = Observer()
    silent = await Instance.new(bindings.component, bindings)
    instance = await Instance.new(bindings.component, bindings, observer=observer)
    assert await silent.call("wait", 3) == 4
    assert not observer.heard
    assert await instance.call("wait", 3) == 4
    with pytest.raises(Err):
        await instance.call("maybe", 1)
    with pytest.raises(GuestError):
        await instance.call("maybe", 2)
    silent.close()
    assert observer.heard == [
        ("called", HOST, "wait", (3,), "test"),
        ("returned", 1, 4),
        ("called", HOST, "maybe", (1,), "test"),
        ("failed", 3, "Err(7)"),
        ("called", HOST, "maybe", (2,), "test"),
        ("failed", 5, "LookupError('gone')"),
    ]
