"""The failures of a disk, in our words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from washnb.errors import AccessDenied, BackendError
from washnb.plugins.disk import disk


@pytest.mark.parametrize(
    ("number", "kind", "repair"),
    [
        (errno.ENOSPC, BackendError, ("df -h /state",)),
        (errno.EACCES, AccessDenied, ("chmod u+rwX /state",)),
        (errno.EIO, BackendError, ()),
    ],
)
def test_a_disk_that_fails(number, kind, repair, tmp_path):
    """The message says what was to be done, what the system says, and where."""
    with pytest.raises(kind) as raised, disk("set 'k'", type(tmp_path)("/state")):
        raise OSError(number, os.strerror(number))
    assert raised.value.message == f"set 'k': {os.strerror(number)} in directory /state"
    assert raised.value.repair == repair


def test_what_is_no_directory_is_said_to_be_none(tmp_path):
    """A file in its place, or in that of its parent, or a place where none can be made."""
    (tmp_path / "file").write_bytes(b"")
    for place, why in (
        (tmp_path / "file", "there is a file"),
        (tmp_path / "file" / "below", "there is a file"),
        (Path("/proc/nope"), "there is none, and none can be made"),
    ):
        with (
            pytest.raises(BackendError, match=f"open: {place} is no directory: .*{why}") as raised,
            disk("open", place),
        ):
            place.mkdir(parents=True, exist_ok=True)
        assert raised.value.repair[0].startswith("file:./state")
