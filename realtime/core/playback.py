"""How much of a reply the listener has heard, from what was sent and what the player says.

Pure: the time is an argument, in seconds of any clock that does not jump. Positions are milliseconds of the part's
audio. Never beyond what was sent (shared/design.md 2.4).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Playback:
    """The listener's position in one audio part."""

    sent_ms: float = 0.0
    started_s: float | None = None  # when the first audio left
    acked_ms: float | None = None
    acked_s: float = 0.0
    drained: bool = False
    flushed: bool = False

    def sent(self, ms: float, now_s: float) -> None:
        """Audio was handed to the socket. A listener that had run dry starts again from here."""
        if self.started_s is None:
            self.started_s = now_s
        else:
            dry_s = now_s - self.started_s - self.sent_ms / 1000
            if dry_s > 0 and self.acked_ms is None:
                self.started_s += dry_s
        self.sent_ms += ms

    def ack(self, played_ms: float, now_s: float, *, drained: bool = False, flushed: bool = False) -> bool:
        """The player says it has played this much. Returns False for a step backwards, which is ignored."""
        if self.acked_ms is not None and played_ms < self.acked_ms:
            return False
        self.acked_ms, self.acked_s = min(played_ms, self.sent_ms), now_s
        self.drained = self.drained or drained
        self.flushed = self.flushed or flushed
        return True

    def heard_ms(self, now_s: float) -> float:
        """The best estimate of what has left the speaker by now."""
        if self.acked_ms is not None:
            if self.drained or self.flushed:
                return self.acked_ms
            return min(self.sent_ms, self.acked_ms + (now_s - self.acked_s) * 1000)
        if self.started_s is None:
            return 0.0
        return min(self.sent_ms, (now_s - self.started_s) * 1000)

    def remaining_s(self, now_s: float) -> float:
        """Seconds until everything that was sent has been heard."""
        if self.drained or self.flushed:
            return 0.0
        return max(0.0, (self.sent_ms - self.heard_ms(now_s)) / 1000)
