"""Faults: calls of guests, and calls to them, that go wrong on purpose.

fault       what goes wrong, and when: data
targets     the functions that it is about, by the names that people have for them
set_fault   a fault in force, which counts
injected    what happens in place of a call; `jumps` are the clocks of that
faults      all faults of a host, in the binding tables of what runs there
"""

from .fault import Fault
from .faults import Faults
from .injected import wit_error
from .set_fault import SetFault

__all__ = ["Fault", "Faults", "SetFault", "wit_error"]
