"""The example components: what their comments promise, and what they do on a host."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import washnb
from washnb.engine import Engine, Err, Interface, example_names, read_source
from washnb.engine.abi.shapes import Function
from washnb.errors import BackendError
from washnb.host import DevRouter, Host, HostBuilder, HttpServer
from washnb.plugins import (
    DynamicConfig,
    HostPlugin,
    InMemoryBlobstore,
    InMemoryKeyValue,
    InMemoryMessaging,
    TracingLogger,
)
from washnb.types import Component, LocalResources, Workload, WorkloadStartRequest, WorkloadState
from washnb.wit import split_version

EXAMPLES = Path(washnb.__file__).parent / "examples"


def documented(name: str) -> tuple[set[str], set[str]]:
    """Imports and exports of the world that the comment of an example shows, by full name."""
    comment = "\n".join(line for line in (EXAMPLES / f"{name}.wat").read_text().splitlines() if line.startswith(";;"))
    package, version = re.search(r"package ([\w:-]+)@([\d.]+);", comment).groups() if "package" in comment else ("", "")
    world = re.search(r"world [\w-]+ \{(.*?)\}", comment, re.DOTALL)[1]

    def names(direction: str) -> set[str]:
        found = re.findall(rf"{direction} ([^;]+);", world)
        return {each if ":" in each else f"{package}/{each}@{version}" for each in found}

    return names("import"), names("export")


@pytest.mark.parametrize("name", example_names())
async def test_an_example_has_the_world_of_its_comment(engine, name):
    """Imports and exports are those that the comment lists; only what wasi:http's own types need comes on top."""
    component = await engine.compile(f"example:{name}")
    imports, exports = documented(name)
    assert set(component.exports) == exports
    assert imports <= set(component.imports)
    assert all(each.startswith("wasi:io/") for each in set(component.imports) - imports)


@pytest.mark.parametrize("name", example_names())
def test_an_example_says_how_to_try_it(name):
    """The comment ends with the lines to type, and loads the example by its own name."""
    comment = (EXAMPLES / f"{name}.wat").read_text().partition("(component")[0]
    assert f"%wash load example:{name}" in comment.rpartition("Try it")[2]


async def functions(engine: Engine, *sources) -> dict[tuple[str, str], Function]:
    """Every function of WASI that components import, by interface (without version) and name."""
    return {
        (split_version(full)[0], function.name): function
        for source in sources
        for full, interface in (await engine.compile(source)).imports.items()
        for function in interface.functions.values()
        if full.startswith("wasi:")
    }


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_examples_declare_the_types_of_real_guests(engine, built_guest):
    """Every function that an example asks for has the very type that it has in the guests of componentize-py."""
    real = await functions(engine, built_guest("http_fetch_echo"), built_guest("http_capabilities"))
    declared = await functions(engine, *(f"example:{name}" for name in example_names()))
    assert declared == {function: real[function] for function in declared}


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_toolchains_agree_on_the_types(engine, built_guest):
    """The WIT that our guests are built from says the same as what componentize-js brings along."""
    ours = await functions(engine, built_guest("http_fetch_echo"))
    theirs = await functions(engine, built_guest("http_hello_js"))
    common = ours.keys() & theirs.keys()
    assert len([function for function in common if function[0].startswith("wasi:http/")]) > 20
    assert {function: ours[function] for function in common} == {function: theirs[function] for function in common}


class Roll(Interface, wit="workshop:dice/roll@0.1.0"):
    """A die with a known next number."""

    def roll(self, sides: int) -> int:
        """Always the same."""
        if sides != 6:
            raise Err
        return 4


class Dice(HostPlugin):
    """What a reader of the `lucky` example writes in a cell."""

    id = "dice"
    interfaces = (Roll,)


