"""Recordings of a voice: what one sounds like, and the traits of a voice cloned from it.

Reads wav, mp3 and m4a with PyAV (docs/minimax/voices.md 1). Knows no limits of cloning and no voice ids. All work is
blocking and takes a few milliseconds for each second of audio.
"""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .voice_engine import INSTALL, VoiceUnavailable
from .voice_traits import CREATED_VARIANTS, Traits, pitch_for, pitch_range

__all__ = ["Sample", "UnreadableRecording", "cloned_traits", "measure", "read_sample"]

RATE = 16_000  # Hertz, the rate of all measurements
KEPT_S = 300  # the first seconds that are measured; the rest only counts for the length
_CONTAINERS = frozenset("wav mp3 m4a mp4".split())
_FRAME_S = 0.01
_PITCH_WINDOW, _PITCH_STEP = 1024, 640  # samples
_LOWEST_HZ, _HIGHEST_HZ = 60, 450
_VOICED = 0.55  # the least periodicity of a voiced window, 0 to 1
_QUIET_DB = -90.0  # the level of silence
_NORMAL_SYLLABLES_S = 4.4  # of the engine's voices at their normal rate, as `measure` counts them
_MALE_BELOW_HZ = 150

Wave = NDArray[np.float32]


class UnreadableRecording(ValueError):
    """The file is not a recording in a format that cloning takes; the message says why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a recording sounds like."""

    duration_s: float
    level_db: float  # of its louder part, against full scale
    noise_db: float  # of its quietest part, against full scale
    pitch_hz: float | None  # median of the voiced part; None: no voice in it
    pitch_spread: float  # semitones: half of the band that the middle two thirds are in
    syllables_s: float  # syllables in a second of speech
    speech_s: float  # seconds that are louder than the noise
    digest: int  # of the audio; equal recordings have equal digests


def read_sample(data: bytes) -> Sample:
    """Read and measure a recording. Raises UnreadableRecording, and VoiceUnavailable without PyAV."""
    wave, duration_s = _decode(data)
    return measure(wave, duration_s)


def measure(wave: Wave, duration_s: float | None = None) -> Sample:
    """Measure mono audio at RATE, values from -1 to 1. `duration_s` if the audio goes on after the wave."""
    levels = _levels(wave)
    noise_db = float(np.percentile(levels, 5)) if len(levels) else _QUIET_DB
    loud_db = float(np.percentile(levels, 90)) if len(levels) else _QUIET_DB
    speech = levels > max(loud_db - 25, -60.0)
    speech_s = float(np.count_nonzero(speech)) * _FRAME_S
    pitches = _pitches(wave)
    return Sample(
        duration_s=len(wave) / RATE if duration_s is None else duration_s,
        level_db=loud_db,
        noise_db=noise_db,
        pitch_hz=float(np.median(pitches)) if len(pitches) else None,
        pitch_spread=_spread(pitches),
        syllables_s=_syllables(levels, speech) / speech_s if speech_s else 0.0,
        speech_s=speech_s,
        digest=zlib.crc32(np.asarray(wave * 32767, dtype="<i2").tobytes()),
    )


def cloned_traits(sample: Sample) -> Traits:
    """The traits of a voice cloned from a recording: its pitch, its liveliness and its speaking rate."""
    pitch_hz = sample.pitch_hz or 120.0
    variant = _variant(pitch_hz, sample.digest)
    rate = sample.syllables_s / _NORMAL_SYLLABLES_S if sample.syllables_s else 1.0
    return Traits(
        variant=variant,
        pitch=pitch_for(variant, pitch_hz),
        liveliness=round(min(80.0, 20 + 15 * sample.pitch_spread)),
        speaking_rate=min(1.35, max(0.75, rate)),
    )


def _variant(pitch_hz: float, digest: int) -> str:
    """One of the created variants that can speak at this pitch; which one is decided by the recording."""
    gender = "male" if pitch_hz < _MALE_BELOW_HZ else "female"
    names = CREATED_VARIANTS[gender]
    able = [name for name in names if pitch_range(name)[0] <= pitch_hz <= pitch_range(name)[1]]
    choices = able or [name for name in names if pitch_range(name) == _nearest_range(names, pitch_hz)]
    return choices[digest % len(choices)]


def _nearest_range(names: tuple[str, ...], pitch_hz: float) -> tuple[int, int]:
    """The range that comes nearest to a pitch outside of all."""
    return min((pitch_range(name) for name in names), key=lambda r: min(abs(edge - pitch_hz) for edge in r))


