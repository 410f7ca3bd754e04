"""What errors say of exceptions that are not ours."""

from __future__ import annotations

import pytest

from washnb.errors import spelled_out


class Mute(Exception):  # noqa: N818
    """An exception whose own text fails."""

    def __str__(self) -> str:
        return self.nothing


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError("no disk"), "OSError: no disk"),
        (LookupError(), "LookupError"),
        (Mute(), "Mute: its __str__ raised AttributeError"),
    ],
)
def test_an_exception_is_spelled_out(error, text):
    """As Python shows it: with nothing behind a colon, and also where it cannot say what it is."""
    assert spelled_out(error) == text
