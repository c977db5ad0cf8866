"""What other servers have to do with one session: whether they can go on with it, and how it leaves for them.

Knows the session's entry in the journal, once there is one; what is written there is `recording.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from realtime.outbox import OutboxFull
from realtime.server.closing import DRAINING, RESTARTING

if TYPE_CHECKING:
    from realtime.server.journaling import JournaledSession
    from realtime.server.live_session import LiveSession


class Elsewhere:
    """Of one session. It holds the session only through the entry, which goes when the session has ended."""

    def __init__(self) -> None:
        self.journaled: JournaledSession | None = None
        self._begin: Callable[[LiveSession], JournaledSession] | None = None
        self._moving: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Elsewhere {self.journaled!r}>"

    def offer(self, begin: Callable[[LiveSession], JournaledSession], live: LiveSession) -> None:
        """`begin` puts the session in the journal, as soon as its client asks for `resume`."""
        self._begin = begin
        self.follow(live)

    def follow(self, live: LiveSession) -> None:
        """Its settings may have changed."""
        if self._begin is None or not live.resumable or live.ending.done():
            return
        begin, self._begin = self._begin, None
        live.saving.share()
        self.journaled = begin(live)

    async def may_run(self) -> bool:
        """Whether a tool may run here, and not at another server."""
        return self.journaled is None or await self.journaled.claim()

    async def moved_on(self) -> bool:
        """Whether another server has gone on with it: then nothing that was said here since counts."""
        return self.journaled is not None and not await self.journaled.is_mine()

    def can_move(self, live: LiveSession) -> bool:
        """Whether another server can go on with it now, without a loss."""
        stays = live.session.restoring or live.session.leaving.must_stay
        return self.journaled is not None and live.resumable and not stays

    def leave(self, live: LiveSession) -> None:
        """The server stops: another one goes on with it, or it ends here."""
        if self.journaled is None or not live.resumable:
            cut(live)
        elif self._moving is None:
            self._moving = asyncio.create_task(_move(live, self.journaled), name=f"{live.id} hand-over")


async def _move(live: LiveSession, journaled: JournaledSession) -> None:
    if await journaled.hand_over():
        live.close_soon(*RESTARTING)
    else:
        cut(live)


def cut(live: LiveSession) -> None:
    """End it, and what is said in it as failed. The client may connect again."""
    if not live.ending.done():
        with contextlib.suppress(OutboxFull):
            live.session.leaving.cut()
        live.close_soon(*DRAINING)
