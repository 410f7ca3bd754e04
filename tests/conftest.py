"""What tests of several rooms share."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from washnb.engine import Engine
from washnb.engine.store import STORES

hypothesis.settings.register_profile("fast", max_examples=30, deadline=None)
hypothesis.settings.register_profile("ci", max_examples=200, deadline=None, print_blob=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "fast"))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """One engine for all tests that do not want one of their own, and with it what it has compiled."""
    with Engine.builder().with_cache_dir(None).build() as engine:
        yield engine


@pytest.fixture(autouse=True)
def _no_store_is_left() -> Iterator[None]:
    """Hold every test to what its calls promise: ended in whatever way, they leave no store and so no handle behind."""
    before = set(STORES)
    yield
    assert set(STORES) <= before, "a store outlived the test that made it"


@pytest.fixture(scope="session")
def built_guest() -> Callable[[str], Path]:
    """Builds a guest of `tests/components/build.py` by its name, unless it was built before, and gives its path."""
    spec = importlib.util.spec_from_file_location("guests", Path(__file__).parent / "components" / "build.py")
    guests = importlib.util.module_from_spec(spec)
    sys.modules["guests"] = guests
    spec.loader.exec_module(guests)

    def build(name: str) -> Path:
        if name.endswith("_js") and shutil.which("npm") is None:
            pytest.skip("componentize-js needs Node and npm, which this machine does not have")
        return guests.build(name)

    return build
