"""The named marks of a turn, the same words everywhere (docs/architecture.md 3), and when each was reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

MARKS = (
    "speech_ended",
    "turn_confirmed",
    "transcript_final",
    "chat_request",
    "chat_first_delta",
    "first_chunk",
    "speech_first_audio",
    "first_audio_sent",
    "playback_started",
)

Origin = Literal["speech_ended", "response_create"]


@dataclass(slots=True)
class Marks:
    """The times of one turn's marks, in loop seconds. Only the first time of each mark counts."""

    origin: Origin
    origin_s: float
    reached_s: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.origin == "speech_ended":
            self.reached_s["speech_ended"] = self.origin_s

    def reach(self, mark: str, now_s: float) -> None:
        if mark not in MARKS:
            raise ValueError(f"{mark!r} is not a mark of a turn")
        self.reached_s.setdefault(mark, now_s)

    def since_origin_ms(self) -> dict[str, int]:
        """Milliseconds after the origin, in the order of MARKS, without marks that were not reached."""
        return {
            mark: round((self.reached_s[mark] - self.origin_s) * 1000)
            for mark in MARKS
            if mark in self.reached_s
        }
