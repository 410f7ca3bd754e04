"""Files that have any text for a name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from washnb.errors import BackendError
from washnb.plugins.disk import disk
from washnb.plugins.file_names import NamedFiles

from .contracts.files import PLANTED, plant, unchanged

NAMES = st.text(max_size=300) | st.text(alphabet="aA./\\~%\0 ", max_size=8) | st.sampled_from(["x" * 5000, "X" * 5000])


@pytest.mark.parametrize(
    ("name", "file_name"),
    [
        ("report-1.txt", "report-1.txt"),
        ("my report", "my report"),
        ("README.md", "readme.md~3f"),
        ("a/b", "a%2fb"),
        ("..", "%2e%2e"),
        (".names", "%2enames"),
        ("ü", "%c3%bc"),
        ("%2f", "%252f"),
        ("a~1", "a%7e1"),
        ("\0", "%00"),
        ("a\n", "a%0a"),
        ("", "%"),
    ],
)
def test_names_stay_readable(tmp_path, name, file_name):
    """Letters, digits and what is harmless stand for themselves, everything else is told in them."""
    assert NamedFiles(tmp_path).path(name) == tmp_path / file_name


@pytest.mark.slow
@given(st.lists(NAMES, unique=True))
def test_each_name_is_another_file(tmp_path_factory, names):
    """Any names, in one directory, come back as they were, and none is that of another on a disk without capitals."""
    files = NamedFiles(tmp_path_factory.mktemp("named"))
    paths = [files.prepare(name) for name in names]
    for path in paths:
        path.touch()
    assert files.names() == sorted(names)
    assert len({path.name.casefold() for path in paths}) == len(names)
    assert all(path.parent == files.directory and len(path.name) <= 200 for path in paths)


def test_many_prepare_a_name_at_once(tmp_path):
    """A long name, which is kept in a file of its own, is prepared by several threads without a failure."""
    with ThreadPoolExecutor(8) as pool:
        for number in range(40):
            name = f"{number}".rjust(300, "x")
            paths = list(pool.map(NamedFiles(tmp_path).prepare, [name] * 8))
            paths[0].touch()
    assert len(NamedFiles(tmp_path).names()) == 40
    assert len(list((tmp_path / ".names").iterdir())) == 40


def test_files_of_others_are_not_seen(tmp_path):
    """What was not named here is left out."""
    others = (".hidden", "Capital", "a~zz", "a%zz", "%ff", "~", "a~0", "a~1f", "x~" + "0" * 64, "\N{SNOWMAN}", "")
    for other in filter(None, others):
        (tmp_path / other).touch()
    (tmp_path / "ours").touch()
    assert NamedFiles(tmp_path).names() == ["ours"]


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_in_the_place_of_a_long_name(tmp_path, kind):
    """A name that is kept in a file of its own is not looked for anywhere else."""
    files, name = NamedFiles(tmp_path), "x" * 300
    files.prepare(name).touch()
    (kept,) = (tmp_path / ".names").iterdir()
    kept.unlink()
    plant(kept, kind, tmp_path / ".elsewhere")
    assert files.names() == []
    with pytest.raises(BackendError, match=f"set: {kept} is {kind}"), disk("set", tmp_path):
        files.prepare(name)
    assert unchanged(kept, kind, tmp_path / ".elsewhere")


def test_names_are_not_kept_elsewhere(tmp_path):
    """No symbolic link leads to where long names are kept."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / ".names").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackendError, match=f"{tmp_path}/.names is a symbolic link"), disk("set", tmp_path):
        NamedFiles(tmp_path).prepare("x" * 300)
    assert list((tmp_path / "elsewhere").iterdir()) == []
