"""wasi:http 0.2 in Python.

To have a guest serve a request, call its `wasi:http/incoming-handler#handle` with `incoming_request(request)` and a
`ResponseOutparam()`. Then `outparam.answer` (or `await outparam.response`) is the guest's `OutgoingResponse`, which
`streamed` makes ready for sending, an `Err` with an error code, or None.

The requests that a guest makes go through `OutgoingHandler(send)`: `send` turns a `ClientRequest` into a
`ClientResponse`, or raises `Err` with a case of `error_code`.
"""

from . import error_code
from .bodies import FutureTrailers, IncomingBody, OutgoingBody, SentChunks
from .error_code import ErrorCode
from .fields import Fields
from .incoming import ClientResponse, FutureIncomingResponse, IncomingRequest, IncomingResponse, incoming_request
from .outgoing import OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam, streamed
from .outgoing_handler import ClientRequest, OutgoingHandler, Send
from .types import HttpTypes
from .uri import is_token

__all__ = [
    "ClientRequest",
    "ClientResponse",
    "ErrorCode",
    "Fields",
    "FutureIncomingResponse",
    "FutureTrailers",
    "HttpTypes",
    "IncomingBody",
    "IncomingRequest",
    "IncomingResponse",
    "OutgoingBody",
    "OutgoingHandler",
    "OutgoingRequest",
    "OutgoingResponse",
    "RequestOptions",
    "ResponseOutparam",
    "Send",
    "SentChunks",
    "error_code",
    "incoming_request",
    "is_token",
    "streamed",
]
