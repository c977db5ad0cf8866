"""How fast each voice speaks, learnt from its replies. Of those that were not used for long nothing is kept."""

from __future__ import annotations

from realtime.core.playback_clock import SpeakingRate
from realtime.providers.base import Voice

MAX_SPEAKING_RATES = 16


class SpeakingRates:
    """Of one session."""

    def __init__(self) -> None:
        self._rates: dict[Voice, SpeakingRate] = {}

    def __repr__(self) -> str:
        return f"<SpeakingRates of {len(self)} voices>"

    def __len__(self) -> int:
        return len(self._rates)

    def of(self, voice: Voice) -> SpeakingRate:
        """What was learnt of this voice."""
        rate = self._rates[voice] = self._rates.pop(voice, SpeakingRate())
        if len(self._rates) > MAX_SPEAKING_RATES:
            del self._rates[next(iter(self._rates))]
        return rate
