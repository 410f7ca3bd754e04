"""The room where Jupyter meets the host: the session, the magics, and live views of what the host keeps."""

from __future__ import annotations

from typing import Any

from .session import Session

__all__ = ["Session", "load", "unload"]


def load(shell: Any) -> None:
    """Register `%wash` in an IPython shell, and put the session into its namespace: what `%load_ext washnb` does."""
    from . import extension

    extension.load(shell)


def unload(shell: Any) -> None:
    """Close the session and take back what `load` registered: what `%unload_ext washnb` does."""
    from . import extension

    extension.unload(shell)
