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
"""How long the page waits for a reply: meanwhile the kernel does nothing else."""

OUTCOMES = {"handled": "handled", "sent": "sent", "heard": "heard", "nobody": "nobody took it", "failed": "failed"}
"""What a message can have come to, for the widget and for people."""

Message = MessageSent | MessageHandled | MessageHeard
"""What is shown: messages of this host, or those that pass."""


@dataclass(frozen=True)
class Look:
    """What there is to see: messages, oldest first; where they are carried; whether one can send."""

    messages: Sequence[Message]
    place: str
    sends: bool


class MessagesView(View):
    """Messages, oldest first. `.data` is the list of those that pass the filters, as events."""

    widget = "messages"

    def __init__(
        self,
        door: Door,
        of: str | None = None,
        *,
        subject: str | None = None,
        listening: hosted.Listening | None = None,
    ) -> None:
        """Look at the messages of a workload, or of all, whose subject `subject` matches, by the rules of NATS.

        Or, in their place, at what `listening` has heard.
        """
        super().__init__(door, of)
        self.subject = subject
        self._listening = listening

    def __call__(self, *, of: str | None = None, subject: str | None = None, listen: str | None = None) -> MessagesView:
        """Look closer: what `%wash messages` does.

        `listen` is a subject, `orders.>`: all messages to it are shown, whoever sends them, from now on until the view
        is gone from the page, or `close`. They are taken from nobody; but a request to it that nobody answers waits for
        its time to pass, for there is a listener. Raises ConfigError where nothing is attached that carries messages.
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
        """Listen no more; what was heard stays."""
        self.door.on_host(self.left)

    def __enter__(self) -> Self:
        """Listen in a `with` block, which closes the view."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the view."""
        self.close()

    async def came(self, deployments: hosted.Deployments) -> None:
        """Listen, where that was asked for."""
        if self._listening is not None:
            await self._listening.begin(deployments)

    async def left(self, deployments: hosted.Deployments) -> None:  # noqa: ARG002
        """Listen no more."""
        if self._listening is not None:
            await self._listening.end()

    def __iter__(self) -> Iterator[Message]:
        """The messages that pass the filters."""
        return iter(self.data)

    def __len__(self) -> int:
        """How many messages pass the filters."""
        return len(self.data)

    async def read(self, deployments: hosted.Deployments) -> list[Message]:
        """Read the messages that pass the filters."""
        matches = hosted.subject_matcher(self.subject) if self.subject else lambda _: True
        if self._listening is not None:
            return [each for each in self._listening.messages if matches(each.subject)]
        passing = (each for each in deployments.history.messages if self.of in {None, each.workload})
        return sorted((each for each in passing if matches(each.subject)), key=lambda each: each.time)

    async def look(self, deployments: hosted.Deployments) -> Look:
        """Read the messages, and where they are carried."""
        if self._listening is not None:
            await self._listening.go_on(deployments)
        messaging = hosted.messaging_of(deployments)
        place = "" if messaging is None else hosted.place_of(messaging)
        return Look(await self.read(deployments), place, messaging is not None)

    def still(self, look: Look) -> Table:
        """One row for each of the last messages."""
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
        """The last messages; the widget filters them once more, as the person likes."""
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
        """New messages, and who carries them."""
        of_ours = MessageSent | MessageHandled if self._listening is None else MessageHeard
        return isinstance(event, of_ours | PluginChanged)

    async def grant(self, deployments: hosted.Deployments, wish: Wish, value: bytes) -> Answer:
        """Send a message, as the widget asks, and tell who took it, or what the reply is."""
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
    """The subject on which an answer is still of use: nobody listens at the inbox of a request that is over."""
    subject = message.reply_to or ""
    return "" if subject.startswith(hosted.INBOX) else subject


def _who(message: Message) -> str:
    """The workload; of a message that was sent, also who took it. Of one that passes, nobody knows."""
    if isinstance(message, MessageHeard):
        return ""
    name = message.workload or "from outside"
    handlers = message.handlers if isinstance(message, MessageSent) else None
    return f"{name} → {', '.join(handlers)}" if handlers else name


def _text(message: Message) -> str:
    """The body in one line."""
    if is_secret(message.subject):
        return HIDDEN
    note = face(message.body, 400).note
    more = f"  ({message.size:,} bytes)" if message.size > len(message.body) or note else ""
    return (preview("", message.body) or "(empty)") + more
