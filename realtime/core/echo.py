"""Whether a microphone hears the loudspeaker: its sound is compared with what was sent to the listener.

Keeps how much later the sent sound arrives in the microphone for as long as that is confirmed (`echo_search.py`),
follows how loud it arrives in each band, and says of each frame of 32 ms whether there is more in it than this echo.
Pure: samples and times in, verdicts out. Knows no words and no turns (docs/turn-taking.md, "Echo").
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from realtime.core.audio_buffer import Samples
from realtime.core.echo_search import (
    CONFIRMS,
    EARLIEST_S,
    HIGHEST_HZ,
    LAGS,
    LATEST_S,
    LOWEST_HZ,
    SAME_PLACE_S,
    SEARCHED,
    SEARCHED_S,
    Sightings,
    find,
    find_near_by,
    rms,
)
from realtime.core.sent_sound import RATE, Floats, SentSound

Powers = NDArray[np.floating[Any]]  # (frames, bands), or of one frame

HOP = 256  # samples of one frame: 32 ms
WINDOW = 2 * HOP  # samples of one spectrum
SEARCH_EVERY = 4  # frames ...
SEARCH_SELDOM = 12  # ... or so many, where there was no echo so far: a search costs as much as 60 frames
SEEMS_NONE = 4  # searches in vain
LEAST_VOICED = 3  # frames of speech among those that are searched: of a faint echo the detector hears little
ENOUGH_VOICED = 8  # of them, so that an echo would have been found

CHECK_EVERY = 32  # frames in which sent sound may be heard: then a known echo is looked at again
AUDIBLE = 100.0  # root mean square of what was sent: of less, no echo need be heard
DOUBTS = 3  # checks in a row without an echo, after which it is given back
LOUDEST = 10.0  # times what was sent: no loudspeaker and microphone make an echo that is louder still (20 dB)

BANDS = 16
TAIL = 8  # frames in which a room answers
DECAY = 0.4  # of the power, per frame of that answer: a reverberation time of 0.5 s
MARGIN = 2.0  # the power of an echo may exceed what is expected by so much: 3 dB
NOISE_MARGIN = 3.0  # and noise its least power
NOISE_RISE = 1.02  # of that least power, per frame
LEAST_NOISE = 300.0  # its power where a microphone gives digital silence: it must be able to rise again
# Of a band's loudness in the searched sound: the middle of an echo alone, a low one where somebody else may speak.
ECHO_QUANTILE, MIXED_QUANTILE = 0.5, 0.3
FOLLOW_UP, FOLLOW_DOWN = 0.3, 0.1  # how far one frame moves the expected loudness
LEAST_ROWS = 4  # frames of the searched sound in which the player's gain must be certain
RISING = 0.5  # part of what a band should hold that was sent just now: while a sound fades, rooms differ most

# How far a frame is above echo and noise: the logarithm of the ratio, mean of all bands. Of frames of an echo alone 3
# of 1,000 are above 0.21, and of frames with a voice 6 dB above the echo 98 of 100.
NEAR = 0.3
NEAR_GOES_ON = 0.15  # enough shortly after such a frame
GOES_ON = 8  # frames
ALL_ECHO = 0.2  # below this mean of the searched sound nobody else spoke in it
REMEMBERED = 512  # frames of speech: 16 s
ACCIDENTS = 1  # frames that seem to be more than an echo, in speech that is only an echo
LOST = 12  # more frames of speech without an echo than with one, after which the delay is looked for again

_HANN = np.hanning(WINDOW).astype(np.float32)
_EDGES = np.unique(np.round(np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1) * WINDOW / RATE).astype(int))
_TAIL_WEIGHTS = (DECAY ** np.arange(TAIL, dtype=np.float32))[::-1]  # oldest first

Newest = Callable[[int], Samples]  # the newest samples of the microphone, so many or fewer, at 16 kHz


class EchoGate:
    """Of one microphone and one listener. `delay_s` is None until an echo was found."""

    def __init__(self, sent: SentSound) -> None:
        self._sent = sent
        self._voiced: deque[bool] = deque(maxlen=SEARCHED // HOP)
        self._until_search = 0  # frames
        self._sightings = Sightings()
        self._until_check = 0  # frames
        self._doubts = 0  # checks in a row without the echo
        self._confirmed_s = 0.0  # the end of the last sound that was searched or checked and held it
        self._gain: Powers = np.zeros(len(_EDGES) - 1, np.float32)
        self._noise: Powers = np.full(len(_EDGES) - 1, np.inf, np.float32)
        self._near = 0  # frames for which a near voice goes on
        self._lost = 0  # frames of speech that were no echo, less those that were
        self._sent_bands: tuple[float, Powers] | None = None  # of the last frame: its end, and its `TAIL`
        self._frames: deque[tuple[float, bool]] = deque(maxlen=REMEMBERED)  # of speech: end, only an echo?
        self.delay_s: float | None = None
        self.in_vain = 0  # searches that would have found an echo, since the last that did

    def __repr__(self) -> str:
        delay = "none" if self.delay_s is None else f"after {self.delay_s * 1000:.0f} ms"
        return f"<EchoGate, echo {delay}>"

    def feed(self, end_s: float, newest: Newest, *, voiced: bool) -> bool:
        """Whether this frame holds an echo and nobody else's voice. `end_s`: when its 32 ms ended, on the clock of the
        sent sound. `voiced`: the detector takes it for speech; else it never is an echo."""
        if not self._sent.sounds(end_s - LATEST_S - SEARCHED_S, end_s - EARLIEST_S):
            self._near = 0
            self._sightings.forget()
            self._voiced.clear()
            return False
        self._voiced.append(voiced)
        self._until_search -= 1
        self._check(end_s, newest)
        if not voiced:
            self._near = max(0, self._near - 1)
            self._follow_in_silence(end_s, newest)
            return False
        self._lost += 1
        if self.delay_s is None or self._lost >= LOST:
            self._search(end_s, newest)
        is_echo = self.delay_s is not None and self._is_echo(end_s, self.delay_s, newest)
        self._frames.append((end_s, is_echo))
        return is_echo

    def skip(self) -> None:
        """A frame without speech, while no echo is known: there is nothing to follow."""
        self._voiced.append(False)
        self._until_search -= 1

    def only_echo(self, from_s: float, to_s: float) -> bool:
        """Whether all speech in this time was an echo, as far as is known by now: the first is found later."""
        frames = [is_echo for end_s, is_echo in self._frames if from_s < end_s <= to_s]
        return any(frames) and frames.count(False) <= ACCIDENTS

    # -- one frame -----------------------------------------------------------------------------------------------

    def _is_echo(self, end_s: float, delay_s: float, newest: Newest) -> bool:
        power, echo, sent = self._powers(end_s, delay_s, newest)
        self._noise = _least(power, self._noise * NOISE_RISE)
        excess = _excess(power, echo * self._gain, self._noise)
        if excess > (NEAR_GOES_ON if self._near else NEAR):
            self._near = GOES_ON if excess > NEAR else self._near - 1
            return False
        self._near = max(0, self._near - 1)
        if not self._near and self._sent.gain(end_s) == 1:
            self._follow(power, echo, sent)
        self._lost = max(0, self._lost - 2)  # one for this frame, which was counted
        return True

    def _follow_in_silence(self, end_s: float, newest: Newest) -> None:
        """An echo that is heard no more, of a listener with headphones now, must not hide a voice."""
        if self.delay_s is not None and self._until_search <= 0:
            self._until_search = SEARCH_EVERY
            power, echo, sent = self._powers(end_s, self.delay_s, newest)
            self._noise = _least(power, self._noise * NOISE_RISE)
            if self._sent.gain(end_s) == 1:
                self._follow(power, echo, sent)

    def _powers(self, end_s: float, delay_s: float, newest: Newest) -> tuple[Powers, Powers, Powers]:
        """Of the newest frame; of what was sent and should sound in it, with the answer of the room, and without."""
        end_s -= delay_s
        known = self._sent_bands
        if known is not None and abs(known[0] + HOP / RATE - end_s) < SAME_PLACE_S:
            latest = self._sent.read(end_s - WINDOW / RATE, WINDOW)
            # One transform of both costs less
            powers = _band_powers(np.stack((_halved(newest, WINDOW), latest)))
            power, bands = powers[0], np.concatenate((known[1][1:], powers[1:]))
        else:
            count = WINDOW + (TAIL - 1) * HOP
            bands = _bands(self._sent.read(end_s - count / RATE, count))
            power = _bands(_halved(newest, WINDOW))[0]
        self._sent_bands = end_s, bands
        return power, _TAIL_WEIGHTS @ bands, bands[-1]

    def _follow(self, power: Powers, echo: Powers, sent: Powers) -> None:
        """This frame was an echo: the next will be as loud. Only of a player that plays what was sent as it is: who is
        told to play more quietly may do so or not."""
        clear = (echo * self._gain > self._noise) & (sent > RISING * echo)
        change = np.maximum(power[clear], 1.0) / np.maximum(echo[clear] * self._gain[clear], 1.0)
        self._gain[clear] *= change ** np.where(change > 1, FOLLOW_UP, FOLLOW_DOWN)

    # -- the delay -----------------------------------------------------------------------------------------------

    def _search(self, end_s: float, newest: Newest) -> None:
        if self._until_search > 0 or sum(self._voiced) < LEAST_VOICED:
            return
        self._until_search = SEARCH_EVERY if self.in_vain < SEEMS_NONE else SEARCH_SELDOM
        heard = _halved(newest, SEARCHED)
        sent = self._sent.read(end_s - SEARCHED_S - LATEST_S, SEARCHED + LAGS)
        delay_s, peak = find(heard, sent) if rms(heard) <= LOUDEST * rms(sent) else (0.0, 0.0)
        if self._sightings.proves(end_s, delay_s, peak):
            self.in_vain = 0
            self._found(heard, end_s, delay_s)
        elif sum(self._voiced) >= ENOUGH_VOICED and sent.any():
            self.in_vain += 1  # of sound that nobody knows, only the words tell

    def _found(self, heard: Floats, end_s: float, delay_s: float) -> None:
        """How loud the echo is in each band, from the frames in which the player's gain is certain."""
        count = SEARCHED + (TAIL - 1) * HOP
        power, sent = _bands(heard), _bands(self._sent.read(end_s - delay_s - count / RATE, count))
        echo = np.stack([_TAIL_WEIGHTS @ sent[at : at + TAIL] for at in range(len(power))])
        sent = sent[TAIL - 1 :]
        gains = [self._sent.gain(end_s - back * HOP / RATE) for back in reversed(range(len(power)))]
        rows = [row for row, gain in enumerate(gains) if gain is not None]
        if len(rows) < LEAST_ROWS:
            return  # the next search will tell
        played = np.array([[gain] for gain in gains if gain is not None], np.float32)
        power, echo, sent = power[rows], echo[rows] * played, sent[rows] * played
        noise = _least(power[power.any(axis=1)].min(axis=0, initial=np.inf), np.inf)
        gain = _loudness(power, echo, sent, ECHO_QUANTILE)
        alone = _excess(power, echo * gain, noise) < ALL_ECHO
        if alone:
            self._remember_alone(end_s)
        else:
            gain = _loudness(power, echo, sent, MIXED_QUANTILE)
        if alone or self.delay_s is None or abs(delay_s - self.delay_s) > WINDOW / RATE / 4:
            self.delay_s, self._gain = delay_s, gain
            self._noise = _least(noise, self._noise)
            self._lost = 0
            self._doubts, self._until_check, self._confirmed_s = 1, CHECK_EVERY, end_s

    # -- whether it is still there -------------------------------------------------------------------------------

    def _check(self, end_s: float, newest: Newest) -> None:
        """A known echo must be found again and again, in other sound than before: what was found may be an accident,
        and a listener may put on headphones."""
        self._until_check -= 1
        if self.delay_s is None or self._until_check > 0:
            return
        self._until_check = CHECK_EVERY
        sent = self._sent.read(end_s - self.delay_s - SEARCHED_S, SEARCHED)
        if rms(sent) < AUDIBLE:
            return
        moved_s, peak = find_near_by(_halved(newest, SEARCHED), sent)
        if peak >= CONFIRMS:
            self.delay_s += moved_s
            self._doubts, self._confirmed_s = 0, end_s
            return
        self._doubts += 1
        if self._doubts >= DOUBTS:
            self._give_back()

    def _give_back(self) -> None:
        """There is no echo, or none any more: what was taken for one since the last confirmation was a voice."""
        self.delay_s, self._sent_bands = None, None
        self._near = self._lost = 0
        self.in_vain = max(self.in_vain, 1)
        self._sightings.forget()
        frames = [(at_s, is_echo and at_s <= self._confirmed_s) for at_s, is_echo in self._frames]
        self._frames = deque(frames, maxlen=REMEMBERED)

    def _remember_alone(self, end_s: float) -> None:
        """In all of the searched sound there was only an echo."""
        from_s = end_s - SEARCHED_S
        frames = [(at_s, is_echo or at_s > from_s) for at_s, is_echo in self._frames]
        self._frames = deque(frames, maxlen=REMEMBERED)


