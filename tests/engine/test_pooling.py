"""Room for guests that is reserved once: how many fit, and what happens where it cannot be had."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import washnb
from washnb.engine import Bindings, Engine, Instance
from washnb.engine.pooling import INSTANCES
from washnb.errors import GuestError

BUILD = """
import asyncio
import resource
import sys
limit = int(sys.argv[2]) << 30
resource.setrlimit(getattr(resource, sys.argv[1]), (limit, limit))
from washnb.engine import Bindings, Engine, Instance

async def main():
    with Engine.builder().with_cache_dir(None).build() as engine:
        component = await engine.compile("example:adder")
        async with await Instance.new(component, Bindings(component)) as instance:
            print(await instance.call("add", 1, 2))

asyncio.run(main())
"""


async def test_as_many_live_at_once_as_there_is_room_for():
    """All of them can be called; one more is an error that names the limit, and room that is left is used again."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        component = await engine.compile("example:adder")
        bindings = Bindings(component)
        instances = [await Instance.new(component, bindings) for _ in range(INSTANCES)]
        assert await instances[-1].call("add", 1, 2) == 3
        with pytest.raises(GuestError, match=f"limit of {INSTANCES}"):
            await Instance.new(component, bindings)
        instances.pop().close()
        async with await Instance.new(component, bindings) as instance:
            assert await instance.call("add", 2, 3) == 5
        for each in instances:
            each.close()


@pytest.mark.parametrize(
    ("limit", "gib"),
    [
        ("RLIMIT_AS", 8),
        pytest.param("RLIMIT_DATA", 1, marks=pytest.mark.slow),
        pytest.param("RLIMIT_DATA", 13, marks=pytest.mark.slow),
    ],
)
def test_a_process_with_little_room_has_an_engine_too(limit, gib):
    """Under `ulimit -v` and `ulimit -d` nothing is reserved, and guests run all the same."""
    checkout = Path(washnb.__file__).parent.parent
    done = subprocess.run(
        [sys.executable, "-c", BUILD, limit, str(gib)], capture_output=True, text=True, check=False, cwd=checkout
    )
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr


SORTS = """
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
from tests.engine.guests import DRIVEN
from tests.engine.hosting import started
from tests.engine.test_driver import Driven
from washnb.engine import Engine
from washnb.errors import GuestError

class Endless:
    def __lt__(self, other):
        return sorted([Endless(), Endless()])

async def main():
    with Engine.builder().with_cache_dir(None).build() as engine:
        instance = await started(engine, DRIVEN, Driven(lambda n: sorted([Endless(), Endless()])), on_fiber=True)
        try:
            await instance.call("wait", 1)
        except GuestError as error:
            print(type(error.__cause__).__name__)

asyncio.run(main())
"""


def test_a_recursion_on_the_stack_of_a_guest_ends_in_time():
    """Sorting takes more of the stack per level than most; Python gives up before the stack does."""
    checkout = str(Path(washnb.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", SORTS, checkout], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("RecursionError\n", 0), done.stderr
