"""WASI 0.2 in Python, one file per package."""

from .io import Error, InputStream, OutputStream, Pollable, Signal, StreamError_Closed, StreamError_LastOperationFailed
from .streams import AsyncInputStream, BytesInputStream, Pipe, PipeInputStream, PipeOutputStream

__all__ = [
    "AsyncInputStream",
    "BytesInputStream",
    "Error",
    "InputStream",
    "OutputStream",
    "Pipe",
    "PipeInputStream",
    "PipeOutputStream",
    "Pollable",
    "Signal",
    "StreamError_Closed",
    "StreamError_LastOperationFailed",
]
