"""WASI 0.2 in Python, one file per package.

`wasi_interfaces(WasiContext(...))` makes every interface that a component can import. The stream classes are also for
plugins that pass streams of their own to a guest.
"""

from .cli import ExitRequested
from .context import WasiContext, wasi_interfaces
from .http import (
    ClientRequest,
    ClientResponse,
    IncomingRequest,
    OutgoingResponse,
    ResponseOutparam,
    Send,
    SentChunks,
    error_code,
    incoming_request,
    is_token,
    streamed,
)
from .io import Error, InputStream, OutputStream, Pollable, Signal, StreamError_Closed, StreamError_LastOperationFailed
from .streams import AsyncInputStream, BytesInputStream, Pipe, PipeInputStream, PipeOutputStream

__all__ = [
    "AsyncInputStream",
    "BytesInputStream",
    "ClientRequest",
    "ClientResponse",
    "Error",
    "ExitRequested",
    "IncomingRequest",
    "InputStream",
    "OutgoingResponse",
    "OutputStream",
    "Pipe",
    "PipeInputStream",
    "PipeOutputStream",
    "Pollable",
    "ResponseOutparam",
    "Send",
    "SentChunks",
    "Signal",
    "StreamError_Closed",
    "StreamError_LastOperationFailed",
    "WasiContext",
    "error_code",
    "incoming_request",
    "is_token",
    "streamed",
    "wasi_interfaces",
]
