"""Where one conversation is saved: in the store, and for servers that go on with its session, if there are some.

Each place has a `Persistence` of its own (`persistence.py`), and none waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from realtime.protocol.server_events import ServerEvent
from realtime.server.persistence import Persistence


class Saving:
    """Of one session."""

    def __init__(self, places: Sequence[Persistence]) -> None:
        self._places = tuple(places)
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"<Saving {list(self._places)}>"

    def start(self, name: str) -> None:
        self._tasks = [asyncio.create_task(place.run(), name=f"{name} persistence") for place in self._places]

    def on_event(self, event: ServerEvent) -> None:
        for place in self._places:
            place.on_event(event)

    def again(self) -> None:
        """Save even if nothing has changed: what was saved may be forgotten."""
        for place in self._places:
            place.again()

    async def save_all(self) -> bool:
        """Save now; returns whether every place has it all."""
        return all(await asyncio.gather(*(place.save_all() for place in self._places)))

    async def finish(self, *, only_heard: bool) -> None:
        """The session has ended: save the last changes."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(place.finish(only_heard=only_heard) for place in self._places))
