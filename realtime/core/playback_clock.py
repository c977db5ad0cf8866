"""The playback clock: when the listener runs dry, from the audio received; and how fast this voice speaks and answers.

Playback starts with the first audio of the first chunk and runs in real time. Without audio it stops, and it resumes
with the next. A player that is faster says so (`unheard`). Pure: the time is an argument. Knows nothing of text but
its `Size`; the positions that a player tells are in `playback.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.clauses import Size

_LEARNING = 0.5  # how far one complete chunk moves the speaking rate
_DOUBT = 0.2  # how far the rate of characters may be off, as a share ...
_DOUBT_MS = 60.0  # ... and that of marks
_NEWEST = 0.06  # weight of the newest latency, once there are enough
_FIRST_DOUBT = 0.25  # mean deviation after a single latency, as a share of it
_SANE_RATIO = (0.33, 3.0)  # one chunk never moves the speaking rate further than this


@dataclass(slots=True)
class SpeakingRate:
    """Milliseconds of speech per character, learned online: narrow and wide characters and marks apart."""

    # 15 characters a second with spaces and pauses (docs/minimax/t2a-websocket.md 5)
    ms_per_narrow: float = 62.0
    ms_per_wide: float = 205.0  # 4.5 characters a second, punctuation counted as narrow
    ms_per_mark: float = 50.0  # a third of what the sandbox's voice does, until this voice is known

    def expected_ms(self, size: Size) -> float:
        """Milliseconds that this voice should take, pauses included."""
        return self._spoken_ms(size) + size.pause_ms

    def learn(self, size: Size, actual_ms: float) -> None:
        """Move the rate towards what one complete chunk took, `actual_ms`: most where we know least."""
        expected_ms = self._spoken_ms(size)
        if expected_ms <= 0 or actual_ms <= size.pause_ms:
            return
        low, high = _SANE_RATIO
        ratio = min(high, max(low, (actual_ms - size.pause_ms) / expected_ms))
        narrow_doubt = (size.narrow * self.ms_per_narrow * _DOUBT) ** 2
        wide_doubt = (size.wide * self.ms_per_wide * _DOUBT) ** 2
        mark_doubt = (size.marks * _DOUBT_MS) ** 2
        step_ms = _LEARNING * (ratio - 1) * expected_ms / (narrow_doubt + wide_doubt + mark_doubt)
        self.ms_per_narrow += step_ms * narrow_doubt / max(1, size.narrow)
        self.ms_per_wide += step_ms * wide_doubt / max(1, size.wide)
        self.ms_per_mark = max(0.0, self.ms_per_mark + step_ms * mark_doubt / max(1, size.marks))

    def _spoken_ms(self, size: Size) -> float:
        return size.narrow * self.ms_per_narrow + size.wide * self.ms_per_wide + size.marks * self.ms_per_mark


@dataclass(slots=True)
class Latency:
    """Seconds from text to first audio, learned online the way a retransmission timer is: mean and mean deviation."""

    mean_s: float = 0.3
    deviation_s: float = 0.07
    chunks: int = 0  # seen so far

    def learn(self, seconds: float) -> None:
        """One more chunk that found the voice idle took so long."""
        self.chunks += 1
        if self.chunks == 1:
            self.mean_s, self.deviation_s = seconds, _FIRST_DOUBT * seconds
            return
        weight, error_s = max(_NEWEST, 1 / self.chunks), seconds - self.mean_s
        self.mean_s += weight * error_s
        self.deviation_s += weight * (abs(error_s) - self.deviation_s)


@dataclass(slots=True)
class _Chunk:
    sent_s: float
    size: Size
    received_ms: float = 0.0
    complete: bool = False


class PlaybackClock:
    """What the listener has of one reply. `latency` is what is known of the time from text to first audio."""

    def __init__(self, speaking_rate: SpeakingRate, latency: Latency) -> None:
        self.speaking_rate = speaking_rate
        self.latency = latency
        self._chunks: list[_Chunk] = []
        self._head = 0  # first chunk that may still bring audio
        self._received_until_s: float | None = None  # when all received audio will have been played

    def sent(self, size: Size, now_s: float, *, silent: bool) -> None:
        """A chunk left. `silent`: it has nothing to pronounce and will bring no audio."""
        self._chunks.append(_Chunk(now_s, size, complete=silent))

    def audio(self, index: int, received_ms: float, complete: bool, now_s: float) -> None:
        """Audio received so far of chunk `index`. Raises IndexError for a chunk that never left."""
        chunk = self._chunks[index]
        grown_s = (received_ms - chunk.received_ms) / 1000
        if grown_s > 0:
            start_s = now_s if self._received_until_s is None else max(self._received_until_s, now_s)
            self._received_until_s = start_s + grown_s
            chunk.received_ms = received_ms
        if complete and not chunk.complete:
            chunk.complete = True
            self.speaking_rate.learn(chunk.size, chunk.received_ms)
        while self._head < len(self._chunks) and self._chunks[self._head].complete:
            self._head += 1

    def unheard(self, ahead_s: float, now_s: float) -> None:
        """The player says how much of the received audio it has yet to play: one that writes a file has less than the
        clock says. One that is behind changes nothing, its word is late by the network."""
        if self._received_until_s is not None:
            self._received_until_s = min(self._received_until_s, now_s + max(0.0, ahead_s))

    def dry_s(self) -> float | None:
        """When the listener will have heard all that left, if nothing else leaves. None before anything left."""
        dry_s = self._received_until_s
        for chunk in self._chunks[self._head :]:
            if chunk.complete:
                continue
            missing_s = max(0.0, self.speaking_rate.expected_ms(chunk.size) - chunk.received_ms) / 1000
            if not chunk.received_ms:
                arrival_s = chunk.sent_s + self.latency.mean_s
                dry_s = arrival_s if dry_s is None else max(dry_s, arrival_s)
            assert dry_s is not None
            dry_s += missing_s
        return dry_s
