"""What was read of long speech that is not open here: what is said next goes on with it, if it comes in time.

It was open at another server, or the detector took it for a noise. Where nothing follows, it is an item of its own.
"""

from __future__ import annotations

import asyncio
import logging

from realtime.context import Context
from realtime.errors import ProtocolError
from realtime.listening.comes_again import AGAIN_S
from realtime.listening.segment import Settled
from realtime.listening.user_items import UserItems
from realtime.logs import story
from realtime.weak_calls import weak_call

log = logging.getLogger(__name__)


class Carried:
    """Of one session."""

    def __init__(self, context: Context, items: UserItems) -> None:
        self._context = context
        self._items = items
        self._until_s = 0.0  # loop seconds
        self._timer: asyncio.TimerHandle | None = None
        self.settled = Settled()

    def __repr__(self) -> str:
        return f"<Carried {self.settled.seconds:.0f} s>"

    def keep(self, settled: Settled) -> None:
        """The speech that goes on with it has some seconds to begin."""
        self._until_s = asyncio.get_running_loop().time() + AGAIN_S
        self.give_back(settled)

    def take(self) -> Settled:
        """Speech has begun."""
        taken, self.settled = self.settled, Settled()
        self.close()
        return taken

    def give_back(self, settled: Settled) -> None:
        """What was said then was no speech: the time goes on."""
        self.close()
        self.settled = settled
        if settled.seconds:
            end = self._context.tasks.guarded(weak_call(self._nothing_follows))
            self._timer = asyncio.get_running_loop().call_at(self._until_s, end)

    def end(self) -> None:
        """Nothing goes on with it any more. Where the client ends the turns, it is part of what that commits."""
        if self._context.config.turn_detection is None or not self.settled.seconds:
            return
        settled = self.take()
        if not settled.text:
            return
        try:
            self._items.add_settled(settled)
        except ProtocolError as error:
            story(log, "beginning of a long turn lost: no room for it", {"code": error.code}, logging.WARNING)

    def _nothing_follows(self) -> None:
        with self._context.turns:
            self.end()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
