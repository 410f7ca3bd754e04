"""What a trap says about where the guest was."""

from __future__ import annotations

from washnb.engine.driver import guest_error

TRAP = """error while executing at wasm backtrace:
    0:     0xc2 - shop.wasm!inner
                    at /src/shop.c:1:32
    1:     0x7d - shop.wasm!middle
                    at /src/shop.c:3:3
                    at /src/shop.c:9:1
    2:     0xd2 - shop.wasm!<wasm function 4>

Caused by:
    wasm trap: wasm `unreachable` instruction executed
"""


def test_a_backtrace_carries_source_lines():
    """A frame names the source lines that wasmtime gives it, those of inlined functions too, or none."""
    error = guest_error("shop", "go", TRAP)
    assert error.reason == "wasm `unreachable` instruction executed"
    assert error.backtrace == (
        "0xc2 - shop.wasm!inner at /src/shop.c:1:32",
        "0x7d - shop.wasm!middle at /src/shop.c:3:3 at /src/shop.c:9:1",
        "0xd2 - shop.wasm!<wasm function 4>",
    )
    assert "at 0xc2 - shop.wasm!inner at /src/shop.c:1:32" in str(error)