def _halved(newest: Newest, count: int) -> Floats:
    """The newest samples of the microphone at RATE, exactly so many."""
    samples = newest(2 * count)
    out = np.zeros(count, np.float32)
    odd = len(samples) % 2
    if len(samples) > 1:
        pairs = out[-(len(samples) // 2) :]
        np.add(samples[odd::2], samples[odd + 1 :: 2], out=pairs, dtype=np.float32)
        pairs *= 0.5
    return out


def _bands(samples: Floats) -> Powers:
    """The power of each band in each window, one window every HOP samples."""
    count, step = (len(samples) - WINDOW) // HOP + 1, samples.itemsize
    return _band_powers(np.ndarray((count, WINDOW), samples.dtype, samples, 0, (HOP * step, step)))


def _band_powers(windows: Floats) -> Powers:
    """The power of each band in each of these windows."""
    power = np.abs(np.fft.rfft(windows * _HANN, axis=1)[:, : _EDGES[-1]]) ** 2
    return np.add.reduceat(power, _EDGES[:-1], axis=1).astype(np.float32, copy=False)


def _loudness(power: Powers, echo: Powers, sent: Powers, quantile: float) -> Powers:
    """The gain of each band, from the frames in which much of it was sent."""
    loud = (echo > 0.01 * echo.max(axis=0)) & (sent > RISING * echo)
    ratios = np.where(loud, power / np.maximum(echo, 1.0), np.nan)
    known = loud.any(axis=0)
    gain = np.zeros(len(known), np.float32)
    if known.any():
        gain[known] = np.nanquantile(ratios[:, known], quantile, axis=0)
        gain[~known] = np.median(gain[known])
    return gain


def _least(power: Powers, noise: Powers | float) -> Powers:
    return np.maximum(np.minimum(power, noise), LEAST_NOISE)


def _excess(power: Powers, echo: Powers, noise: Powers) -> float:
    """How far the power is above what echo and noise can be, of one frame or the mean of several."""
    most = MARGIN * echo + NOISE_MARGIN * noise + 1.0
    above = np.log(np.maximum(power / most, 1.0))
    return float(np.add.reduce(above, axis=None)) / above.size
