"""The layout of wasmtime's values is derived or probed, and another one is refused before it can do harm."""

from __future__ import annotations

import struct

import pytest

from washnb.engine.abi import layout
from washnb.engine.abi.shapes import Enum, List, Option, Own, Primitive, Record, Resource, Result, Tuple, Variant
from washnb.engine.abi.source import payload_layout
from washnb.errors import ConfigError


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("VAL", 40, "component values have an unknown layout"),
        ("PAYLOAD", 16, "component values have an unknown layout"),
        ("BYTES", layout.BYTES - 8, "bytes objects have an unknown layout"),
        ("CONTINUATION", struct.Struct("24s"), "continuations have an unknown layout"),
    ],
)
def test_an_unknown_layout_is_refused(monkeypatch, name, value, reason):
    """With what is unknown, and what to install."""
    monkeypatch.setattr(layout, name, value)
    with pytest.raises(ConfigError, match=f"washnb cannot marshal on this machine: {reason}\n  pip install"):
        layout._check()


def test_unknown_host_handles_are_refused(monkeypatch):
    """Their rep must be where it is read."""
    monkeypatch.setattr(layout, "REP_OFFSET", 4)
    with pytest.raises(ConfigError, match="host handles have an unknown layout"):
        layout._probe_host_handle()


@pytest.mark.parametrize(
    "kind",
    [
        *map(Primitive, layout.SCALARS),
        Primitive("string"),
        List(Primitive("u8")),
        Option(Primitive("u8")),
        Result(None, None),
        Tuple((Primitive("u8"),)),
        Record((("a", Primitive("u8")),)),
        Variant((("a", None),)),
        Enum(("a",)),
        Own(Resource("a", "a", host=True)),
    ],
    ids=str,
)
def test_every_payload_fills_the_union(kind):
    """So that values side by side are read with one struct."""
    code, count = payload_layout(kind)
    packed = struct.Struct(f"<{code}")
    assert packed.size == layout.VAL - layout.PAYLOAD
    assert len(packed.unpack(bytes(packed.size))) == count
