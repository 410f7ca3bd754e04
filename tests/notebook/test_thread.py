"""The thread of the host: started late, ended early, safe from interrupts, forks and other threads."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from washnb.engine import Interface
from washnb.engine.store import STORES
from washnb.errors import ConfigError, GuestCancelled
from washnb.notebook import Session
from washnb.notebook import thread as host_thread
from washnb.plugins import HostPlugin


def test_nothing_runs_before_the_first_verb():
    """A session costs no thread until it is used."""
    before = threading.active_count()
    with Session() as session:
        assert "nothing is loaded" in repr(session)
        assert threading.active_count() == before


def test_close_leaves_no_thread(session):
    """The thread of the host ends with it, and a closed session may be used anew."""
    session.load("example:adder")
    session.close()
    assert not [each for each in threading.enumerate() if each.name == "washnb host"]
    assert session.load("example:adder").add(1, 2) == 3


def test_a_plugin_that_ends_the_program_does_not_end_the_host(session):
    """sys.exit in a plugin, which asyncio would let through every loop, is an error of that plugin."""

    class Ending(HostPlugin):
        id = "ending"

        async def start(self) -> None:
            sys.exit("of the plugin")

    for _ in range(2):
        with pytest.raises(
            ConfigError, match="'ending' failed to start: RuntimeError: it raised SystemExit: of the pl"
        ):
            session.attach(Ending)
    assert session.load("example:adder").add(1, 2) == 3


async def _cancel_all():
    for task in asyncio.all_tasks():
        task.cancel()
    await asyncio.sleep(0)


async def _cancel_itself():
    asyncio.current_task().cancel()
    await asyncio.sleep(0)


async def _stop_the_loop():
    asyncio.get_running_loop().stop()


@pytest.mark.parametrize(
    ("harm", "said"),
    [(_cancel_all, "cancelled the task"), (_cancel_itself, "cancelled the task"), (_stop_the_loop, "")],
)
def test_a_plugin_that_harms_the_loop_does_not_end_the_host(session, harm, said):
    """What every verb needs goes on, and what was cancelled says so."""

    class Harmful(HostPlugin):
        id = "harmful"

        async def start(self) -> None:
            await harm()

    with pytest.raises(GuestCancelled, match=said) if said else contextlib.nullcontext():
        session.attach(Harmful)
    assert session.load("example:adder").add(1, 2) == 3
    session.close()
    assert not [each for each in threading.enumerate() if each.name == "washnb host"]


def once_a_guest_runs(act) -> None:
    """Do something in another thread as soon as a guest runs for this one."""

    def wait() -> None:
        end = time.monotonic() + 10
        while not STORES and time.monotonic() < end:
            time.sleep(0.005)
        time.sleep(0.02)
        act()

    threading.Thread(target=wait).start()


def interrupt() -> None:
    """Press Ctrl+C."""
    os.kill(os.getpid(), signal.SIGINT)


def test_close_frees_who_waits(session):
    """A request that waits is answered when the session is closed on another thread."""
    session.load("example:loop")
    once_a_guest_runs(session.close)
    assert session.send("/", timeout=60).status == 503


def test_interrupt_stops_the_guest_within_a_second(session):
    """Ctrl+C frees the caller, and the guest that loops for ever is gone."""
    session.load("example:loop")
    once_a_guest_runs(interrupt)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="was cancelled"):
        session.send("/")
    assert time.monotonic() - begun < 1
    session.load("example:adder")
    assert session["adder"].add(1, 1) == 2


def test_interrupt_before_the_host_has_heard_frees_at_once(session, monkeypatch):
    """What was not handed over has not begun, so nobody waits for its end."""
    adder = session.load("example:adder")

    def interrupted(*_):
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(host_thread.HostThread, "_submit", interrupted)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt, match="was cancelled"):
        adder.add(1, 2)
    assert time.monotonic() - begun < 0.5
    assert adder.add(1, 2) == 3


async def test_interrupt_reaches_a_verb_in_a_coroutine(session):
    """Also where a loop would be told, as in a cell with `await`, which stands still; it tells that again later."""
    session.load("example:loop")
    told = []
    before = signal.signal(signal.SIGINT, tell := lambda *_: told.append(True))
    try:
        once_a_guest_runs(interrupt)
        with pytest.raises(KeyboardInterrupt, match="was cancelled"):
            session.send("/", timeout=5)
        assert signal.getsignal(signal.SIGINT) is tell
        assert not told
    finally:
        signal.signal(signal.SIGINT, before)


def test_interrupt_while_the_host_starts_leaves_no_thread(session, monkeypatch):
    """Nobody would ever end it; the next verb begins anew."""
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        start(thread)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            session.status()
    assert not [each for each in threading.enumerate() if each.name == "washnb host"]
    assert session.load("example:adder").add(1, 2) == 3


def test_verb_on_the_thread_of_the_host_is_refused(session):
    """A plugin that calls a verb would wait for itself; it is told what to do instead."""

    class Waits(Interface, wit="workshop:dice/roll"):
        def roll(self, sides: int) -> int:
            return len(session.status().data) + sides

    session.load("example:lucky", attach=[Waits])
    assert "wait for itself" in str(session.send("/").error)


def test_verbs_come_from_any_thread(session):
    """Many threads use one session at once."""
    session.load("example:counter", attach=["keyvalue"])
    threads = [threading.Thread(target=session.send, args=("/x",)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert session.send("/x").text == "21"


def run_script(body: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, warnings being errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(body)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )


def test_a_session_that_has_done_nothing_has_loaded_nothing():
    """The names of the session are there without the engine, the HTTP library, widgets or IPython."""
    done = run_script("""
        import sys
        import washnb.notebook.magics
        heavy = ("wasmtime", "aiohttp", "ipywidgets", "anywidget", "nats")
        print(washnb.notebook.Session(), [name for name in heavy if name in sys.modules])
    """)
    assert done.stdout.endswith(" []\n"), done


@pytest.mark.slow
def test_script_needs_no_close_and_no_ipython():
    """A process ends by itself with a session open and a port served, and has not loaded IPython."""
    done = run_script("""
        import sys
        from washnb import Session
        wash = Session()
        print(wash.load("example:adder").add(1, 2), wash.serve(0)[:7], "IPython" in sys.modules)
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("3 http:// False\n", "", 0)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["file", "nats"])
def test_script_needs_no_close_whatever_it_has_attached(place, tmp_path):
    """A program that ends gives no threads any more: what has to be waited for is, without one."""
    done = run_script(f"""
        import time
        from washnb import Session
        wash = Session()
        places = [wash.nats("start")] * 2 if {place == "nats"} else {[f"file:{tmp_path}/{name}" for name in "ab"]!r}
        wash.attach(keyvalue=places[0], blobstore=places[1])
        wash.load("example:counter")
        wash.tracing = True
        print(wash.send("/").text)
        time.sleep(1.5)
    """)
    assert (done.stdout, done.stderr, done.returncode) == ("1\n", "", 0)


