"""Steps of a plugin's life that are one for each host: what they raise is told in our words, and a stop is bounded."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from washnb.engine import running_task
from washnb.errors import ConfigError, WashError, spelled_out
from washnb.plugins import HostPlugin

PLUGIN_STOP_SECONDS = 6.0
"""How long a plugin may take to stop: wash-runtime's five seconds, and its one more."""

_log = logging.getLogger(__name__)


async def start(plugin: HostPlugin) -> None:
    """Start a plugin. Raises WashError as the plugin raised it, ConfigError around anything else."""
    with _told(plugin, "start"), contained():
        await plugin.start()


def adopt(plugin: HostPlugin, former: HostPlugin) -> None:
    """Let a plugin take over what it wants of the one that it replaces. Raises as `start`."""
    with _told(plugin, "adopt"), contained():
        plugin.adopt(former)


async def stop(plugin: HostPlugin) -> None:
    """Stop a plugin. What it raises is logged: the others have to stop all the same."""
    try:
        async with asyncio.timeout(PLUGIN_STOP_SECONDS):
            with contained():
                await plugin.stop()
    except Exception:  # noqa: BLE001
        _log.exception("plugin %s failed to stop", plugin.id)


@contextmanager
def contained() -> Iterator[None]:
    """Raise RuntimeError in place of what would end the task or the program, and is only a mistake of a plugin.

    That is a CancelledError where nobody has cancelled this task: the plugin has awaited what it had cancelled itself.
    And it is what is no Exception, such as SystemExit; but an interrupt passes.
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
