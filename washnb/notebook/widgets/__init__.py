"""Views as widgets: live where there is Jupyter, text where there is not."""

from .messages import Answer, Wish
from .show import show, show_for_now
from .showable import Door, Face, Showable

__all__ = ["Answer", "Door", "Face", "Showable", "Wish", "show", "show_for_now"]
