"""Faults: calls of guests, and calls to them, that go wrong on purpose.

fault       which calls go wrong, and how: data
targets     the functions that a fault is set on, by the names that people have for them
set_fault   a fault in force, which counts calls
injected    what happens in place of a call
jumps       clocks that jump
faults      all faults of a host, in the binding tables of its workloads
"""

from .fault import Fault
from .faults import Faults
from .injected import wit_error
from .set_fault import SetFault

__all__ = ["Fault", "Faults", "SetFault", "wit_error"]
