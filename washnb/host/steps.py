"""The steps of a plugin's life that happen once per host: start, adopt, stop; what they raise becomes a WashError."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from washnb.engine import running_task
from washnb.errors import ConfigError, WashError, spelled_out
from washnb.plugins import HostPlugin

PLUGIN_STOP_SECONDS = 6.0
"""Seconds that a plugin may take to stop: the five of wash-runtime, and the one that it adds."""

_log = logging.getLogger(__name__)


async def start(plugin: HostPlugin) -> None:
    """Start a plugin. Raises the plugin's WashError, and ConfigError around any other exception of it."""
    with _told(plugin, "start"), contained():
        await plugin.start()


def adopt(plugin: HostPlugin, former: HostPlugin) -> None:
    """Let a plugin keep what it wants of `former`, which it replaces.

    Raises the plugin's WashError, and ConfigError around any other exception of it.
    """
    with _told(plugin, "adopt"), contained():
        plugin.adopt(former)


async def stop(plugin: HostPlugin) -> None:
    """Stop a plugin, within `PLUGIN_STOP_SECONDS`. What it raises is logged: the other plugins have to stop as well."""
    try:
        async with asyncio.timeout(PLUGIN_STOP_SECONDS):
            with contained():
                await plugin.stop()
    except Exception:  # noqa: BLE001
        _log.exception("plugin %s failed to stop", plugin.id)


@contextmanager
def contained() -> Iterator[None]:
    """Raise RuntimeError in place of an exception of a plugin that would end the task or the program by mistake.

    That is a CancelledError where nobody has cancelled this task, for the plugin awaits what it has cancelled itself,
    and whatever is no Exception, such as SystemExit. KeyboardInterrupt passes.
    """
    task = running_task()
    before = 0 if task is None else task.cancelling()
    try:
        yield
    except asyncio.CancelledError as error:
        if task is None or task.cancelling() > before:
            raise
        raise RuntimeError("it awaited what is cancelled") from error
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        if task is not running_task():  # the loop is gone, and nobody waits any more
            raise
        raise RuntimeError(f"it raised {spelled_out(error)}") from error


@contextmanager
def _told(plugin: HostPlugin, step: str) -> Iterator[None]:
    try:
        yield
    except WashError:
        raise
    except Exception as error:
        raise ConfigError(f"plugin {plugin.id!r} failed to {step}: {spelled_out(error)}") from error
