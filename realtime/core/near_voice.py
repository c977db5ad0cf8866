"""Who speaks near the microphone, and what is only the voices behind: two levels that are followed, of the near voice
and of the floor.

A detector takes voices in the background for speech, so a turn in a café never ends. They give themselves away where
the near voice falls quiet: the sound stays at the floor, far below the near voice, and the detector still hears speech
in it. A silent room, noise, a telephone and reverberation show no speech at the floor, and nothing changes there.
Who was behind, and how loud, is known from the time before a turn: where nobody was, or nobody so loud, a soft end of a
sentence is the near voice, for 0.8 s at most.

Where no voices are behind, each turn has its own near voice: in noise, one who speaks 14 dB softer than the one before
is as near to the floor as voices behind are. And voices that have gone hold back nobody. The numbers and what they were
compared with are in bench/README.md. Pure: one frame at a time, no clock. It does not know what is said, nor when a
turn ends.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

FRAME_MS = 32
SMOOTH_FRAMES = 8  # 256 ms: a syllable and the gap after it
FLOOR_FRAMES = 100  # 3.2 s: the lowest level in it is the floor; there is a gap between words in every 3 s
KNOWN_UNVOICED_FRAMES = 10  # 0.3 s of a stream without speech: from then on its lowest level is a floor ...
KNOWN_FRAMES = 80  # ... and after 2.6 s of it, whatever it began with
ABOVE_FLOOR_DB = 14.0  # babble of four voices moves so far above its lowest level
BELOW_NEAR_DB = 6.0  # a near voice falls so far only at soft ends of sentences ...
HOLD_FRAMES = 6  # ... and not for 192 ms without a louder syllable
NEAR_DECAY_DB = 0.05  # a frame, 1.6 dB a second: voices fall towards the end of a sentence
NEAR_FADE_DB = 0.005  # a frame, 0.16 dB a second, while somebody else or nobody speaks
RECENT_FRAMES = 40  # 1.3 s of sound at the floor ...
LEAST_FRAMES = 16  # ... of which so much must be known ...
SPEECH_SHARE = 0.75  # ... and so much must be speech to the detector
FAR_BELOW_DB = 12.0  # so far below the near voice hardly a sentence ends ...
FAR_SPEECH_SHARE = 0.3  # ... and less speech tells: of babble 20 dB below, the detector takes half for speech
GONE_FRAMES = FLOOR_FRAMES  # without speech to the detector: there are no voices behind any more
SOFT_FRAMES = 25  # soft sound is the near voice for 0.8 s after that was clear; then somebody else may speak
NOBODY_SHARE = 0.05  # with so little speech before a turn nobody is behind: all soft sound is the near voice
LOUDER_DB = 2.0  # else only what is so much louder than the voices behind were before the turn ...
CAME_UP_DB = 4.0  # ... if that is so far above the floor: else they have come up since then ...
LIKE_BEHIND_FRAMES = 3  # ... and only before so much sound that is as soft as they were
LEAST_BEFORE_FRAMES = 50  # of frames, and of those with speech: with fewer nothing is known of who is behind
ONSET_BELOW_NEAR_DB = 2.0  # a turn begins with a voice about as loud as the last one ...
ONSET_ABOVE_DB = 4.0  # ... or so much louder than all that was behind it
ONSET_LATE_FRAMES = 16  # the sound of the last 0.5 s may be the voice itself
BEFORE_FRAMES = FLOOR_FRAMES + ONSET_LATE_FRAMES  # of what was before a turn 3.2 s are looked at
HELD_BACK_MS = 320  # a near voice is known so late at most: its turn begins that much earlier
TOGETHER = 8  # quiet frames whose levels are computed at once: one by one they cost three times as much

_NONE_DB = -math.inf


class NearVoice:
    """Follows one microphone. `together`: so many quiet frames wait for each other; it changes no verdict."""

    def __init__(self, together: int = TOGETHER) -> None:
        self._together = together
        self._near_db = _NONE_DB
        self._quiet: list[NDArray[np.int16]] = []  # the newest frames without speech, not looked at yet
        self._powers: deque[float] = deque(maxlen=SMOOTH_FRAMES)
        self._held: deque[float] = deque(maxlen=HOLD_FRAMES)  # the last levels
        self._floor = _Lowest(FLOOR_FRAMES)
        self._frames = self._unvoiced_frames = 0  # of the microphone: in all, and those without speech
        self._behind: deque[float] = deque(maxlen=BEFORE_FRAMES)  # levels without it
        self._soft_end = _SoftEnd()
        self._at_floor: deque[bool] = deque()  # the last RECENT_FRAMES: were they speech to the detector?
        self._speech_frames = 0  # of them
        self._voices_behind = False  # there have been some, not long ago
        self._silent_frames = 0  # the newest, without a turn and without speech
        self._turn_open = False  # at the frame before
        self.held_back_ms = 0  # of speech before the next turn that was taken for voices behind

    def __repr__(self) -> str:
        return f"<NearVoice {self._near_db:.0f} dB, floor {self._floor.value:.0f} dB>"

    def feed(self, frame: NDArray[np.int16], *, voiced: bool, speaking: bool) -> bool:
        """Whether this frame holds only voices behind. `voiced`: it is speech to the detector; `speaking`: a turn is
        open."""
        if not (voiced or speaking):
            self._quiet.append(frame)
            self.held_back_ms = 0
            if len(self._quiet) >= self._together:
                self._catch_up()
            return False
        if self._quiet:
            self._catch_up()
        return self._follow(_mean_power(frame), voiced=voiced, speaking=speaking)

    def _catch_up(self) -> None:
        """Nothing depends on quiet frames before somebody speaks, so they are looked at together."""
        for power in _mean_powers(self._quiet):
            self._follow(power, voiced=False, speaking=False)
        self._quiet.clear()

    def _follow(self, power: float, *, voiced: bool, speaking: bool) -> bool:
        self._begin_anew(voiced=voiced, speaking=speaking)
        self._frames += 1
        self._unvoiced_frames += not voiced
        level_db = self._level_db(power)
        behind = self._is_behind(level_db, voiced=voiced, speaking=speaking)
        if behind or not speaking:
            self._behind.append(level_db)
            self._soft_end.heard(level_db, voiced=voiced, speaking=speaking)
        if speaking or not voiced:
            self.held_back_ms = 0
        elif behind:
            self.held_back_ms = min(HELD_BACK_MS, self.held_back_ms + FRAME_MS)
        if voiced and not behind and not (speaking and self._soft_end.lasts):
            self._near_db = max(level_db, self._near_db - NEAR_DECAY_DB)
        elif not (behind and speaking):  # the end of a turn is not taken back
            self._near_db -= NEAR_FADE_DB
        return behind

    def _begin_anew(self, *, voiced: bool, speaking: bool) -> None:
        """Forget the voices behind that have gone, and at the onset of a turn the voice of the one before, which may be
        somebody else's."""
        self._silent_frames = 0 if voiced or speaking else self._silent_frames + 1
        if self._silent_frames >= GONE_FRAMES:
            self._voices_behind = False
            self._soft_end.forget()
        if speaking and not self._turn_open:
            self._soft_end.begin()
            if not self._voices_behind:
                self._near_db = _NONE_DB
        self._turn_open = speaking

    def _level_db(self, power: float) -> float:
        self._powers.append(power)
        level_db = 10 * math.log10(sum(self._powers) / len(self._powers))
        self._held.append(level_db)
        if len(self._powers) == SMOOTH_FRAMES:
            self._floor.add(level_db)
        return level_db

    def _is_behind(self, level_db: float, *, voiced: bool, speaking: bool) -> bool:
        loudest_db = max(self._held)
        low_db = min(self._floor.value + ABOVE_FLOOR_DB, self._near_db - BELOW_NEAR_DB)
        low = self._knows_floor and loudest_db < low_db
        if low or not (speaking or voiced):
            self._count_at_floor(voiced)
        speech_at_floor = self._speech_at_floor(loudest_db)
        self._voices_behind = self._voices_behind or speech_at_floor
        if not speaking:
            return self._voices_behind and voiced and level_db < self._onset_db()
        if loudest_db >= self._near_db - BELOW_NEAR_DB:
            self._soft_end.clear()
        elif low and self._soft_end.goes_on(loudest_db, self._floor.value, voices=self._voices_behind):
            return False
        return low and speech_at_floor

    @property
    def _knows_floor(self) -> bool:
        """A stream that begins with speech has no floor yet but that speech."""
        return self._unvoiced_frames >= KNOWN_UNVOICED_FRAMES or self._frames >= KNOWN_FRAMES

    def _speech_at_floor(self, loudest_db: float) -> bool:
        known = len(self._at_floor)
        far = loudest_db < self._near_db - FAR_BELOW_DB
        share = FAR_SPEECH_SHARE if far else SPEECH_SHARE
        return known >= LEAST_FRAMES and self._speech_frames >= share * known

    def _count_at_floor(self, voiced: bool) -> None:
        if len(self._at_floor) == RECENT_FRAMES:
            self._speech_frames -= self._at_floor.popleft()
        self._at_floor.append(voiced)
        self._speech_frames += voiced

    def _onset_db(self) -> float:
        """What a new turn must reach."""
        near_db = self._near_db - ONSET_BELOW_NEAR_DB
        if len(self._behind) <= ONSET_LATE_FRAMES:
            return near_db
        loudest_db = max(list(self._behind)[:-ONSET_LATE_FRAMES])
        return min(near_db, loudest_db + ONSET_ABOVE_DB)


