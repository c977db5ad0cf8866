"""Cuts what sounds, and tells what it means that a player has played, stopped or been cut: the client and the rules.

The positions are kept in `playout.py`; which reply is made, and which one is the latest, in `responses.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.context import Context
from realtime.core import turn as turns
from realtime.protocol.server_events import OutputAudioBufferStarted, OutputAudioBufferStopped
from realtime.replying.latency import Waterfalls
from realtime.replying.playout import FLUSH_TIMEOUT_S, Announcements, Playout
from realtime.replying.reply_sound import ReplySound


class Sounding:
    """Of one session. `latest_id`: the latest reply of the conversation; for the listener those before it are one with
    it."""

    def __init__(self, context: Context, playout: Playout, waterfalls: Waterfalls) -> None:
        self._context = context
        self._playout = playout
        self._waterfalls = waterfalls
        self.latest_id: str | None = None
        self.cut_s = float("-inf")  # when something was cut or stopped last

    def __repr__(self) -> str:
        return f"<Sounding {self._playout!r}>"

    def await_end(self, response_id: str) -> None:
        """This reply has ended: look again when everything that was sent must have been heard."""
        if response_id != self.latest_id:
            return  # the next reply has begun: for the listener it is one
        remaining_s = self._playout.unheard_s()
        if remaining_s > 0:
            self._playout.later(remaining_s + 0.001, lambda: self.await_end(response_id))
        else:
            self._context.turns.put(turns.PlaybackEnded(response_id))

    def cut(self, response_id: str | None = None) -> None:
        """The listener was interrupted: whatever sounds is cut, or of it this reply."""
        self.cut_s = self._playout.now_s()
        self._announce(self._playout.cut(response_id))
        self.await_flush()

    def await_flush(self) -> None:
        """Settle what was cut, once its player can have said where it stopped."""
        if cut := self._playout.awaiting_flush():
            self._playout.later(FLUSH_TIMEOUT_S, lambda: self._announce(self._playout.settle(cut)))

    def silence(self, response_id: str | None = None) -> None:
        """A finished reply that may still sound (default: all of them) has been heard enough."""
        self.cut(response_id)
        self._look_for_end()

    def truncated(self, item_id: str) -> None:
        """The client has said how much of an item was heard: if it still sounded, its player was stopped there. If it
        is the latest one and should just have ended, the rules decide what that means."""
        if self._playout.stopped_by_client(item_id):
            self._was_stopped()
            return
        response_id = self._playout.cut_short(item_id)
        if response_id is not None and response_id == self.latest_id:
            self._context.turns.put(turns.ReplyCutShort(response_id))

    def deleted(self, item_id: str) -> None:
        """The client has deleted an item: if it stops its player as well, what that has not begun sounds no more."""
        if self._playout.deleted_by_client(item_id):
            self._was_stopped()

    def _was_stopped(self) -> None:
        """The client has stopped something by itself."""
        self.cut_s = self._playout.now_s()
        self._look_for_end()

    def played(self, item_id: str, played_ms: float, *, drained: bool, flushed: bool) -> None:
        """The player tells its position (extension `playback`)."""
        self._announce(self._playout.played(item_id, played_ms, drained=drained, flushed=flushed))

    def said_on(self, sounds: Sequence[ReplySound]) -> None:
        """What was cut is said on, from the first word that was not heard whole."""
        self._announce(self._playout.said_on(sounds))

    def _announce(self, announcements: Announcements) -> None:
        """Tell the client, and follow what it means."""
        for event in announcements:
            self._context.outbox.put(event)
            match event:
                case OutputAudioBufferStarted(response_id=response_id):
                    self._waterfalls.tell(response_id)
                case OutputAudioBufferStopped():
                    self._look_for_end()

    def _look_for_end(self) -> None:
        """Something has stopped sounding: tell the rules if nothing sounds any more. Of a reply that is still made they
        do not hear it."""
        if self.latest_id is not None and not self._playout.sounds():
            self._context.turns.put(turns.PlaybackEnded(self.latest_id))
