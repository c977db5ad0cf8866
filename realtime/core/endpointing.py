"""When speech begins, pauses, resumes and ends: events from one probability per frame.

Knows thresholds and lengths of silence, in milliseconds of audio. Has no clock and does not know what was said or
whose turn it is; how long a silence must be is for the caller to decide, at any moment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

FRAME_MS = 32
OFF_RATIO = 0.7  # speech lasts until the probability is below this part of the threshold: 0.5 on, 0.35 off
ONSET_MS = 64  # of unbroken speech, until it has started
PAUSE_MS = 32  # of non-speech, until a pause is worth a guess that this was all
MIN_SPEECH_MS = 96  # less than this was no speech
MISFIRE_SILENCE_MS = 256  # a click is given up after this silence, however long a sentence may pause
FADE_MS = 160  # the detector follows a voice that fell quiet within this time, or the voice only became soft
FADED_MS = 48  # of quiet, until a voice has faded: the closures inside words are mostly shorter


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """What counts as speech, and when it is over. Raises ValueError on values that make no sense."""

    threshold: float = 0.5  # a probability; 0.05 to 0.95 is used, so that silence and speech are possible
    silence_ms: int = 500  # of non-speech, until speech has stopped
    on: float = field(init=False)  # from this probability on it is speech ...
    off: float = field(init=False)  # ... and below this one it is none any more

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is a probability, 0 to 1, not {self.threshold}")
        if self.silence_ms < 0:
            raise ValueError(f"a silence lasts 0 ms or longer, not {self.silence_ms}")
        on = min(max(self.threshold, 0.05), 0.95)
        object.__setattr__(self, "on", on)
        object.__setattr__(self, "off", on * OFF_RATIO)


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody speaks, since `onset_ms`; known at `at_ms`."""

    onset_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechFaded:
    """The voice fell quiet at `end_of_speech_ms`; the detector has yet to agree. A pause may follow, or more speech."""

    end_of_speech_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Nothing since `end_of_speech_ms`: perhaps the end, worth an early decode."""

    end_of_speech_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechLikelyOver:
    """The pause that began at `end_of_speech_ms` is so long that it is likely the end; speech may still go on. Told
    with each frame of it from then on, because what is likely may change inside a pause."""

    end_of_speech_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechResumed:
    """The fading or the pause was not the end: speech again from `at_ms`."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Speech ended at `end_of_speech_ms`; the silence after it was long enough at `at_ms`."""

    end_of_speech_ms: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class Misfire:
    """What had started was too short to be speech."""

    at_ms: int


EndpointEvent = (
    SpeechStarted | SpeechFaded | SpeechPaused | SpeechLikelyOver | SpeechResumed | SpeechStopped | Misfire
)


class Endpointer:
    """Follows one stream. Every `SpeechStarted` is closed by exactly one `SpeechStopped` or `Misfire`."""

    def __init__(self, rules: EndpointRules | None = None) -> None:
        self.rules = rules or EndpointRules()
        self.silence_ms: float = self.rules.silence_ms  # assign a new length at any time, also inside a pause
        self.likely_over_ms = math.inf  # of silence, until speech is likely over; assign it like `silence_ms`
        self._next_rules: EndpointRules | None = None
        self._position_ms = 0
        self._onset_ms = 0
        self._end_ms = 0  # of the last frame that held speech
        self._speech_ms = 0
        self._speaking = False
        self._silent = False
        self._faded = False
        self._paused = False

    def __repr__(self) -> str:
        state = "paused" if self.paused else "speaking" if self.speaking else "idle"
        return f"<Endpointer {state} at {self._position_ms} ms, speech {self._speech_ms} ms>"

    @property
    def speaking(self) -> bool:
        """Whether speech has started and not yet stopped (pauses included)."""
        return self._speaking

    @property
    def paused(self) -> bool:
        """Whether `SpeechPaused` was the last word about this speech."""
        return self._paused

    @property
    def faded(self) -> bool:
        """Whether `SpeechFaded` was the last word about this speech."""
        return self._faded and not self._paused

    @property
    def speech_ms(self) -> int:
        """How much speech there was since the onset, silences between words not counted; 0 while idle."""
        return self._speech_ms if self._speaking else 0

    def change(self, rules: EndpointRules) -> None:
        """Use other rules from now on; speech that is already open is finished under the old ones."""
        if self._speaking:
            self._next_rules = rules
        else:
            self._adopt(rules)

    def feed(self, probability: float, frame_end_ms: int, quiet_ms: float = 0.0) -> list[EndpointEvent]:
        """What the next frame of FRAME_MS means. `quiet_ms`: for how long, up to its end, the sound has been far below
        the voice (`energy_gate.py`). Raises ValueError if frames are not given in order."""
        if frame_end_ms <= self._position_ms:
            raise ValueError(f"a frame that ends at {frame_end_ms} ms came after {self._position_ms} ms")
        start_ms = max(self._position_ms, frame_end_ms - FRAME_MS)
        self._position_ms = frame_end_ms
        if not self._speaking:
            return self._wait_for_onset(probability, start_ms)
        if probability < (self.rules.on if self._silent else self.rules.off):
            return self._on_silence()
        if quiet_ms > FADE_MS:
            quiet_ms = 0.0
        if self._position_ms - quiet_ms > start_ms:
            return self._on_speech(start_ms, quiet_ms)
        self._speech_ms += self._position_ms - start_ms
        return self._on_fading()

    def end_now(self) -> list[EndpointEvent]:
        """A shorter silence was assigned: the end, if the silence so far is long enough for it."""
        enough = (
            self._speaking and self._silent and self._position_ms - self._end_ms >= self._silence_needed_ms()
        )
        return self._close(self._position_ms) if enough else []

    def finish(self, at_ms: int) -> list[EndpointEvent]:
        """Nothing follows the audio that ends at `at_ms`: the end of open speech, as if there had been silence."""
        return self._close(at_ms) if self._speaking else []

    def reset(self, position_ms: int = 0) -> None:
        """Start anew, without events; the next frame begins at `position_ms`."""
        self._position_ms = position_ms
        self._settle()

    def _wait_for_onset(self, probability: float, start_ms: int) -> list[EndpointEvent]:
        if probability < self.rules.on:
            return self._clear()
        if not self._speech_ms:
            self._onset_ms = start_ms
        self._speech_ms += self._position_ms - start_ms
        if self._speech_ms < ONSET_MS:
            return []
        self._speaking = True
        self._end_ms = self._position_ms
        return [SpeechStarted(self._onset_ms, self._position_ms)]

    def _on_speech(self, start_ms: int, quiet_ms: float) -> list[EndpointEvent]:
        resumed: list[EndpointEvent] = [SpeechResumed(start_ms)] if self._paused or self._faded else []
        self._silent = self._faded = self._paused = False
        self._speech_ms += self._position_ms - start_ms
        self._end_ms = self._position_ms - int(quiet_ms)
        return resumed

    def _on_fading(self) -> list[EndpointEvent]:
        if self._faded or self._paused or self._position_ms - self._end_ms < FADED_MS:
            return []
        self._faded = True
        return [SpeechFaded(self._end_ms, self._position_ms)]

    def _on_silence(self) -> list[EndpointEvent]:
        self._silent = True
        silence_ms = self._position_ms - self._end_ms
        if silence_ms >= self._silence_needed_ms():
            return self._close(self._position_ms)
        noticed: list[EndpointEvent] = []
        if not self._paused and silence_ms >= PAUSE_MS:
            self._paused = True
            noticed.append(SpeechPaused(self._end_ms, self._position_ms))
        if silence_ms >= self.likely_over_ms and not self._too_short():
            noticed.append(SpeechLikelyOver(self._end_ms, self._position_ms))
        return noticed

    def _silence_needed_ms(self) -> float:
        return min(self.silence_ms, MISFIRE_SILENCE_MS) if self._too_short() else self.silence_ms

    def _too_short(self) -> bool:
        return self._speech_ms < MIN_SPEECH_MS

    def _close(self, at_ms: int) -> list[EndpointEvent]:
        closed = Misfire(at_ms) if self._too_short() else SpeechStopped(self._end_ms, at_ms)
        self._settle()
        return [closed]

    def _settle(self) -> None:
        self._clear()
        if self._next_rules is not None:
            self._adopt(self._next_rules)

    def _adopt(self, rules: EndpointRules) -> None:
        self.rules, self._next_rules = rules, None
        self.silence_ms, self.likely_over_ms = rules.silence_ms, math.inf

    def _clear(self) -> list[EndpointEvent]:
        self._speaking = self._silent = self._faded = self._paused = False
        self._speech_ms = self._onset_ms = self._end_ms = 0
        return []
