"""How one value is shown: in a line, as an entry of the widget, and with secrets hidden."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from washnb.secrecy import HIDDEN, is_secret

from ..text import ByteOrder, face, one_line, size

_SHOWN_BYTES = 2_048
"""How many bytes of a value the widget gets; a longer value cannot be edited there."""

_LINE_BYTES = 400

_FORMS = {"json": "json", "text": "text", "empty": "text", "hex": "hex"}
COUNTER_FORMS: dict[ByteOrder, str] = {"little": "u64le", "big": "u64be"}
"""The name of the form in which the page shows and edits a counter, by its byte order."""


def entry(key: str, value: bytes, forms: Sequence[str], order: ByteOrder = "little") -> dict[str, Any]:
    """Make the widget's entry of a value, which may be edited in `forms`. The bytes travel unchanged, as base64."""
    secret = is_secret(key)
    shown = face(value, _SHOWN_BYTES, order=order)
    whole = len(value) <= _SHOWN_BYTES
    return {
        "key": key,
        "preview": preview(key, value, order),
        "note": "" if secret else shown.note,
        "size": size(len(value)),
        "secret": secret,
        "whole": whole,
        "forms": list(forms),
        "form": "text" if secret else _form(value, shown.kind, order),
        "bytes": base64.b64encode(value).decode() if whole and not secret else "",
        "text": "" if whole or secret else shown.text,
    }


def _form(value: bytes, kind: str, order: ByteOrder) -> str:
    if kind == "counter":
        return COUNTER_FORMS[order]
    return "hex" if b"\r" in value else _FORMS[kind]  # a text field would change the ends of the lines


def preview(key: str, value: bytes, order: ByteOrder = "little") -> str:
    """The value of a key in one line; a secret one is hidden."""
    if is_secret(key):
        return HIDDEN
    shown = face(value, _LINE_BYTES, order=order)
    if shown.kind == "hex":
        return value[:32].hex(" ") + (" …" if len(value) > 32 else "")
    return one_line(" ".join(shown.text.split()) if shown.kind == "json" else shown.text, 200)


def cell(key: str, value: bytes, order: ByteOrder = "little") -> str:
    """The value of a key in one line, with the note that says what kind of bytes it is."""
    note = "" if is_secret(key) else face(value, _LINE_BYTES, order=order).note
    return f"{preview(key, value, order)}  ({note})" if note else preview(key, value, order)
