"""How much of one spoken item counts. Knows its ledger, and no history."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.spoken import SpokenPart


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
