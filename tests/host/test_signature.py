"""What is known of a function's values before it is called."""

from __future__ import annotations

import pytest

from washnb.engine import Callee, Function, shapes
from washnb.events import HostCall, current_call
from washnb.host.recording.signature import Signature
from washnb.host.recording.trace import Recorder

STRING = shapes.Primitive("string")


def callee(name: str, *params: str, interface: str = "x:y/z@1.0.0") -> Callee:
    """A function with parameters of these names, all of them strings."""
    return Callee(interface, Function(name, tuple((each, STRING) for each in params), None), "p")


def test_a_call_is_about_a_secret_by_its_key():
    """Only the values of parameters named key or name count, whatever stands where they should be."""
    signature = Signature(callee("set", "value", "key"))
    assert signature.is_about_secret(("x", "api-token"))
    assert not signature.is_about_secret(("api-token", "x"))
    assert not signature.is_about_secret(("x", 7))
    assert not Signature(callee("f", "text")).is_about_secret(("token",))


def test_a_function_is_looked_at_once():
    """All its calls, whoever records them, share what is known of it."""
    calls: list[HostCall] = []
    called, known = callee("f", "text"), set()
    for request in range(3):
        recorder = Recorder(request, "w", "c", calls.append)
        recorder.returned(recorder.called(called, ("v",)), None)
        known.add(called.memo)
    assert [(call.function, call.arguments) for call in calls] == [("f", (("text", "v"),))] * 3
    assert len(known) == 1


@pytest.mark.parametrize(
    ("interface", "told"),
    [("x:y/z@1.0.0", (7, 1)), ("wasi:io/streams@0.2.6", (7, 1)), ("wasi:http/types@0.2.6", None)],
)
def test_what_a_call_does_is_known_to_be_its(interface, told):
    """While it goes on, and not after; calls of which nothing is ever told leave that out."""
    recorder = Recorder(7, "w", "c", lambda _call: None)
    token = recorder.called(callee("f", interface=interface), ())
    assert current_call.get() == told
    recorder.returned(token, None)
    assert current_call.get() is None