def test_an_error_that_is_empty_is_raised(session):
    """An exception may have a length, and be false where that is 0: the caller gets it, and does not wait for ever."""

    class Failures(Exception):  # noqa: N818 - of a library, say
        def __len__(self):
            return 0

    async def fail(_):
        raise Failures

    with pytest.raises(Failures):
        session.on_host(fail)


@pytest.mark.slow
def test_fork_is_told_that_its_host_did_not_come_along():
    """A child process gets an error instead of waiting for ever, and can begin anew."""
    done = run_script("""
        import os, warnings
        warnings.simplefilter("ignore")
        from washnb import Session
        wash = Session()
        wash.load("example:adder")
        child = os.fork()
        if child == 0:
            try:
                wash.status()
            except Exception as error:
                print(type(error).__name__, "fork" in str(error), flush=True)
            wash.reset()
            os._exit(0)
        os.waitpid(child, 0)
        print(wash["adder"].add(1, 2))
    """)
    assert (done.stdout, done.returncode) == ("ConfigError True\n3\n", 0)


def test_who_waits_for_a_thread_that_is_gone_is_freed(monkeypatch):
    """Also where the answer was lost with the thread."""
    monkeypatch.setattr(host_thread, "_hand_over", lambda *_: None)
    monkeypatch.setattr(host_thread, "_GLANCE", 0.05)
    host = host_thread.HostThread()
    host.start()
    threading.Timer(0.1, host.stop).start()
    with pytest.raises(GuestCancelled, match="the session was closed"):
        host.wait(lambda: asyncio.sleep(60))
