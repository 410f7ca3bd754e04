"""A plugin as its author writes it: this file is not run, it must pass mypy in strict mode."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

from washnb import Err, HostPlugin, Interface, resource
from washnb.plugins import Call, WorkloadContext, WorkloadItem, Wrapper, around
from washnb.wit import WitInterface


class Error(Enum):
    """An enum of WIT."""

    EMPTY = 0


@dataclass(frozen=True)
class Card:
    """A record of WIT."""

    suit: str
    rank: int


@resource("deck")
class Deck:
    """A resource of WIT."""

    def __init__(self, cards: list[Card]) -> None:
        """Hold the cards."""
        self.cards = cards

    async def draw(self) -> Card:
        """Take the top card, or raise the error of the WIT result."""
        if not self.cards:
            raise Err(Error.EMPTY)
        return self.cards.pop()


class Table(Interface, wit="workshop:cards/table@0.1.0"):
    """An interface of WIT."""

    def shuffled(self, suits: list[str]) -> Deck:
        """Return a resource."""
        return Deck([Card(suit, rank) for suit in suits for rank in range(13)])


class Cards(HostPlugin):
    """A plugin with a lifecycle of its own."""

    id = "cards"
    interfaces = (Table,)

    async def on_workload_bind(self, workload: WorkloadContext, interfaces: Collection[WitInterface]) -> None:
        """See the workload."""
        await super().on_workload_bind(workload, interfaces)

    async def on_workload_item_bind(self, item: WorkloadItem, interfaces: Collection[WitInterface]) -> None:
        """Link by hand."""
        item.link(Table())


class Counted(Wrapper):
    """A plugin around another one."""

    calls = 0

    @around("deck.draw", "shuffled")
    async def count(self, call: Call, *arguments: object) -> object:
        """Count the calls, and pass them on."""
        self.calls += 1
        return await call(*arguments)


counted: HostPlugin = Counted(Cards())
