"""wasi:sockets without a network: components that import it link, and every operation is refused."""

from __future__ import annotations

import enum

from washnb.engine import Interface, resource

from .io import Error, Pollable, Signal
from .refusal import refusal


class ErrorCode(enum.Enum):
    """Why an operation on the network failed: error-code of wasi:sockets/network."""

    UNKNOWN = "unknown"
    ACCESS_DENIED = "access-denied"
    NOT_SUPPORTED = "not-supported"
    INVALID_ARGUMENT = "invalid-argument"
    OUT_OF_MEMORY = "out-of-memory"
    TIMEOUT = "timeout"
    CONCURRENCY_CONFLICT = "concurrency-conflict"
    NOT_IN_PROGRESS = "not-in-progress"
    WOULD_BLOCK = "would-block"
    INVALID_STATE = "invalid-state"
    NEW_SOCKET_LIMIT = "new-socket-limit"
    ADDRESS_NOT_BINDABLE = "address-not-bindable"
    ADDRESS_IN_USE = "address-in-use"
    REMOTE_UNREACHABLE = "remote-unreachable"
    CONNECTION_REFUSED = "connection-refused"
    CONNECTION_RESET = "connection-reset"
    CONNECTION_ABORTED = "connection-aborted"
    DATAGRAM_TOO_LARGE = "datagram-too-large"
    NAME_UNRESOLVABLE = "name-unresolvable"
    TEMPORARY_RESOLVER_FAILURE = "temporary-resolver-failure"
    PERMANENT_RESOLVER_FAILURE = "permanent-resolver-failure"


class IpAddressFamily(enum.Enum):
    """The families of IP addresses."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


_deny = refusal(ErrorCode.ACCESS_DENIED)
_fail_to_resolve = refusal(ErrorCode.PERMANENT_RESOLVER_FAILURE)


class _Idle:
    """A resource without operations under way: a guest that polls it never waits."""

    def subscribe(self) -> Pollable:
        """Return a pollable that is always ready."""
        return Pollable(lambda: True, Signal())


@resource("network")
class Network:
    """The network. A guest passes it to `start-bind` and the like, which refuse."""


@resource("resolve-address-stream")
class ResolveAddressStream(_Idle):
    """The addresses of a name: there are none, and asking fails with permanent-resolver-failure."""

    resolve_next_address = _fail_to_resolve


@resource("tcp-socket")
class TcpSocket(_Idle):
    """A TCP socket. No guest can create one; its operations raise access-denied."""

    start_bind = finish_bind = start_connect = finish_connect = start_listen = finish_listen = accept = shutdown = _deny
    local_address = remote_address = set_listen_backlog_size = _deny
    keep_alive_enabled = keep_alive_idle_time = keep_alive_interval = keep_alive_count = _deny
    set_keep_alive_enabled = set_keep_alive_idle_time = set_keep_alive_interval = set_keep_alive_count = _deny
    hop_limit = receive_buffer_size = send_buffer_size = _deny
    set_hop_limit = set_receive_buffer_size = set_send_buffer_size = _deny

    def is_listening(self) -> bool:
        """Return False: no socket listens."""
        return False

    def address_family(self) -> IpAddressFamily:
        """Return ipv4: WIT wants a family, though no guest can have such a socket."""
        return IpAddressFamily.IPV4


@resource("udp-socket")
class UdpSocket(_Idle):
    """A UDP socket. No guest can create one; its operations raise access-denied."""

    start_bind = finish_bind = stream = local_address = remote_address = _deny
    unicast_hop_limit = receive_buffer_size = send_buffer_size = _deny
    set_unicast_hop_limit = set_receive_buffer_size = set_send_buffer_size = _deny

    def address_family(self) -> IpAddressFamily:
        """Return ipv4: WIT wants a family, though no guest can have such a socket."""
        return IpAddressFamily.IPV4


@resource("incoming-datagram-stream")
class IncomingDatagramStream(_Idle):
    """Datagrams that arrive at a UDP socket; reading raises access-denied."""

    receive = _deny


@resource("outgoing-datagram-stream")
class OutgoingDatagramStream(_Idle):
    """Datagrams that leave a UDP socket; sending raises access-denied."""

    check_send = send = _deny


class NetworkInterface(Interface, wit="wasi:sockets/network@0.2.12"):
    """wasi:sockets/network: the resource, and the error codes behind the errors of streams."""

    Network = Network

    def network_error_code(self, error: Error) -> ErrorCode | None:
        """Return the error code behind a stream's error; None where the stream was not that of a socket."""
        return error.cause if isinstance(error.cause, ErrorCode) else None


class InstanceNetwork(Interface, wit="wasi:sockets/instance-network@0.2.12"):
    """wasi:sockets/instance-network: the network that a guest is given."""

    def instance_network(self) -> Network:
        """Return a handle to the network, with which every operation is refused."""
        return Network()


class IpNameLookup(Interface, wit="wasi:sockets/ip-name-lookup@0.2.12"):
    """wasi:sockets/ip-name-lookup: looking up a name raises permanent-resolver-failure."""

    ResolveAddressStream = ResolveAddressStream
    resolve_addresses = _fail_to_resolve


class Tcp(Interface, wit="wasi:sockets/tcp@0.2.12"):
    """wasi:sockets/tcp: the resource of TCP sockets."""

    TcpSocket = TcpSocket


class TcpCreateSocket(Interface, wit="wasi:sockets/tcp-create-socket@0.2.12"):
    """wasi:sockets/tcp-create-socket: creating one raises access-denied."""

    create_tcp_socket = _deny


class Udp(Interface, wit="wasi:sockets/udp@0.2.12"):
    """wasi:sockets/udp: the resources of UDP sockets."""

    UdpSocket = UdpSocket
    IncomingDatagramStream = IncomingDatagramStream
    OutgoingDatagramStream = OutgoingDatagramStream


class UdpCreateSocket(Interface, wit="wasi:sockets/udp-create-socket@0.2.12"):
    """wasi:sockets/udp-create-socket: creating one raises access-denied."""

    create_udp_socket = _deny
