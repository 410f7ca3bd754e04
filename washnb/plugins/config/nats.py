"""Settings in a key-value bucket on NATS: a change of the bucket is there at the next call of a guest.

A setting in the bucket wins over one that the workload's manifest gives. A setting of the manifest can be removed, for
one component on this host. All components that use the same bucket have the same settings in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from functools import partial
from weakref import WeakSet

from washnb.errors import BackendError
from washnb.wit import WitInterface

from ..base import Changed, WorkloadItem
from ..keyvalue.nats import NatsBackend
from ..nats import PATIENCE, NatsServer, open_for_streams
from ..state import OfManyHosts
from .in_memory import DynamicConfig, LayeredSettings

SETTINGS_BUCKET = "washnb-config"
"""The bucket for workloads that name no other one."""

_AGAIN_SECONDS = 0.5  # between the tries to read a bucket while the server is away


class WatchedBucket:
    """The settings of one bucket, held in memory, and read again by a task after each change of the bucket."""

    def __init__(self, buckets: NatsBackend, name: str) -> None:
        """Start the task that reads the bucket `name` of `buckets`."""
        self.values: dict[str, str] = {}
        """The settings as they were read last."""
        self.users: WeakSet[BucketSettings] = WeakSet()
        """The settings of the components that use the bucket; they are gone when the components are unbound."""
        self._buckets = buckets
        self._name = name
        self._stale: set[str] = set()
        self._all_stale = True
        self._woken = asyncio.Event()
        self._known = asyncio.Event()
        self._ended = False
        self._reading = asyncio.create_task(self._keep_reading())

    async def load(self) -> None:
        """Make the bucket where there is none, and wait until it is read. Raises BackendError."""
        await self._buckets.open(self._name)  # raises what the task would only try again
        if not await self._settled():
            raise BackendError(
                f"read bucket '{self._name}': the NATS server did not answer in {PATIENCE:g} s",
                repair="look at its load and its log, then try again",
            )

    def read_again(self, key: str | None = None) -> None:
        """Have the task read the setting `key` again, or without it all settings."""
        if key is None:
            self._all_stale = True
        else:
            self._stale.add(key)
        self._known.clear()
        self._woken.set()

    async def set(self, key: str, value: str) -> None:
        """Set a setting in the bucket, and wait until it is read again. Raises BackendError."""
        await self._buckets.set(self._name, key, value.encode())
        await self._settled()

    async def delete(self, key: str) -> None:
        """Delete a setting from the bucket, and wait until it is read again. Raises BackendError."""
        await self._buckets.delete(self._name, key)
        await self._settled()

    async def stop(self) -> None:
        """End the task that reads the bucket."""
        self._ended = True  # nats-py may lose the cancellation of a request
        self._woken.set()
        self._reading.cancel()
        await asyncio.wait([self._reading])

    async def _settled(self) -> bool:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._known.wait(), PATIENCE)
        return self._known.is_set()

    async def _keep_reading(self) -> None:
        """Read what has changed, one reading after the other, so that a later one never brings older values."""
        while not self._ended:
            keys, self._stale = self._stale, set()
            try:
                if self._all_stale:
                    keys |= {*self.values, *await self._keys()}
                    self._all_stale = False
                found = await self._buckets.get_many(self._name, tuple(keys)) if keys else ()
            except BackendError:  # the plugin warns of it where a guest reads a setting meanwhile
                self._stale |= keys
                if not self._ended:
                    await asyncio.sleep(_AGAIN_SECONDS)
                continue
            self._keep({**dict.fromkeys(keys), **{each[0]: each[1].decode(errors="replace") for each in found if each}})
            if not self._stale and not self._all_stale:
                self._known.set()
                self._woken.clear()
                await self._woken.wait()

    async def _keys(self) -> list[str]:
        await self._buckets.follow(self._name)
        page = await self._buckets.keys(self._name)
        keys = list(page.keys)
        while page.cursor is not None:
            page = await self._buckets.keys(self._name, page.cursor)
            keys += page.keys
        return keys

    def _keep(self, read: Mapping[str, str | None]) -> None:
        for key, value in read.items():
            if value == self.values.get(key):
                continue
            if value is None:
                del self.values[key]
            else:
                self.values[key] = value
            for user in tuple(self.users):
                user.changed_outside(key, "delete" if value is None else "set")


class BucketSettings(LayeredSettings):
    """The settings of one component: those of its manifest, over them a bucket, over both the settings removed here."""

    def __init__(self, changed: Changed, check: Callable[[], None]) -> None:
        """Begin without a bucket, and call `changed` after each change, `check` before each reading."""
        super().__init__(changed)
        self._check = check
        self._bucket: WatchedBucket | None = None

    def use(self, bucket: WatchedBucket) -> None:
        """Put `bucket` over the settings of the manifest, in place of the bucket that was used before."""
        if self._bucket is not None:
            self._bucket.users.discard(self)
        self._bucket = bucket
        bucket.users.add(self)

    @property
    def bucket(self) -> WatchedBucket:
        """The bucket that the component uses."""
        assert self._bucket is not None, "a component uses a bucket before it is linked"
        return self._bucket

    def layers(self) -> tuple[Mapping[str, str | None], ...]:
        """Return three layers: the manifest's settings, the bucket's, and None for each setting removed here."""
        self._check()
        given, edits = super().layers()
        return (given, self.bucket.values, edits)

    async def set(self, key: str, value: str) -> None:
        """Set a setting in the bucket, for all components that use it. Raises BackendError."""
        await self.bucket.set(key, value)

    async def delete(self, key: str) -> None:
        """Delete a setting from the bucket; one that the manifest gives is removed for this component only.

        Raises BackendError.
        """
        if await self.get(key) is None:
            return
        kept = key in self.bucket.values
        self.hide(key)
        if kept:
            try:
                await self.bucket.delete(key)
            except BackendError:
                self.unhide(key)
                raise
        else:
            self._changed((key,), "delete")

    def changed_outside(self, key: str, action: str) -> None:
        """Report a change of the bucket. A setting that is set there is no longer removed here."""
        if action == "set":
            self.unhide(key)
        self._changed((key,), action)


class NatsConfig(OfManyHosts, DynamicConfig):
    """wasi:config from the workload's manifest, and over that from a key-value bucket on a NATS server."""

    backend_kind = "nats"

    def __init__(self, server: NatsServer, bucket: str = SETTINGS_BUCKET, *, copy_environment: bool = False) -> None:
        """Read `bucket` for workloads that do not name another with the key `bucket` in the interface's config.

        With `copy_environment` a component's environment variables are settings, too, and win over its config.
        """
        super().__init__(copy_environment)
        self.server = server
        self.location = server.url
        self.bucket = bucket
        self._buckets = NatsBackend(server, self._bucket_changed)
        self._watched: dict[str, WatchedBucket] = {}
        self._told = False
        self._forget: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Connect. Raises BackendError where the server does not answer, or has no JetStream."""
        await super().start()
        await open_for_streams(self.server, self, "keep settings")
        self._forget = self.server.on_return(self._server_is_back)

    async def stop(self) -> None:
        """End the reading of buckets, and this plugin's use of the connection."""
        await super().stop()
        self._forget()
        watched, self._watched = self._watched, {}
        for each in watched.values():
            await each.stop()
        await self._buckets.stop()
        await self.server.close(self)

    def new_component_state(self, item: WorkloadItem) -> BucketSettings:
        """Return the settings of a component that has none yet."""
        return BucketSettings(partial(self._edited, item.workload_name, item.component), self._check)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link both interfaces, and use the bucket that the workload names.

        Raises BackendError where the bucket cannot be made or read.
        """
        name = next((entry.config["bucket"] for entry in interfaces if "bucket" in entry.config), self.bucket)
        bucket = await self._watch(name)
        await super().on_workload_item_bind(item, interfaces)
        settings = self.backend(item.workload_id, item.component)
        assert isinstance(settings, BucketSettings)
        settings.use(bucket)

    async def _watch(self, name: str) -> WatchedBucket:
        bucket = self._watched[name] = self._watched.get(name) or WatchedBucket(self._buckets, name)
        try:
            await bucket.load()
        except BaseException:
            if not bucket.users:
                self._watched.pop(name, None)
                await bucket.stop()
            raise
        return bucket

    def _bucket_changed(self, path: tuple[str, ...], _action: str) -> None:
        bucket, key = path
        if bucket in self._watched:
            self._watched[bucket].read_again(key)

    def _check(self) -> None:
        """Warn, once while the server is away, that the settings which are read may not be the newest."""
        if not self._told and not self.server.client.is_connected:
            self._told = True
            self.warn(f"settings are as they were last known: NATS server {self.location} is away")

    def _server_is_back(self) -> None:
        self._told = False
        for each in self._watched.values():
            each.read_again()
