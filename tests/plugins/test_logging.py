"""Logging in memory: the contract, the bound, and the way to Python's `logging`."""

from __future__ import annotations

import errno
import logging
import subprocess
import sys

import pytest

from washnb.plugins import TracingLogger
from washnb.plugins.logging import Level, Logging

from .bound import Item, bind
from .contracts.logging import LoggingContract


class TestTracingLogger(LoggingContract):
    @pytest.fixture
    def plugin(self):
        """Give the plugin with its defaults."""
        return TracingLogger()

    async def test_python_logging_gets_each_line(self, item, caplog):
        """A record has the logger of its component, the number of its level, and context and text in one line."""
        caplog.set_level(logging.INFO, logger="washnb.guest")
        log = item.linked[Logging.wit].log
        log(Level.DEBUG, "", "not wanted at this level")
        log(Level.CRITICAL, "disk", "full")
        log(Level.WARN, "", "plain")
        assert caplog.record_tuples == [
            ("washnb.guest.counter.main", logging.CRITICAL, "disk: full"),
            ("washnb.guest.counter.main", logging.WARNING, "plain"),
        ]

    async def test_a_guest_cannot_forge_a_record(self, item, caplog):
        """Line ends and terminal control of a guest are escaped on the way to Python's logging, and % is text."""
        item.linked[Logging.wit].log(Level.ERROR, "a\x1b[2Jb", "c\nroot: all is well\r\x9b %s")
        assert caplog.messages == ["a\\x1b[2Jb: c\\nroot: all is well\\r\\x9b %s"]


class Full(logging.Handler):
    """A handler that lets through what its disk says."""

    def emit(self, record):
        raise OSError(errno.ENOSPC, "No space left on device", "guests.log")


async def test_a_handler_that_fails():
    """No guest ends because of what Python's logging does with its lines; people are told, once."""
    plugin, told, handler = TracingLogger(), [], Full()
    plugin.events.subscribe(told.append)
    item = await bind(plugin, Item())
    logger, log = logging.getLogger("washnb.guest.counter.main"), item.linked[Logging.wit].log
    for failing in (True, False, True):
        (logger.addHandler if failing else logger.removeHandler)(handler)
        for text in ("one", "two"):
            log(Level.ERROR, "", text)
    logger.removeHandler(handler)
    failed = "Python's logging has failed: OSError: [Errno 28] No space left on device: 'guests.log'"
    assert [(line.stream, line.message) for line in told] == [
        *[("log", "one"), ("host", failed), ("log", "two"), ("log", "one"), ("log", "two")],
        *[("log", "one"), ("host", failed), ("log", "two")],
    ]
    assert len(plugin.backend(item.workload_id, item.component).lines()) == 6


async def test_only_the_newest_lines_are_kept():
    """The log of a component is bounded: the oldest lines go first."""
    plugin = TracingLogger(limit=3)
    item = await bind(plugin, Item())
    for number in range(10):
        item.linked[Logging.wit].log(Level.INFO, "", str(number))
    assert [line.message for line in plugin.backend(item.workload_id, item.component).lines()] == ["7", "8", "9"]


def test_levels_are_those_of_python():
    """A WIT level has the number of Python's level of the same meaning, and order."""
    assert [level.value for level in Level] == sorted(level.value for level in Level)
    named = (Level.DEBUG, Level.INFO, Level.WARN, Level.ERROR, Level.CRITICAL)
    assert [logging.getLevelName(level.value) for level in named] == ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]


def test_nothing_is_printed_before_logging_is_set_up():
    """A guest's error does not appear on the host's stderr until the user asks for it."""
    script = "import logging, washnb.plugins; logging.getLogger('washnb.guest.a.b').error('hidden')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
