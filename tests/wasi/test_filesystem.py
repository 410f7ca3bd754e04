"""wasi:filesystem without a directory."""

from __future__ import annotations

import pytest

from washnb.wasi.filesystem import Descriptor, DirectoryEntryStream, ErrorCode, Preopens

from .asking import error_of
from .wit import read

PREFIX = "[method]descriptor."
METHODS = {
    name.removeprefix(PREFIX).replace("-", "_"): parameters - 1
    for name, parameters in read().functions["wasi:filesystem/types"].items()
    if name.startswith(PREFIX) and name != f"{PREFIX}is-same-object"
}


def test_a_guest_has_no_directory():
    """So there is no way to a descriptor."""
    assert Preopens().get_directories() == []


@pytest.mark.parametrize("method", METHODS)
def test_a_descriptor_leads_nowhere(method):
    """Whatever is asked of one, it is not that of an open file."""
    assert error_of(getattr(Descriptor(), method), *[None] * METHODS[method]) is ErrorCode.BAD_DESCRIPTOR


def test_a_descriptor_is_itself():
    """is-same-object has no way to fail."""
    first, second = Descriptor(), Descriptor()
    assert first.is_same_object(first)
    assert not first.is_same_object(second)


def test_a_directory_has_no_entries():
    """The stream is at its end."""
    assert DirectoryEntryStream().read_directory_entry() is None
