"""One segment of the user's speech, from its onset to its item: a few values that the listening side shares."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.protocol.session_config import ServerVad, SessionConfig

PRE_ROLL_MS = 400.0  # the detector is this late in one case of ten (docs/engines.md 3)
PADDING_MS = 300  # where the client cannot choose


@dataclass(slots=True)
class SpeechSegment:
    """Positions are milliseconds in all audio received. `item_id`: of the user item it will be."""

    item_id: str = ""
    onset_ms: float = 0.0
    kept_from_ms: float = 0.0  # what came before this is part of another item, or is not kept
    end_ms: float | None = None  # of its last pause
    announced: bool = False  # the client knows of it

    def start_ms(self, config: SessionConfig) -> float:
        """Where its audio begins for the transcriber: some time before its onset."""
        return self._before_onset(max(PRE_ROLL_MS, padding_ms(config)))

    def told_ms(self, config: SessionConfig) -> int:
        """Where it begins for the client, as it wishes."""
        return int(self._before_onset(padding_ms(config)))

    def _before_onset(self, ms: float) -> float:
        return max(self.kept_from_ms, self.onset_ms - ms)


def padding_ms(config: SessionConfig) -> int:
    """How long before its onset the client wants speech to begin."""
    detection = config.turn_detection
    return detection.prefix_padding_ms if isinstance(detection, ServerVad) else PADDING_MS
