"""The sound of one reply: which text was spoken when, how much left, how much was heard, where it was interrupted.

Times are loop seconds given by the caller; positions are milliseconds of the reply's own audio. It knows no wire.
"""

from __future__ import annotations

from realtime.core.heard_speech import BEYOND_MS
from realtime.core.playback import Playback
from realtime.core.spoken import SpokenPart
from realtime.core.turn_marks import Marks


class ReplySound:
    """`item_id` is the spoken item in the conversation, once there is one; `marks` are its reply's."""

    def __init__(self, response_id: str, marks: Marks) -> None:
        self.response_id = response_id
        self.marks = marks
        self.part = SpokenPart()
        self.playback = Playback()
        self.item_id: str | None = None
        self.complete = False  # no more of it will come
        self.discarded_ms = 0.0  # was thrown away before it left
        self.cut_s: float | None = None  # when the listener was interrupted
        self.stopped = False  # the client was told that it has played to its end
        self.unwanted = False  # the client has stopped it by itself: what it lacks is not said again
        self.deleted_s: float | None = None  # when its client deleted it from the conversation
        self.awaits_flush = False  # it was cut, and the player has yet to say where

    def __repr__(self) -> str:
        return f"<ReplySound of {self.response_id}, {self.part.audio_ms:.0f} ms, cut at {self.cut_s}>"

    @property
    def interrupted(self) -> bool:
        """The listener was told, or has said, to play no more of it."""
        return self.cut_s is not None

    def unheard_s(self, now_s: float) -> float:
        """Seconds of it that may still sound: on the way to the socket, or sent and not yet played."""
        if self.interrupted or self.playback.drained or self.playback.flushed:
            return 0.0
        waiting_ms = self.part.audio_ms - self.playback.sent_ms - self.discarded_ms
        return self.playback.remaining_s(now_s) + max(0.0, waiting_ms) / 1000

    def is_unplayed(self, at_s: float) -> bool:
        """Whether a client that has deleted its item can have played nothing of it by then: so LiveKit deletes one. A
        player that does not tell its position is behind what is known here."""
        heard_ms = self.playback.heard_ms(at_s)
        behind = self.playback.acked_ms is None and heard_ms <= BEYOND_MS
        return behind or not self.part.heard(heard_ms)

    def may_sound(self, now_s: float) -> bool:
        """Whether there is, or will be, anything to interrupt."""
        return not self.complete or self.unheard_s(now_s) > 0
