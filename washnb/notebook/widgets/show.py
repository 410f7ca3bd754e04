"""How a view comes onto the page."""

from __future__ import annotations

from ..views import View


def show(view: View) -> None:
    """Show `view` in the current cell."""
    print(view)  # noqa: T201
