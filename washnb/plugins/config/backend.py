"""What a place that keeps the settings of a component must be able to do. It knows nothing of WIT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Backend(Protocol):
    """The settings of one component. Methods raise BackendError where the outside world fails."""

    async def get(self, key: str) -> str | None:
        """Return the value of a setting, None where there is none."""

    async def get_all(self) -> Mapping[str, str]:
        """Return all settings, sorted by key."""

    async def set(self, key: str, value: str) -> None:
        """Change a setting; guests see it at their next call."""

    async def delete(self, key: str) -> None:
        """Take a setting away; one that is not there is no error."""
