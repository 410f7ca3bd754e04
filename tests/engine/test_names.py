"""WIT's names in Python's spelling, and as people write them."""

from __future__ import annotations

import pytest

from washnb.engine import names


@pytest.mark.parametrize(
    ("wit", "written"),
    [
        ("[method]bucket.get", "bucket.get"),
        ("[static]outgoing-body.finish", "outgoing-body.finish"),
        ("[constructor]fields", "fields"),
        ("get-many", "get-many"),
        ("wasi:keyvalue/store#[method]bucket.get", "wasi:keyvalue/store#bucket.get"),
        ("get-[ab]*", "get-[ab]*"),
    ],
)
def test_functions_are_written_without_their_kind(wit, written):
    """Wherever the name stands in a text, it loses what WIT puts before it, and the text nothing else."""
    assert names.without_kind(wit) == written
