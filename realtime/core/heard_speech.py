"""How much of one spoken item counts: all of it, or up to where it was cut. Knows its ledger, and no history."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.spoken import SpokenPart

BEYOND_MS = 1_000.0  # a client's clock and its player, and no mistake


@dataclass(slots=True)
class HeardSpeech:
    """`limit_ms` None: all of it."""

    part: SpokenPart
    limit_ms: float | None = None
    sent_ms: float | None = None  # how much audio had left when the rest was thrown away
    by_client: bool = False
    complete: bool = False

    @property
    def reach_ms(self) -> float:
        """How much of the part's audio anybody can have heard."""
        audio_ms = self.part.audio_ms
        return audio_ms if self.sent_ms is None else min(self.sent_ms, audio_ms)

    @property
    def voiced(self) -> str:
        """The words that got their sound, when it broke off by itself."""
        return self.part.heard(self.part.audio_ms) if self.part.audio_ms else self.part.text

    def cut(self, heard_ms: float, sent_ms: float | None) -> bool:
        """The listener was interrupted here, as far as the server can tell. `sent_ms`: what can be heard at most.

        Returns whether this cut is in force: a client's word is not overruled.
        """
        self.sent_ms = sent_ms
        if not self.by_client:
            self.limit_ms = max(0.0, min(heard_ms, self.reach_ms))
        return not self.by_client

    def end_with_whole_word(self) -> float | None:
        """End a cut with the last word that was heard whole. Returns where that is; None if nothing changes."""
        if self.limit_ms is None:
            return None
        end_ms = float(self.part.last_whole_ms(self.limit_ms))
        if self.part.heard(end_ms) == self.part.heard(self.limit_ms):
            return None
        self.limit_ms = end_ms
        return end_ms

    def most_ms(self, sent_ms: float | None) -> float:
        """Where a client may cut it at the latest. `sent_ms`: how much has left by now, if more may follow."""
        return self.reach_ms if sent_ms is None else min(sent_ms, self.part.audio_ms)

    def allows(self, audio_end_ms: float, most_ms: float) -> bool:
        """Whether a client can have heard so much. Of speech that is still made nobody knows how long it will be."""
        return not self.complete or audio_end_ms <= most_ms + BEYOND_MS

    def truncate(self, audio_end_ms: float, most_ms: float) -> float:
        """The client says how much was heard. Returns the position in force.

        The client replaces the server's estimate, also upwards; a second word of the client may only shorten.
        """
        end_ms = min(float(audio_end_ms), most_ms)
        if self.by_client and self.limit_ms is not None:
            end_ms = min(end_ms, self.limit_ms)
        self.limit_ms, self.by_client = end_ms, True
        return end_ms
