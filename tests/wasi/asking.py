"""How tests call WASI without a guest: a method may answer at once, later, or with an Err."""

from __future__ import annotations

import inspect

import pytest

from washnb.engine import Err


async def settle(answer):
    """Await what had to wait, and return what did not."""
    return await answer if inspect.iscoroutine(answer) else answer


def error_of(operation, *arguments):
    """Return the value of the Err that an operation raises."""
    with pytest.raises(Err) as caught:
        operation(*arguments)
    return caught.value.value
