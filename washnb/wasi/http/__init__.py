"""wasi:http 0.2 in Python.

For a request that a workload serves: `incoming_request(request)` and a `ResponseOutparam()` are what
`wasi:http/incoming-handler#handle` takes; `outparam.answer` (or `await outparam.response`) is the guest's
`OutgoingResponse`, an `Err` with an error code, or None; `streamed(answer)` takes the response for sending.

For the requests that a workload makes: `OutgoingHandler(send)`, where `send` turns a `ClientRequest` into a
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
