"""Where one conversation is saved: in the store, and for servers that go on with its session, if there are some.

Each place has a `Persistence` of its own (`persistence.py`), and none waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from realtime.protocol.server_events import ServerEvent
from realtime.server.journaling import RECORD_S
from realtime.server.persistence import BATCH_S, Persistence, StoredConversation
from realtime.server.restoring import Restored
from realtime.server.runtime import Runtime
from realtime.session.session import Session


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


def places_of(
    session: Session,
    runtime: Runtime,
    owner: str,
    *,
    stored: StoredConversation | None,
    restored: Restored | None,
    on_taken_over: Callable[[], None],
) -> Saving:
    """Where the conversation of this session is saved. `owner` is the name of the client's key."""
    places = []
    place = partial(
        Persistence,
        conversation=session.conversation,
        so_far=session.responses.so_far,
        on_taken_over=on_taken_over,
    )
    if runtime.store is not None:
        batch_s = BATCH_S if runtime.journal is None else RECORD_S
        where = (runtime.store, owner, session.conversation_id)
        places.append(place(*where, stored=stored, batch_s=batch_s))
    if runtime.copies is not None and session.config.has("resume"):
        kept = None if restored is None else restored.kept
        places.append(place(runtime.copies, owner, session.id, stored=kept, batch_s=RECORD_S))
    return Saving(places)
