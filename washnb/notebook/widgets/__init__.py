"""Views on a page: live widgets in Jupyter, text elsewhere."""

from .messages import Answer, Wish
from .show import show, show_for_now
from .showable import Door, Face, Showable

__all__ = ["Answer", "Door", "Face", "Showable", "Wish", "show", "show_for_now"]
