"""Every error-code on its way into a guest and out of it, through a real component."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import AsyncIterator

import pytest

from washnb.engine import Bindings, Engine, Err, Instance
from washnb.errors import GuestError
from washnb.wasi import ClientRequest, ClientResponse, ResponseOutparam, WasiContext, wasi_interfaces
from washnb.wasi.http.error_code import (
    DnsErrorPayload,
    ErrorCode,
    ErrorCode_HttpRequestDenied,
    FieldSizePayload,
    TlsAlertReceivedPayload,
)
from washnb.wit import split_version

from .border import border_guest

CASES = typing.get_args(ErrorCode)
PAYLOADS = {
    "ErrorCode_DnsError": [DnsErrorPayload("NXDOMAIN", 7), DnsErrorPayload(None, None)],
    "ErrorCode_TlsAlertReceived": [TlsAlertReceivedPayload(40, "handshake failure")],
    "ErrorCode_HttpRequestBodySize": [None, 0, 2**64 - 1],
    "ErrorCode_HttpRequestHeaderSectionSize": [None, 2**32 - 1],
    "ErrorCode_HttpRequestHeaderSize": [None, FieldSizePayload("x-a", 5), FieldSizePayload(None, None)],
    "ErrorCode_HttpRequestTrailerSectionSize": [1],
    "ErrorCode_HttpRequestTrailerSize": [FieldSizePayload("x-b", None)],
    "ErrorCode_HttpResponseHeaderSectionSize": [2],
    "ErrorCode_HttpResponseHeaderSize": [FieldSizePayload(None, 6)],
    "ErrorCode_HttpResponseBodySize": [3],
    "ErrorCode_HttpResponseTrailerSectionSize": [None],
    "ErrorCode_HttpResponseTrailerSize": [FieldSizePayload("x-c", 7)],
    "ErrorCode_HttpResponseTransferCoding": ["gzip", None],
    "ErrorCode_HttpResponseContentCoding": ["ü"],
    "ErrorCode_InternalError": ["odd", "", None],
}
CODES = [
    case(*([] if payload is ... else [payload])) for case in CASES for payload in PAYLOADS.get(case.__name__, [...])
]


class Client:
    """A client that fails as it is told, at once or later."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.at_once = False

    def __call__(self, request: ClientRequest):
        assert request.authority == "example.com"
        if self.at_once and self.error is not None:
            raise self.error
        return self._later()

    async def _later(self) -> ClientResponse:
        if self.error is not None:
            raise self.error
        return ClientResponse(418, (), b"")


@pytest.fixture
def client() -> Client:
    """The client of the guest's requests."""
    return Client()


@pytest.fixture
async def guest(engine: Engine, client: Client) -> AsyncIterator[Instance]:
    """An instance whose requests go to `client`."""
    component = await engine.compile(border_guest(), name="border")
    bindings = Bindings(component)
    served = wasi_interfaces(WasiContext(send=client))
    for name in component.imports:
        bindings.bind(name, served[split_version(name)[0]], provider="wasi", on_fiber=True)
    async with await Instance.new(component, bindings) as instance:
        yield instance


def plain(code: object) -> tuple[str, object]:
    """Case and payload, whatever classes carry them."""
    value = getattr(code, "value", None)
    return type(code).__name__.rpartition("_")[2], tuple(vars_of(value)) if dataclasses.is_dataclass(value) else value


def vars_of(record: object) -> list[object]:
    """The fields of a record in their order."""
    return [getattr(record, field.name) for field in dataclasses.fields(record)]


def test_all_cases_are_here() -> None:
    """The variant has the 39 cases of WIT, in WIT's order, told by the two ends and the payloads in between."""
    assert (len(CASES), CASES[0].__name__, CASES[-1].__name__) == (
        39,
        "ErrorCode_DnsTimeout",
        "ErrorCode_InternalError",
    )
    assert {case.__name__ for case in CASES if dataclasses.fields(case)} == PAYLOADS.keys()


async def test_status(guest: Instance) -> None:
    """Without an error the guest sees the response."""
    assert await guest.call("fetch") == 418


@pytest.mark.parametrize("at_once", [False, True], ids=["from the future", "from handle"])
async def test_every_code_reaches_the_guest(guest: Instance, client: Client, at_once: bool) -> None:
    """Each case, with each kind of payload, is the same value on both sides."""
    client.at_once = at_once
    for code in CODES:
        client.error = Err(code)
        with pytest.raises(Err) as caught:
            await guest.call("fetch")
        assert plain(caught.value.value) == plain(code)


async def test_every_case_comes_from_the_guest(guest: Instance) -> None:
    """Each case that a guest answers with is our class of that name, in the order of WIT."""
    zeroes = {"ErrorCode_DnsError": DnsErrorPayload(None, None)}
    zeroes["ErrorCode_TlsAlertReceived"] = TlsAlertReceivedPayload(None, None)
    zeroes |= {case.__name__: FieldSizePayload(None, None) for case in CASES if "rSize" in case.__name__}
    zeroes["ErrorCode_HttpRequestHeaderSize"] = None
    for number, case in enumerate(CASES):
        outparam = ResponseOutparam()
        await guest.call("refuse", number, outparam)
        payload = [zeroes.get(case.__name__)] if dataclasses.fields(case) else []
        assert outparam.answer == Err(case(*payload))


async def test_defect_of_the_client_ends_the_guest(guest: Instance, client: Client) -> None:
    """An exception that is no error code is not told to the guest: it ends it, and its caller sees why."""
    client.error = LookupError("a defect")
    with pytest.raises(GuestError) as caught:
        await guest.call("fetch")
    assert isinstance(caught.value.__cause__, LookupError)


async def test_denial_is_the_error_of_handle(guest: Instance, client: Client) -> None:
    """What the allowlist refuses never becomes a future."""
    client.at_once, client.error = True, Err(ErrorCode_HttpRequestDenied())
    with pytest.raises(Err) as caught:
        await guest.call("fetch")
    assert plain(caught.value.value) == ("HttpRequestDenied", None)


async def test_parent_dropped_before_its_child_ends_the_guest(guest: Instance) -> None:
    """A body that goes before the stream of its contents is a mistake of the guest, as in wasmtime."""
    with pytest.raises(GuestError, match="dropped an outgoing-body while the stream of its contents is alive"):
        await guest.call("orphan")
