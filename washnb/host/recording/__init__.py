"""Recording: the host calls of guests as they happen, and what is folded from them afterwards.

values      values that crossed the border, copied so that they can be kept and shown
signature   how the values of one function's calls are kept, found out once from its type
trace       the calls of one request, and the recorder that observes them
slow        slow motion: a recorder that holds each call before it is served
outcome     how a call ended: ok, failed, denied, injected
touched     the hosts, buckets, keys, files and subjects that a call names
receipt     what a workload has used and was denied, and the least that it needs
spans       each request and its calls as spans of OpenTelemetry
"""

from .outcome import Outcome, outcome_of
from .receipt import ImportUse, Receipt, Receipts, Tally
from .slow import SlowMotion, SlowRecorder
from .spans import Spans
from .touched import Meanings
from .trace import Recorder, Trace, failure_of, sentence
from .values import CaseValue, text_of

__all__ = [
    "CaseValue",
    "ImportUse",
    "Meanings",
    "Outcome",
    "Receipt",
    "Receipts",
    "Recorder",
    "SlowMotion",
    "SlowRecorder",
    "Spans",
    "Tally",
    "Trace",
    "failure_of",
    "outcome_of",
    "sentence",
    "text_of",
]
