"""A real Redis for the stores, started once; without one its tests are skipped, or fail if REQUIRE names `redis`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.redis_server import RedisServer, require


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    require()
    server = RedisServer().start()
    yield server.url
    server.close()
