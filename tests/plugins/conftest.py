"""What tests of several plugins share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from washnb.plugins import NatsServer


@pytest.fixture
async def server(nats_account: str) -> AsyncIterator[NatsServer]:
    """Give an open connection to an account of NATS in which nobody else keeps anything."""
    server = NatsServer(nats_account)
    await server.open()
    yield server
    await server.close()
