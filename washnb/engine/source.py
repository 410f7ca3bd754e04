"""Reading a component from a file, from bytes, or from the examples of the package.

All ways end in the component's binary. What is no component is refused, with a guess at what it is instead.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wasmtime import WasmtimeError, wat2wasm

from washnb.errors import NotAComponentError

Source = bytes | bytearray | memoryview | str | os.PathLike[str]
"""What a component is loaded from: bytes, a path, or `example:NAME`."""

_EXAMPLE = "example:"
_WAT = ("(component", "(module", ";;", "(;")  # what a text of WAT begins with; the latter two are comments
_LARGEST_TEXT = 64 << 20  # bytes; of a file that does not begin as wasm no more is read: it is there by mistake
_EXAMPLES = Path(__file__).parent.parent / "examples"
_MAGIC = b"\0asm"
_CORE_MODULE = b"\x01\0\0\0"
_COMPONENT = b"\x0d\0\x01\0"
_OTHER_KINDS: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "a native Linux program or library (ELF)"),
    (b"MZ", "a native Windows program (PE)"),
    (b"\xcf\xfa\xed\xfe", "a native macOS program (Mach-O)"),
    (b"\xca\xfe\xba\xbe", "a Java class or a universal macOS program"),
    (b"PK\x03\x04", "a zip archive (a wheel, a jar, an npm package?)"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "zstd-compressed data: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\xfd7zXZ", "an xz archive: unpack it first"),
    (b"!<arch>", "a static library (ar archive)"),
    (b"BC\xc0\xde", "LLVM bitcode: the compiler stopped before it made wasm"),
    (b"%PDF", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"#!", "a script"),
    (b"version https://git-lfs", "a Git LFS pointer: fetch the file itself with `git lfs pull`"),
)
_HTML = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_WASI_3 = re.compile(rb"wasi:[a-z-]+/[a-z-]+@0\.3\.[0-9A-Za-z.+-]*")
_IMAGE = re.compile(r"[\w-]+[.:][\w.:-]*(/[\w.-]+)+(:[\w.-]+|@sha256:[0-9a-f]+)")
_POINTED = re.compile(r"(.*\n *\d+ \| )([^\n]*)\n( *\| )( *)\^", re.DOTALL)
_LONGEST_LINE = 160  # characters of a line of WAT that a message shows; generated WAT may have all on one
_IMPORT_SECTION, _EXPORT_SECTION = 10, 11
_SHIFTS = range(0, 32, 7)  # bits that each byte of a LEB128 number is shifted by, up to 32 bits


@dataclass(frozen=True)
class SourceBytes:
    """The binary of a component, the name that it goes by, and its `origin` (a path, say) for messages."""

    name: str
    data: bytes
    origin: str

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the binary, in hex. Processors have instructions for it: BLAKE2 takes twice the time."""
        return hashlib.sha256(self.data).hexdigest()


def example_names() -> tuple[str, ...]:
    """Return the names of the examples that come with the package, sorted."""
    return tuple(sorted(file.stem for file in _EXAMPLES.glob("*.wat")))


