"""WASI 0.2 in Python, one file per package.

`wasi_interfaces(WasiContext(...))` is all that a component can import of it. The streams are for whoever hands bytes to
a guest or takes them: HTTP here, blobs and files in other rooms.
"""

from .cli import ExitRequested
from .context import WasiContext, wasi_interfaces
from .io import Error, InputStream, OutputStream, Pollable, Signal, StreamError_Closed, StreamError_LastOperationFailed
from .streams import AsyncInputStream, BytesInputStream, Pipe, PipeInputStream, PipeOutputStream

__all__ = [
    "AsyncInputStream",
    "BytesInputStream",
    "Error",
    "ExitRequested",
    "InputStream",
    "OutputStream",
    "Pipe",
    "PipeInputStream",
    "PipeOutputStream",
    "Pollable",
    "Signal",
    "StreamError_Closed",
    "StreamError_LastOperationFailed",
    "WasiContext",
    "wasi_interfaces",
]
