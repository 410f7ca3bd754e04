"""All objects of a blobstore backend at once, for snapshots: `dump` reads them, `restore` writes them back."""

from __future__ import annotations

import contextlib
from types import NoneType

from ..base import State, check_state
from .backend import Backend, NoSuchContainer, NoSuchObject, chunked


async def dump(backend: Backend) -> dict[tuple[str, ...], bytes | None]:
    """Return the content of every object, by `(container, name)`, and None for every container, by `(container,)`."""
    found: dict[tuple[str, ...], bytes | None] = {}
    for container in await backend.containers():
        with contextlib.suppress(NoSuchContainer):  # the container was deleted since it was listed
            names = await backend.objects(container)
            found[container,] = None
            for name in names:
                with contextlib.suppress(NoSuchObject):
                    reader = await backend.read(container, name)
                    found[container, name] = b"".join([chunk async for chunk in reader])
    return found


async def restore(backend: Backend, state: State) -> None:
    """Make containers and objects of the backend the same as `state`, which `dump` returned; touch those that differ.

    Raises ConfigError where `state` is none of a blobstore backend.
    """
    check_state(state, {1: NoneType, 2: bytes})
    state = {**{path[:1]: None for path in state}, **state}
    now = await dump(backend)
    for path in now.keys() - state.keys():
        if len(path) == 1:
            await backend.delete(path[0])
        elif (path[0],) in state:
            await backend.delete_objects(path[0], [path[1]])
    for path in sorted(state.keys() - now.keys()):
        if len(path) == 1:
            await backend.create(path[0])
    for path, value in state.items():
        if isinstance(value, bytes) and now.get(path) != value:
            await backend.write(path[0], path[1], chunked(value))
