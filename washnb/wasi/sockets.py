"""wasi:sockets for a guest that may not use the network: every function is there, every operation is refused."""

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
    """The two families of addresses."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


_deny = refusal(ErrorCode.ACCESS_DENIED)
_fail_to_resolve = refusal(ErrorCode.PERMANENT_RESOLVER_FAILURE)


class _Idle:
    """What has nothing under way, so that nobody who subscribes to it waits."""

    def subscribe(self) -> Pollable:
        """Return a pollable that is ready."""
        return Pollable(lambda: True, Signal())


@resource("network")
class Network:
    """The network as a guest sees it: something to hand to `start-bind` and be refused."""


@resource("resolve-address-stream")
class ResolveAddressStream(_Idle):
    """Addresses of a name."""

    resolve_next_address = _fail_to_resolve


@resource("tcp-socket")
class TcpSocket(_Idle):
    """A TCP socket. No guest can create one."""

    start_bind = finish_bind = start_connect = finish_connect = start_listen = finish_listen = accept = shutdown = _deny
    local_address = remote_address = set_listen_backlog_size = _deny
    keep_alive_enabled = keep_alive_idle_time = keep_alive_interval = keep_alive_count = _deny
    set_keep_alive_enabled = set_keep_alive_idle_time = set_keep_alive_interval = set_keep_alive_count = _deny
    hop_limit = receive_buffer_size = send_buffer_size = _deny
    set_hop_limit = set_receive_buffer_size = set_send_buffer_size = _deny

    def is_listening(self) -> bool:
        """Whether the socket listens: it does not."""
        return False

    def address_family(self) -> IpAddressFamily:
        """Return the family of a socket that stands for none."""
        return IpAddressFamily.IPV4


@resource("udp-socket")
class UdpSocket(_Idle):
    """A UDP socket. No guest can create one."""

    start_bind = finish_bind = stream = local_address = remote_address = _deny
    unicast_hop_limit = receive_buffer_size = send_buffer_size = _deny
    set_unicast_hop_limit = set_receive_buffer_size = set_send_buffer_size = _deny

    def address_family(self) -> IpAddressFamily:
        """Return the family of a socket that stands for none."""
        return IpAddressFamily.IPV4


@resource("incoming-datagram-stream")
class IncomingDatagramStream(_Idle):
    """Datagrams that arrive at a UDP socket."""

    receive = _deny


@resource("outgoing-datagram-stream")
class OutgoingDatagramStream(_Idle):
    """Datagrams that leave a UDP socket."""

    check_send = send = _deny


class NetworkInterface(Interface, wit="wasi:sockets/network@0.2.12"):
    """wasi:sockets/network."""

    Network = Network

    def network_error_code(self, error: Error) -> ErrorCode | None:
        """Return the error code behind a stream's error, where the stream was a socket."""
        return error.cause if isinstance(error.cause, ErrorCode) else None


class InstanceNetwork(Interface, wit="wasi:sockets/instance-network@0.2.12"):
    """wasi:sockets/instance-network."""

    def instance_network(self) -> Network:
        """Return a handle to the network."""
        return Network()


class IpNameLookup(Interface, wit="wasi:sockets/ip-name-lookup@0.2.12"):
    """wasi:sockets/ip-name-lookup: no name has an address."""

    ResolveAddressStream = ResolveAddressStream
    resolve_addresses = _fail_to_resolve


class Tcp(Interface, wit="wasi:sockets/tcp@0.2.12"):
    """wasi:sockets/tcp."""

    TcpSocket = TcpSocket


class TcpCreateSocket(Interface, wit="wasi:sockets/tcp-create-socket@0.2.12"):
    """wasi:sockets/tcp-create-socket: nobody may."""

    create_tcp_socket = _deny


class Udp(Interface, wit="wasi:sockets/udp@0.2.12"):
    """wasi:sockets/udp."""

    UdpSocket = UdpSocket
    IncomingDatagramStream = IncomingDatagramStream
    OutgoingDatagramStream = OutgoingDatagramStream


class UdpCreateSocket(Interface, wit="wasi:sockets/udp-create-socket@0.2.12"):
    """wasi:sockets/udp-create-socket: nobody may."""

    create_udp_socket = _deny
