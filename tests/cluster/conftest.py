"""Real components for the tests of several nodes. Without them the tests are skipped, or fail if REQUIRE names them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster import redis_server
from tests.cluster.redis_server import RedisServer


@pytest.fixture(scope="session", autouse=True)
def needed() -> None:
    redis_server.require()


@pytest.fixture(scope="session")
def kept_server(needed: None) -> Iterator[RedisServer]:
    """One for tests that do it no harm."""
    server = RedisServer().start()
    yield server
    server.close()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that a test may harm."""
    server = RedisServer().start()
    yield server
    server.close()
