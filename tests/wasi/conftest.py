"""What the tests of WASI share."""

from __future__ import annotations

import pytest

from washnb.engine import Engine


@pytest.fixture(scope="module")
def engine():
    """An engine without a cache: most of these guests are used once."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine
