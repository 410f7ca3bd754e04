"""What is known of a function's values before it is called."""

from __future__ import annotations

from washnb.engine import Function, shapes
from washnb.events import HostCall
from washnb.host.signature import Signature, signature_of
from washnb.host.trace import Recorder

STRING = shapes.Primitive("string")


def test_a_call_is_about_a_secret_by_its_key():
    """Only the values of parameters named key or name count, whatever stands where they should be."""
    signature = Signature(Function("set", (("value", STRING), ("key", STRING)), None))
    assert signature.is_about_secret(("x", "api-token"))
    assert not signature.is_about_secret(("api-token", "x"))
    assert not signature.is_about_secret(("x", 7))
    assert not Signature(Function("f", (("text", STRING),), None)).is_about_secret(("token",))


def test_functions_that_come_and_go_keep_apart():
    """Thousands of functions, each gone after its call: none is taken for one that had its place in memory before."""
    calls: list[HostCall] = []
    recorder = Recorder(1, "w", "c", calls.append)
    for number in range(3000):
        function = Function(f"f{number}", ((f"a{number}", STRING),), None)
        recorder.returned(recorder.called("x:y/z", function, ("v",), "p"), None)
        assert signature_of(function) is signature_of(function)
    assert [(call.function, call.arguments) for call in calls] == [
        (f"f{number}", ((f"a{number}", "v"),)) for number in range(3000)
    ]
