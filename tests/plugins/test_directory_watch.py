"""What other processes change in a directory is told, and what is changed here once."""

from __future__ import annotations

import asyncio
import shutil
import threading
from types import SimpleNamespace

import pytest

from tests.waiting import eventually
from washnb.plugins import FilesystemBlobstore, FilesystemKeyValue, directory_watch
from washnb.plugins.directory_watch import DirectoryWatch
from washnb.plugins.file_names import NamedFiles

from .contracts.blobstore import put


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Look a hundred times in a second."""
    monkeypatch.setattr(directory_watch, "SECONDS", 0.01)
    monkeypatch.setattr(directory_watch, "_ECHO_SECONDS", 0.001)


@pytest.fixture
async def watched(tmp_path):
    """Give a watch that has begun, with a folder and a file, and what it tells; `heard` may be taken away."""
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").write_text("1")
    told, heard = [], [True]
    watch = DirectoryWatch(tmp_path, lambda path, action: told.append(("/".join(path), action)), lambda: bool(heard))
    watch.begin()
    await looked(watch)
    yield SimpleNamespace(root=tmp_path, watch=watch, told=told, heard=heard)
    await watch.end()


async def looked(watch: DirectoryWatch) -> None:
    """Wait until it has looked, from the beginning to the end."""
    for _ in range(2):
        tell, done = watch._tell, asyncio.Event()

        def told(*changes, tell=tell, done=done):
            tell(*changes)
            done.set()

        watch._tell = told
        await asyncio.wait_for(done.wait(), 5)
        watch._tell = tell


async def test_changes_of_others(watched):
    """Files that come, go and are edited where they are, and folders with what is in them; each once."""
    root, told = watched.root, watched.told
    (root / "f" / "new").write_text("1")
    await looked(watched.watch)
    (root / "f" / "old").write_text("22")
    await looked(watched.watch)
    (root / "f" / "new").unlink()
    (root / "g").mkdir()
    (root / "g" / "a%2fb").write_text("")
    await looked(watched.watch)
    shutil.rmtree(root / "g")
    await looked(watched.watch)
    await looked(watched.watch)
    assert told == [
        ("f/new", "set"),
        ("f/old", "set"),
        ("f/new", "delete"),
        ("g", "set"),
        ("g/a/b", "set"),
        ("g", "delete"),
        ("g/a/b", "delete"),
    ]


async def test_what_is_not_ours_is_not_told(watched):
    """Hidden files, names that nobody here has written, and links."""
    (watched.root / "f" / ".hidden").write_text("")
    (watched.root / "f" / "UPPER").write_text("")
    (watched.root / "f" / "link").symlink_to(watched.root / "f" / "old")
    (watched.root / "file").write_text("")
    (watched.root / "elsewhere").symlink_to(watched.root / "f")
    await looked(watched.watch)
    assert watched.told == []


async def test_own_changes_are_told_at_once_and_once(watched):
    """Also those that are made while it looks; another one's change of the same file is told, too."""
    root, watch = watched.root, watched.watch
    for number in range(200):
        (root / "f" / "own").write_text("x" * number)
        watch.own(("f", "own"), "set")
        assert watched.told.pop() == ("f/own", "set")
        await asyncio.sleep(0.0005)
    (root / "f" / "own").unlink()
    watch.own(("f", "own"), "delete")
    (root / "h").mkdir()
    watch.own(("h",), "set")
    (root / "h" / "o").write_text("")
    watch.own(("h", "o"), "set")
    shutil.rmtree(root / "h")
    watch.own(("h",), "delete")
    assert [action for _, action in watched.told] == ["delete", "set", "set", "delete"]
    await looked(watch)
    assert len(watched.told) == 4
    (root / "f" / "own").write_text("other")
    await looked(watch)
    assert watched.told[4:] == [("f/own", "set")]


async def test_what_cannot_be_looked_at_is_told(watched):
    """A change of ours is one, whatever is in its place now."""
    (watched.root / "file").write_text("")
    watched.watch.own(("file", "o"), "set")
    assert watched.told == [("file/o", "set")]


async def test_a_folder_that_may_not_be_read_hides_no_other(watched, monkeypatch):
    """Nothing in it is told, neither as gone; what others change beside it is."""
    root, scandir = watched.root, directory_watch.os.scandir
    (root / "g").mkdir()
    await looked(watched.watch)

    def refusing(place):
        if str(getattr(place, "path", place)) == str(root / "f"):
            raise PermissionError(13, "Permission denied")
        return scandir(place)

    monkeypatch.setattr(directory_watch.os, "scandir", refusing)
    (root / "g" / "new").write_text("1")
    (root / "f" / "old").write_text("22")
    await looked(watched.watch)
    assert watched.told == [("g", "set"), ("g/new", "set")]
    monkeypatch.setattr(directory_watch.os, "scandir", scandir)
    await looked(watched.watch)
    assert watched.told[2:] == [("f/old", "set")]


async def test_a_change_of_ours_may_be_seen_before_it_is_told(watched, monkeypatch):
    """It was made in a thread, of which the loop hears later."""
    monkeypatch.setattr(directory_watch, "_ECHO_SECONDS", 0.1)
    look, seen = watched.watch._look, asyncio.Event()
    loop = asyncio.get_running_loop()

    def looked_at(unchanging):
        found = look(unchanging)
        if ("f", "new") in found[0]:
            loop.call_soon_threadsafe(seen.set)
        return found

    watched.watch._look = looked_at
    (watched.root / "f" / "new").write_text("")
    await asyncio.wait_for(seen.wait(), 5)
    await asyncio.sleep(0.01)
    watched.watch.own(("f", "new"), "set")
    await looked(watched.watch)
    assert watched.told == [("f/new", "set")]


