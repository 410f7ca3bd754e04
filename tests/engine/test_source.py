"""Where a component comes from, and what is said about what is none."""

from __future__ import annotations

import gzip
import hashlib
import time
import zipfile
from pathlib import Path

import pytest

from washnb.engine import example_names, read_source
from washnb.errors import NotAComponentError

EMPTY_COMPONENT = bytes.fromhex("0061736d0d000100")
CORE_MODULE = bytes.fromhex("0061736d01000000")


def refusal(source, name=None) -> NotAComponentError:
    """The error that a source meets."""
    with pytest.raises(NotAComponentError) as caught:
        read_source(source, name)
    return caught.value


def test_a_binary_file_is_read_and_named_after_the_file(tmp_path):
    """A .wasm file gives its bytes, its stem as name, its path as origin and the SHA-256 as digest."""
    path = tmp_path / "shop.wasm"
    path.write_bytes(EMPTY_COMPONENT)
    source = read_source(path)
    assert (source.name, source.data, source.origin) == ("shop", EMPTY_COMPONENT, str(path))
    assert source.digest == hashlib.sha256(EMPTY_COMPONENT).hexdigest()
    assert read_source(str(path)) == source


def test_the_home_directory_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    """A path that begins with ~ is found in the home directory."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.wasm").write_bytes(EMPTY_COMPONENT)
    assert read_source("~/mine.wasm").data == EMPTY_COMPONENT


@pytest.mark.parametrize("text", ["(component)", ";; a comment\n(component)", "\n  (component $named)\n"])
def test_wat_becomes_the_same_bytes_from_a_file_and_from_memory(tmp_path, text):
    """Text is translated, wherever it comes from."""
    path = tmp_path / "shop.wat"
    path.write_text(text)
    assert read_source(path).data == read_source(text.encode()).data
    assert read_source(text.encode()).data.startswith(EMPTY_COMPONENT)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_of_any_kind_are_taken(kind):
    """Bytes at hand need no file; they are called `component` unless somebody says otherwise."""
    assert read_source(kind(EMPTY_COMPONENT)).name == "component"
    assert read_source(kind(EMPTY_COMPONENT), "shop").name == "shop"


@pytest.mark.parametrize("text", ["(component)", "\n ;; a comment\n(component)", "(; another ;)(component)"])
def test_wat_may_be_given_as_a_string(text):
    """What begins like WAT, or with a comment in it, is no path."""
    assert read_source(text).data.startswith(EMPTY_COMPONENT)
    assert "a core WebAssembly module" in refusal("\n(module)").message


def test_an_address_is_told_to_be_fetched():
    """A URL is no path, and the line that fetches it is at hand."""
    error = refusal("https://example.com/shop.wasm")
    assert error.message == "https://example.com/shop.wasm is an address, and components are read from files"
    assert error.repair == ('urllib.request.urlretrieve("https://example.com/shop.wasm", "component.wasm")',)


@pytest.mark.parametrize("image", ["ghcr.io/team/shop:0.1.0", "localhost:5000/shop:v1", f"r.io/a@sha256:{'0' * 64}"])
def test_an_image_of_a_registry_is_told_to_be_pulled(image):
    """A reference to an image is no path either."""
    error = refusal(image)
    assert error.message == f"{image} is an image in a registry, and components are read from files"
    assert error.repair == (f"wash oci pull {image} component.wasm",)


@pytest.mark.parametrize("path", ["a\0b.wasm", "~nosuchuser/a.wasm", "a" * 5000, "", "/proc/self/nothing/x"])
def test_a_path_that_cannot_be_is_an_error_of_ours(path):
    """However odd a path is, it meets an error that names it."""
    assert refusal(path).message


def test_every_example_can_be_read_by_its_name():
    """`example:NAME` finds each WAT file of the package."""
    assert {"adder", "counter", "hello"} <= set(example_names())
    for name in example_names():
        source = read_source(f"example:{name}")
        assert (source.name, source.origin) == (name, f"example:{name}")


def test_an_unknown_example_names_the_closest_and_all():
    """A mistyped example gets the one that was meant, and the whole list."""
    error = refusal("example:couter")
    assert "no example is called 'couter'" in error.message
    assert error.repair == (
        "did you mean example:counter?",
        f"the examples are: {', '.join(example_names())}",
    )


def test_a_missing_file_names_its_neighbours(tmp_path):
    """A mistyped path gets the nearest names of that directory, else the components that lie there."""
    (tmp_path / "counter.wasm").write_bytes(EMPTY_COMPONENT)
    (tmp_path / "notes.txt").write_text("")
    assert f"did you mean {tmp_path / 'counter.wasm'}?" in refusal(tmp_path / "conter.wasm").repair
    assert refusal(tmp_path / "zzz").repair == (f"there is: {tmp_path / 'counter.wasm'}",)


def test_the_bare_name_of_an_example_gets_its_prefix():
    """Who leaves out `example:` is given it."""
    assert refusal("counter").repair == ("did you mean example:counter?",)


def test_a_missing_directory_is_named(tmp_path):
    """Where the directory itself is missing, that is what is said."""
    error = refusal(tmp_path / "target" / "shop.wasm")
    assert error.message == f"there is no file {tmp_path / 'target' / 'shop.wasm'}"
    assert error.repair == (f"there is no directory {tmp_path / 'target'} either",)


def test_a_directory_without_components_says_so(tmp_path):
    """A missing file in a directory that holds no component at all: that is worth a word."""
    assert refusal(tmp_path / "shop.wasm").repair == (f"no .wasm or .wat file is in {tmp_path}",)


def test_a_directory_offers_what_lies_in_it(tmp_path):
    """A directory is not a component, but perhaps one is in it."""
    assert refusal(tmp_path).message == f"{tmp_path} is a directory, not a component"
    (tmp_path / "a.wasm").write_bytes(EMPTY_COMPONENT)
    assert refusal(tmp_path).repair == (f"there is: {tmp_path / 'a.wasm'}",)


def test_a_file_that_cannot_be_opened_says_why(tmp_path):
    """What the operating system says about a file reaches the person."""
    loop = tmp_path / "loop.wasm"
    loop.symlink_to(loop)
    assert str(loop) in refusal(loop).message
    assert "cannot be read" in refusal(loop).message


def test_an_empty_file_is_called_empty(tmp_path):
    """An empty file is what a failed build leaves behind."""
    path = tmp_path / "shop.wasm"
    path.touch()
    assert refusal(path).message == f"{path} is empty"


@pytest.mark.parametrize("data", [CORE_MODULE, b"(module)"])
def test_a_core_module_is_told_how_to_become_a_component(data):
    """A core module, binary or text, gets the tools that wrap it."""
    error = refusal(data)
    assert "a core WebAssembly module, not a component" in error.message
    for tool in ("wasm-tools component new", "componentize-py", "jco", "wasm32-wasip2"):
        assert tool in str(error)


def test_a_component_of_an_old_draft_is_told_to_rebuild():
    """The binary format of 2023 is wasm, but not one that can run."""
    assert "0a 00 01 00" in refusal(bytes.fromhex("0061736d0a000100")).message


@pytest.mark.parametrize(
    "text",
    [
        '(component (import "wasi:http/types@0.3.0-rc-2025-09-16" (instance)))',
        '(component (instance $i) (export "wasi:cli/run@0.3.0" (instance $i)))',
    ],
)
def test_wasi_3_is_seen_in_imports_and_exports(text):
    """A component of WASI 0.3 is called that, with the name that gave it away, and told what washnb runs."""
    error = refusal(text.encode(), "future")
    assert "WASI 0.3" in error.message
    assert "@0.3.0" in error.message
    assert "washnb runs WASI 0.2" in error.message
    assert error.component == "future"


def test_text_inside_a_component_does_not_make_it_wasi_3():
    """Only the names of imports and exports count: a component may well talk about 0.3."""
    text = '(component (core module (memory 1) (data (i32.const 0) "wasi:cli/run@0.3.0")))'
    assert read_source(text.encode()).name == "component"


def garbage(tmp_path: Path) -> dict[str, bytes]:
    """Files that people load by mistake, and what they should be called."""
    archive = tmp_path / "some.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a", "b")
    return {
        "native Linux program": b"\x7fELF\x02\x01\x01",
        "native Windows program": b"MZ\x90\x00",
        "native macOS program": b"\xcf\xfa\xed\xfe\x07",
        "zip archive": archive.read_bytes(),
        "gzip archive": gzip.compress(b"x"),
        "web page": b"<!DOCTYPE html><html></html>",
        "Git LFS": b"version https://git-lfs.github.com/spec/v1\n",
        "begins with 'hello'": b"hello\nworld",
        "neither wasm nor text": bytes(range(200, 250)),
        "static library": b"!<arch>\n",
        "script": b"#!/bin/sh\n",
    }


def test_a_size_without_an_end_takes_no_time():
    """A section whose size never ends is left to wasmtime, which refuses it; a number of megabytes would take hours."""
    began = time.perf_counter()
    read_source(EMPTY_COMPONENT + b"\x0a" + b"\xff" * 1_000_000)
    assert time.perf_counter() - began < 2


def test_garbage_is_called_by_its_name(tmp_path):
    """What is no wasm at all is recognised by how it begins."""
    for kind, data in garbage(tmp_path).items():
        error = refusal(data, "thing")
        assert kind in error.message, kind
        assert error.component == "thing"
        assert "a component is a .wasm file" in error.repair[0]


def test_a_mistake_in_wat_shows_its_line(tmp_path):
    """WAT that does not parse comes back with line, column and the text around it."""
    path = tmp_path / "shop.wat"
    path.write_text("(component\n  (core modul))")
    error = refusal(path)
    assert f"{path} is WAT with a mistake" in error.message
    assert f"{path}:2:" in error.message
    assert "(core modul)" in error.message


def test_a_mistake_in_one_endless_line_is_shown_in_part():
    """Generated WAT may be a single line of megabytes; the message stays readable, and says what it has left out."""
    error = refusal(f"(component (core modul {'x' * 10_000}))")
    assert max(map(len, error.message.splitlines())) < 200
    assert error.message.splitlines()[-2].endswith("xxx…")


@pytest.mark.parametrize("before", [20, 60, 140, 150])
def test_a_mistake_far_into_a_line_is_shown(before):
    """What is around it, with a pointer at it."""
    error = refusal(f"(component {' ' * before}(bogus) {'(core module)' * 20})")
    *_, shown, pointer = error.message.splitlines()
    assert shown[pointer.index("^") :].startswith("bogus) (core")
    assert ("| …" in shown, shown[-1]) == (before > 60, "…")
    assert len(shown) < 200


def test_a_long_name_is_shown_in_part():
    """In what is said of it, too."""
    error = refusal(f'(component (alias export ${"x" * 500} "a" (func)))')
    assert "xxx…\n" in error.message
    assert max(map(len, error.message.splitlines())) < 200
