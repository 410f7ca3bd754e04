"""A method of a plugin that holds up the host is named, in the cell that waits for it."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from washnb.engine import Interface
from washnb.notebook import debugging, standstill
from washnb.notebook import thread as host_thread
from washnb.plugins import HostPlugin


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """A twentieth of a second is long."""
    monkeypatch.setattr(host_thread, "_GLANCE", 0.05)
    monkeypatch.setattr(standstill, "STANDS_STILL", 0.04)


class Roll(Interface, wit="workshop:dice/roll"):
    """Takes its time."""

    def roll(self, sides: int) -> int:
        self.wait()
        return sides

    def wait(self) -> None:
        time.sleep(0.3)


class Later(Roll):
    """Takes it after it has awaited something."""

    async def roll(self, sides: int) -> int:
        await asyncio.sleep(0)
        time.sleep(0.3)  # noqa: ASYNC251 - the mistake
        return sides


class Patient(Roll):
    """Lets the host go on."""

    async def roll(self, sides: int) -> int:
        await asyncio.to_thread(self.wait)
        return sides


class Prompting(Roll):
    """Has somebody look at it meanwhile."""

    def wait(self) -> None:
        with debugging.HERE.host.clock.stopped():
            super().wait()


class Slow(HostPlugin):
    """Takes its time to meet a workload."""

    id = "slow"
    interfaces = (Patient,)

    async def on_workload_bind(self, workload, interfaces):
        time.sleep(0.3)  # noqa: ASYNC251 - the mistake


@pytest.mark.parametrize(("cls", "remedy"), [(Roll, "async def roll(...):  await"), (Later, "\n  await")])
def test_who_holds_up_the_host_is_named(session, capsys, cls, remedy):
    """Plugin, call and method, once, and what would not hold it up."""
    session.attach(cls)
    session.load("example:lucky")
    assert session["lucky"].play() == 6
    said = capsys.readouterr().err
    assert said.startswith(f"plugin {cls.__name__.lower()!r}, workshop:dice/roll@0.1.0#roll: {cls.__name__}.roll has ")
    assert f"{__file__}, line" in said
    assert f"{remedy} asyncio.to_thread(WORK)" in said
    assert said.count("stands still") == 1


@pytest.mark.parametrize("cls", [Patient, Prompting])
def test_what_holds_up_nobody_is_not_told(session, capsys, cls):
    """Nor what stands at a prompt, where somebody wants it to."""
    session.attach(cls)
    session.load("example:lucky")
    assert session["lucky"].play() == 6
    assert capsys.readouterr().err == ""


def test_what_the_host_does_itself_is_no_plugin_s_fault(session, capsys):
    """Such as an import, on a machine that is slow."""

    async def work(_deployments):
        asyncio.get_running_loop().call_soon(threading.Event().wait, 0.3)
        await asyncio.sleep(0.01)

    session.on_host(work)
    assert capsys.readouterr().err == ""


def test_a_step_of_a_plugin_is_named_too(session, capsys):
    """By its method."""
    session.attach(Slow)
    session.load("example:lucky")
    assert capsys.readouterr().err.startswith("Slow.on_workload_bind has neither returned nor awaited")
