"""A NATS server as the backends of all capabilities share it, and one to start on this machine.

    server       the one connection that plugins share, and its failures as BackendError
    address      the address of a server, as people write it
    client       nats-py's client, which does not close a shared connection for the fault of one call
    replies      requests to the server, and the replies to them
    streams      the streams of JetStream: whether a server keeps any, how they are made and deleted
    local        a nats-server process of one's own
    supervisor   ends that process when the process that started it is gone

nats-py is called `nats`, too, and is the extra `washnb[nats]`: it is imported absolutely, and only where it is used.
"""

from .local import LocalNats
from .server import PATIENCE, NatsServer, heard, is_full
from .streams import delete_stream, make_stream, open_for_streams, purge

__all__ = [
    "PATIENCE",
    "LocalNats",
    "NatsServer",
    "delete_stream",
    "heard",
    "is_full",
    "make_stream",
    "open_for_streams",
    "purge",
]