async def test_own_changes_before_the_first_look_are_told_once(tmp_path):
    """Whenever they come: the first look may be under way."""
    (tmp_path / "f").mkdir()
    for delay in range(0, 20, 2):
        told = []
        watch = DirectoryWatch(tmp_path, lambda path, action, told=told: told.append((path, action)), lambda: True)
        watch.begin()
        await asyncio.sleep(delay / 10_000)
        (tmp_path / "f" / f"n{delay}").write_text("")
        watch.own(("f", f"n{delay}"), "set")
        await looked(watch)
        assert told == [(("f", f"n{delay}"), "set")]
        await watch.end()


async def test_long_names_are_read_off_the_loop(watched, monkeypatch):
    """They are in files, on a disk that may be slow. One that cannot be read is told when it can be, the others now."""
    readers, refused, long = set(), [True], "x" * 300
    name = NamedFiles.name

    def reading(named, file_name):
        if "~" in file_name:
            readers.add(threading.current_thread())
            if refused:
                raise OSError(5, "Input/output error")
        return name(named, file_name)

    monkeypatch.setattr(NamedFiles, "name", reading)
    monkeypatch.setattr(directory_watch, "_FEW", 0)
    monkeypatch.setattr(directory_watch, "_COARSE", 0)
    for each in ("a", long, "z"):
        NamedFiles(watched.root / "f").prepare(each).write_text("1")
    await looked(watched.watch)
    assert watched.told == [("f/a", "set"), ("f/z", "set")]
    refused.clear()
    await looked(watched.watch)
    NamedFiles(watched.root / "f").path(long).unlink()
    await looked(watched.watch)
    assert watched.told[2:] == [(f"f/{long}", "set"), (f"f/{long}", "delete")]
    assert threading.current_thread() not in readers


@pytest.mark.parametrize("folder", [True, False])
async def test_what_changes_here_while_names_are_read_is_told_last(watched, folder):
    """The change of another one that came before it is known better by now."""
    root, watch, names = watched.root, watched.watch, watched.watch._names
    reading, read = threading.Event(), threading.Event()

    def held(differing):
        reading.set()
        read.wait(5)
        return names(differing)

    watch._names = held
    (root / "f" / "old").write_text("22")
    await asyncio.to_thread(reading.wait, 5)
    shutil.rmtree(root / "f") if folder else (root / "f" / "old").unlink()
    watch.own(("f",) if folder else ("f", "old"), "delete")
    read.set()
    await looked(watch)
    assert watched.told == [("f" if folder else "f/old", "delete")]


async def test_whoever_begins_to_listen_is_not_kept_waiting(watched, monkeypatch):
    """It looks at once, and not a second later."""
    monkeypatch.setattr(directory_watch, "SECONDS", 60)
    await asyncio.sleep(0.05)
    asyncio.get_running_loop().call_later(0.01, watched.watch.soon)
    (watched.root / "f" / "new").write_text("")
    await eventually(lambda: watched.told)


async def test_where_nobody_listens_nobody_looks(watched):
    """What happens meanwhile is not told later."""
    watched.heard.clear()
    await eventually(lambda: watched.watch._known is None)
    (watched.root / "f" / "new").write_text("")
    watched.heard.append(True)
    await looked(watched.watch)
    assert watched.told == []


async def test_a_directory_that_goes(watched):
    """All that was in it is gone; when it comes again, that is told, too."""
    shutil.rmtree(watched.root)
    await looked(watched.watch)
    (watched.root / "f").mkdir(parents=True)
    await looked(watched.watch)
    assert watched.told == [("f", "delete"), ("f/old", "delete"), ("f", "set")]


async def test_large_folders_are_passed_over_until_their_time_moves(watched, monkeypatch):
    """Of many files none is looked at, unless one came or went, or did so a moment ago."""
    monkeypatch.setattr(directory_watch, "_FEW", 3)
    monkeypatch.setattr(directory_watch, "_COARSE", 50_000_000)
    for number in range(10):
        (watched.root / "f" / f"o{number}").write_text("")
    await looked(watched.watch)
    assert len(watched.told) == 10
    await asyncio.sleep(0.06)
    await looked(watched.watch)
    (watched.root / "f" / "o1").write_text("edited")
    await looked(watched.watch)
    assert len(watched.told) == 10
    (watched.root / "f" / "o2").unlink()
    await looked(watched.watch)
    assert watched.told[10:] == [("f/o1", "set"), ("f/o2", "delete")]


@pytest.mark.parametrize("cls", [FilesystemKeyValue, FilesystemBlobstore])
async def test_two_hosts_hear_of_each_other(tmp_path, cls, monkeypatch):
    """Each change comes once to each of them, in the name of a workload that can see it."""
    monkeypatch.setattr(directory_watch, "_ECHO_SECONDS", 0.1)
    told = {}
    hosts = [cls(tmp_path), cls(tmp_path)]
    workload = SimpleNamespace(workload_id="w", workload_name="w", namespace="n")
    for host in hosts:
        told[host] = []
        host.events.subscribe(lambda event, host=host: told[host].append((event.path, event.action)))
        await host.start()
        await host.on_workload_bind(workload, ())
    one, other = hosts
    await asyncio.gather(*(looked(host.watch) for host in hosts))
    if cls is FilesystemKeyValue:
        await one.shared.open("c")
        await one.shared.set("c", "o", b"1")
        await other.shared.increment("c", "n", 1)
    else:
        await one.shared.create("c")
        await put(one.shared, "c", "o", b"1")
        await put(other.shared, "c", "n", b"1")
    await asyncio.gather(*(looked(host.watch) for host in hosts))
    for host in hosts:
        assert sorted(told[host]) == [(("c",), "set"), (("c", "n"), "set"), (("c", "o"), "set")]
        await host.stop()
