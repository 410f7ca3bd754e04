"""Many requests of one kind to a server, as many at a time as it takes well."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

_MOST = 256  # requests that wait for their answers
S = TypeVar("S")
T = TypeVar("T")


async def at_once(work: Callable[[S], Coroutine[Any, Any, T]], subjects: Sequence[S]) -> list[T]:
    """Do the same for many, and return what came of it, in their order.

    The first that fails ends those that wait with it, and its error is raised when they are over.
    """
    done: list[T] = []
    for at in range(0, len(subjects), _MOST):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work(each)) for each in subjects[at : at + _MOST]]
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__  # and not from the group, which callers know nothing of
        done += [task.result() for task in tasks]
    return done
