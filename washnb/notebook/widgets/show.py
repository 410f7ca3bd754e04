"""Putting a view into a cell: as a live widget in a notebook, as text in a terminal."""

from __future__ import annotations

from collections.abc import Callable

from .showable import Showable


def show(view: Showable) -> None:
    """Show `view` in the current cell. The widget libraries are loaded with the first one."""
    from IPython import get_ipython

    if hasattr(get_ipython(), "kernel"):
        from .live import Live

        Live(view).show()
    else:
        print(view)  # noqa: T201 - a terminal has no other face


def show_for_now(view: Showable) -> Callable[[str], None]:
    """Show `view` in the current cell of a notebook; return the function that replaces it by a text."""
    from .live import Live

    live = Live(view)
    live.show_for_now()
    return live.leave
