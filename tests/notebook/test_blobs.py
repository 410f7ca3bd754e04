"""The view of blobs: data to read, mappings to write, faces, and a widget that fetches and brings."""

from __future__ import annotations

import asyncio
import gc
import json
import os
from pathlib import Path

import pytest

from washnb.errors import BackendError, ConfigError, GuestCancelled
from washnb.notebook import Session
from washnb.notebook.views.base import NotThere
from washnb.notebook.widgets.live import Live, Still
from washnb.plugins.blobstore import ObjectReader
from washnb.secrecy import HIDDEN

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c4944415478da63f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)


@pytest.fixture
def gallery(session: Session) -> Session:
    """A session with a gallery that keeps a note."""
    session.load("example:gallery", attach=["blobstore"])
    session.send("PUT", "/note", body="in a blob")
    return session


def test_data_is_plain_python(gallery):
    """Sizes of everything and of one container, the content of one object."""
    assert gallery.blobs.data == {"gallery": {"note": 9}}
    assert gallery.blobs("gallery").data == {"note": 9}
    assert gallery.blobs("gallery", "note").data == b"in a blob"


def test_download_that_fails_lets_go_of_the_object(session, tmp_path):
    """Where the file cannot be written, the object does not stay open."""
    session.attach(blobstore=f"file:{tmp_path / 'blobs'}")
    session.load("example:gallery")
    session.blobs["c"]["o"] = b"x" * 100_000
    with pytest.raises(FileNotFoundError):
        session.blobs["c"].download("o", tmp_path / "nowhere" / "o")
    gc.collect()


def test_a_container_is_cleared_at_once(gallery, monkeypatch):
    """The host deletes all of its objects in one go, and the container stays."""
    container, reached, on_host = gallery.blobs["gallery"], [], gallery.blobs.door.on_host
    for name in ("o", "p"):
        container[name] = b"x"
    monkeypatch.setattr(type(gallery.blobs.door), "on_host", lambda self, work: reached.append(work) or on_host(work))
    container.clear()
    assert len(reached) == 1
    assert list(container) == []
    assert "gallery" in gallery.blobs.data
    gallery.blobs["gone"].clear()
    assert "gone" not in gallery.blobs.data


@pytest.mark.parametrize("end", [BackendError("the server is away"), asyncio.CancelledError()])
def test_download_that_breaks_off_leaves_what_was_there(gallery, tmp_path, monkeypatch, end):
    """A file is whole or not there, and one that was there before is as it was; nothing lies beside it."""
    container, old, new = gallery.blobs["gallery"], tmp_path / "old", tmp_path / "new"
    container["o"] = b"x" * 200_000
    old.write_bytes(b"before")
    (tmp_path / "link").symlink_to(old)
    assert container.download("o", tmp_path / "link").read_bytes() == container["o"]
    assert (tmp_path / "link").is_symlink()
    old.write_bytes(b"before")
    begun = []

    async def breaks_off(reader):
        begun.append([path.stat().st_size for path in tmp_path.iterdir()])
        if len(begun) % 3 == 0:
            raise end
        return b"x" * 65536

    monkeypatch.setattr(ObjectReader, "__anext__", breaks_off)
    for target in (old, new):
        with pytest.raises((BackendError, GuestCancelled)):
            container.download("o", target)
    assert len(begun) == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "old"]
    assert old.read_bytes() == b"before"


def test_download_replaces_files_only(gallery, tmp_path):
    """What is there and no file stays: a directory, or a device."""
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "folder", Path(os.devnull)):
        with pytest.raises(FileExistsError, match="it is there, and no file"):
            gallery.blobs["gallery"].download("note", target)
    assert [*tmp_path.iterdir()] == [tmp_path / "folder"]


def test_container_is_a_mapping_that_guests_see(gallery, tmp_path):
    """Content is set from bytes, text, JSON and files, read, fetched and deleted."""
    container = gallery.blobs["gallery"]
    (tmp_path / "file").write_bytes(b"\0" * 300_000)
    container["bytes"], container["json"], container["file"] = b"\xff", {"a": 1}, tmp_path / "file"
    assert gallery.send("/bytes").body == b"\xff"
    assert json.loads(container["json"]) == {"a": 1}
    assert list(container) == ["bytes", "file", "json", "note"]
    assert container.download("file", tmp_path / "copy").read_bytes() == b"\0" * 300_000
    del container["file"]
    assert gallery.send("/file").status == 404
    for missing in (
        lambda: container["no"],
        lambda: container.pop("no"),
        lambda: container.__delitem__("no"),
        lambda: container.download("no", tmp_path / "nothing"),
    ):
        with pytest.raises(
            KeyError, match="in container 'gallery' there is no object 'no'; there is bytes, json, note"
        ):
            missing()
    with pytest.raises(KeyError, match="there is no container 'no'; there is gallery"):
        _ = gallery.blobs["no"]["x"]
    assert not (tmp_path / "nothing").exists()
    gallery.blobs["other"]["x"] = "y"
    del gallery.blobs["other"]
    assert list(gallery.blobs.data) == ["gallery"]


