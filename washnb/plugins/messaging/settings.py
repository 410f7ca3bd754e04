"""Which messages a component gets, as its config says with the keys of wash-runtime."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from washnb.errors import ConfigError
from washnb.wit import WitInterface

from ..base import WorkloadItem
from .subjects import BROADCAST, default_group, flaw, require_group

MAX_IN_FLIGHT = 32
"""How many messages one component may handle at once, as in wash-runtime; its config can only lower it."""

ADMISSION_WAIT = 30.0
"""How many seconds a message may wait while its component handles `max_in_flight` others; the config can change it."""

MAX_ADMISSION_WAIT = 600.0
"""The most seconds that a message may wait; a longer time in the config is cut to this."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"(?:\d+(?:ms|s|m|h))+")
_PART = re.compile(r"(\d+)(ms|s|m|h)")


@dataclass(frozen=True)
class HandlerSettings:
    """Which messages a handler gets, and how many it handles at once.

    Of the handlers of one `group` a message goes to one; with None for `group` the handler gets every message.
    """

    subscriptions: tuple[str, ...]
    group: str | None
    max_in_flight: int = MAX_IN_FLIGHT
    admission_wait: float = ADMISSION_WAIT


def handler_settings(item: WorkloadItem, interfaces: Collection[WitInterface]) -> HandlerSettings:
    """Return what the keys `subscriptions`, `consumer_group`, `max_in_flight` and `admission_wait` say.

    The config of the component wins over that of the interface in the workload's manifest. Raises ConfigError for a
    value that is not valid; wash-runtime takes its default for such a `max_in_flight` or `admission_wait`.
    """
    entries = sorted(interfaces, key=str)
    config = {key: value for entry in entries for key, value in entry.config.items()}
    config.update(item.local_resources.config)
    try:
        return HandlerSettings(
            subscriptions=_subscriptions(config),
            group=_group(config, item),
            max_in_flight=_max_in_flight(config),
            admission_wait=_admission_wait(config),
        )
    except ConfigError as error:
        error.workload, error.component = item.workload_name, item.component
        raise


def _subscriptions(config: Mapping[str, str]) -> tuple[str, ...]:
    subjects = tuple(filter(None, (part.strip() for part in config.get("subscriptions", "").split(","))))
    for subject in subjects:
        if problem := flaw(subject, wildcards=True):
            raise ConfigError(
                f"subscription {subject!r:.80} is invalid: {problem}", repair="subscriptions=orders.*.created,audit.>"
            )
    return subjects


def _group(config: Mapping[str, str], item: WorkloadItem) -> str | None:
    group = config.get("consumer_group")
    if group is None:
        return default_group(item.namespace, item.workload_name, item.component)
    if group == BROADCAST:
        return None
    require_group(group)
    return group


def _max_in_flight(config: Mapping[str, str]) -> int:
    """Return the bound of messages at once; without the key, or with nothing or 0 for its value, the limit."""
    given = config.get("max_in_flight", "").strip() or "0"
    if not re.fullmatch(r"[0-9]+", given):
        raise ConfigError(f"max_in_flight {given!r:.80} is no number of messages", repair="max_in_flight=8")
    return min(int(given) or MAX_IN_FLIGHT, MAX_IN_FLIGHT)


def _admission_wait(config: Mapping[str, str]) -> float:
    """Return the seconds that a message may wait; the value is a number of them, or a duration such as `1m30s`."""
    given = config.get("admission_wait", "").strip()
    if not given:
        return ADMISSION_WAIT
    text = f"{given}s" if given.isdecimal() else given.replace(" ", "")
    if not _DURATION.fullmatch(text):
        raise ConfigError(
            f"admission_wait {given!r:.80} is no time", repair="admission_wait=45s  # or 500ms, 2m, 1m30s"
        )
    return min(sum(int(count) * _SECONDS[unit] for count, unit in _PART.findall(text)), MAX_ADMISSION_WAIT)
