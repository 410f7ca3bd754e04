"""How one object of a container is shown without a widget: as text, JSON, hex, or an image."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from washnb.secrecy import HIDDEN, is_secret

from ..text import escape, face, plain, size

READ = 256 * 1024
"""How many bytes of an object are read to show it: an image of at most this size is saved in the notebook."""

_SIGNATURES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}


@dataclass(frozen=True)
class Preview:
    """Shows an object of `size` bytes by its beginning, the bytes `start`."""

    title: str
    name: str
    start: bytes
    size: int

    @property
    def _image(self) -> str | None:
        if len(self.start) < self.size:
            return None
        if self.start[:4] == b"RIFF" and self.start[8:12] == b"WEBP":
            return "image/webp"
        return next((kind for signature, kind in _SIGNATURES.items() if self.start.startswith(signature)), None)

    def _lines(self) -> list[str]:
        head = f"{self.title}, {size(self.size)}"
        if is_secret(self.name):
            return [head, HIDDEN]
        shown = face(self.start)
        note = f"{shown.text and len(shown.text.encode()):,} of {self.size:,} bytes" if shown.note else ""
        return [line for line in (head, shown.text or "(empty)", note) if line]

    def __repr__(self) -> str:
        if self._image and not is_secret(self.name):
            return plain(f"{self.title}, {size(self.size)}, {self._image}")
        return plain("\n".join(self._lines()))

    def _repr_html_(self) -> str:
        head, *body = self._lines()
        shown = f'<pre style="white-space: pre-wrap">{escape(chr(10).join(body))}</pre>'
        if self._image and not is_secret(self.name):
            data = base64.b64encode(self.start).decode()
            shown = f'<img alt="{escape(self.name)}" src="data:{self._image};base64,{data}">'
        return f'<div style="font-weight: 600">{escape(head)}</div>{shown}'
