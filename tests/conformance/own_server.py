"""Our own server over a quick sandbox, for those who name no other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

SPEECH = "speech.factor=20"  # faster than it plays, slower than at once: as the platform


@asynccontextmanager
async def own_server() -> AsyncIterator[str]:
    """Yields the address of its Realtime socket."""
    from tests.server.harness import open_harness

    ears = "local" if find_spec("faster_whisper") else "none"
    async with open_harness(SPEECH, transcriber=ears, language="en") as it:
        yield it.ws_url