class _SoftEnd:
    """The near voice where it is soft: nobody else was heard before this turn, or nobody so loud."""

    def __init__(self) -> None:
        self._before: deque[bool] = deque(maxlen=GONE_FRAMES)  # what was no near voice: was it speech?
        self._levels: deque[float] = deque(maxlen=BEFORE_FRAMES)  # of the speech with no turn open
        self._nobody = False  # nobody was heard before this turn
        self._loudest_db = _NONE_DB  # the loudest voice behind before it
        self.clear()

    def heard(self, level_db: float, *, voiced: bool, speaking: bool) -> None:
        """A frame with no turn open, or of voices behind."""
        self._before.append(voiced or speaking)
        if voiced and not speaking:  # the softest voices behind are known in a turn, but not the loudest
            self._levels.append(level_db)

    def forget(self) -> None:
        """The voices behind have gone."""
        self._levels.clear()

    def begin(self) -> None:
        """A turn is open. The newest sound, and the newest speech, may be its own."""
        self.clear()
        for newest in (self._before, self._levels):
            for _ in range(min(ONSET_LATE_FRAMES, len(newest))):
                newest.pop()
        known = len(self._before) >= LEAST_BEFORE_FRAMES
        self._nobody = known and sum(self._before) <= NOBODY_SHARE * len(self._before)
        known = len(self._levels) >= LEAST_BEFORE_FRAMES
        self._loudest_db = max(self._levels) if known else _NONE_DB

    def clear(self) -> None:
        """The near voice is clear."""
        self._soft_frames = self._like_behind_frames = 0

    @property
    def lasts(self) -> bool:
        """Whether something soft was taken for the near voice since that was clear."""
        return self._soft_frames > 0

    def goes_on(self, loudest_db: float, floor_db: float, *, voices: bool) -> bool:
        """Whether the near voice sounds like this. `loudest_db`: of the last levels, so low that voices behind may be.
        `voices`: there are some."""
        louder_db = self._loudest_db + LOUDER_DB
        if not self._nobody:
            if not voices or louder_db < floor_db + CAME_UP_DB:
                return False
            self._like_behind_frames += loudest_db < louder_db
            if loudest_db < louder_db or self._like_behind_frames >= LIKE_BEHIND_FRAMES:
                return False
        self._soft_frames += 1
        return self._soft_frames <= SOFT_FRAMES


def _mean_power(frame: NDArray[np.int16]) -> float:
    """Never 0."""
    samples = frame.astype(np.float32)
    return float(samples.dot(samples)) / max(1, len(samples)) + 1.0


def _mean_powers(frames: Sequence[NDArray[np.int16]]) -> list[float]:
    """The same, of frames of the same length."""
    samples = np.array(frames, np.float32)
    sums: list[float] = np.einsum("ij,ij->i", samples, samples).tolist()
    return [total / max(1, samples.shape[1]) + 1.0 for total in sums]


class _Lowest:
    """The lowest of the last `length` values, at a constant cost for each."""

    def __init__(self, length: int) -> None:
        self._length, self._count = length, 0
        self._rising: deque[tuple[int, float]] = deque()  # (number, value), from the lowest up

    @property
    def value(self) -> float:
        return self._rising[0][1] if self._rising else _NONE_DB

    def add(self, value: float) -> None:
        while self._rising and self._rising[-1][1] >= value:
            self._rising.pop()
        self._rising.append((self._count, value))
        self._count += 1
        if self._rising[0][0] <= self._count - 1 - self._length:
            self._rising.popleft()
