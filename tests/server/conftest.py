"""Fixtures: a harness with a fast sandbox, one with a key, and a connected client."""

from collections.abc import AsyncIterator

import pytest

from tests.server.door_kit import KEY
from tests.server.harness import Harness, WireClient, open_harness


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


@pytest.fixture
async def with_key() -> AsyncIterator[Harness]:
    async with open_harness(api_keys=(KEY,)) as harness:
        yield harness


@pytest.fixture
async def wire(harness: Harness) -> AsyncIterator[WireClient]:
    async with harness.connect() as wire:
        yield wire
