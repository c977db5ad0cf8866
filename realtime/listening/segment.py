"""One segment of the user's speech, from its onset to its item: a few values that the listening side shares."""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.characters import joined
from realtime.core.snapshot import SettledSnapshot
from realtime.protocol.session_config import ServerVad, SessionConfig

PRE_ROLL_MS = 400.0  # the detector is this late in one case of ten (docs/engines.md 3)
PADDING_MS = 300  # where the client cannot choose


@dataclass(frozen=True, slots=True)
class Settled:
    """The beginning of long speech, which was read for good while the speech went on: nobody needs its sound any more.

    `seconds`: of the sound that was read. `to_ms`: where the rest begins, a position in all audio received."""

    text: str = ""
    seconds: float = 0.0
    to_ms: float = 0.0

    @classmethod
    def restored(cls, snapshot: SettledSnapshot | None) -> Settled:
        """That of another server."""
        return cls() if snapshot is None else cls(snapshot.text, snapshot.seconds, snapshot.to_ms)

    @property
    def snapshot(self) -> SettledSnapshot | None:
        """For another server; None: nothing was settled."""
        return SettledSnapshot(self.text, self.seconds, self.to_ms) if self.seconds else None

    def and_then(self, text: str, seconds: float, to_ms: float) -> Settled:
        """The same with the sound after it, which was read as this text."""
        return Settled(self.with_rest(text), self.seconds + seconds, to_ms)

    def with_rest(self, text: str) -> str:
        """The text of the whole speech, where that of the rest is this one."""
        return joined(self.text, text)


@dataclass(slots=True)
class SpeechSegment:
    """Positions are milliseconds in all audio received. `item_id`: of the user item it will be."""

    item_id: str = ""
    onset_ms: float = 0.0
    kept_from_ms: float = 0.0  # what came before this is part of another item, or is not kept
    end_ms: float | None = None  # of its last pause
    announced: bool = False  # the client knows of it
    settled: Settled = Settled()

    def start_ms(self, config: SessionConfig) -> float:
        """Where its audio begins for the transcriber: some time before its onset, or where no text is settled yet."""
        return max(self._before_onset(max(PRE_ROLL_MS, padding_ms(config))), self.settled.to_ms)

    @property
    def open_from_ms(self) -> float:
        """Where the speech begins that no text is settled of."""
        return max(self.onset_ms, self.settled.to_ms)

    def told_ms(self, config: SessionConfig) -> int:
        """Where it begins for the client, as it wishes."""
        return int(self._before_onset(padding_ms(config)))

    def _before_onset(self, ms: float) -> float:
        return max(self.kept_from_ms, self.onset_ms - ms)


def padding_ms(config: SessionConfig) -> int:
    """How long before its onset the client wants speech to begin."""
    detection = config.turn_detection
    return detection.prefix_padding_ms if isinstance(detection, ServerVad) else PADDING_MS
