"""The connection to a NATS server that plugins share: what may be done with it, and its failures as BackendError."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from washnb.errors import AccessDenied, BackendError, ConfigError, spelled_out

from .address import on_this_machine, read_servers, shown
from .replies import Replies

PATIENCE = 2.0
"""How many seconds a call waits for the server's answer."""

CONNECT_SECONDS = 10.0
"""How many seconds it may take until one of the servers has accepted the connection."""

_POLL_SECONDS = 0.01
_DEFAULTS = {
    "connect_timeout": PATIENCE,
    "max_reconnect_attempts": 1,  # for the first connection; later ones are tried for ever, see `_connect`
    "reconnect_time_wait": 0.1,
    "ping_interval": 10,
    "pending_size": 0,  # sending fails while the server is away, so that nothing arrives later, unexpected
}
_FULL = frozenset({10002, 10023, 10028, 10047, 10077})  # error codes of JetStream: account, stream or disk is full
_UNREADABLE = AttributeError | LookupError | RecursionError | TypeError | ValueError  # from an answer that is nonsense
_START = ("%wash nats start", "nats-server -js")
_ELSEWHERE = ("is the address right, and does a server with JetStream run there?",)


class NatsServer:
    """A NATS server, or a cluster of them, with one connection that plugins share.

    `url` may name several servers of the cluster, with commas between them. `options` go to `nats.connect` as they are:
    `user`, `password`, `token`, `tls`, `user_credentials`, `nkeys_seed` ... For a server on another machine `write` and
    `join` have to be True before its state is changed, and before handlers take messages that others could get.

    A lost connection is made again, for as long as that takes. A call waits for it two seconds at most.
    """

    def __init__(
        self,
        url: str = "nats://127.0.0.1:4222",
        *,
        write: bool | None = None,
        join: bool | None = None,
        **options: Any,
    ) -> None:
        """Keep address and options, and connect at `open`. Raises ConfigError where `url` is no address."""
        servers = read_servers(url)
        local = all(map(on_this_machine, servers))
        self.url = ",".join(map(shown, servers))
        """The address, without user and password, for messages and views."""
        self.writes = local if write is None else write
        """Whether state on the server may be changed."""
        self.joins = local if join is None else join
        """Whether handlers may join queue groups on the server, and so take messages that others could get."""
        self._start = _START if local else _ELSEWHERE
        self._servers = [each.geturl() for each in servers]
        self._options = options
        self._uses: Counter[int] = Counter()  # by the identity of the user
        self._opened = 0
        self._connection: asyncio.Task[Any] | None = None
        self._jetstream: tuple[Any, Any] | None = None  # with the client that it belongs to
        self._replies: tuple[Any, Replies] | None = None  # with the client that they belong to
        self._returns: dict[object, Callable[[], object]] = {}
        self._complaints: deque[Exception] = deque(maxlen=16)  # what nats-py reported since the connecting began
        self._denials: deque[tuple[float, str]] = deque(maxlen=64)  # what the server did not permit, and when

    async def open(self, user: object = None) -> None:
        """Begin one use of the connection by `user`, and connect where nobody uses it yet.

        Each `open` is to be ended by a `close` with the same `user`, such as the plugin.

        Raises:
            BackendError: no server answers, or it refuses the connection (AccessDenied).
            ConfigError: nats-py is not installed.

        """
        self._uses[id(user)] += 1
        try:
            if self._connection is None or self._closed_for_good():
                self._connection = asyncio.get_running_loop().create_task(self._connect())
            await asyncio.shield(self._connection)
        except BaseException:
            await self.close(user)
            raise

    async def close(self, user: object = None) -> None:
        """End one use of the connection by `user`, if there is one, and close the connection after the last use.

        A plugin whose start has failed is stopped, too: it must not end the use of another.
        """
        self._uses -= Counter((id(user),))  # keeps what is more than none
        if self._uses or self._connection is None:
            return
        connection, self._connection = self._connection, None
        if not connection.done():
            connection.cancel()
            await asyncio.wait([connection])  # nats-py may lose the cancellation, and connect all the same
        if not connection.cancelled() and connection.exception() is None:
            await _part(connection.result())

    @property
    def client(self) -> Any:
        """The `nats.aio.client.Client`. Raises BackendError where the server is not open."""
        if self._connection is None or not self._connection.done():
            raise BackendError(f"NATS server {self.url} is not connected", repair="await server.open()")
        return self._connection.result()

    @property
    def jetstream(self) -> Any:
        """The client's `JetStreamContext`, which waits `PATIENCE`. Raises BackendError where the server is not open."""
        if self._jetstream is None or self._jetstream[0] is not self.client:
            self._jetstream = self.client, self.client.jetstream(timeout=PATIENCE)
        return self._jetstream[1]

    async def request(self, subject: str, payload: bytes = b"", headers: dict[str, str] | None = None) -> Any:
        """Send a request and return the reply, a `nats.aio.msg.Msg`, within `PATIENCE`; to be called in an `asking`."""
        client = self.client
        if self._replies is None or self._replies[0] is not client:
            self._replies = client, Replies(client)
        return await self._replies[1].request(subject, payload, headers, PATIENCE)

    @property
    def connected(self) -> tuple[int, int]:
        """How often the server was connected, and connected again.

        What is remembered of the server may be wrong once this has changed.
        """
        return self._opened, self.client.stats["reconnects"]

    def require_write(self, what: str) -> None:
        """Raise AccessDenied where state on the server may only be read; `what` begins the message, as in `asking`."""
        if not self.writes:
            raise AccessDenied(
                f"{what}: NATS server {self.url} is not on this machine, and attached to be read only",
                repair=(f"%wash attach PLUGIN={self.url} --write", f'NatsServer("{self.url}", write=True)'),
            )

    def require_room(self, what: str, size: int) -> None:
        """Raise BackendError where a message of `size` bytes, headers included, is more than the server takes."""
        if size > self.client.max_payload:
            raise self._too_large(what)

    def require_permission(self, what: str, subject: str, begun: float) -> None:
        """Raise AccessDenied where the server has refused `subject` since `begun`, a `time.monotonic()`.

        The server reports a refusal by itself, not as an answer to a call, but before it answers a later ping: call
        this after `heard`.
        """
        for when, denial in self._denials:
            if when >= begun and f'"{subject.lower()}"' in denial.lower():
                raise self._denied(what, denial)

    def on_return(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call `call` each time a lost connection is made again; the function that is returned ends that."""
        key = object()
        self._returns[key] = call

        def forget() -> None:
            self._returns.pop(key, None)

        return forget

    def asking(self, what: str) -> Asking:
        """Raise BackendError or AccessDenied in place of whatever fails at the server in this block.

        `what` begins the message, such as "get 'k' of bucket 'b'"; server and remedy follow. `async with` first waits
        for a lost connection, `PATIENCE` at most; in a plain `with` a lost connection is an error at once.
        """
        return Asking(self, what)

    def _closed_for_good(self) -> bool:
        """Whether nats-py has given the connection up, because the server refuses it: the next `open` makes another."""
        connection = self._connection
        return connection is not None and connection.done() and not connection.exception() and self.client.is_closed

    async def _connect(self) -> Any:
        try:
            import nats
        except ModuleNotFoundError as error:
            raise self._missing(error, "washnb[nats]") from error
        from .client import SharedClient

        client = SharedClient()
        options = {**_DEFAULTS, "error_cb": self._hear, **self._options, "reconnected_cb": self._returned}
        self._complaints.clear()
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await client.connect(self._servers, **options)
        except (nats.errors.Error, TimeoutError, OSError) as error:
            await _close(client)
            raise self._unreachable([*self._complaints] or [error]) from error
        except ModuleNotFoundError as error:  # user_credentials and nkeys_seed need the package nkeys
            await _close(client)
            raise self._missing(error, "nats-py[nkeys]") from error
        except BaseException:
            await _close(client)
            raise
        if "max_reconnect_attempts" not in self._options:  # from now on a lost connection is made again until `close`
            client.options["max_reconnect_attempts"] = -1
        self._opened += 1
        return client

    async def _hear(self, complaint: Exception) -> None:
        """Keep what nats-py reports by itself: why it cannot connect, and what the server does not permit."""
        self._complaints.append(complaint)
        if "permissions violation" in str(complaint).lower():
            self._denials.append((time.monotonic(), _said(complaint)))

    async def _returned(self) -> None:
        if "reconnected_cb" in self._options:
            await self._options["reconnected_cb"]()
        for call in tuple(self._returns.values()):
            call()

    def _missing(self, error: ModuleNotFoundError, package: str) -> ConfigError:
        return ConfigError(
            f"NATS server {self.url} needs a package that is not installed: {error.name}",
            repair=f'pip install "{package}"',
        )

    def _unreachable(self, reasons: list[Exception]) -> BackendError:
        refusal = next((_said(each) for each in reasons if "authori" in str(each).lower()), None)
        if refusal is not None:
            return AccessDenied(
                f"NATS server {self.url} refuses the connection: {refusal}",
                repair=(
                    "%wash attach keyvalue=env:NATS_URL  # there nats://USER:PASSWORD@HOST:PORT",
                    f'NatsServer("{self.url}", user=..., password=...)  # or token=..., user_credentials=...',
                ),
            )
        return BackendError(f"no NATS server answers at {self.url}: {_said(reasons[-1])}", repair=self._start)

    def failure(self, what: str, error: Exception, begun: float) -> BackendError:
        """Return the BackendError for `error`, one of nats-py, in a block `what` that began at `time.monotonic()`."""
        from nats import errors
        from nats.js.errors import APIError, NoStreamResponseError, ServiceUnavailableError

        if isinstance(error, _UNREADABLE):
            return BackendError(f"{what}: what NATS server {self.url} answers cannot be read: {spelled_out(error)}")
        if isinstance(error, errors.MaxPayloadError):
            return self._too_large(what)
        if isinstance(error, APIError) and is_full(error):
            return BackendError(
                f"{what}: NATS server {self.url} has no room for it: {error.description}",
                repair="free some, or raise max_file_store, the account's limits or the stream's max_bytes",
            )
        if isinstance(error, errors.NoRespondersError | ServiceUnavailableError | NoStreamResponseError):
            return BackendError(f"{what}: nobody at NATS server {self.url} takes it", repair="nats-server -js")
        if self.client.is_closed:
            return BackendError(
                f"{what}: NATS server {self.url} has closed the connection: {_said(self.client.last_error or error)}",
                repair="detach the plugin and attach it again",
            )
        if not self.client.is_connected:
            return BackendError(f"{what}: NATS server {self.url} is away", repair=self._start)
        if isinstance(error, TimeoutError) and self._denials and self._denials[-1][0] >= begun:
            return self._denied(what, self._denials[-1][1])
        if isinstance(error, TimeoutError):
            return BackendError(
                f"{what}: NATS server {self.url} did not answer in {PATIENCE:g} s; it may still do it",
                repair="look at its load and its log, then try again",
            )
        return BackendError(f"{what}: NATS server {self.url} says: {_said(error)}")

    def _denied(self, what: str, denial: str) -> AccessDenied:
        return AccessDenied(
            f"{what}: NATS server {self.url} does not permit it: {denial}",
            repair="grant it to the user in the server's configuration, or attach as another user",
        )

    def _too_large(self, what: str) -> BackendError:
        return BackendError(
            f"{what}: more than the {self.client.max_payload} bytes that a message of NATS server {self.url} may have",
            repair='"max_payload: 8MB" in the configuration of the server',
        )

    def __repr__(self) -> str:
        """Show the address, and what may not be done there; the options may be secret."""
        notes = ("" if self.writes else ", write=False") + ("" if self.joins else ", join=False")
        return f"NatsServer({self.url!r}{notes})"


class Asking:
    """The block that `NatsServer.asking` returns."""

    def __init__(self, server: NatsServer, what: str) -> None:
        """Keep `what`, with which the messages of failures begin."""
        self._server = server
        self._what = what
        self._begun = time.monotonic()

    def __enter__(self) -> None:
        """Do nothing: a lost connection is an error at once."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise BackendError in place of a failure at the server; every other exception passes."""
        if error is None:
            return
        import nats.errors

        if isinstance(error, nats.errors.Error | TimeoutError | OSError | _UNREADABLE):
            raise self._server.failure(self._what, error, self._begun) from error

    async def __aenter__(self) -> None:
        """Wait for a lost connection, `PATIENCE` at most. Raises BackendError where it does not come back."""
        client = self._server.client
        lost = not client.is_connected
        while lost and not client.is_closed and time.monotonic() < self._begun + PATIENCE:
            await asyncio.sleep(_POLL_SECONDS)
            lost = not client.is_connected
        if lost:
            from nats.errors import ConnectionClosedError

            self.__exit__(None, ConnectionClosedError(), None)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Raise BackendError in place of a failure at the server; every other exception passes."""
        self.__exit__(kind, error, trace)


def is_full(error: object) -> bool:
    """Whether `error` is one of JetStream that says that an account, a stream or a disk has no room."""
    return getattr(error, "err_code", None) in _FULL


async def heard(client: Any) -> None:
    """Wait until the server has handled everything that was sent before.

    A flush pings the server. nats-py may send the first ping before what it still has to write, hence the second.
    """
    await client.flush(PATIENCE)
    await client.flush(PATIENCE)


async def _part(client: Any) -> None:
    """Close a connection once the server has what was sent, or has not answered for `PATIENCE`."""
    import nats.errors

    with suppress(nats.errors.Error, OSError):  # what has not arrived is lost: no call has reported it as done
        if client.is_connected:
            await heard(client)
    await _close(client)


async def _close(client: Any) -> None:
    with suppress(TimeoutError, OSError, AssertionError):  # AssertionError: nats-py had not begun to connect
        await asyncio.wait_for(client.close(), PATIENCE)


def _said(error: Exception) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__
