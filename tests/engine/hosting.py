"""Instances for tests: a component from WAT text, with Python objects behind its imports."""

from __future__ import annotations

from typing import Any

from washnb.engine import Bindings, Engine, Instance, Interface


async def bound(
    engine: Engine, text: str, *implementations: Interface, on_fiber: bool = True, name: str = "guest"
) -> Bindings:
    """Compile a component and bind each implementation under the name that its class carries."""
    bindings = Bindings(await engine.compile(text.encode(), name=name))
    for implementation in implementations:
        bindings.bind(implementation.wit, implementation, provider="test", on_fiber=on_fiber)
    return bindings


async def started(
    engine: Engine, text: str, *implementations: Interface, on_fiber: bool = True, **how: Any
) -> Instance:
    """An instance of a component with these implementations behind its imports."""
    bindings = await bound(engine, text, *implementations, on_fiber=on_fiber)
    return await Instance.new(bindings.component, bindings, **how)
