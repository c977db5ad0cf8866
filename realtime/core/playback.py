"""How much of a reply the listener has heard, from what was sent and what the player says.

Pure: the time is an argument, in seconds of any clock that does not jump. Positions are milliseconds of the part's
audio. Never beyond what was sent (docs/architecture.md 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass

UNTOLD_S = 40.0  # sound of which a player tells nothing; a dead connection is noticed before


@dataclass(slots=True)
class Playback:
    """The listener's position in one audio part.

    Playback is a line through an anchor (a position, and when it was reached) that rises in real time and waits
    where the sent audio ends. The player's word moves the anchor; so does audio that comes after a dry spell.
    """

    sent_ms: float = 0.0
    not_before_s: float = float("-inf")  # an earlier reply sounds until then
    started_s: float | None = None  # when the first audio could begin to sound
    acked_ms: float | None = None
    drained: bool = False
    flushed: bool = False
    _anchor_ms: float = 0.0
    _anchor_s: float = 0.0

    def sent(self, ms: float, now_s: float) -> None:
        """Audio was handed to the socket. A listener that had run dry starts again from here."""
        if self.started_s is None:
            self.started_s = self._anchor_s = max(now_s, self.not_before_s)
        elif self._reached_ms(now_s) > self.sent_ms:
            self._anchor_ms, self._anchor_s = self.sent_ms, now_s
        self.sent_ms += ms
        self.drained = False

    def ack(self, played_ms: float, now_s: float, *, drained: bool = False, flushed: bool = False) -> bool:
        """The player says it has played this much. Returns False for a step backwards, which is ignored.

        That a player has thrown its audio away counts even with a position behind one it told before.
        """
        if self.acked_ms is not None and played_ms < self.acked_ms:
            if not flushed:
                return False
            played_ms = self.acked_ms
        self.acked_ms = min(played_ms, self.sent_ms)
        self._anchor_ms, self._anchor_s = self.acked_ms, now_s
        self.drained = self.drained or drained
        self.flushed = self.flushed or flushed
        return True

    def shift(self, seconds: float) -> None:
        """Everything is played so much later: the listener was away. Less than 0: sooner, what was before it is cut."""
        self.not_before_s += seconds
        self._anchor_s += seconds
        if self.started_s is not None:
            self.started_s += seconds

    def sent_again(self, ms: float, begins_s: float) -> None:
        """The last so many milliseconds are on their way again: they sound from this time on, at the earliest."""
        first_ms = max(self.sent_ms - ms, self.acked_ms or 0.0)
        if self._reached_ms(begins_s) > first_ms:
            self._anchor_ms, self._anchor_s = first_ms, begins_s
            if not first_ms:
                self.started_s = begins_s

    def heard_ms(self, now_s: float) -> float:
        """The best estimate of what has left the speaker by now."""
        if self.acked_ms is not None and (self.drained or self.flushed):
            return self.acked_ms
        return min(self.sent_ms, max(self._reached_ms(now_s), self.acked_ms or 0.0))

    def remaining_s(self, now_s: float) -> float:
        """Seconds until everything that was sent has been heard."""
        if self.drained or self.flushed or not self.sent_ms:
            return 0.0
        return max(0.0, self._anchor_s + (self.sent_ms - self._anchor_ms) / 1000 - now_s)

    def waits_s(self, now_s: float) -> float:
        """Seconds until the first of it can begin to sound."""
        return 0.0 if self.started_s is None else max(0.0, self.started_s - now_s)

    def untold(self, now_s: float) -> bool:
        """Whether a player that tells its position has not told the end: its connection may be dead, and not all of
        this have arrived."""
        if self.acked_ms is None or self.drained or self.flushed or self.sent_ms - self.acked_ms < 1.0:
            return False
        return self.remaining_s(now_s - UNTOLD_S) > 0

    def _reached_ms(self, now_s: float) -> float:
        """The position, if the audio never ran out."""
        return max(0.0, self._anchor_ms + (now_s - self._anchor_s) * 1000)
