"""A NATS server as plugins share it: one connection, what may be done there, and its errors in our words."""

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
"""Seconds that a call waits for the server's answer."""

CONNECT_SECONDS = 10.0
"""How long it may take until one of the servers has answered."""

_POLL_SECONDS = 0.01
_DEFAULTS = {
    "connect_timeout": PATIENCE,
    "max_reconnect_attempts": 1,  # until it is connected for the first time
    "reconnect_time_wait": 0.1,
    "ping_interval": 10,
    "pending_size": 0,  # what is sent while the server is away fails: it does not arrive later, when nobody expects it
}
_FULL = frozenset({10002, 10023, 10028, 10047, 10077})  # error codes of JetStream for accounts, streams and disks
_UNREADABLE = AttributeError | LookupError | RecursionError | TypeError | ValueError  # of nonsense in an answer
_START = ("%wash nats start", "nats-server -js")
_ELSEWHERE = ("is the address right, and does a server with JetStream run there?",)


class NatsServer:
    """A NATS server, or several of one cluster, and the connection to it that plugins share.

    `url` may name several, with commas between them; `options` go to `nats.connect` as they are (`user`, `password`,
    `token`, `tls`, `user_credentials`, `nkeys_seed` ...). Where a server is not on this machine, its state is only
    read until `write`, and no subscription takes messages away from others until `join`.

    A lost connection is made again for ever. A call meanwhile waits for it, two seconds at most.
    """

    def __init__(
        self,
        url: str = "nats://127.0.0.1:4222",
        *,
        write: bool | None = None,
        join: bool | None = None,
        **options: Any,
    ) -> None:
        """Connect to nothing yet. Raises ConfigError where `url` is none."""
        servers = read_servers(url)
        local = all(map(on_this_machine, servers))
        self.url = ",".join(map(shown, servers))
        """The servers without user and password: for messages and views."""
        self.writes = local if write is None else write
        self.joins = local if join is None else join
        self._start = _START if local else _ELSEWHERE
        self._servers = [each.geturl() for each in servers]
        self._options = options
        self._uses: Counter[int] = Counter()  # by the identity of the user
        self._opened = 0
        self._connection: asyncio.Task[Any] | None = None
        self._jetstream: tuple[Any, Any] | None = None  # of a client
        self._replies: tuple[Any, Replies] | None = None
        self._returns: dict[object, Callable[[], object]] = {}
        self._complaints: deque[Exception] = deque(maxlen=16)  # what nats-py told while it connected
        self._denials: deque[tuple[float, str]] = deque(maxlen=64)

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
            await asyncio.wait([connection])  # a cancellation may get lost in it, and it connects
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
        """Ask for one `nats.aio.msg.Msg`, and wait `PATIENCE` for it; to be called in an `asking`."""
        client = self.client
        if self._replies is None or self._replies[0] is not client:
            self._replies = client, Replies(client)
        return await self._replies[1].request(subject, payload, headers, PATIENCE)

    @property
    def connected(self) -> tuple[int, int]:
        """How often it was connected, and again: what was known of the server holds as long as this does."""
        return self._opened, self.client.stats["reconnects"]

    def require_write(self, what: str) -> None:
        """Raise AccessDenied where nothing may be written: `what` says who wants to, as in `asking`."""
        if not self.writes:
            raise AccessDenied(
                f"{what}: NATS server {self.url} is not on this machine, and attached to be read only",
                repair=(f"%wash attach PLUGIN={self.url} --write", f'NatsServer("{self.url}", write=True)'),
            )

    def require_room(self, what: str, size: int) -> None:
        """Raise BackendError where `size` bytes, headers included, are more than one message may have."""
        if size > self.client.max_payload:
            raise self._too_large(what)

    def require_permission(self, what: str, subject: str, begun: float) -> None:
        """Raise AccessDenied where the server has not permitted `subject` since that `time.monotonic()`.

        It says so apart from any call, and before its answer to a ping that comes after what it does not permit.
        """
        for when, denial in self._denials:
            if when >= begun and f'"{subject.lower()}"' in denial.lower():
                raise self._denied(what, denial)

    def on_return(self, call: Callable[[], object]) -> Callable[[], None]:
        """Call `call` each time the connection was lost and is there again, until the function that is returned is."""
        key = object()
        self._returns[key] = call

        def forget() -> None:
            self._returns.pop(key, None)

        return forget

    def asking(self, what: str) -> Asking:
        """Turn whatever fails at the server in this block into BackendError or AccessDenied.

        `what` begins the message, "get 'k' of bucket 'b'"; server and remedy follow. `async with` first waits for a
        lost connection to come back, `PATIENCE` at most; in a plain `with` its loss is an error at once.
        """
        return Asking(self, what)

    def _closed_for_good(self) -> bool:
        """Whether the server has refused to go on: only whoever opens it anew, with what it wants, gets another one."""
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
        except ModuleNotFoundError as error:  # of nkeys, for user_credentials and nkeys_seed
            await _close(client)
            raise self._missing(error, "nats-py[nkeys]") from error
        except BaseException:
            await _close(client)
            raise
        if "max_reconnect_attempts" not in self._options:  # now that there is one, it is looked for until `close`
            client.options["max_reconnect_attempts"] = -1
        self._opened += 1
        return client

    async def _hear(self, complaint: Exception) -> None:
        """Keep what nats-py tells apart from any call: why it cannot connect, and what the server does not permit."""
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
        """Say in our words what `error` of nats-py means for `what`, which was begun at that `time.monotonic()`."""
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
        """The place, and what is not done there; what the options hold may be secret."""
        notes = ("" if self.writes else ", write=False") + ("" if self.joins else ", join=False")
        return f"NatsServer({self.url!r}{notes})"