def read_source(source: Source, name: str | None = None) -> SourceBytes:
    """Read the bytes of a component, and make sure that they are one.

    `source` is the path of a `.wasm` or `.wat` file, `example:NAME`, or the component itself as bytes or as WAT text.
    The component is called `name`, or else as its file or example. Raises NotAComponentError where `source` cannot be
    read, or is no component of WASI 0.2.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _checked(name or "component", bytes(source), "the given data")
    if isinstance(source, str):
        if source.startswith(_EXAMPLE):
            return _example(source.removeprefix(_EXAMPLE), name)
        if source.lstrip().startswith(_WAT):
            return _checked(name or "component", source.encode(), "the given text")
        if "://" in source:
            raise NotAComponentError(
                f"{source} is an address, and components are read from files",
                repair=f'urllib.request.urlretrieve("{source}", "component.wasm")',
            )
        if _IMAGE.fullmatch(source) and not os.path.lexists(source):
            raise NotAComponentError(
                f"{source} is an image in a registry, and components are read from files",
                repair=f"wash oci pull {source} component.wasm",
            )
    path = Path(os.path.expanduser(source))  # noqa: PTH111 - Path.expanduser raises for a user that does not exist
    return _checked(name or path.stem, _read_file(path), str(path))


def _example(wanted: str, name: str | None) -> SourceBytes:
    known = example_names()
    if wanted not in known:
        raise NotAComponentError(
            f"no example is called {wanted!r}",
            repair=[*_did_you_mean(wanted, known, _EXAMPLE), f"the examples are: {', '.join(known)}"],
        )
    return _checked(name or wanted, (_EXAMPLES / f"{wanted}.wat").read_bytes(), _EXAMPLE + wanted)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb", buffering=0) as file:  # a buffer would have all of it copied once more
            limit = -1 if file.read(len(_MAGIC)) == _MAGIC else _LARGEST_TEXT
            file.seek(0)
            data = file.read(limit)
    except FileNotFoundError:
        raise NotAComponentError(f"there is no file {path}", repair=_nearby(path)) from None
    except IsADirectoryError:
        raise NotAComponentError(
            f"{path} is a directory, not a component", repair=_offer(_components_in(path), f"no .wasm in {path}")
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = error.strerror if isinstance(error, OSError) else error
        raise NotAComponentError(f"{path} cannot be read: {reason}") from error
    if not data:
        raise NotAComponentError(
            f"{path} is empty", repair="the build that should have written it has failed, or has not finished"
        )
    return data


def _nearby(path: Path) -> list[str]:
    """Suggest what to load instead of a file that is not there: similar names in its directory, else its components."""
    if str(path) in example_names():
        return [f"did you mean {_EXAMPLE}{path}?"]
    directory = path.parent
    if not directory.is_dir():
        return [f"there is no directory {directory} either"]
    close = _did_you_mean(path.name, _names_in(directory), "" if directory == Path() else f"{directory}{os.sep}")
    return close or _offer(_components_in(directory), f"no .wasm or .wat file is in {directory.resolve()}")


def _components_in(directory: Path) -> list[str]:
    return sorted(str(directory / name) for name in _names_in(directory) if name.endswith((".wasm", ".wat")))


def _names_in(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)  # noqa: PTH208 - names are what is compared
    except OSError:  # a directory that may not be read has nothing to offer
        return []


def _offer(files: list[str], nothing: str) -> list[str]:
    return [f"there is: {', '.join(files[:8])}"] if files else [nothing]


def _did_you_mean(wanted: str, known: Iterable[str], prefix: str) -> list[str]:
    close = difflib.get_close_matches(wanted, list(known), n=3, cutoff=0.6)
    return [f"did you mean {' or '.join(prefix + each for each in close)}?"] if close else []


def _checked(name: str, data: bytes, origin: str) -> SourceBytes:
    binary = data if data.startswith(_MAGIC) else _from_text(data, origin, name)
    layer = binary[4:8]
    if layer == _CORE_MODULE:
        raise _core_module(name, origin)
    if layer != _COMPONENT:
        raise NotAComponentError(
            f"{origin} is WebAssembly of a form that washnb does not know (version bytes {layer.hex(' ')})",
            component=name,
            repair="build it again with a current toolchain: components have been stable since 2024 (0d 00 01 00)",
        )
    later = _wasi_3_names(binary)
    if later:
        raise not_wasi_2(name, origin, later)
    return SourceBytes(name, binary, origin)


def _from_text(data: bytes, origin: str, name: str) -> bytes:
    """Translate WAT into a binary. Raises NotAComponentError for a mistake in it, and for data of any other kind."""
    for magic, kind in _OTHER_KINDS:
        if data.startswith(magic):
            raise _something_else(origin, kind, name)
    if _HTML.match(data):
        raise _something_else(origin, "a web page or XML: was the address that of a page around the file?", name)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise _something_else(origin, f"neither wasm nor text; it begins with {data[:8].hex(' ')}", name) from None
    if not text.lstrip().startswith(("(", ";;")):
        begins = text.strip().partition("\n")[0][:40]
        raise _something_else(origin, f"text, but not WAT; it begins with {begins!r}", name)
    try:
        return bytes(wat2wasm(text))
    except WasmtimeError as error:
        reason = _readable(str(error)).replace("<anon>", origin)
        raise NotAComponentError(f"{origin} is WAT with a mistake\n{reason}", component=name) from None


def _readable(reason: str) -> str:
    """Shorten the long lines of wasmtime's message about a mistake in WAT.

    Of the line of code that the message quotes, the part around the mistake is kept, which a `^` below points at.
    """
    found = _POINTED.fullmatch(reason)
    if found is None:
        return "\n".join(map(_part, reason.splitlines()))
    said, code, margin, blanks = found.groups()
    start = max(len(blanks) - _LONGEST_LINE // 2, 0) if len(code) > _LONGEST_LINE else 0
    return f"{_readable(said)}{_part(code, start)}\n{margin}{blanks[max(start - 1, 0) :]}^"


def _part(line: str, start: int = 0) -> str:
    end = start + _LONGEST_LINE
    return f"{'…' if start else ''}{line[start:end]}{'…' if len(line) > end else ''}"


def _something_else(origin: str, kind: str, name: str) -> NotAComponentError:
    return NotAComponentError(
        f"{origin} is not a component: it is {kind}",
        component=name,
        repair="a component is a .wasm file, or its text in a .wat file",
    )


def _core_module(name: str, origin: str) -> NotAComponentError:
    return NotAComponentError(
        f"{origin} is a core WebAssembly module, not a component",
        component=name,
        repair=[
            "wrap what a toolchain for wasm32-wasip1 made:",
            "  wasm-tools component new module.wasm --adapt wasi_snapshot_preview1.wasm -o component.wasm",
            "or build a component at once: cargo build --target wasm32-wasip2 (Rust), componentize-py (Python),",
            "  jco componentize (JavaScript), tinygo build -target=wasip2 (Go)",
        ],
    )


def not_wasi_2(name: str, origin: str, what: Iterable[str]) -> NotAComponentError:
    """Make the error that refuses a component of WASI 0.3; `what` are the names in it that 0.2 does not have."""
    return NotAComponentError(
        f"{origin} is a component of WASI 0.3 ({', '.join(what)}); washnb runs WASI 0.2",
        component=name,
        repair="build it against a 0.2 world (wasi:http/proxy@0.2.x, wasi:cli/command@0.2.x), or take an older release",
    )


def _wasi_3_names(binary: bytes) -> list[str]:
    """Return the names of WASI 0.3 in the component's import and export sections; those of inner ones are not read."""
    found: dict[str, None] = {}
    for kind, payload in sections(binary):
        if kind in {_IMPORT_SECTION, _EXPORT_SECTION}:
            found.update(dict.fromkeys(match.decode() for match in _WASI_3.findall(payload)))
    return list(found)


def sections(binary: bytes | memoryview) -> Iterable[tuple[int, memoryview]]:
    """Yield id and contents of each section of a component; of a binary that breaks off the last is cut short."""
    view = memoryview(binary)
    position = 8
    while position < len(view):
        kind = view[position]
        size, position = unsigned(view, position + 1)
        yield kind, view[position : position + size]
        position += size


def unsigned(view: memoryview, position: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number of up to 32 bits; return it and the position behind it. It may break off."""
    value = 0
    for shift, byte in zip(_SHIFTS, view[position:], strict=False):
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            break
    return value, position
