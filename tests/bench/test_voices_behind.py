"""The benchmark of conversations in a café: what it makes, and what it counts."""

from __future__ import annotations

import numpy as np
import pytest

from bench.conditions import ROOM_NOISE, Speech
from bench.voices_behind import BACKGROUNDS, HEADS, LEVEL, Spoken, Turn, conversation, row, turns_of
from realtime.core.endpointing import Misfire, SpeechPaused, SpeechStarted, SpeechStopped
from tests.clips import RATE, Clip

SAID = [Spoken(1_000.0, 3_000.0), Spoken(10_000.0, 12_000.0)]


def started(onset_ms: int) -> SpeechStarted:
    return SpeechStarted(onset_ms, onset_ms + 64)


def stopped(end_ms: int) -> SpeechStopped:
    return SpeechStopped(end_ms, end_ms + 500)


def turns(*events: object) -> list[Turn]:
    return turns_of(SAID, events)  # type: ignore[arg-type]


def test_all_of_two_turns_was_heard() -> None:
    first, second = turns(
        started(900), SpeechPaused(3_050, 3_100), stopped(3_050), started(10_000), stopped(12_000)
    )
    assert (first.heard, first.lost_ms, first.known_ms, first.begun) == (1.0, 0.0, 550.0, 0)
    assert (second.heard, second.known_ms) == (1.0, 500.0)


def test_a_turn_that_stops_early_has_lost_its_end() -> None:
    first, _ = turns(started(1_000), stopped(2_500))
    assert (first.heard, first.lost_ms, first.known_ms) == (0.75, 500.0, 0.0)


def test_a_turn_in_two_parts_has_lost_what_is_between_them_and_is_over_with_the_second() -> None:
    first, _ = turns(started(1_000), stopped(1_500), started(2_500), stopped(3_000))
    assert (first.parts, first.heard, first.lost_ms, first.known_ms, first.is_lost) == (2, 0.5, 0, 500, False)
    assert not first.is_whole


def test_a_second_part_that_stays_open_is_not_over_with_the_first() -> None:
    first, _ = turns(started(1_000), stopped(1_500), started(2_500), stopped(12_000))
    assert (first.parts, first.known_ms) == (2, float("inf"))


def test_what_was_a_misfire_was_not_heard_nor_begun() -> None:
    first, second = turns(
        started(1_000), Misfire(2_000), started(5_000), Misfire(5_200), started(10_000), stopped(12_000)
    )
    assert (first.heard, first.is_lost, first.known_ms, first.begun) == (0.0, True, float("inf"), 0)
    assert second.heard == 1.0


def test_a_turn_that_stays_open_takes_in_the_next_one() -> None:
    first, second = turns(started(1_000), stopped(12_000))
    assert first.known_ms == float("inf")
    assert (second.heard, second.known_ms) == (1.0, 500.0)
    still_open, _ = turns(started(1_000))
    assert (still_open.heard, still_open.known_ms) == (1.0, float("inf"))


def test_a_turn_that_nobody_began_is_counted_and_holds_no_other_open() -> None:
    first, second = turns(started(1_000), stopped(3_000), started(5_000), stopped(6_000))
    assert (first.begun, first.known_ms, first.is_whole) == (1, 500.0, True)
    assert (second.begun, second.is_lost) == (0, True)


def test_a_row() -> None:
    never = float("inf")
    found = row(
        "x",
        [
            Turn(1, 1.0, 0.0, 600.0, 0),
            Turn(1, 0.9, 0.0, 700.0, 2),
            Turn(2, 0.9, 0.0, 900.0, 0),
            Turn(1, 0.8, 200.0, 400.0, 0),
            Turn(1, 1.0, 0.0, never, 0),
            Turn(2, 0.2, 0.0, 600.0, 1),
        ],
    )
    assert dict(zip(HEADS, found, strict=True)) == {
        "voices behind": "x",
        "turns": 6,
        "not heard": 1,
        "in parts": 1,
        "end lost": 1,
        "open after 3 s": 1,
        "begun by the voices behind": 3,
        "whole": 2,
        "their end known after p50 (p90) ms": "650 (690)",
    }


def voice(hertz: float, seconds: float, loud: float) -> Speech:
    """A tone of 16 bit, with a tenth of a second of silence before it and after it."""
    samples = np.sin(np.arange(int(seconds * RATE)) * 2 * np.pi * hertz / RATE) * loud
    samples = np.pad(samples, RATE // 10)
    clip = Clip(f"tone_{hertz:.0f}", "en", "", samples.astype(np.int16), recorded=False)
    return Speech(clip, samples, 100.0, 100.0 + seconds * 1000)


VOICES = [voice(300, 1.0, 3_000), voice(500, 2.0, 9_000), voice(700, 1.5, 15_000)]


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_a_conversation_has_every_voice_once_at_about_one_level_and_its_background(name: str) -> None:
    pcm, said = conversation(name, 1, VOICES)
    assert (pcm, said) == conversation(name, 1, VOICES), "it is always the same"
    sound = np.frombuffer(pcm, "<i2").astype(np.float64)
    assert sorted(one.end_ms - one.onset_ms for one in said) == [1_000, 1_500, 2_000]
    for one in said:
        part = sound[int(one.onset_ms * RATE / 1000) : int(one.end_ms * RATE / 1000)]
        assert np.abs(20 * np.log10(np.sqrt((part**2).mean()) / LEVEL)) < 4
    make, below_db = BACKGROUNDS[name]
    before = np.sqrt((sound[: int(said[0].onset_ms * RATE / 1000)] ** 2).mean())
    quiet = make is None or "gone" in name
    wanted = ROOM_NOISE if quiet else LEVEL * 10 ** (-below_db / 20)
    assert before == pytest.approx(wanted, rel=0.5 if "louder" in name else 0.35)