@contextlib.asynccontextmanager
async def running(engine: Engine, name: str, **resources) -> AsyncIterator[Host]:
    """A host on which one example runs, with every plugin that examples ask for."""
    builder = HostBuilder().with_engine(engine).with_http_handler(HttpServer(DevRouter()))
    shipped = (DynamicConfig(False), InMemoryBlobstore(), InMemoryKeyValue(), InMemoryMessaging(), TracingLogger())
    for plugin in (*shipped, Dice()):
        builder.with_plugin(plugin)
    component = Component(name, read_source(f"example:{name}").data, local_resources=LocalResources(**resources))
    async with builder.build() as host:
        started = await host.workload_start(
            WorkloadStartRequest(name, Workload("examples", name, components=(component,)))
        )
        assert started.state is WorkloadState.RUNNING, started.message
        yield host


async def test_adder_adds(engine):
    """Numbers wrap at 32 bits, as u32 does."""
    async with running(engine, "adder") as host:
        assert await host.call("adder", "docs:adder/add@0.1.0#add", 1, 2) == 3
        assert await host.call("adder", "docs:adder/add@0.1.0#add", 2**32 - 1, 2) == 1


@pytest.mark.parametrize(
    ("name", "target", "status", "text"),
    [
        ("hello", "/", 200, "Hello from a component!\n"),
        ("greeter", "/Ada?x=1", 200, "Hello, Ada!\n"),
        ("greeter", "/", 200, "Hello, world!\n"),
        ("greeter", "/" + "a" * 3000, 200, "Hello, " + "a" * 1000 + "!\n"),
        ("greeter", "/" + "a" * 7000, 200, "Hello, " + "a" * 1000 + "!\n"),
        ("lucky", "/", 200, "You rolled 4.\n"),
        ("proxy", "/", 400, "ask for /http://HOST:PORT/PATH?QUERY\n"),
        ("proxy", "/http:/", 502, "HTTP-request-URI-invalid\n"),
        ("proxy", "/https://example.com/", 502, "HTTP-request-denied\n"),
    ],
)
async def test_an_example_answers_as_documented(engine, name, target, status, text):
    """Path in, status and text out."""
    async with running(engine, name) as host:
        response = await host.send("GET", target)
        assert (response.status, response.body.decode()) == (status, text)


async def test_counter_counts_each_path_by_itself(engine):
    """`/` counts as "hits", every other path under its own name, whatever its query."""
    async with running(engine, "counter") as host:
        answers = [(await host.send("GET", each)).body for each in ("/", "/apples", "/apples?ripe", "/", "/pears")]
    assert answers == [b"1", b"1", b"2", b"2", b"1"]


async def test_counter_counts_beyond_32_bits(engine):
    """Numbers are 64 bits wide, up to the last."""
    async with running(engine, "counter") as host:
        bucket = host.plugins["wasi-keyvalue"].backend("counter")
        await bucket.open("default")
        await bucket.increment("default", "hits", 2**64 - 2)
        assert (await host.send("GET", "/")).body == str(2**64 - 1).encode()


async def test_greeter_takes_its_word_from_the_configuration(engine):
    """The key `greeting` of the workload's configuration comes first."""
    async with running(engine, "greeter", config={"greeting": "Ahoy"}) as host:
        assert (await host.send("GET", "/Ada")).body == b"Ahoy, Ada!\n"


async def test_lucky_plays_without_http(engine):
    """The export of our own calls the import of our own."""
    async with running(engine, "lucky") as host:
        assert await host.call("lucky", "workshop:dice/game@0.1.0#play") == 4


async def test_hungry_gets_what_the_limit_leaves(engine):
    """To the page."""
    async with running(engine, "hungry", memory_limit_mb=32) as host:
        assert (await host.send("GET", "/")).body == b"32 MiB\n"


@pytest.mark.parametrize("name", ["loop", "sleeper"])
async def test_an_example_that_never_answers_runs_into_its_time(engine, name):
    """504, and the host is as good as before."""
    async with running(engine, name) as host:
        assert (await host.send("GET", "/", timeout=0.1)).status == 504


