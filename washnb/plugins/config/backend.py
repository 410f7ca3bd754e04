"""The protocol of config backends: the settings of one component, in memory or on NATS. No WIT is seen here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Backend(Protocol):
    """The settings of one component: guests read them, views and people also change them.

    Every method raises BackendError where a server fails.
    """

    async def get(self, key: str) -> str | None:
        """Return the value of the setting `key`, None where there is none."""

    async def get_all(self) -> Mapping[str, str]:
        """Return the values of all settings, sorted by key."""

    async def set(self, key: str, value: str) -> None:
        """Set the value of the setting `key`. The next call of a guest reads it."""

    async def delete(self, key: str) -> None:
        """Remove the setting `key`; a setting that does not exist is no error."""
