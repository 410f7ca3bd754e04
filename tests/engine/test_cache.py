"""The directory of compiled components: whole entries, verified, bounded, and this user's alone."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from washnb.engine.cache import Cache, default_directory
from washnb.errors import ConfigError

ARTIFACT = bytes(range(256)) * 64


@pytest.fixture
def cache(tmp_path) -> Cache:
    """An empty cache."""
    return Cache(tmp_path / "kept")


def test_what_was_stored_is_found(cache):
    """An entry begins with the artifact itself, so that it can be mapped as it lies."""
    assert cache.find("a") is None
    cache.store("a", ARTIFACT)
    assert cache.find("a").read_bytes().startswith(ARTIFACT)
    assert cache.find("b") is None


def test_the_directory_is_private(cache):
    """Native code lies in it: nobody else may read or write, and entries are as private."""
    cache.store("a", ARTIFACT)
    assert stat.S_IMODE(cache.directory.stat().st_mode) == 0o700
    assert stat.S_IMODE(cache.find("a").stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_directory_that_others_can_write_is_refused(tmp_path, mode):
    """The error says what is wrong with the directory and holds the line that mends it."""
    tmp_path.chmod(mode)
    with pytest.raises(ConfigError, match="can be written by others") as caught:
        Cache(tmp_path)
    assert caught.value.repair == (f"chmod 700 {tmp_path}",)
    tmp_path.chmod(0o700)
    Cache(tmp_path)


def test_a_directory_of_another_user_is_refused(tmp_path, monkeypatch):
    """Whoever owns the directory could swap the code in it."""
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        Cache(tmp_path)


def test_a_path_that_is_no_directory_is_refused(tmp_path):
    """A file in the way is a mistake in the configuration."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        Cache(tmp_path / "file")


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: b"",
        lambda entry: entry[: len(entry) // 2],
        lambda entry: entry[:-1],
        lambda entry: entry + b"\0",
        lambda entry: b"\0" * 4096 + entry[4096:],
        lambda entry: entry[:5000] + bytes([entry[5000] ^ 1]) + entry[5001:],
        lambda entry: entry[:-4] + b"\0\0\0\0",
        lambda entry: b"something else entirely",
    ],
)
def test_a_damaged_entry_is_thrown_away(cache, damage):
    """One wrong bit is enough, for wasmtime would run it."""
    cache.store("a", ARTIFACT)
    path = cache.find("a")
    path.write_bytes(damage(path.read_bytes()))
    assert cache.find("a") is None
    assert not path.exists()


def test_an_entry_under_another_name_is_thrown_away(cache):
    """Code of one component is never taken for that of another."""
    cache.store("a", ARTIFACT)
    path = cache.find("a")
    other = path.with_name(path.name.replace("a", "b", 1))
    path.rename(other)
    assert cache.find("b") is None
    assert not other.exists()


def test_an_entry_that_others_could_write_is_thrown_away(cache):
    """It may have been changed, checksum and all."""
    cache.store("a", ARTIFACT)
    cache.find("a").chmod(0o666)
    assert cache.find("a") is None


def entries(cache: Cache) -> set[str]:
    """The names of what is kept."""
    return {path.stem for path in cache.directory.iterdir()}


def test_the_least_recently_used_goes_first(cache):
    """Finding an entry counts as use; the newest stays, whatever its size."""
    cache.limit = 3 * (len(ARTIFACT) + 100)
    for age, key in enumerate("abc"):
        cache.store(key, ARTIFACT)
        path = cache.directory / f"{key}.cwasm"
        os.utime(path, (1000 + age, 1000 + age))
    cache.find("a")
    cache.store("d", ARTIFACT)
    assert entries(cache) == {"a", "c", "d"}
    cache.store("huge", ARTIFACT * 10)
    assert entries(cache) == {"huge"}


def test_half_written_files_are_cleared_away_when_they_are_old(cache):
    """A process that died while it wrote leaves a file that nobody will finish; a fresh one may have a writer."""
    old, fresh = (cache.directory / f".partial-{name}" for name in ("old", "fresh"))
    old.touch()
    fresh.touch()
    os.utime(old, (1000, 1000))
    cache.store("a", ARTIFACT)
    assert not old.exists()
    assert fresh.exists()


def test_a_failed_write_leaves_nothing(cache, monkeypatch):
    """A disk that is full shows as OSError, without a trace in the directory."""

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        cache.store("a", ARTIFACT)
    assert list(cache.directory.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, Path("/c/washnb")),
        ("linux", {"HOME": "/h"}, Path("/h/.cache/washnb")),
        ("darwin", {"HOME": "/h"}, Path("/h/Library/Caches/washnb")),
    ],
)
def test_the_default_is_the_cache_directory_of_the_platform(monkeypatch, platform, variables, expected):
    """Where a platform keeps what can be made again, there it goes."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert default_directory() == expected
