"""Text that people are shown: control characters made visible, bytes as JSON, text or hex, tables.

What a guest wrote is never markup and never a command to a terminal: it goes through `plain` for terminals and through
`escape` for HTML.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

_LONG_WORD = 32  # characters: the address of a server is shorter

# C0 has pictures of its own in Unicode. C1 and the marks that turn the direction of text have none: their escapes.
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}
_ESCAPES = {
    code: f"\\u{code:04x}"
    for code in (*range(0x80, 0xA0), 0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF)
}
_VISIBLE = str.maketrans(_PICTURES | _ESCAPES | dict.fromkeys(range(0xD800, 0xE000), "\ufffd"))


def plain(text: str) -> str:
    """`text` with its control characters made visible; newline and tab stay."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def one_line(text: str, limit: int = 120) -> str:
    """`text` as one line of at most `limit` characters."""
    flat = plain(text).replace("\n", "⏎").replace("\t", " ")
    return flat if len(flat) <= limit else f"{flat[: limit - 1]}…"


def escape(text: str) -> str:
    """`text` for HTML, so that its markup and control characters are shown and not obeyed."""
    return html.escape(plain(text))


@dataclass(frozen=True)
class Face:
    """Bytes as they are shown: a `text`, its `kind` (json, text, counter, hex or empty), and perhaps a `note`."""

    kind: str
    text: str
    note: str = ""


ByteOrder = Literal["little", "big"]


def face(data: bytes, limit: int = 4096, *, order: ByteOrder = "little") -> Face:
    """Show at most `limit` bytes as indented JSON, as text, as a counter of wasi:keyvalue, or as a hex dump.

    `order` is the byte order in which the backend of the bytes keeps counters.
    """
    if not data:
        return Face("empty", "")
    note = f"{limit:,} of {len(data):,} bytes" if len(data) > limit else ""
    readable = _readable(data)
    if readable is None:
        return _counter(data, order) or Face("hex", hex_dump(data[:limit]), note)
    if not note and readable.lstrip()[:1] in {"{", "["}:
        try:
            return Face("json", json.dumps(json.loads(readable), indent=2, ensure_ascii=False))
        except ValueError:
            pass  # it only looks like JSON
    return Face("text", readable if not note else readable.encode()[:limit].decode("utf-8", "ignore"), note)


_LAYOUT = dict.fromkeys(map(ord, "\n\r\t"))


def _readable(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text.translate(_LAYOUT).isprintable() else None


def _counter(data: bytes, order: ByteOrder) -> Face | None:
    # wasi:keyvalue/atomics keeps a counter as 8 bytes; above 2**48 they are more likely something else
    value = int.from_bytes(data, order)
    return Face("counter", str(value), f"u64, {order} endian") if len(data) == 8 and value < 2**48 else None


def hex_dump(data: bytes) -> str:
    """A hex dump: sixteen bytes to a line, with their offset, their hex, and the printable ASCII among them."""
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)
        lines.append(f"{start:08x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)


def size(count: int) -> str:
    """A number of bytes as people write it: `5.4 KiB`."""
    if count < 1024:
        return f"{count} B"
    for unit, scale in (("KiB", 1024), ("MiB", 1024**2)):
        if count < scale * 1024:
            return f"{count / scale:.1f} {unit}"
    return f"{count / 1024**3:.1f} GiB"


class Table:
    """Rows that show themselves: aligned text in a terminal, a table where there is HTML.

    `data` are the rows as mappings from column to text.
    """

    def __init__(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str, title: str = ""
    ) -> None:
        """Make a table; `empty` is the sentence that is shown where there are no rows."""
        self.columns = tuple(columns)
        self.rows = [tuple(map(str, row)) for row in rows]
        self.empty = empty
        self.title = title

    @property
    def data(self) -> list[dict[str, str]]:
        """The rows, each as a mapping from column to text."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def __repr__(self) -> str:
        if not self.rows:
            return f"{self.title}: {self.empty}" if self.title else self.empty
        limits = [*[100] * (len(self.columns) - 1), 400]  # the last column may be longer: nothing stands behind it
        flat = [[cell.replace("\n", ", ") for cell in row] for row in self.rows]
        cells = [self.columns, *(tuple(map(one_line, row, limits)) for row in flat)]
        widths = [max(len(row[index]) for row in cells) for index in range(len(self.columns))]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
        lines.insert(1, "  ".join("─" * min(width, 100) for width in widths))
        return "\n".join([self.title, *lines] if self.title else lines)

    def _repr_html_(self) -> str:
        title = f'<div style="font-weight: 600">{escape(self.title)}</div>' if self.title else ""
        if not self.rows:
            return f"{title}<div>{escape(self.empty)}</div>"
        head = "".join(f'<th style="text-align: left">{escape(column)}</th>' for column in self.columns)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in self.rows)
        return f"{title}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(text: str) -> str:
    """A cell whose words stay whole, unless one of them is too long for a page."""
    wrap = "anywhere" if max(map(len, text.split()), default=0) > _LONG_WORD else "normal"
    return f'<td style="text-align: left; white-space: pre-wrap; overflow-wrap: {wrap}">{escape(text)}</td>'


class Text(str):
    """A text that a notebook shows as it is, not as a string literal."""

    __slots__ = ()

    def __repr__(self) -> str:
        return plain(self)

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap; margin: 0; padding: 0">{escape(self)}</pre>'
