"""Where one conversation is saved: in the store, and for servers that go on with its session, if there are some.

Each place has a `Persistence` of its own (`persistence.py`), and none waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from realtime.protocol.server_events import ServerEvent
from realtime.server.journaling import RECORD_S
from realtime.server.persistence import BATCH_S, Persistence, StoredConversation
from realtime.server.restoring import Restored
from realtime.server.runtime import Runtime
from realtime.session.session import Session
from realtime.tasks import cancel


class Saving:
    """Of one session. `shared`: the place from which another server goes on with it, as soon as it is wanted."""

    def __init__(
        self, own: Persistence | None, shared: Callable[[], Persistence] | None, *, share: bool
    ) -> None:
        """Without `shared` other servers read the own place."""
        self._places = [] if own is None else [own]
        self._open_shared = shared
        self._shared = own
        self._tasks: list[asyncio.Task[None]] = []
        self._name: str | None = None  # once it runs
        if share:
            self.share()

    def __repr__(self) -> str:
        return f"<Saving {self._places}>"

    def start(self, name: str) -> None:
        self._name = name
        for place in self._places:
            self._run(place)

    def _run(self, place: Persistence) -> None:
        self._tasks.append(asyncio.create_task(place.run(), name=f"{self._name} persistence"))

    def share(self) -> None:
        """Save also for other servers from now on."""
        if self._open_shared is None:
            return
        self._shared, self._open_shared = self._open_shared(), None
        self._places.append(self._shared)
        self._shared.again()
        if self._name is not None:
            self._run(self._shared)

    def on_event(self, event: ServerEvent) -> None:
        for place in self._places:
            place.on_event(event)

    def again(self) -> None:
        """Save again for other servers: what was saved for them may be forgotten."""
        if self._shared is not None:
            self._shared.again()

    def changed(self) -> None:
        """Something counts by now that did not when it was saved for other servers."""
        if self._shared is not None:
            self._shared.look_again()

    async def save_all(self) -> bool:
        """Save now; returns whether every place has it all."""
        return all(await asyncio.gather(*(place.save_all() for place in self._places)))

    @property
    def saved(self) -> int:
        """How many items other servers find."""
        return 0 if self._shared is None else self._shared.saved

    @property
    def unsaved(self) -> bool:
        """Whether something has changed that other servers do not find yet."""
        return self._shared is not None and self._shared.unsaved

    async def save_changes(self) -> None:
        """Save what has changed where other servers find it."""
        if self._shared is not None and self._shared.unsaved:
            await self._shared.save_changes()

    async def save_shared(self) -> bool:
        """Save now; returns whether other servers find it all."""
        return self._shared is None or await self._shared.save_all()

    def freeze(self, *, frozen: bool) -> None:
        """Nothing that happens here from now on is saved in any place, or it is again: see `hand_over`."""
        for place in self._places:
            place.freeze(frozen=frozen)

    async def finish(self, *, only_heard: bool, late: bool) -> None:
        """The session has ended: save the last changes."""
        await cancel(self._tasks)
        await asyncio.gather(*(place.finish(only_heard=only_heard, late=late) for place in self._places))


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
    place = partial(
        Persistence,
        conversation=session.conversation,
        so_far=session.responses.so_far,
        on_taken_over=on_taken_over,
    )
    own, shared = None, None
    if runtime.store is not None:
        batch_s = BATCH_S if runtime.journal is None else RECORD_S
        own = place(runtime.store, owner, session.conversation_id, stored=stored, batch_s=batch_s)
    if runtime.copies is not None:
        kept = None if restored is None else restored.kept
        shared = partial(place, runtime.copies, owner, session.id, stored=kept, batch_s=RECORD_S)
    return Saving(own, shared, share=session.config.has("resume"))
