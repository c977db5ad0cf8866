"""The benchmark of a server that hears itself: its client and room, and what an outcome counts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bench import echo_loop
from bench.common import RATE
from bench.echo_loop import (
    AFTER_S,
    FRAME,
    LOOP_S,
    NOISE,
    SENT,
    Client,
    Outcome,
    RecordedVoice,
    Scene,
    active_rms,
    at_level,
    markdown,
    numbers,
    outcome,
    room,
)
from tests.clips import RATE as CLIP_RATE
from tests.clips import Clip

DIRECT = np.ones(1)  # no room


def clip(text: str = "Yes.", seconds: float = 1.0, peak: float = 3_000.0) -> Clip:
    samples = np.sin(np.arange(int(seconds * CLIP_RATE)) / 3) * peak
    return Clip("clip", "en", text, samples.astype(np.int16), recorded=True)


def pcm(value: int, samples: int) -> bytes:
    return np.full(samples, value, "<i2").tobytes()


def taken(client: Client, frames: int) -> np.ndarray:
    return np.concatenate([np.frombuffer(client.microphone(), "<i2") for _ in range(frames)]).astype(float)


def test_the_level_of_a_voice_is_that_of_where_it_speaks() -> None:
    voice = np.sin(np.arange(32_000) / 3) * 1_000
    spoken = np.concatenate([np.zeros(48_000), voice, np.zeros(16_000), voice])
    assert active_rms(spoken) == pytest.approx(1_000 / np.sqrt(2), rel=0.01)
    for peak in (300.0, 30_000.0):
        assert active_rms(at_level(clip(peak=peak), SENT)) == pytest.approx(SENT, rel=0.001)
    assert len(at_level(clip(seconds=2.0), SENT)) == 2 * RATE


@pytest.mark.parametrize("seconds", [0.2, 0.5])
def test_a_room_neither_adds_nor_takes_energy_and_falls_by_60_db_in_its_time(seconds: float) -> None:
    impulse = room(seconds, 50)
    assert (impulse**2).sum() == pytest.approx(1.0)
    assert impulse[0] ** 2 == pytest.approx(0.5), "half of it is the direct sound"
    assert len(impulse) == int(seconds * RATE)
    early, late = (
        np.sqrt((impulse[at : at + 1_200] ** 2).mean()) for at in (len(impulse) // 4, len(impulse) * 3 // 4)
    )
    assert 20 * np.log10(early / late) == pytest.approx(30, abs=1.5)
    assert np.array_equal(impulse, room(seconds, 50))
    assert not np.array_equal(impulse, room(seconds, 150))


@pytest.mark.parametrize(("delay_ms", "level_db"), [(50, -6), (300, -24)])
def test_the_microphone_hears_what_is_played_after_the_delay_and_at_its_level(
    delay_ms: float, level_db: float
) -> None:
    client = Client(delay_ms, DIRECT, level_db)
    taken(client, 5)
    client.play(pcm(10_000, 4_800))
    heard = taken(client, 40)
    at = int(delay_ms * RATE / 1000)
    expected = np.zeros(len(heard))
    expected[at : at + 4_800] = 10_000 * 10 ** (level_db / 20)
    assert np.abs(heard - expected).max() < 8 * NOISE
    assert np.std(heard[:at]) == pytest.approx(NOISE, rel=0.2)


def test_what_comes_in_pieces_is_played_without_a_gap_and_in_order() -> None:
    client = Client(0, DIRECT, 0.0)
    client.play(pcm(5_000, 300))
    client.play(pcm(-5_000, 300))
    heard = taken(client, 2)
    assert np.abs(heard[:600] - np.repeat([5_000, -5_000], 300)).max() < 8 * NOISE
    assert np.abs(heard[600:]).max() < 8 * NOISE


def test_what_would_be_played_after_the_last_frame_is_left_out() -> None:
    client = Client(0, DIRECT, 0.0)
    for samples in (len(client.near) - 700, 1_000, 700):
        client.play(pcm(1_000, samples))
    assert client._played[-700:].mean() == 1_000
    assert taken(client, 1).mean() == pytest.approx(1_000, abs=NOISE)


def test_the_room_goes_on_sounding_from_frame_to_frame() -> None:
    impulse = np.zeros(1_001)
    impulse[1_000] = 1.0
    client = Client(0, impulse, 0.0)
    client.play(pcm(5_000, 1))
    heard = taken(client, 5)
    assert int(np.argmax(heard)) == 1_000
    assert heard[1_000] == pytest.approx(5_000, abs=8 * NOISE)


def test_a_client_that_stops_discards_what_it_has_not_played_and_plays_what_comes_next() -> None:
    client = Client(0, DIRECT, 0.0)
    client.play(pcm(5_000, 10 * FRAME))
    taken(client, 2)
    client.stop()
    heard = taken(client, 3)
    assert np.abs(heard[FRAME:]).max() < 8 * NOISE, "but for the frame that is being played"
    client.play(pcm(4_000, FRAME))
    assert taken(client, 1).mean() == pytest.approx(4_000, abs=NOISE)


def test_an_interruption_is_heard_with_the_echo() -> None:
    client = Client(0, DIRECT, 0.0)
    client.play(pcm(3_000, FRAME))
    client.near[:FRAME] = 2_000
    assert taken(client, 1).mean() == pytest.approx(5_000, abs=NOISE)


def test_the_voice_speaks_all_of_its_recordings_in_order_however_the_text_is_cut() -> None:
    voice = RecordedVoice([clip("One two three."), clip("Four, five, six.", peak=9_000.0)])
    assert voice.text == "One two three. Four, five, six."
    pieces = [voice.next_sound(text) for text in ("One two", "three. Four,", "five, six.")]
    assert np.array_equal(np.concatenate(pieces), voice.sound)
    assert len(pieces[1]) == pytest.approx(len(voice.sound) * 13 / 32, abs=2)


def events(
    *started_s: float, created: tuple[tuple[float, bool], ...] = ()
) -> list[tuple[float, dict[str, Any]]]:
    """`created`: responses, and whether they were asked for."""
    made: list[tuple[float, dict[str, Any]]] = [
        (at_s, {"type": "response.created", "response": {"metadata": {"asked": "yes"} if asked else None}})
        for at_s, asked in created
    ]
    return made + [(at_s, {"type": "input_audio_buffer.speech_started"}) for at_s in started_s]


def scene(short: bool = False) -> Scene:
    return Scene(clip(), -24, 150, 0.35, short)


def test_an_interruption_is_timed_from_when_somebody_begins() -> None:
    found = outcome(events(LOOP_S + 0.84, LOOP_S + 3, created=((0.3, True), (LOOP_S + 4, False))), scene())
    assert found == Outcome(-24, 150, 0.35, 0, 0, pytest.approx(840))
    assert outcome(events(created=((0.3, True),)), scene()).heard_ms is None


def test_what_begins_before_anybody_speaks_is_an_interruption_by_itself() -> None:
    found = outcome(events(3.0, 8.0, LOOP_S + 1, created=((0.3, True), (4.0, False), (9.0, False))), scene())
    assert (found.interrupted_itself, found.answered_itself, found.heard_ms) == (2, 2, None)


def test_among_short_replies_nobody_speaks_at_all() -> None:
    found = outcome(events(LOOP_S + 1, created=((0.3, True), (LOOP_S + 2, False))), scene(short=True))
    assert (found.interrupted_itself, found.answered_itself, found.heard_ms) == (1, 1, None)
    assert LOOP_S + 2 < LOOP_S + AFTER_S


def test_a_loop_is_told_in_one_row() -> None:
    found = markdown([Outcome(-24, 150, 0.35, 0, 0, 840.4), Outcome(-6, 50, 0.2, 6, 5, None)]).splitlines()
    assert found[2:] == [
        "| -24 dB | 150 ms | 0.35 s | 0 | 0 | 840 ms |",
        "| -6 dB | 50 ms | 0.2 s | 6 | 5 | no |",
    ]


def test_numbers_are_separated_by_commas() -> None:
    assert numbers("-6,-24,50") == (-6, -24, 50)


def test_short_replies_are_the_shortest_and_nobody_who_interrupts_is_among_the_replies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spoken = [
        Clip(name, "en", "", np.zeros(int(seconds * CLIP_RATE), np.int16), True)
        for name, seconds in (
            ("long", 9.0),
            ("en_jfk", 2.0),
            ("a", 3.0),
            ("no", 1.0),
            ("b", 1.6),
            ("c", 2.0),
            ("d", 4.0),
        )
    ]
    monkeypatch.setattr(echo_loop, "clips", lambda language: list(spoken))
    assert [one.id for one in scene().replies()] == ["long", "a", "b", "c", "d"]
    assert [one.id for one in scene(short=True).replies()] == ["b", "c", "a", "d"]
