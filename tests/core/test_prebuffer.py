"""A chunk of a slow voice plays to its end once it has begun; a voice that keeps up is passed on as it comes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.prebuffer import MAX_HOLD_S, Delivery, Prebuffer

LATENCY_S = 0.3  # between the end of one chunk and the first sound of the next

durations = st.lists(st.floats(300.0, 4000.0), min_size=2, max_size=12)
frames = st.lists(st.floats(20.0, 300.0), min_size=1, max_size=3)


class Listening:
    """A voice of constant rate, and a listener who plays what is passed on at once."""

    def __init__(self, rate: float, delivery: Delivery | None = None) -> None:
        self.rate = rate
        self.delivery = delivery or Delivery()
        self.play_through = Prebuffer(self.delivery)
        self.now_s = 0.0
        self.dry_s = 0.0  # when the listener runs dry
        self.breaks: list[float] = []  # seconds of silence inside each chunk
        self.holds: list[float] = []  # how long each was kept back

    def chunk(self, ms: float, expected_ms: float, *frames_ms: float, away_s: float = 0.0) -> None:
        """One chunk arrives, in frames of these lengths. `away_s`: who reads turns away so long after the first."""
        self.now_s += LATENCY_S
        began_s = came_s = self.now_s
        broke_s, released_s, waiting_ms, received_ms = 0.0, None, 0.0, 0.0
        for frame_ms in itertools.cycle(frames_ms):
            grown_ms = min(frame_ms, ms - received_ms)
            if received_ms:
                came_s += grown_ms / 1000 / self.rate
            self.now_s = max(self.now_s, came_s)
            self.play_through.sound(grown_ms, lambda: expected_ms, self.now_s)
            received_ms += grown_ms
            waiting_ms += grown_ms
            if self.play_through.passing:
                if released_s is not None:
                    broke_s += max(0.0, self.now_s - self.dry_s)
                released_s = self.now_s if released_s is None else released_s
                self.dry_s = max(self.dry_s, self.now_s) + waiting_ms / 1000
                waiting_ms = 0.0
            if received_ms == grown_ms:
                self.play_through.away(away_s)
                self.now_s += away_s
            if received_ms >= ms:
                break
        self.play_through.complete()
        if waiting_ms:
            released_s = self.now_s
            self.dry_s = max(self.dry_s, self.now_s) + waiting_ms / 1000
        assert released_s is not None
        self.breaks.append(broke_s)
        self.holds.append(released_s - began_s)


@given(st.floats(0.5, 0.95), durations, frames, st.data())
def test_no_chunks_breaks_off_once_the_rate_is_known(rate, chunks, frames_ms, data) -> None:
    listening = Listening(rate)
    listening.chunk(2000.0, 2000.0, *frames_ms)  # teaches
    for ms in chunks:
        listening.chunk(ms, ms * data.draw(st.floats(0.9, 1.2)), *frames_ms)
    assert listening.breaks[0] > 0
    assert listening.breaks[1:] == pytest.approx([0.0] * len(chunks), abs=1e-6)


@given(st.floats(1.0, 30.0), durations, frames)
def test_a_voice_that_keeps_up_is_never_kept_back(rate, chunks, frames_ms) -> None:
    listening = Listening(rate)
    for ms in chunks:
        listening.chunk(ms, 3 * ms, *frames_ms)
    assert listening.holds == [0.0] * len(chunks)


@given(st.floats(0.05, 0.95), st.floats(20.0, 100.0), st.floats(1000.0, 60_000.0), st.floats(0.0, 3.0))
def test_nothing_is_kept_back_for_long(rate, frame_ms, ms, error) -> None:
    listening = Listening(rate)
    listening.chunk(2000.0, 2000.0, frame_ms)
    listening.chunk(ms, error * ms, frame_ms)
    assert listening.holds[1] <= MAX_HOLD_S + frame_ms / 1000 / rate + 1e-6


def test_a_chunks_is_passed_on_as_soon_as_it_will_last() -> None:
    """4 s at 0.8: the rest may take 1 s more than it lasts, so after a little over 1 s it begins."""
    listening = Listening(0.8)
    for _ in range(2):
        listening.chunk(4000.0, 4000.0, 100.0)
    assert listening.delivery.lag == pytest.approx(0.25)
    assert 1.0 <= listening.holds[1] <= 1.4


def test_a_chunks_that_is_complete_is_passed_on() -> None:
    listening = Listening(0.8)
    listening.chunk(2000.0, 2000.0, 100.0)
    listening.chunk(600.0, 60_000.0, 100.0)
    assert listening.holds[1] == pytest.approx(0.5 / 0.8)


def test_one_hiccup_of_a_fast_voice_is_forgiven() -> None:
    listening = Listening(8.0)
    listening.chunk(2000.0, 2000.0, 100.0)
    listening.rate = 0.4
    listening.chunk(2000.0, 2000.0, 100.0)
    listening.rate = 8.0
    for _ in range(3):
        listening.chunk(2000.0, 2000.0, 100.0)
    assert listening.holds == [0.0] * 5


def test_a_voice_that_has_recovered_is_no_longer_kept_back() -> None:
    listening = Listening(0.8)
    for rate in [0.8] * 5 + [8.0] * 4:
        listening.rate = rate
        listening.chunk(2000.0, 2000.0, 100.0)
    assert listening.holds[4] > 0.5
    assert listening.holds[5] < 0.1  # it comes so fast that little is lost before that is known
    assert listening.holds[8] == 0.0


def test_short_chunks_tell_nothing() -> None:
    delivery = Delivery()
    listening = Listening(0.5, delivery)
    listening.chunk(500.0, 500.0, 100.0)
    assert delivery.lag == 0.0


@pytest.mark.parametrize("rate", [0.8, 8.0])
def test_lateness_of_whoever_reads_is_not_the_voices(rate) -> None:
    """Behind a closed gate nobody reads on: two seconds of a fast voice take three."""
    listening = Listening(rate)
    listening.chunk(2000.0, 2000.0, 100.0, away_s=3.0)
    assert listening.delivery.lag == 0.0


def test_what_comes_together_counts_as_one() -> None:
    """Half a second at once, then nothing for as long as it takes to make the next."""
    listening = Listening(0.9)
    for _ in range(3):
        listening.chunk(3000.0, 3000.0, 500.0)
    assert listening.breaks[2] == 0.0
    assert listening.holds[2] > 0
