"""A thousand connections that never speak: they cost little, one who speaks among them is answered, all of it goes away."""

import asyncio
import json
import resource

import pytest
import websockets

from tests.server.wire import house as open_house

CROWD = 1_000
DESCRIPTORS = 3 * CROWD


@pytest.fixture
def descriptors():
    """Room for both ends of every connection, as far as this machine allows it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"this machine allows {hard} open files, the test needs {DESCRIPTORS}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_thousand_that_never_speak(descriptors):
    async with open_house(max_sessions=CROWD + 1) as house:
        address = house.ws_url
        crowd = []
        for _ in range(CROWD // 50):
            crowd += await asyncio.gather(
                *(websockets.connect(address, compression=None, ping_interval=None) for _ in range(50))
            )
        for socket in crowd:
            assert json.loads(await socket.recv())["type"] == "session.created"
        async with house.wire() as wire:
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.connect(address, compression=None)
            assert refused.value.response.status_code == 503
            assert "Retry-After" in refused.value.response.headers
        await asyncio.gather(*(socket.close() for socket in crowd))
        await house.empty()
