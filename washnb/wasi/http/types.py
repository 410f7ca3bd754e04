"""wasi:http/types: the resources of the package under their WIT names."""

from __future__ import annotations

from washnb.engine import Interface

from ..io import Error
from .bodies import FutureTrailers, IncomingBody, OutgoingBody, http_error_code
from .error_code import ErrorCode
from .fields import Fields
from .incoming import FutureIncomingResponse, IncomingRequest, IncomingResponse
from .outgoing import OutgoingRequest, OutgoingResponse, RequestOptions, ResponseOutparam


class HttpTypes(Interface, wit="wasi:http/types@0.2.12"):
    """wasi:http/types. It has no state, so that one object serves every component."""

    Fields = Fields
    FutureIncomingResponse = FutureIncomingResponse
    FutureTrailers = FutureTrailers
    IncomingBody = IncomingBody
    IncomingRequest = IncomingRequest
    IncomingResponse = IncomingResponse
    OutgoingBody = OutgoingBody
    OutgoingRequest = OutgoingRequest
    OutgoingResponse = OutgoingResponse
    RequestOptions = RequestOptions
    ResponseOutparam = ResponseOutparam

    def http_error_code(self, err: Error) -> ErrorCode | None:
        """Return the error code of HTTP behind the error of a stream; None where there is none."""
        return http_error_code(err)
