"""The end of an engine, and its like: a fork. What runs is ended, what comes is refused, nothing hangs."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap

import pytest

from tests.engine.guests import DRIVEN
from tests.engine.hosting import bound, started
from tests.engine.test_driver import Driven
from washnb.engine import Engine, Instance
from washnb.errors import ConfigError, GuestError

PRELUDE = """
    import asyncio, os, sys, threading, time
    sys.path.insert(0, {path!r})
    from tests.engine.guests import DRIVEN
    from tests.engine.hosting import bound, started
    from tests.engine.test_driver import Driven
    from washnb.engine import Engine, Instance
    from washnb.errors import ConfigError, GuestError
    """


def printed(program: str) -> list[str]:
    """What a process of its own prints; it is given 20 seconds."""
    code = textwrap.dedent(PRELUDE.format(path=str(sys.path[0] or "."))) + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_closing_the_engine_ends_a_guest_that_loops_for_ever():
    """Without ticks it would never give the loop back; it is ended with the tick that closing makes."""
    program = """
    async def main():
        engine = Engine.builder().with_cache_dir(None).build()
        instance = await started(engine, DRIVEN, Driven())
        call = asyncio.create_task(instance.call("spin"))
        await asyncio.sleep(0.02)
        engine.close()
        try:
            await call
        except GuestError as error:
            print(error.message)
        print([thread.name for thread in threading.enumerate() if thread.name.startswith("washnb")])
    asyncio.run(main())
    """
    assert printed(program) == ["the engine is closed", "[]"]


def test_closing_the_engine_from_a_host_function_does_not_wait_for_itself():
    """The thread that closes is the one that the guest runs on; the guest is ended where it would yield next."""
    program = """
    def close(n):
        engine.close()
        return n

    async def main():
        async with await started(engine, DRIVEN, Driven(close), on_fiber=True) as instance:
            try:
                print(await instance.call("wait", 1), await instance.call("spin"))
            except GuestError as error:
                print(error.message)

    engine = Engine.builder().with_cache_dir(None).build()
    asyncio.run(main())
    """
    assert printed(program) == ["the engine is closed"]


async def test_a_guest_that_waits_is_ended_when_it_would_go_on(no_stores_left):
    """It is not run without ticks."""
    release = asyncio.Event()

    async def wait(n: int) -> int:
        await release.wait()
        return n

    engine = Engine.builder().with_cache_dir(None).build()
    instance = await started(engine, DRIVEN, Driven(wait))
    call = asyncio.create_task(instance.call("wait", 1))
    await asyncio.sleep(0.01)
    engine.close()
    release.set()
    with pytest.raises(GuestError, match="the engine is closed"):
        await call


async def test_what_comes_to_a_closed_engine_is_refused(no_stores_left):
    """Compiling, starting and calling, each with the line that makes another engine."""
    engine = Engine.builder().with_cache_dir(None).build()
    bindings = await bound(engine, DRIVEN, Driven())
    instance = await Instance.new(bindings.component, bindings)
    engine.close()
    with pytest.raises(ConfigError, match="the engine is closed") as caught:
        await engine.compile(DRIVEN)
    assert caught.value.repair == ("Engine.builder().build()  # an engine that runs",)
    with pytest.raises(GuestError, match="the engine is closed"):
        await Instance.new(bindings.component, bindings)
    with pytest.raises(GuestError, match="the engine is closed"):
        await instance.call("five")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_is_told_that_the_engine_did_not_come_along():
    """No thread of it is there: not the ticker, not the compiler's. An engine of the fork's own works."""
    program = """
    async def refusals(engine, bindings):
        for work in (engine.compile("example:hello"), Instance.new(bindings.component, bindings)):
            try:
                await work
            except (ConfigError, GuestError) as error:
                print(error.message)
        engine.close()

    async def work():
        with Engine.builder().with_cache_dir(None).build() as engine:
            async with await started(engine, DRIVEN, Driven()) as instance:
                try:
                    await instance.call("spin", timeout=0.05)
                except GuestError as error:
                    print(type(error).__name__)

    engine = Engine.builder().with_cache_dir(None).build()
    bindings = asyncio.run(bound(engine, DRIVEN, Driven()))
    if os.fork() == 0:
        asyncio.run(refusals(engine, bindings))
        asyncio.run(work())
        sys.exit()
    print("child", os.wait()[1], flush=True)
    """
    foreign = "the engine belongs to another process, of which this one is a fork"
    assert printed(program) == [foreign, foreign, "GuestTimeout", "child 0"]
