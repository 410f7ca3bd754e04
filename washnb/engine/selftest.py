"""A check, once per process, that this release of wasmtime keeps what washnb builds on.

wasmtime 50.0 with its default configuration traps every host call to which a guest lends two or more resources
("deferred host scope has no call context"). `EngineBuilder` switches off the features that cause it. A release or a
configuration that traps nevertheless is refused here, before a guest runs into it.
"""

from __future__ import annotations

from importlib.metadata import version

import wasmtime
from wasmtime import Engine as WasmtimeEngine
from wasmtime import component as wt

from washnb.errors import ConfigError

_TWO_BORROWS = """
(component
  (import "host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "[constructor]thing" (func (result (own $thing))))
    (export "both" (func (param "a" (borrow $thing)) (param "b" (borrow $thing)) (result u32)))))
  (core func $new (canon lower (func $host "[constructor]thing")))
  (core func $both (canon lower (func $host "both")))
  (core module $module
    (import "host" "new" (func $new (result i32)))
    (import "host" "both" (func $both (param i32 i32) (result i32)))
    (func (export "run") (result i32) (call $both (call $new) (call $new))))
  (core instance $instance (instantiate $module (with "host" (instance
    (export "new" (func $new)) (export "both" (func $both))))))
  (func (export "run") (result u32) (canon lift (core func $instance "run"))))
"""
_THING, _ANSWER = 0, 42


def check(engine: WasmtimeEngine) -> None:
    """Run a component that lends two resources to the host in one call. Raises ConfigError where that fails."""
    try:
        answer = _lend_two(engine)
    except wasmtime.WasmtimeError as error:
        cause = str(error).rpartition("Caused by:")[2].strip()
        raise refusal(f"lending two resources in one call fails ({cause.splitlines()[0]})") from error
    if answer != _ANSWER:
        raise refusal(f"lending two resources in one call gives {answer}")


def _lend_two(engine: WasmtimeEngine) -> object:
    with wt.Linker(engine) as linker, wasmtime.Store(engine) as store:
        store.set_epoch_deadline(1 << 30)
        with linker.root() as root, root.add_instance("host") as host:
            host.add_resource("thing", wt.ResourceType.host(_THING), lambda _store, _rep: None)
            host.add_func("[constructor]thing", lambda _store: wt.ResourceHost.own(1, _THING))
            host.add_func("both", _both)
        instance = linker.instantiate(store, wt.Component(engine, _TWO_BORROWS))
        run = instance.get_func(store, "run")
        assert run is not None, "the component exports it"
        answer = run(store)
        run.post_return(store)
        return answer


def _both(store: wasmtime.StoreContext, *things: wt.ResourceAny) -> int:
    for thing in things:
        thing.to_host(store)  # ends the loan
    return _ANSWER


def refusal(symptom: str) -> ConfigError:
    """Make the error for a release of wasmtime that washnb cannot run on; `symptom` says what is wrong with it."""
    return ConfigError(
        f"washnb does not hold on wasmtime {version('wasmtime')}: {symptom}",
        repair="pip install --upgrade washnb   (it brings the wasmtime release that it was tested with)",
    )
