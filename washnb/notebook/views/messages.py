"""The view `messages`: what was sent from this host and handled on it; or all that passes to a subject."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from washnb.errors import ConfigError
from washnb.events import Event, MessageHandled, MessageHeard, MessageSent, PluginChanged
from washnb.secrecy import HIDDEN, is_secret

from .. import hosted
from ..text import Table, face, one_line
from ..widgets import Answer, Door, Wish
from .base import View, titled
from .values import preview

_TITLE = "messages"
_EMPTY = "no message"
_SHOWN = 500
_TABLE_LINES = 100
_REQUEST_SECONDS = 3.0
"""Seconds for which the page waits for a reply: meanwhile the kernel does nothing else."""

OUTCOMES = {"handled": "handled", "sent": "sent", "heard": "heard", "nobody": "nobody took it", "failed": "failed"}
"""How a message ended: the word that the widget gets, and what people read."""

Message = MessageSent | MessageHandled | MessageHeard
"""The events that the view shows: messages that this host sent or handled, or those it has listened to."""


@dataclass(frozen=True)
class Look:
    """What the view shows: messages, oldest first; the place of the broker; whether messages can be sent."""

    messages: Sequence[Message]
    place: str
    sends: bool


class MessagesView(View):
    """The messages that this host sent and handled, live, oldest first; or all that pass to a subject.

    `wash.messages(subject="orders.>")` narrows the view, and `wash.messages(listen="orders.>")` shows what others send.
    `.data` is the list of the messages that pass these filters, as events.
    """

    widget = "messages"

    def __init__(
        self,
        door: Door,
        of: str | None = None,
        *,
        subject: str | None = None,
        listening: hosted.Listening | None = None,
    ) -> None:
        """Show messages of the workload `of`, or of all, whose subjects `subject` matches by the rules of NATS.

        With `listening`, show what that has heard in their place.
        """
        super().__init__(door, of)
        self.subject = subject
        self._listening = listening

    def __call__(self, *, of: str | None = None, subject: str | None = None, listen: str | None = None) -> MessagesView:
        """Return a view with these filters, or one that listens: what `%wash messages` shows.

        `listen` is a subject, `orders.>`: the view shows all messages to it, whoever sends them, from now on until it
        is gone from the page, or closed. Its listening takes messages from nobody; but a request that nobody answers
        then waits for its time to pass, because the broker sees a listener. Raises ConfigError where no plugin that
        carries messages is attached.
        """
        if listen is None:
            return MessagesView(self.door, of or self.of, subject=subject or self.subject, listening=self._listening)
        if of is not None:
            raise ConfigError(
                "who listens hears of subjects, and not of workloads", repair=f"%wash messages --listen {listen}"
            )
        view = MessagesView(self.door, subject=subject, listening=hosted.Listening(listen))
        self.door.on_host(view.came)
        return view

    def close(self) -> None:
        """Stop listening; the view keeps the messages that it has heard."""
        self.door.on_host(self.left)

    def __enter__(self) -> Self:
        """Listen for the time of a `with` block, which closes the view."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the view."""
        self.close()

    async def came(self, deployments: hosted.Deployments) -> None:
        """Begin to listen, in a view that was made with `listen`."""
        if self._listening is not None:
            await self._listening.begin(deployments)

    async def left(self, deployments: hosted.Deployments) -> None:  # noqa: ARG002
        """Stop listening, in a view that was made with `listen`."""
        if self._listening is not None:
            await self._listening.end()

    def __iter__(self) -> Iterator[Message]:
        """The messages that pass the filters."""
        return iter(self.data)

    def __len__(self) -> int:
        """The number of messages that pass the filters."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> list[Message]:
        """Read the messages that pass the filters."""
        matches = hosted.subject_matcher(self.subject) if self.subject else lambda _: True
        if self._listening is not None:
            return [each for each in self._listening.messages if matches(each.subject)]
        passing = (each for each in deployments.history.messages if self.of in {None, each.workload})
        return sorted((each for each in passing if matches(each.subject)), key=lambda each: each.time)

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the messages that pass the filters, and the place of the broker."""
        if self._listening is not None:
            await self._listening.go_on(deployments)
        messaging = hosted.messaging_of(deployments)
        place = "" if messaging is None else hosted.place_of(messaging)
        return Look(await self.read(deployments), place, messaging is not None)

    def still(self, look: Look) -> Table:
        """Show a row for each of the last messages."""
        rows = [
            (OUTCOMES[_outcome(each)], hosted.lasting_subject(each.subject), _who(each), _text(each), _error(each))
            for each in look.messages[-_TABLE_LINES:]
        ]
        more = len(look.messages) - len(rows)
        title = titled(self._title, look.place)
        last = f", the last {len(rows)} of {len(look.messages):,}" if more else ""
        columns = ("", "subject", "workload", "body", "error")
        return Table(columns, rows, empty=self._empty, title=title + last)

    def picture(self, look: Look) -> dict[str, Any]:
        """Show the last messages to the widget, which filters them once more as the person likes."""
        messages = [
            {
                "time": each.time,
                "state": _outcome(each),
                "subject": hosted.lasting_subject(each.subject),
                "who": _who(each),
                "text": _text(each),
                "reply_to": _awaiting(each),
                "error": one_line(_error(each), 300),
            }
            for each in look.messages[-_SHOWN:]
        ]
        shown = {"title": self._title, "subject": self.subject or "", "place": look.place, "sends": look.sends}
        return {**shown, "outcomes": OUTCOMES, "messages": messages, "empty": self._empty}

    @property
    def _title(self) -> str:
        return _TITLE if self._listening is None else f"{_TITLE} to {self._listening.subject}, whoever sends them"

    @property
    def _empty(self) -> str:
        return f"{_EMPTY} to a subject that {self.subject} matches" if self.subject else _EMPTY

    def concerns(self, event: Event) -> bool:
        """Whether `event` is a new message, or changes which plugin carries messages."""
        of_ours = MessageSent | MessageHandled if self._listening is None else MessageHeard
        return isinstance(event, of_ours | PluginChanged)

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Send a message as the widget asks, and answer with who took it, or with the reply."""
        if wish["do"] == "publish":
            return Answer({"text": await hosted.published(deployments, wish["key"], value)})
        reply = await hosted.requested(deployments, wish["key"], value, _REQUEST_SECONDS)
        return Answer({"text": repr(reply)})


def _error(message: Message) -> str:
    return "" if isinstance(message, MessageHeard) else message.error or ""


def _outcome(message: Message) -> str:
    if isinstance(message, MessageHeard):
        return "heard"
    if message.error:
        return "failed"
    if isinstance(message, MessageHandled):
        return "handled"
    return "nobody" if message.handlers == () else "sent"


def _awaiting(message: Message) -> str:
    """The subject to which a reply can be sent; empty for the inbox of a request that is over."""
    subject = message.reply_to or ""
    return "" if subject.startswith(hosted.INBOX) else subject


def _who(message: Message) -> str:
    """The workload of a message, and who took one that was sent; empty for one that was only heard."""
    if isinstance(message, MessageHeard):
        return ""
    name = message.workload or "from outside"
    handlers = message.handlers if isinstance(message, MessageSent) else None
    return f"{name} → {', '.join(handlers)}" if handlers else name


def _text(message: Message) -> str:
    """The body of a message in one line."""
    if is_secret(message.subject):
        return HIDDEN
    note = face(message.body, 400).note
    more = f"  ({message.size:,} bytes)" if message.size > len(message.body) or note else ""
    return (preview("", message.body) or "(empty)") + more
