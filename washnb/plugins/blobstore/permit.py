"""What a workload may do with which containers, as its manifest says in the config of wasi:blobstore."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from washnb.errors import AccessDenied
from washnb.wit import WitInterface


@dataclass(frozen=True, slots=True)
class Permit:
    """The containers that a workload may use (None: all), and whether it may only read them.

    The keys in the config are those of wash-runtime: `buckets`, names with commas between them, and `read_only=true`.
    There only the plugin on NATS reads them, and without `buckets` it permits no container.
    """

    buckets: frozenset[str] | None = None
    read_only: bool = False

    @classmethod
    def of(cls, interfaces: Collection[WitInterface]) -> Permit:
        """Return what the config of `interfaces` permits; without the two keys that is everything."""
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