def _decode(data: bytes) -> tuple[Wave, float]:
    """The first KEPT_S seconds at RATE, and the whole length in seconds."""
    try:
        import av
    except ImportError as error:
        raise VoiceUnavailable(INSTALL) from error
    if not data:
        raise UnreadableRecording("the file is empty")
    try:
        with av.open(io.BytesIO(data)) as container:
            names = set(container.format.name.split(","))
            if not names & _CONTAINERS:
                raise UnreadableRecording(f"the file is {container.format.name}, not wav, mp3 or m4a")
            if not container.streams.audio:
                raise UnreadableRecording("the file has no sound")
            parts, samples = _frames(container, av.AudioResampler(format="s16", layout="mono", rate=RATE))
    except (av.FFmpegError, IndexError, ValueError) as error:
        if isinstance(error, UnreadableRecording):
            raise
        raise UnreadableRecording("the file cannot be read as audio") from None
    if not samples:
        raise UnreadableRecording("the file has no sound")
    return np.concatenate(parts).astype(np.float32) / np.float32(32768), samples / RATE


def _frames(container: Any, resampler: Any) -> tuple[list[NDArray[np.int16]], int]:
    parts: list[NDArray[np.int16]] = []
    samples = 0
    for frame in container.decode(audio=0):
        for piece in resampler.resample(frame):
            if samples < KEPT_S * RATE:
                parts.append(piece.to_ndarray().reshape(-1))
            samples += piece.samples
    for piece in resampler.resample(None):
        if samples < KEPT_S * RATE:
            parts.append(piece.to_ndarray().reshape(-1))
        samples += piece.samples
    return parts, samples


def _levels(wave: Wave) -> NDArray[np.float64]:
    """The level of each frame in decibels against full scale."""
    size = round(_FRAME_S * RATE)
    frames = wave[: len(wave) // size * size].reshape(-1, size).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 10 ** (_QUIET_DB / 10))))


def _syllables(levels: NDArray[np.float64], speech: NDArray[np.bool_]) -> int:
    """Peaks of the smoothed level that stand out by 2 dB: nearly one for each syllable."""
    if len(levels) < 20:
        return 0
    smooth = np.convolve(levels, np.hanning(9) / np.hanning(9).sum(), mode="same")
    count, low, high = 0, smooth[0], smooth[0]
    rising = False
    for level, spoken in zip(smooth, speech, strict=True):
        if rising:
            high = max(high, level)
            if level < high - 2:
                count, rising, low = count + 1, False, level
        else:
            low = min(low, level)
            if spoken and level > low + 2:
                rising, high = True, level
    return count + rising


def _pitches(wave: Wave) -> NDArray[np.float64]:
    """The pitch in Hertz of each voiced window, by autocorrelation."""
    found = [
        _pitches_of(wave[begin : begin + 60 * RATE]) for begin in range(0, max(1, len(wave) - 1), 60 * RATE)
    ]
    return np.concatenate(found)


def _pitches_of(wave: Wave) -> NDArray[np.float64]:
    if len(wave) < _PITCH_WINDOW:
        return np.zeros(0)
    shape = np.hanning(_PITCH_WINDOW)
    windows = np.lib.stride_tricks.sliding_window_view(wave, _PITCH_WINDOW)[::_PITCH_STEP]
    lags = _correlation((windows - windows.mean(axis=1, keepdims=True)) * shape)
    energy = lags[:, 0]
    # Without the window's own correlation long lags would look weaker than they are.
    lags = lags / np.maximum(energy, 1e-9)[:, None] / _correlation(shape[None, :] / np.linalg.norm(shape))
    low, high = RATE // _HIGHEST_HZ, RATE // _LOWEST_HZ
    band = lags[:, low:high]
    best = band.max(axis=1)
    # The first lag that is nearly the best one: a later one is an octave too low.
    first = np.argmax(_peaks(band) & (band >= 0.88 * best[:, None]), axis=1)
    voiced = (best > _VOICED) & (energy > max(1e-3, 0.05 * float(np.percentile(energy, 90)))) & (first > 0)
    return np.asarray(RATE / (low + first[voiced]), dtype=np.float64)


def _spread(pitches: NDArray[np.float64]) -> float:
    """Two thirds of the windows are within this many semitones of the middle; wrong octaves count little."""
    if not len(pitches):
        return 0.0
    low, high = np.percentile(pitches, (17, 83))
    return float(6 * np.log2(high / low))


def _peaks(band: NDArray[np.float64]) -> NDArray[np.bool_]:
    inner = (band[:, 1:-1] >= band[:, :-2]) & (band[:, 1:-1] >= band[:, 2:])
    return np.pad(inner, ((0, 0), (1, 1)))


def _correlation(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(windows, 2 * _PITCH_WINDOW, axis=1)
    return np.fft.irfft(np.abs(spectrum) ** 2, axis=1)[:, : RATE // _LOWEST_HZ + 1]
