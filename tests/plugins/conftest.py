"""What tests of plugins share."""

from __future__ import annotations

import pytest

from washnb.engine import Engine


@pytest.fixture(scope="package")
def engine():
    """Share one engine, and with it what it has compiled."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine
