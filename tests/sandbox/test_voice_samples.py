"""Recordings measured, and voices cloned from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox import voice_samples
from realtime.sandbox.voice_samples import (
    RATE,
    UnreadableRecording,
    cloned_traits,
    measure,
    read_sample,
)
from realtime.sandbox.voice_table import SYSTEM_VOICES
from realtime.sandbox.voice_traits import (
    CREATED_VARIANTS,
    LADDER,
    SYSTEM_VARIANTS,
    Traits,
    pitch_for,
    pitch_range,
    system_traits,
)
from tests.sandbox.voice_kit import measured, recording, spoken

VARIANTS = [name for names in CREATED_VARIANTS.values() for name in names]


def tone(hertz: float, seconds: float = 2.0) -> np.ndarray:
    """A buzz of known pitch: a few harmonics."""
    at = np.arange(round(seconds * RATE)) * hertz / RATE
    wave = sum(np.sin(2 * np.pi * n * at) / n for n in (1, 2, 3, 4))
    return np.asarray(wave * 0.2, dtype=np.float32)


@pytest.mark.parametrize("hertz", [70, 100, 150, 220, 310, 420])
def test_the_pitch_of_a_tone_is_found(hertz: int) -> None:
    """Within two percent, in the right octave."""
    assert measure(tone(hertz)).pitch_hz == pytest.approx(hertz, rel=0.02)


def test_level_and_noise_are_decibels_against_full_scale() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32) * np.float32(0.001)
    sample = measure(np.concatenate([noise, tone(120) * np.float32(2)]))
    assert sample.level_db == pytest.approx(-9.3, abs=1)  # four harmonics: 0.4 * sqrt(1.42 / 2)
    assert sample.noise_db == pytest.approx(-60, abs=2)
    assert sample.duration_s == pytest.approx(3.0)
    assert sample.speech_s == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize("wave", [np.zeros(RATE), np.zeros(0), np.random.default_rng(1).normal(0, 0.1, RATE)])
def test_silence_and_noise_have_no_pitch(wave: np.ndarray) -> None:
    """A voice is made from them all the same."""
    sample = measure(wave.astype(np.float32))
    assert sample.pitch_hz is None
    assert cloned_traits(sample).variant in VARIANTS


@pytest.mark.parametrize("format", ["wav", "mp3", "m4a"])
def test_the_three_formats_are_read(format: str) -> None:
    """Length and pitch are those of the sound, whatever packs it."""
    sample = read_sample(recording(10.5, format=format, voice="female-yujie"))
    assert sample.duration_s == pytest.approx(10.5, abs=0.15)
    assert sample.pitch_hz == pytest.approx(measured(spoken(voice="female-yujie")).pitch_hz, rel=0.05)


def test_a_long_recording_counts_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only its first minutes are measured, and the length is still the true one."""
    monkeypatch.setattr(voice_samples, "KEPT_S", 12)
    assert read_sample(recording(20, format="mp3")).duration_s == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"no sound at all", "cannot be read"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "cannot be read"),
        (b"<html>502 Bad Gateway</html>" * 100, "cannot be read"),
    ],
)
def test_what_is_no_recording_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadableRecording, match=reason):
        read_sample(data)


def test_other_formats_are_refused_by_name() -> None:
    with pytest.raises(UnreadableRecording, match="flac, not wav, mp3 or m4a"):
        read_sample(recording(1, format="flac"))


@pytest.mark.parametrize(
    ("voice", "pitch"), [("Grinch", -6), ("Arnold", 8), ("female-shaonv", 0), ("English_Graceful_Lady", 8)]
)
def test_a_cloned_voice_keeps_the_pitch_of_its_sample(voice: str, pitch: int) -> None:
    """From a deep man to a girl, within 15 %."""
    sample = measured(spoken(voice=voice, pitch=pitch))
    cloned = measured(
        spoken("This is another text that the clone says for the first time.", traits=cloned_traits(sample))
    )
    assert sample.pitch_hz is not None
    assert cloned.pitch_hz == pytest.approx(sample.pitch_hz, rel=0.15)


def test_a_cloned_voice_keeps_the_speaking_rate_of_its_sample() -> None:
    slow, fast = (cloned_traits(measured(spoken(speed=speed))) for speed in (0.75, 1.3))
    assert len(spoken(traits=slow)) > 1.3 * len(spoken(traits=fast))


def test_equal_recordings_give_equal_voices_and_other_ones_others() -> None:
    one, another = spoken(voice="Arnold"), spoken(voice="Abbess")
    first, again, other = (cloned_traits(measured(pcm)) for pcm in (one, one.copy(), another))
    assert first == again
    assert first != other


def test_no_created_voice_has_the_timbre_of_a_system_voice() -> None:
    """The two sets of timbres are apart, and every system voice is in its own."""
    system = {name for names in SYSTEM_VARIANTS.values() for name in names}
    assert not system & set(VARIANTS)
    assert {system_traits(voice).variant for voice in SYSTEM_VOICES} == system


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_measured_pitches_are_true(variant: str) -> None:
    """At both ends and in the middle each timbre speaks at the pitch that the table says."""
    low, high = pitch_range(variant)
    for hertz in (low * 1.2, (low * high) ** 0.5, high * 0.9):
        traits = Traits(variant, pitch_for(variant, hertz), 40, 1.0)
        assert measured(spoken(traits=traits)).pitch_hz == pytest.approx(hertz, rel=0.12)


@given(st.sampled_from(VARIANTS), st.floats(30, 900), st.floats(30, 900))
def test_a_higher_pitch_never_gets_a_lower_value(variant: str, one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert LADDER[0] <= pitch_for(variant, low) <= pitch_for(variant, high) <= LADDER[-1]


def test_a_rough_voice_flutters() -> None:
    """Its loudness changes from one hundredth of a second to the next; its pitch and its words stay."""

    def unsteady(roughness: float) -> float:
        pcm = spoken(traits=Traits("m3", 45, 20, 1.0, roughness)).astype(float)
        levels = np.sqrt(np.mean(pcm[: len(pcm) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
        loud = levels > 0.3 * levels.max()
        steps = np.abs(np.diff(20 * np.log10(np.maximum(levels, 1))))
        return float(np.mean(steps[loud[1:] & loud[:-1]]))

    assert unsteady(1.0) > 1.25 * unsteady(0.0)  # the engine never says it in the same way twice
    clear, rough = (measured(spoken(traits=Traits("m3", 45, 20, 1.0, r))) for r in (0.0, 1.0))
    assert rough.pitch_hz == pytest.approx(clear.pitch_hz, rel=0.05)
