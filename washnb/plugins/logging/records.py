"""A log record as it travels between hosts: a JSON object, and the subject that it is published on."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from washnb.events import LogLine

from .interface import Level

SUBJECT = "washnb.logs"

_LONGEST = 200  # characters of a token: NATS ends a connection on which a line is longer than 4,096
_LAST_TIME = 253_402_300_799  # the end of the year 9999; views cannot show a time that no calendar has
_LEVELS = frozenset(level.name.lower() for level in Level)


@dataclass(frozen=True, slots=True)
class Record:
    """A log line with the id of its host and the namespace of its workload.

    A host numbers its records in ascending order, so that a record that comes twice is known by its number.
    """

    host: str
    number: int
    namespace: str
    line: LogLine

    @property
    def subject(self) -> str:
        """`washnb.logs.<namespace>.<workload>.<component>`, with `-` for each character that a token cannot have."""
        return ".".join((SUBJECT, *map(_token, (self.namespace, self.line.workload, self.line.component))))

    def encode(self, limit: int) -> bytes:
        """Return the record as JSON of at most `limit` bytes; texts that are too long for that are cut."""
        encoded = self._encode(None)
        # six texts of limit / 64 characters, each of six bytes at most (\u0000), leave room for keys and numbers
        return encoded if len(encoded) <= limit else self._encode(limit // 64)

    def _encode(self, characters: int | None) -> bytes:
        line = self.line
        texts = {
            "namespace": self.namespace,
            "workload": line.workload,
            "component": line.component,
            "level": line.level,
            "context": line.context,
            "message": line.message,
        }
        cut = {name: text[:characters] for name, text in texts.items()}
        fields = {"host": self.host, "number": self.number, "time": line.time, **cut}
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")

    @classmethod
    def decode(cls, data: bytes) -> Record | None:
        """Return the record that somebody has published as `data`; None where it is no record."""
        try:
            fields = json.loads(data)
            host, number, written = fields["host"], fields["number"], fields["time"]
            texts = [fields[name] for name in ("namespace", "workload", "component", "level", "context", "message")]
        except (ValueError, TypeError, KeyError, RecursionError):
            return None
        if not all(isinstance(text, str) for text in (host, *texts)):
            return None
        if not isinstance(number, int) or not isinstance(written, int | float) or not 0 <= written <= _LAST_TIME:
            return None
        namespace, workload, component, level, context, message = texts
        known = level if level in _LEVELS else "info"
        return cls(host, number, namespace, LogLine(workload, component, "log", known, context, message, written, host))


def _token(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", text[:_LONGEST]) or "-"
