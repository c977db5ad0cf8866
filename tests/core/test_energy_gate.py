"""When a voice has fallen quiet, against how loud it was."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.energy_gate import (
    BLOCK_MS,
    BLOCK_SAMPLES,
    HEARD_BELOW,
    LEVEL_PERCENTILE,
    EnergyGate,
    sounding_s,
    stretches_s,
)

FRAME = 512
RNG = np.random.default_rng(3)


def tone(peak: float, samples: int = FRAME) -> np.ndarray:
    """A hum whose every block reaches its peak."""
    return (np.sin(np.arange(samples) * 0.3) * peak).astype(np.int16)


def spoken(gate: EnergyGate, peak: float, frames: int) -> None:
    for _ in range(frames):
        assert gate.feed(tone(peak), voiced=True) == 0


def test_quiet_is_counted_to_the_block_from_the_end_of_the_sound() -> None:
    gate = EnergyGate()
    spoken(gate, 8000, 20)
    half = np.concatenate([tone(8000, 3 * BLOCK_SAMPLES), tone(20, BLOCK_SAMPLES)])
    assert gate.feed(half, voiced=True) == BLOCK_MS
    assert gate.feed(tone(20), voiced=True) == BLOCK_MS + 32
    assert gate.feed(tone(20), voiced=False) == BLOCK_MS + 64
    assert gate.feed(tone(8000), voiced=True) == 0


def test_a_soft_end_is_not_quiet() -> None:
    gate = EnergyGate()
    spoken(gate, 8000, 20)
    assert gate.feed(tone(8000 / 10), voiced=True) == 0, "20 dB softer is a voice that falls"


def test_noise_that_drowns_the_difference_leaves_no_quiet() -> None:
    gate = EnergyGate()
    spoken(gate, 2000, 20)
    room = RNG.normal(0, 300, FRAME).astype(np.int16)
    assert gate.feed(room, voiced=True) == 0


def test_a_click_does_not_make_the_speech_after_it_seem_quiet() -> None:
    gate = EnergyGate()
    spoken(gate, 800, 20)
    click = tone(800)
    click[100:140] = 32_000
    gate.feed(click, voiced=True)
    spoken(gate, 800, 5)


def test_noise_that_is_not_voiced_does_not_raise_the_level() -> None:
    gate = EnergyGate()
    spoken(gate, 500, 20)
    for _ in range(50):
        gate.feed(tone(30_000), voiced=False)
    spoken(gate, 500, 5)


def test_digital_silence_and_full_scale_are_bearable() -> None:
    gate, silence = EnergyGate(), np.zeros(FRAME, np.int16)
    assert gate.feed(silence, voiced=True) == 0, "there was no voice yet to be quieter than"
    for _ in range(25):
        assert gate.feed(np.full(FRAME, -32768, np.int16), voiced=True) == 0
    assert gate.feed(silence, voiced=True) == 32


def test_the_most_negative_sample_is_as_loud_as_the_most_positive_one() -> None:
    negative, positive = EnergyGate(), EnergyGate()
    for gate, peak in ((negative, -32_768), (positive, 32_767)):
        for _ in range(60):
            gate.feed(np.full(FRAME, peak, np.int16), voiced=True)
    soft = tone(32_767 / 40)
    assert negative.feed(soft, voiced=True) == positive.feed(soft, voiced=True) > 0


def test_a_new_utterance_knows_nothing_of_the_one_before() -> None:
    gate = EnergyGate()
    spoken(gate, 20_000, 40)
    assert gate.feed(tone(200), voiced=True) == 32
    gate.reset()
    spoken(gate, 200, 3)


@given(st.lists(st.tuples(st.integers(0, 32_767), st.booleans()), min_size=1, max_size=60))
def test_it_never_counts_more_quiet_than_there_was_sound(frames: list[tuple[int, bool]]) -> None:
    gate = EnergyGate()
    for number, (peak, voiced) in enumerate(frames, 1):
        quiet_ms = gate.feed(tone(peak), voiced=voiced)
        assert 0 <= quiet_ms <= number * 32
        assert quiet_ms == pytest.approx(quiet_ms // BLOCK_MS * BLOCK_MS)


def test_a_recording_sounds_from_its_first_to_its_last_sound():
    def quiet(seconds: float) -> np.ndarray:
        return RNG.standard_normal(int(seconds * 16_000)) * 8

    voice = np.sin(np.arange(16_000) / 3) * 9_000
    spoken = np.concatenate([quiet(0.4), voice[:6_400], quiet(0.2), voice[:3_200] / 10, quiet(0.5)])
    assert sounding_s(spoken.astype(np.int16)) == pytest.approx(0.8, abs=0.02)
    clicked = spoken.copy()
    clicked[100:140] = 32_000
    assert sounding_s(clicked.astype(np.int16)) >= 0.8, "a click takes nothing away"
    assert sounding_s(np.zeros(16_000, np.int16)) == 0.0
    assert sounding_s(np.zeros(64, np.int16)) == pytest.approx(0.004)


@given(st.lists(st.integers(min_value=0, max_value=32_767), min_size=1, max_size=60))
def test_the_level_of_a_recording_is_the_percentile_of_its_blocks(peaks) -> None:
    samples = np.repeat(np.array(peaks, np.int16), BLOCK_SAMPLES)
    least = max(1.0, float(np.percentile(peaks, LEVEL_PERCENTILE)) * HEARD_BELOW)
    sounding = [number for number, peak in enumerate(peaks) if peak >= least]
    blocks = sounding[-1] - sounding[0] + 1 if sounding else 0
    assert sounding_s(samples) == pytest.approx(blocks * BLOCK_MS / 1000)


@given(
    st.lists(st.tuples(st.integers(50, 400), st.integers(300, 3_000)), min_size=1, max_size=6),
    st.integers(0, 500),
)
def test_a_recording_sounds_in_stretches_with_long_pauses_between_them(
    parts: list[tuple[int, int]], lead: int
) -> None:
    """`parts`: milliseconds of sound, and of the quiet after it."""
    expected, at, samples = [], lead / 1000, [np.zeros(lead * 16, np.int16)]
    for number, (sound, quiet) in enumerate(parts):
        if number == 0 or parts[number - 1][1] >= 1_020:
            expected.append([at, 0.0])
        at += sound / 1000
        expected[-1][1] = at
        at += quiet / 1000
        samples += [tone(8000, sound * 16), np.zeros(quiet * 16, np.int16)]
    if any(980 < quiet < 1_020 for _, quiet in parts):
        return  # the blocks decide
    found = stretches_s(np.concatenate(samples), 1.0)
    assert np.array(found) == pytest.approx(np.array(expected), abs=0.02)


def test_silence_has_no_stretch() -> None:
    assert stretches_s(np.zeros(16_000, np.int16), 1.0) == stretches_s(np.zeros(0, np.int16), 1.0) == []
