"""One version of a binding table: the handler of each slot, and how many calls of exports go by this version."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from .abi.plan import Handler, ImportPlan, Intercept, InterceptedPlan
from .store import Store


class Table:
    """The handlers of all imported functions, by slot.

    `handlers` are for instances without an observer, `watched` for those with one; `plans` are the plans behind them.
    A change holds from the next host call on. `calls` counts the calls of exports that go by this version now.
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
        """Return another version with the same entries."""
        return Table(self.handlers, self.watched, self.plans)

    def enter(self, slot: int, plan: ImportPlan, intercept: Intercept | None) -> None:
        """Let `plan` serve a slot; `intercept`, if there is one, is asked first at each call."""
        self.plans[slot] = plan
        if intercept is not None:
            plan = InterceptedPlan(plan, intercept)
        self.handlers[slot] = _deferred(plan, slot, watched=False)
        self.watched[slot] = _deferred(plan, slot, watched=True)

    def leave(self) -> None:
        """Count one call of an export less: it is over."""
        self.calls -= 1
        if self._quiet is not None and not self.calls:
            self._quiet.set()

    async def quiet(self) -> None:
        """Wait until no call of an export goes by this version."""
        if self.calls:
            if self._quiet is None or self._quiet.is_set():
                self._quiet = asyncio.Event()
            await self._quiet.wait()


def _deferred(plan: ImportPlan, slot: int, *, watched: bool) -> Handler:
    """Make a handler that on its first call has the plan generate the real one, and puts that in its own place."""

    def first(store: Store, arguments: int, results: int) -> object:
        handler = plan.watched if watched else plan.handle
        if store.slots[slot] is first:
            store.slots[slot] = handler
        return handler(store, arguments, results)

    return first