async def test_trap_shows_its_functions(engine, caplog):
    """500, and the backtrace names the functions of the WAT."""
    async with running(engine, "trap") as host:
        assert (await host.send("GET", "/")).status == 500
    assert re.search(r"look-inside.*open-the-box.*handle", caplog.text, re.DOTALL)


@contextlib.asynccontextmanager
async def upstream(answer: bytes) -> AsyncIterator[str]:
    """A server that gives every request the same answer, and its address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        line = head.split(b" ")[1]
        writer.write(answer.replace(b"LINE", line))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_proxy_passes_on_status_and_body(engine, scheme):
    """However long the body, path and query go up and the answer comes down whole."""
    body = b"x" * 300_000
    head = b"HTTP/1.1 203 Fine\r\nContent-Length: %d\r\n\r\n/a?b=c" % (len(body) + 6)
    async with upstream(head + body) as address, running(engine, "proxy", allowed_hosts=(address,)) as host:
        response = await host.send("GET", f"/{scheme}{address}/a?b=c")
        assert (response.status, response.body) == (203, b"/a?b=c" + body)


async def test_proxy_names_what_stands_in_the_way(engine):
    """A host that is not allowed, and one where nobody listens, come back as the error's own name."""
    async with running(engine, "proxy", allowed_hosts=("127.0.0.1:1",)) as host:
        assert (await host.send("GET", "/http://127.0.0.1:1/")).body == b"connection-refused\n"
        assert (await host.send("GET", "/http://127.0.0.1:2/")).body == b"HTTP-request-denied\n"


async def test_proxy_does_not_pass_off_half_an_answer_as_whole(engine):
    """An upstream that hangs up in the middle shows as a response that breaks, not as a short one."""
    async with (
        upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf") as address,
        running(engine, "proxy", allowed_hosts=(address,)) as host,
    ):
        response = await asyncio.gather(host.send("GET", f"/{address}/"), return_exceptions=True)
        assert isinstance(response[0], Exception) or response[0].status >= 500


async def test_gallery_keeps_lists_and_deletes(engine):
    """An object goes in and comes out as it was, however long; one that is not there is 404."""
    body = bytes(range(256)) * 1000
    async with running(engine, "gallery") as host:
        assert (await host.send("PUT", "/a.png?x", body=body)).status == 201
        assert (await host.send("POST", "/empty")).status == 201
        assert (await host.send("GET", "/a.png")).body == body
        assert (await host.send("GET", "/empty")).body == b""
        assert (await host.send("GET", "/")).body == b"a.png\nempty\n"
        assert (await host.send("DELETE", "/a.png")).text == "deleted\n"
        missing = await host.send("GET", "/a.png")
        assert (missing.status, missing.text) == (404, "object 'a.png' does not exist in container 'gallery'")
        assert (await host.send("PATCH", "/")).status == 405


async def test_worker_shouts_to_who_wants_a_reply(engine):
    """Letters become capitals, other bytes stay; nothing to do is an error, which the asker does not hear of."""
    async with running(engine, "worker", config={"subscriptions": "tasks.*"}) as host:
        messaging = host.plugins["wasmcloud-messaging"]
        assert (await messaging.request("tasks.a", "a-z \u00e9!".encode())).body == "A-Z \u00e9!".encode()
        with pytest.raises(BackendError, match="nobody has answered"):
            await messaging.request("tasks.a", b"", timeout=0.1)


async def test_desk_answers_the_reply_or_why_there_is_none(engine):
    """A request goes out as a message, and the reply comes back, however long."""
    async with running(engine, "desk") as host:
        source = read_source("example:worker").data
        worker = Component("worker", source, local_resources=LocalResources(config={"subscriptions": "tasks.*"}))
        await host.workload_start(WorkloadStartRequest("w", Workload("examples", "worker", components=(worker,))))
        body = b"x" * 10_000
        assert (await host.send("POST", "/tasks.shout", body=body, to="desk")).body == body.upper()
        nobody = await host.send("POST", "/nobody", body=b"x", to="desk")
        assert (nobody.status, nobody.text) == (502, "no responders available for request to 'nobody'")
