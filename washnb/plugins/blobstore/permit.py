"""What a workload may do with which containers, as the config of its interface entry says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from washnb.errors import AccessDenied
from washnb.wit import WitInterface


@dataclass(frozen=True, slots=True)
class Permit:
    """The keys `buckets`, names of containers with commas between them, and `read_only`, `true` or not.

    Both are wash-runtime's, where only the NATS variant reads them, and grants nothing without `buckets`.
    """

    buckets: frozenset[str] | None = None
    read_only: bool = False

    @classmethod
    def of(cls, interfaces: Collection[WitInterface]) -> Permit:
        """Read the config of the entries that a plugin serves; without the keys everything is permitted."""
        named = [entry.config["buckets"] for entry in interfaces if "buckets" in entry.config]
        buckets = frozenset(bucket.strip() for text in named for bucket in text.split(",")) if named else None
        return cls(buckets, any(entry.config.get("read_only", "").strip() == "true" for entry in interfaces))

    def read(self, container: str) -> None:
        """Raise AccessDenied where the workload may not read the container."""
        if self.buckets is not None and container not in self.buckets:
            granted = ", ".join(sorted(self.buckets - {""})) or "none"
            raise AccessDenied(f"unauthorized: container '{container}' is not among the workload's buckets ({granted})")

    def write(self, container: str) -> None:
        """Raise AccessDenied where the workload may not change the container."""
        self.read(container)
        if self.read_only:
            raise AccessDenied(f"unauthorized write: container '{container}' is read-only for the workload")
