"""Which workload answers."""

from __future__ import annotations

from washnb.host import DevRouter
from washnb.types import Request

ANY = Request("GET", "/", (("host", b"ignored.example"),))


def test_nobody_answers_at_first():
    """A router without workloads routes nowhere."""
    assert DevRouter().route(ANY) is None


def test_the_workload_resolved_last_answers():
    """Each workload that is resolved takes over."""
    router = DevRouter()
    for workload in ("a", "b", "a"):
        router.on_workload_resolved(workload)
        assert router.route(ANY) == workload


def test_the_one_before_takes_over_when_the_last_one_goes():
    """Unload falls back to the workload resolved before it."""
    router = DevRouter()
    for workload in ("a", "b", "c"):
        router.on_workload_resolved(workload)
    router.on_workload_unbind("b")
    assert router.route(ANY) == "c"
    router.on_workload_unbind("c")
    assert router.route(ANY) == "a"
    router.on_workload_unbind("a")
    assert router.route(ANY) is None


def test_unbinding_twice_is_no_error():
    """A workload that never answered HTTP is unbound like any other."""
    router = DevRouter()
    router.on_workload_unbind("never seen")
    assert router.route(ANY) is None
