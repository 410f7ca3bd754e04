"""Many requests of one kind to a server, a bounded number of them at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

_MOST = 256  # requests that wait for their answers
S = TypeVar("S")
T = TypeVar("T")


async def at_once(work: Callable[[S], Coroutine[Any, Any, T]], subjects: Sequence[S]) -> list[T]:
    """Await `work(each)` for each of `subjects`, at most 256 at a time, and return the results in the same order.

    The first that fails cancels those that are under way, and its exception is raised once they have ended.
    """
    done: list[T] = []
    for at in range(0, len(subjects), _MOST):
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(work(each)) for each in subjects[at : at + _MOST]]
        except BaseExceptionGroup as errors:
            first = errors.exceptions[0]
            raise first from first.__cause__  # not from the ExceptionGroup: callers asked for no task group
        done += [task.result() for task in tasks]
    return done