def test_what_is_not_there_is_named(gallery, session):
    """A wrong container and object each get an answer, and so does who attached nothing."""
    with pytest.raises(NotThere, match="here there is no container 'x'; there is gallery"):
        _ = gallery.blobs("x").data
    with pytest.raises(NotThere, match="in container 'gallery' there is no object 'x'; there is note"):
        repr(gallery.blobs("gallery", "x"))
    session.reset()
    assert "no container" in repr(session.blobs)
    with pytest.raises(ConfigError) as caught:
        session.blobs["c"]["o"] = b""
    assert "%wash attach blobstore" in caught.value.repair


def test_faces_show_text_json_and_images(gallery):
    """A list of sizes without times; of one object what is in it, secrets and markup excepted."""
    container = gallery.blobs["gallery"]
    container["a.json"], container["b.png"], container["my_token"], container["page"] = '{"a":1}', PNG, "t", "<b>\x1b"
    assert "my_token  1 B" in repr(gallery.blobs)
    assert '"a": 1' in repr(gallery.blobs("gallery", "a.json"))
    assert "image/png" in repr(gallery.blobs("gallery", "b.png"))
    assert "data:image/png;base64,iVBOR" in gallery.blobs("gallery", "b.png")._repr_html_()
    assert HIDDEN in repr(gallery.blobs("gallery", "my_token"))
    page = gallery.blobs("gallery", "page")
    shown = Still(page.still(gallery.on_host(page.look)))
    assert "<b>" not in shown._repr_html_()
    assert "\x1b" not in repr(shown)


def test_many_objects_are_bounded_in_faces(gallery):
    """Faces show the first ones and say that there are more; code gets all."""
    for number in range(230):
        gallery.blobs["many"][f"o{number:03}"] = b""
    look = gallery.on_host(gallery.blobs.look)
    group = gallery.blobs.picture(look)["groups"][1]
    assert (len(group["entries"]), group["more"]) == (200, True)
    assert gallery.blobs.still(look).data[-1]["object"] == "…"
    assert len(gallery.blobs["many"]) == 230


class Page:
    """The page's end of a live view: it asks, and hears the answers."""

    def __init__(self, live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
        self.live = live
        self.heard = []
        monkeypatch.setattr(live.widget, "send", lambda content, buffers: self.heard.append((content, buffers)))

    def ask(self, value: bytes = b"", **wish):
        """Send a wish, and return its answer: content and parts."""
        self.live._heard(None, {"ticket": "t", **wish}, [memoryview(value)])
        return self.heard.pop()


@pytest.fixture
def page(gallery, monkeypatch):
    """A live view of the gallery's blobs."""
    live = Live(gallery.blobs)
    yield Page(live, monkeypatch)
    live.widget.close()


def test_widget_fetches_in_parts(gallery, page):
    """Each part carries the size of the whole; what is gone is told."""
    gallery.blobs["gallery"]["long"] = bytes(range(256)) * 4
    wish = {"do": "read", "group": "gallery", "key": "long"}
    content, parts = page.ask(**wish, start=1000, end=2000)
    assert (content["size"], b"".join(parts)) == (1024, (bytes(range(256)) * 4)[1000:])
    content, _ = page.ask(**{**wish, "key": "gone"}, start=0, end=1)
    assert "object 'gone' does not exist" in content["problem"]


def test_widget_brings_in_parts(gallery, page):
    """An object is there once its last part has come; a second try begins anew."""
    wish = {"do": "upload", "group": "new", "key": "file"}
    page.ask(b"lost", **wish, start=0, last=False)
    page.ask(b"one ", **wish, start=0, last=False)
    assert "new" not in gallery.blobs.data
    page.ask(b"two", **wish, start=4, last=True)
    assert gallery.blobs["new"]["file"] == b"one two"


def test_widget_makes_and_deletes(gallery, page):
    """Containers and objects."""
    page.ask(do="create", group="c")
    assert gallery.blobs.data["c"] == {}
    content, _ = page.ask(do="create", group="c")
    assert "already exists" in content["problem"]
    page.ask(do="delete", group="gallery", key="note")
    page.ask(do="delete", group="c")
    assert gallery.blobs.data == {"gallery": {}}
