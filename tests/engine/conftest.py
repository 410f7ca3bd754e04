"""What the engine's tests share."""

from __future__ import annotations

import pytest

from washnb.engine import Engine
from washnb.engine.store import STORES


@pytest.fixture(scope="session")
def shared_engine():
    """One engine for all tests that do not care which."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine


@pytest.fixture
def no_stores_left():
    """Fails a test that leaves a store behind."""
    before = set(STORES)
    yield
    assert set(STORES) <= before
