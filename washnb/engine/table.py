"""One version of a binding table: what serves each slot, and the calls of guests that go by it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from .abi.plan import Handler, ImportPlan, Intercept, InterceptedPlan
from .store import Store


class Table:
    """What serves each slot: `handlers`, and `watched` for instances with an observer.

    A change holds from the next host call on. `calls` counts the calls of exports that go by it.
    """

    def __init__(
        self, handlers: Sequence[Handler], watched: Sequence[Handler], plans: Mapping[int, ImportPlan]
    ) -> None:
        self.handlers = list(handlers)
        self.watched = list(watched)
        self.plans = dict(plans)
        self.calls = 0
        self._quiet: asyncio.Event | None = None

    def copy(self) -> Table:
        """Another version that begins as this one is."""
        return Table(self.handlers, self.watched, self.plans)

    def enter(self, slot: int, plan: ImportPlan, intercept: Intercept | None) -> None:
        """Let `plan` serve a slot, where `intercept` has no other idea."""
        self.plans[slot] = plan
        if intercept is not None:
            plan = InterceptedPlan(plan, intercept)
        self.handlers[slot] = _deferred(plan, slot, watched=False)
        self.watched[slot] = _deferred(plan, slot, watched=True)

    def leave(self) -> None:
        """Count a call no more."""
        self.calls -= 1
        if self._quiet is not None and not self.calls:
            self._quiet.set()

    async def quiet(self) -> None:
        """Wait until no call goes by it."""
        if self.calls:
            if self._quiet is None or self._quiet.is_set():
                self._quiet = asyncio.Event()
            await self._quiet.wait()


def _deferred(plan: ImportPlan, slot: int, *, watched: bool) -> Handler:
    """A handler that puts the plan's own in its place when it is first called: that is when code is generated."""

    def first(store: Store, arguments: int, results: int) -> object:
        handler = plan.watched if watched else plan.handle
        if store.slots[slot] is first:
            store.slots[slot] = handler
        return handler(store, arguments, results)

    return first
