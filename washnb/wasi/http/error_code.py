"""The variant error-code of wasi:http/types: one class for each case, and the records in them.

WIT has taken the cases from the proxy error types of RFC 9209.
"""
# ruff: noqa: N801 - variant_Case is how componentize-py's guests spell it

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DnsErrorPayload:
    """Details of a DNS failure: the response code as text, and the extended code of RFC 8914."""

    rcode: str | None
    info_code: int | None


@dataclass(frozen=True, slots=True)
class TlsAlertReceivedPayload:
    """The alert that the other side sent."""

    alert_id: int | None
    alert_message: str | None


@dataclass(frozen=True, slots=True)
class FieldSizePayload:
    """The header or trailer that was too large, and its size in bytes."""

    field_name: str | None
    field_size: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_DnsTimeout:
    """The name server did not answer in time."""


@dataclass(frozen=True, slots=True)
class ErrorCode_DnsError:
    """The name could not be resolved."""

    value: DnsErrorPayload


@dataclass(frozen=True, slots=True)
class ErrorCode_DestinationNotFound:
    """No destination is known for the request."""


@dataclass(frozen=True, slots=True)
class ErrorCode_DestinationUnavailable:
    """The destination is known, and cannot be reached at present."""


@dataclass(frozen=True, slots=True)
class ErrorCode_DestinationIpProhibited:
    """The address of the destination must not be reached."""


@dataclass(frozen=True, slots=True)
class ErrorCode_DestinationIpUnroutable:
    """No route leads to the address of the destination."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionRefused:
    """The destination has refused the connection."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionTerminated:
    """The other side closed the connection before the response was complete."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionTimeout:
    """The connection could not be made in time."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionReadTimeout:
    """Nothing was received in time."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionWriteTimeout:
    """Nothing could be sent in time."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConnectionLimitReached:
    """Too many connections are open already."""


@dataclass(frozen=True, slots=True)
class ErrorCode_TlsProtocolError:
    """The TLS handshake failed."""


@dataclass(frozen=True, slots=True)
class ErrorCode_TlsCertificateError:
    """The certificate of the other side is not trusted."""


@dataclass(frozen=True, slots=True)
class ErrorCode_TlsAlertReceived:
    """The other side ended the TLS handshake with an alert."""

    value: TlsAlertReceivedPayload


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestDenied:
    """The policy of the host forbids the request."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestLengthRequired:
    """The request needs a Content-Length."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestBodySize:
    """The body of the request has another size than announced or allowed."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestMethodInvalid:
    """The method is not a token of HTTP."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestUriInvalid:
    """The parts of the target do not make a URI."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestUriTooLong:
    """The target is too long."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestHeaderSectionSize:
    """The headers of the request are too large together."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestHeaderSize:
    """One header of the request is too large."""

    value: FieldSizePayload | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestTrailerSectionSize:
    """The trailers of the request are too large together."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpRequestTrailerSize:
    """One trailer of the request is too large."""

    value: FieldSizePayload


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseIncomplete:
    """The response ended before its body was whole."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseHeaderSectionSize:
    """The headers of the response are too large together."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseHeaderSize:
    """One header of the response is too large."""

    value: FieldSizePayload


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseBodySize:
    """The body of the response has another size than announced or allowed."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseTrailerSectionSize:
    """The trailers of the response are too large together."""

    value: int | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseTrailerSize:
    """One trailer of the response is too large."""

    value: FieldSizePayload


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseTransferCoding:
    """The transfer coding of the response cannot be read."""

    value: str | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseContentCoding:
    """The content coding of the response cannot be read."""

    value: str | None


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpResponseTimeout:
    """The response was not complete in time."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpUpgradeFailed:
    """The protocol could not be changed."""


@dataclass(frozen=True, slots=True)
class ErrorCode_HttpProtocolError:
    """What was sent or received is not HTTP."""


@dataclass(frozen=True, slots=True)
class ErrorCode_LoopDetected:
    """The request comes back to where it has been."""


@dataclass(frozen=True, slots=True)
class ErrorCode_ConfigurationError:
    """The host is not set up for the request."""


@dataclass(frozen=True, slots=True)
class ErrorCode_InternalError:
    """Anything else, described in words."""

    value: str | None


ErrorCode = (
    ErrorCode_DnsTimeout
    | ErrorCode_DnsError
    | ErrorCode_DestinationNotFound
    | ErrorCode_DestinationUnavailable
    | ErrorCode_DestinationIpProhibited
    | ErrorCode_DestinationIpUnroutable
    | ErrorCode_ConnectionRefused
    | ErrorCode_ConnectionTerminated
    | ErrorCode_ConnectionTimeout
    | ErrorCode_ConnectionReadTimeout
    | ErrorCode_ConnectionWriteTimeout
    | ErrorCode_ConnectionLimitReached
    | ErrorCode_TlsProtocolError
    | ErrorCode_TlsCertificateError
    | ErrorCode_TlsAlertReceived
    | ErrorCode_HttpRequestDenied
    | ErrorCode_HttpRequestLengthRequired
    | ErrorCode_HttpRequestBodySize
    | ErrorCode_HttpRequestMethodInvalid
    | ErrorCode_HttpRequestUriInvalid
    | ErrorCode_HttpRequestUriTooLong
    | ErrorCode_HttpRequestHeaderSectionSize
    | ErrorCode_HttpRequestHeaderSize
    | ErrorCode_HttpRequestTrailerSectionSize
    | ErrorCode_HttpRequestTrailerSize
    | ErrorCode_HttpResponseIncomplete
    | ErrorCode_HttpResponseHeaderSectionSize
    | ErrorCode_HttpResponseHeaderSize
    | ErrorCode_HttpResponseBodySize
    | ErrorCode_HttpResponseTrailerSectionSize
    | ErrorCode_HttpResponseTrailerSize
    | ErrorCode_HttpResponseTransferCoding
    | ErrorCode_HttpResponseContentCoding
    | ErrorCode_HttpResponseTimeout
    | ErrorCode_HttpUpgradeFailed
    | ErrorCode_HttpProtocolError
    | ErrorCode_LoopDetected
    | ErrorCode_ConfigurationError
    | ErrorCode_InternalError
)
