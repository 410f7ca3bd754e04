"""Views as widgets: live where there is Jupyter, text where there is not."""

from .show import show

__all__ = ["show"]
