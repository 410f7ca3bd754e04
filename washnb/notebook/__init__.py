"""Where Jupyter meets the host: the session, the magics, and views of what the host keeps."""

from __future__ import annotations

from typing import Any

from .session import Session

__all__ = ["Session", "load", "unload"]


def load(shell: Any) -> None:
    """Register `%wash`, and put the session into the user's namespace; what `%load_ext washnb` does."""
    from . import extension

    extension.load(shell)


def unload(shell: Any) -> None:
    """Close the session and take back what `load` registered; what `%unload_ext washnb` does."""
    from . import extension

    extension.unload(shell)
