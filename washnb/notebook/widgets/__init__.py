"""Views as widgets: live where there is Jupyter, text where there is not."""

from .messages import Wish
from .show import show
from .showable import Door, Showable

__all__ = ["Door", "Showable", "Wish", "show"]