class Asking:
    """A block in which a server is asked for something, see `NatsServer.asking`."""

    def __init__(self, server: NatsServer, what: str) -> None:
        """Say `what` where it fails."""
        self._server = server
        self._what = what
        self._begun = time.monotonic()

    def __enter__(self) -> None:
        """Begin; nothing is awaited."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Turn an error of nats-py into ours; every other one passes."""
        if error is None:
            return
        import nats.errors

        if isinstance(error, nats.errors.Error | TimeoutError | OSError | _UNREADABLE):
            raise self._server.failure(self._what, error, self._begun) from error

    async def __aenter__(self) -> None:
        """Wait for a connection that is being made again."""
        client = self._server.client
        lost = not client.is_connected
        while lost and not client.is_closed and time.monotonic() < self._begun + PATIENCE:
            await asyncio.sleep(_POLL_SECONDS)
            lost = not client.is_connected
        if lost:
            from nats.errors import ConnectionClosedError

            self.__exit__(None, ConnectionClosedError(), None)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Turn an error of nats-py into ours."""
        self.__exit__(kind, error, trace)


def is_full(error: object) -> bool:
    """Whether it is an error of nats-py where an account, a stream or a disk has no room."""
    return getattr(error, "err_code", None) in _FULL


async def heard(client: Any) -> None:
    """Wait until the server has what was said before. nats-py sends a ping past what it has not written yet: so two."""
    await client.flush(PATIENCE)
    await client.flush(PATIENCE)


async def _part(client: Any) -> None:
    """Close a connection, after what is under way; a server that stands still does not hold this up."""
    import nats.errors

    with suppress(nats.errors.Error, OSError):  # what is under way is lost, and nobody was told that it arrived
        if client.is_connected:
            await heard(client)
    await _close(client)


async def _close(client: Any) -> None:
    with suppress(TimeoutError, OSError, AssertionError):  # the last one where it was never begun to connect
        await asyncio.wait_for(client.close(), PATIENCE)


def _said(error: Exception) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__
