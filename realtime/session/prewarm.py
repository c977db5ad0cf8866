"""Has the upstreams of one session ready before it asks them for anything (docs/architecture.md 2.1).

When it begins, when the user begins to speak, when another voice is chosen, and again and again while nothing happens:
who types asks without any notice. What prewarming means is the providers' business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from realtime.contained import contained
from realtime.context import Context
from realtime.providers.base import Voice

EVERY_S = 50.0  # providers forget a voice after minutes, hosts a connection

log = logging.getLogger(__name__)


class Prewarm:
    """`voice` tells what the next reply will most likely speak with."""

    def __init__(self, context: Context, voice: Callable[[], Voice]) -> None:
        self._context = context
        self._voice = voice
        self._prewarmed: Voice | None = None

    def __repr__(self) -> str:
        return f"<Prewarm for {self._prewarmed}>"

    def start(self) -> None:
        """Keep everything ready for as long as the session lives."""
        self._context.tasks.spawn(self._keep(), "prewarm upstreams")

    async def _keep(self) -> None:
        while True:
            await self._ahead()
            await asyncio.sleep(EVERY_S)

    async def _ahead(self) -> None:
        try:
            await contained(self._both())
        except Exception as error:  # of a provider from anywhere; the reply will say what is wrong
            log.error("prewarming broke", exc_info=error)

    async def _both(self) -> None:
        self.voice()
        await self._context.providers.chat.prewarm()

    def turn_comes(self) -> None:
        """Somebody speaks, and will be answered."""
        self._context.tasks.spawn(self._ahead(), "prewarm chat")

    def settings_changed(self) -> None:
        """Another voice may have been chosen."""
        if self._voice() != self._prewarmed:
            self.voice()

    def voice(self) -> None:
        self._prewarmed = self._voice()
        self._context.providers_for(self._context.voice_id).speech.prewarm(self._prewarmed)
