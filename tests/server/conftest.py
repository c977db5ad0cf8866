"""A server over a quick platform for the tests that need nothing special."""

from collections.abc import AsyncIterator

import pytest

from tests.server.wire import House, Wire
from tests.server.wire import house as open_house


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house() as house:
        yield house


@pytest.fixture
async def wire(house: House) -> AsyncIterator[Wire]:
    async with house.wire() as wire:
        yield wire
