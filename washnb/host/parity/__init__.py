"""Parity with wash-runtime: where washnb differs on purpose, and what workloads have relied on of that."""

from .deviation import Deviation, MadeOf
from .deviations import DEVIATIONS
from .parity import Parity

__all__ = ["DEVIATIONS", "Deviation", "MadeOf", "Parity"]
