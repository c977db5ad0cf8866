"""Fixtures: a harness with a fast sandbox, and a connected client."""

from collections.abc import AsyncIterator

import pytest

from tests.server.harness import Harness, WireClient, open_harness


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with open_harness() as harness:
        yield harness


@pytest.fixture
async def wire(harness: Harness) -> AsyncIterator[WireClient]:
    async with harness.connect() as wire:
        yield wire
