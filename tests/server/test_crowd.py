"""A thousand idle connections: one more client is answered, the next one is rejected, and all sessions end."""

import asyncio
import json
import resource

import pytest
import websockets

from tests.server.harness import TIMEOUT_S, open_harness

CONNECTIONS = 1_000
DESCRIPTORS = 3 * CONNECTIONS


@pytest.fixture
def descriptors():
    """Raise the limit of open files for both ends of every connection, or skip."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        pytest.skip(f"this machine allows {hard} open files, the test needs {DESCRIPTORS}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, DESCRIPTORS), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_thousand_idle_connections(descriptors):
    async with open_harness(max_sessions=CONNECTIONS + 1) as harness:
        address = harness.ws_url
        sockets = []
        for _ in range(CONNECTIONS // 50):
            sockets += await asyncio.gather(
                *(
                    websockets.connect(address, compression=None, ping_interval=None, open_timeout=TIMEOUT_S)
                    for _ in range(50)
                )
            )
        for socket in sockets:
            assert json.loads(await socket.recv())["type"] == "session.created"
        async with harness.connect() as wire:
            assert (await wire.ask("What is two plus two?"))["status"] == "completed"
            with pytest.raises(websockets.InvalidStatus) as rejected:
                await websockets.connect(address, compression=None)
            assert rejected.value.response.status_code == 503
            assert "Retry-After" in rejected.value.response.headers
        await asyncio.gather(*(socket.close() for socket in sockets))
        await harness.no_sessions()
