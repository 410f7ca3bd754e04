"""The heartbeat of a host: who it is and how much runs on it, in the fields of wash-runtime's."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from washnb.wit import WitInterface


@dataclass(frozen=True)
class HostHeartbeat:
    """A host, its machine, and how much runs on it. Memory is in bytes, CPU usage in percent; None where unknown."""

    id: str
    hostname: str
    friendly_name: str
    version: str
    labels: Mapping[str, str]
    started_at: datetime | None
    os_arch: str
    os_name: str
    os_kernel: str
    system_cpu_usage: float | None
    system_memory_total: int | None
    system_memory_free: int | None
    http_port: int
    component_count: int
    workload_count: int
    imports: tuple[WitInterface, ...]
    exports: tuple[WitInterface, ...]


@dataclass(frozen=True)
class Machine:
    """The machine of a host at one moment. Memory is in bytes, CPU usage in percent; None where unknown."""

    arch: str
    name: str
    kernel: str
    cpu_usage: float | None
    memory_total: int | None
    memory_free: int | None

    @classmethod
    def now(cls) -> Machine:
        """Return what the operating system says of this machine now."""
        return cls(
            arch=platform.machine(),
            name=platform.system().lower(),
            kernel="windows" if os.name == "nt" else "unix",
            cpu_usage=_cpu_usage(),
            memory_total=_memory("SC_PHYS_PAGES"),
            memory_free=_memory("SC_AVPHYS_PAGES"),
        )


def _cpu_usage() -> float | None:
    """Return the load average of the last minute in percent of the processors; None where the system has none."""
    if not hasattr(os, "getloadavg"):
        return None
    return min(100.0, 100.0 * os.getloadavg()[0] / (os.cpu_count() or 1))


def _memory(pages: str) -> int | None:
    if pages not in getattr(os, "sysconf_names", {}):
        return None
    return int(os.sysconf(pages)) * int(os.sysconf("SC_PAGE_SIZE"))
