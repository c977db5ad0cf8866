"""What the contract tests share: a sandbox and a client of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from realtime.minimax import MiniMax
from realtime.sandbox.server import Sandbox


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


@pytest.fixture
async def mm(sandbox: Sandbox) -> AsyncIterator[MiniMax]:
    async with MiniMax("key", sandbox.url) as client:
        yield client
