"""The benchmark of what is said over an answer: what was right, and the noises that are made."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from bench.common import RATE, WireClient
from bench.over_answers import HEADS, NOISE_S, Outcome, _said, markdown, noise, sounds


def outcome(
    kind: str, stopped: bool, went_on: bool = False, decided_ms: float | None = 500.0, load: float = 0.1
) -> Outcome:
    return Outcome(kind, "name", stopped, went_on, decided_ms, load)


@pytest.mark.parametrize(
    ("kind", "stopped", "went_on", "right"),
    [
        ("interruption, English", True, False, True),
        ("interruption, recorded", True, True, False),
        ("interruption, Chinese", False, False, False),
        ("murmur, English", True, False, False),
        ("murmur, Chinese", True, True, True),
        ("murmur, Chinese", False, False, True),
        ("noise", True, False, False),
        ("noise", True, True, True),
        ("noise", False, False, True),
    ],
)
def test_an_interruption_stops_the_answer_for_good_and_nothing_else_does(
    kind: str, stopped: bool, went_on: bool, right: bool
) -> None:
    assert outcome(kind, stopped, went_on).right is right


def rows_of(outcomes: list[Outcome]) -> list[list[str]]:
    lines = [line.strip("| ").split(" | ") for line in markdown(outcomes).splitlines()]
    assert lines[0] == list(HEADS)
    return lines[2:]


def test_each_kind_has_one_row_that_counts_its_own_sounds() -> None:
    assert rows_of(
        [
            outcome("murmur, English", True, True, 700.0, 0.4),
            outcome("noise", False, decided_ms=None),
            outcome("murmur, English", False, decided_ms=300.0, load=1.25),
            outcome("murmur, English", True, decided_ms=500.0),
        ]
    ) == [
        ["murmur, English", "3", "2", "1", "2", "500 / 700", "1.2"],
        ["noise", "1", "0", "0", "1", "-", "0.1"],
    ]


def test_a_sound_about_which_nothing_was_decided_has_no_part_in_the_times() -> None:
    [row] = rows_of([outcome("noise", False, decided_ms=None), outcome("noise", True, decided_ms=0.0)])
    assert row[5] == "0 / 0"


@pytest.mark.parametrize("seconds", NOISE_S)
@pytest.mark.parametrize("low", [False, True])
def test_a_noise_is_as_long_as_it_says_with_soft_ends_and_always_the_same(seconds: float, low: bool) -> None:
    made = noise(seconds, low)
    assert made.ms == made.end_ms == seconds * 1000
    assert np.array_equal(made.samples, noise(seconds, low).samples)
    middle, ends = made.samples[RATE // 50 : -RATE // 50], made.samples[[0, 1, -2, -1]]
    assert np.abs(ends).max() < 250
    assert np.std(middle) > 1_500
    assert np.abs(middle.astype(int)).max() < 24_000, "it is not clipped"


def test_a_rumble_is_low_and_a_hiss_is_not() -> None:
    for low in (False, True):
        power = np.abs(np.fft.rfft(noise(2.0, low).samples)) ** 2
        hertz = np.fft.rfftfreq(2 * RATE, 1 / RATE)
        below = power[hertz < 500].sum() / power.sum()
        assert below > 0.5 if low else below < 0.1


def test_there_is_a_hiss_and_a_rumble_of_each_length() -> None:
    made = list(sounds("noise", natural=False))
    assert {sound.kind for sound in made} == {"noise"}
    assert len({sound.speech.name for sound in made}) == 2 * len(NOISE_S)
    assert all(one.speech.ms <= other.speech.ms for one, other in pairwise(made))


def deltas(*texts: str) -> WireClient:
    events = [(0.0, {"type": "response.output_audio_transcript.delta", "delta": text}) for text in texts]
    return WireClient(None, [(0.0, {"type": "response.created"}), *events])  # type: ignore[arg-type]


def test_the_rest_of_the_old_answer_is_no_answer_to_words() -> None:
    answer = "There was an old man, and he had a dog."
    assert not _said(deltas("There was an old man,", " and he had a dog. "), answer)
    assert _said(deltas("There was an old man,", "All right."), answer)
    assert not _said(deltas(), answer)
