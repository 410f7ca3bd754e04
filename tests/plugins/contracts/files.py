"""What others may have put where a file of ours would be."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

PLANTED = ["a symbolic link", "a directory", "a pipe", "a socket"]


def plant(place: Path, kind: str, elsewhere: Path) -> None:
    """Put something there; a link leads to a file that is made `elsewhere`, with something precious in it."""
    elsewhere.write_text("precious")
    if kind == "a symbolic link":
        place.symlink_to(elsewhere)
    elif kind == "a directory":
        place.mkdir()
    elif kind == "a pipe":
        os.mkfifo(place)
    else:
        # from there, because the path of a socket has 108 bytes at most
        with contextlib.chdir(place.parent), socket.socket(socket.AF_UNIX) as listening:
            listening.bind(place.name)


def unchanged(place: Path, kind: str, elsewhere: Path) -> bool:
    """Whether it is still there, and nobody has followed it."""
    kinds = [place.is_symlink(), place.is_dir(), place.is_fifo(), place.is_socket()]
    return kinds.index(True) == PLANTED.index(kind) and elsewhere.read_text() == "precious"
