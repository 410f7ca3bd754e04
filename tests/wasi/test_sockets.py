"""wasi:sockets without a network."""

from __future__ import annotations

import pytest

from washnb.engine import Err
from washnb.wasi import Error
from washnb.wasi.sockets import (
    ErrorCode,
    IncomingDatagramStream,
    InstanceNetwork,
    IpAddressFamily,
    IpNameLookup,
    Network,
    NetworkInterface,
    OutgoingDatagramStream,
    ResolveAddressStream,
    TcpCreateSocket,
    TcpSocket,
    UdpCreateSocket,
    UdpSocket,
)

from .asking import error_of
from .wit import read

SOCKETS = {
    "tcp-socket": TcpSocket,
    "udp-socket": UdpSocket,
    "incoming-datagram-stream": IncomingDatagramStream,
    "outgoing-datagram-stream": OutgoingDatagramStream,
}
OPERATIONS = [
    (SOCKETS[resource], method.replace("-", "_"), parameters - 1)
    for interface in ("wasi:sockets/tcp", "wasi:sockets/udp")
    for name, parameters in read().functions[interface].items()
    for resource, _, method in [name.removeprefix("[method]").partition(".")]
    if method not in {"subscribe", "is-listening", "address-family"}
]


@pytest.mark.parametrize("create", [TcpCreateSocket().create_tcp_socket, UdpCreateSocket().create_udp_socket])
@pytest.mark.parametrize("family", IpAddressFamily)
def test_no_socket_can_be_created(create, family):
    """As wasmtime answers where sockets are not allowed."""
    assert error_of(create, family) is ErrorCode.ACCESS_DENIED


@pytest.mark.parametrize(("socket", "method", "parameters"), OPERATIONS)
def test_every_operation_of_a_socket_is_denied(socket, method, parameters):
    """Even if a guest came by one."""
    assert error_of(getattr(socket(), method), *[None] * parameters) is ErrorCode.ACCESS_DENIED


def test_no_name_has_an_address():
    """The resolver fails for good: wash-runtime's answer where no lookups are allowed."""
    network = InstanceNetwork().instance_network()
    assert isinstance(network, Network)
    assert error_of(IpNameLookup().resolve_addresses, network, "localhost") is ErrorCode.PERMANENT_RESOLVER_FAILURE
    assert error_of(ResolveAddressStream().resolve_next_address) is ErrorCode.PERMANENT_RESOLVER_FAILURE


@pytest.mark.parametrize("resource", [*SOCKETS.values(), ResolveAddressStream])
def test_nobody_waits_for_a_socket(resource):
    """What has nothing under way is ready."""
    assert resource().subscribe().block() is None


@pytest.mark.parametrize("socket", [TcpSocket, UdpSocket])
def test_what_cannot_fail_has_an_answer(socket):
    """Two questions have no error in WIT."""
    assert socket().address_family() is IpAddressFamily.IPV4
    assert not (socket is TcpSocket and socket().is_listening())


def test_an_error_of_a_socket_is_told_from_others():
    """network-error-code finds the code behind a stream's error."""
    assert NetworkInterface().network_error_code(Error.of(Err(ErrorCode.TIMEOUT))) is ErrorCode.TIMEOUT
    assert NetworkInterface().network_error_code(Error("of another kind")) is None
