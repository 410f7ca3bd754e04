"""All values of a key-value backend at once, for snapshots: `dump` reads them, `restore` writes them back."""

from __future__ import annotations

from contextlib import suppress

from ..base import State, check_state
from .backend import Backend, NoSuchBucket


async def dump(backend: Backend) -> dict[tuple[str, ...], bytes]:
    """Return every value of the backend, by `(bucket, key)`."""
    found: dict[tuple[str, ...], bytes] = {}
    for bucket in await backend.buckets():
        with suppress(NoSuchBucket):  # the bucket was deleted since it was listed
            found |= await _values(backend, bucket)
    return found


async def _values(backend: Backend, bucket: str) -> dict[tuple[str, ...], bytes]:
    found: dict[tuple[str, ...], bytes] = {}
    cursor = None
    while True:
        page = await backend.keys(bucket, cursor)
        entries = await backend.get_many(bucket, page.keys)
        found.update({(bucket, key): value for key, value in filter(None, entries)})
        cursor = page.cursor
        if cursor is None:
            return found


async def restore(backend: Backend, state: State) -> None:
    """Make the values of the backend the same as `state`, which `dump` returned, and touch only those that differ.

    Buckets that `state` has no value in are emptied, and not deleted: guests may have them open. Raises ConfigError
    where `state` is none of a key-value backend.
    """
    check_state(state, {2: bytes})
    now = await dump(backend)
    for bucket in sorted({path[0] for path in (*now, *state)}):
        await backend.open(bucket)
        wanted = {path[1]: value for path, value in state.items() if path[0] == bucket and isinstance(value, bytes)}
        there = {path[1]: value for path, value in now.items() if path[0] == bucket}
        await backend.set_many(bucket, [(key, value) for key, value in wanted.items() if there.get(key) != value])
        await backend.delete_many(bucket, [key for key in there if key not in wanted])
