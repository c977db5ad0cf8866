"""Our own server with a fast sandbox, used if no other server is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

SPEECH = "speech.factor=20"  # times real time, as on the platform


@asynccontextmanager
async def own_server() -> AsyncIterator[str]:
    """Yields the URL of its WebSocket."""
    from tests.server.harness import open_harness

    transcriber = "local" if find_spec("faster_whisper") else "none"
    async with open_harness(SPEECH, transcriber=transcriber, language="en") as harness:
        yield harness.ws_url
