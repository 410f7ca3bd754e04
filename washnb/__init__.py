"""washnb: the wash-runtime host of wasmCloud, in Python, embedded in Jupyter.

    errors types wit events secrecy     the vocabulary
    engine                              bytes in, Python callables out; knows wasmtime
    wasi                                WASI 0.2, written in Python
    plugins                             capabilities for guests
    host                                workloads, HTTP, the lifecycle of plugins
    presets                             a host with everything in it
    notebook                            where Jupyter meets the host

Names are loaded when they are first used, so that `import washnb` and `%load_ext washnb` cost next to nothing.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "DevRouter": "washnb.host",
    "Engine": "washnb.engine",
    "Err": "washnb.engine",
    "Host": "washnb.host",
    "HostApi": "washnb.host",
    "HostBuilder": "washnb.host",
    "HostPlugin": "washnb.plugins",
    "HttpServer": "washnb.host",
    "Ingress": "washnb.host",
    "Interface": "washnb.engine",
    "Ok": "washnb.engine",
    "Session": "washnb.notebook",
    "Some": "washnb.engine",
    "WashError": "washnb.errors",
    "resource": "washnb.engine",
}

__all__ = [
    "DevRouter",
    "Engine",
    "Err",
    "Host",
    "HostApi",
    "HostBuilder",
    "HostPlugin",
    "HttpServer",
    "Ingress",
    "Interface",
    "Ok",
    "Session",
    "Some",
    "WashError",
    "load_ipython_extension",
    "resource",
    "unload_ipython_extension",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its room, once."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'washnb' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Offer names that are not loaded yet to completion too."""
    return sorted({*globals(), *__all__})


def load_ipython_extension(ipython: Any) -> None:
    """Register `%wash` and put the session `wash` into the user's namespace: what `%load_ext washnb` calls."""
    importlib.import_module("washnb.notebook").load(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    """Close the session and take back what `load_ipython_extension` registered: what `%unload_ext washnb` calls."""
    importlib.import_module("washnb.notebook").unload(ipython)
