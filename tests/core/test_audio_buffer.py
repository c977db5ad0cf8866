"""A window on one microphone, by position in everything that was ever received."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.audio_buffer import AudioBuffer


def counting(first: int, count: int) -> np.ndarray:
    """Samples whose value is their position."""
    return np.arange(first, first + count).astype(np.int16)


def test_positions_count_everything_ever_received():
    audio = AudioBuffer(1000, keep_ms=100)
    audio.append(counting(0, 60))
    audio.append(counting(60, 90))
    assert (audio.start_ms, audio.end_ms, audio.buffered_ms) == (50, 150, 100)
    assert audio.since(140).tolist() == list(range(140, 150))


def test_a_stretch_is_taken_as_far_as_it_is_kept():
    audio = AudioBuffer(1000, keep_ms=100)
    audio.append(counting(0, 150))
    assert audio.since(0, 53).tolist() == [50, 51, 52]
    assert audio.since(0, 10).tolist() == []
    assert audio.since(145, 999).tolist() == list(range(145, 150))
    assert audio.since(120, 110).tolist() == []


def test_a_stretch_is_a_copy():
    audio = AudioBuffer(1000, keep_ms=100)
    audio.append(counting(0, 10))
    taken = audio.since(0)
    audio.clear()
    assert taken.tolist() == list(range(10))


def test_forgetting_moves_only_the_front():
    audio = AudioBuffer(1000, keep_ms=1000)
    audio.append(counting(0, 100))
    audio.discard_before(30)
    audio.discard_before(10)
    assert (audio.start_ms, audio.end_ms) == (30, 100)
    audio.discard_before(1000)
    assert (audio.start_ms, audio.end_ms, audio.buffered_ms) == (100, 100, 0)


def test_after_clearing_the_position_goes_on():
    audio = AudioBuffer(1000, keep_ms=1000)
    audio.append(counting(0, 100))
    audio.clear()
    assert audio.buffered_ms == 0
    audio.append(counting(100, 5))
    assert audio.since(0).tolist() == [100, 101, 102, 103, 104]


def test_milliseconds_are_exact_at_the_rate_of_the_ears():
    audio = AudioBuffer(16_000, keep_ms=1000)
    audio.append(np.zeros(8, np.int16))
    assert audio.end_ms == pytest.approx(0.5)


@given(st.lists(st.tuples(st.sampled_from(["append", "forget", "clear"]), st.integers(0, 400)), max_size=30))
def test_whatever_happens_a_sample_stays_at_its_position(steps):
    audio, received = AudioBuffer(1000, keep_ms=500), 0
    for kind, number in steps:
        if kind == "append":
            audio.append(counting(received, number))
            received += number
        elif kind == "forget":
            audio.discard_before(number * 10)
        else:
            audio.clear()
        assert audio.end_ms == received
        assert audio.buffered_ms <= 500
        assert audio.since(0).tolist() == list(range(int(audio.start_ms), received))
