"""Real components for the tests of several nodes. Without them the tests are skipped, or fail if REQUIRE names them."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from functools import partial

import pytest

from realtime.core import own_part
from realtime.server import journaling, restoring
from tests.cluster import redis_server
from tests.cluster.nodes import ANSWERS_S
from tests.cluster.redis_server import RedisServer


@pytest.fixture(scope="module", autouse=True)
def needed(request: pytest.FixtureRequest) -> None:
    """A module with `NEEDS_REDIS = False` does without."""
    if getattr(request.module, "NEEDS_REDIS", True):
        redis_server.require()


@pytest.fixture(autouse=True)
def new(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Redis is new, and nobody has used it before: no test waits for those who may come back."""
    if getattr(request.module, "NEW", True):
        monkeypatch.setattr(own_part, "YOUNG_MS", 0)


@pytest.fixture
def redis_away() -> Iterator[None]:
    """Redis is away on purpose. A link looks for it at random times: here at the same ones in each run."""
    random.seed(1)
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server finds out sooner that it has lost a session."""
    monkeypatch.setattr(journaling, "ALIVE_S", 0.2)


@pytest.fixture(autouse=True)
def patient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Redis that runs is waited for, on this machine that may be busy. A test of one that hangs says its own times,
    with `impatient` those of the product."""
    virtual = not getattr(request.module, "NEW", True)
    if virtual or redis_server.missing() is not None or "impatient" in request.fixturenames:
        return
    from realtime.providers import redis_permit, redis_report, redis_store, shared_quotas
    from realtime.providers.redis_address import open_redis

    monkeypatch.setattr(shared_quotas, "open_redis", partial(open_redis, limit_s=ANSWERS_S))
    monkeypatch.setattr(redis_store, "ANSWER_S", ANSWERS_S)
    monkeypatch.setattr(redis_permit, "LIMIT_S", ANSWERS_S)
    monkeypatch.setattr(redis_report, "LIMIT_S", ANSWERS_S)
    monkeypatch.setattr(journaling, "HAND_OVER_S", ANSWERS_S)
    monkeypatch.setattr(journaling, "CLAIM_S", ANSWERS_S)
    monkeypatch.setattr(restoring, "BUSY_S", 2 * ANSWERS_S)


@pytest.fixture
def impatient() -> None:
    """Nobody waits longer for Redis than in a real server."""


@pytest.fixture(scope="session")
def kept_server() -> Iterator[RedisServer]:
    """One for tests that do it no harm."""
    redis_server.require()
    server = RedisServer().start()
    yield server
    server.close()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """One that a test may harm."""
    server = RedisServer().start()
    yield server
    server.close()
