"""The benchmarks of spoken turns and of barge-in in real time: what is counted of what was received."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from bench import barge_in, spoken
from bench.barge_in import BargeIn, Player
from bench.common import RATE
from bench.spoken import EARLY_MS, Mode, Result, SpokenTurn, repeats_other_words

MODE = Mode("a mode", {}, "chat", 650)


def ends(said: str, answer: str, *before: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        *before,
        {"type": "conversation.item.input_audio_transcription.completed", "transcript": said},
        {"type": "response.output_audio_transcript.done", "transcript": answer},
        {"type": "response.done"},
    ]


@pytest.mark.parametrize(
    ("said", "answer", "other"),
    [
        ("Turn it on.", "You said: turn it on", False),
        ("Turn it on.", "You said: turn it off", True),
        ("Turn it on.", "", True),
        ("我要买九点的票。", "你说：我要买9点的票", False),
        ("我要买票。", "你说：我要卖票", True),
    ],
)
def test_an_answer_is_to_other_words_if_it_does_not_repeat_what_was_said(
    said: str, answer: str, other: bool
) -> None:
    assert repeats_other_words(ends(said, answer)) is other


def test_of_a_long_sentence_the_answer_has_to_repeat_the_beginning() -> None:
    long = "one two three four five six seven " * 5
    assert not repeats_other_words(ends(long, "You said: " + long[:100]))
    assert repeats_other_words(ends(long, "You said: " + long[:60]))


def test_an_answer_is_compared_with_what_was_understood_last() -> None:
    assert not repeats_other_words(ends("Turn it on.", "Turn it on.", *ends("Turn.", "Turn.")))
    assert repeats_other_words(ends("Turn it on.", "Turn.", *ends("Turn.", "Turn it on.")))


def spoken_turn(first_audio: float, ended: float = 0.0, chat_request: int = 0, **fields: Any) -> SpokenTurn:
    marks = {"chat_request": chat_request, "transcript_final": 120}
    usual = {"requests": 1, "chats": 2, "new_connections": 0, "stutter": 0.0, "other_words": False}
    return SpokenTurn("clip", first_audio, first_audio - 200, marks, ended=ended, **(usual | fields))


def test_a_turn_was_answered_early_if_its_question_left_long_enough_before_the_end_of_speech() -> None:
    late = spoken_turn(500, ended=20, chat_request=int(EARLY_MS))
    early = spoken_turn(500, ended=20, chat_request=int(EARLY_MS) - 20)
    assert Result(MODE, [late, early, late]).early == [early]


def test_spoken_turns_are_told_in_one_row() -> None:
    turns = [
        spoken_turn(600, ended=10, requests=1, chats=1),
        spoken_turn(500, ended=-20, requests=2, chats=4, new_connections=1),
        spoken_turn(900, ended=40, requests=1, chats=2),
        spoken_turn(700, ended=0, requests=1, chats=2),
    ]
    found = dict(zip(spoken.HEADS, spoken.row(Result(MODE, turns, 2, 1, 0.25)), strict=True))
    assert {head: str(cell) for head, cell in found.items()} == {
        "spoken turn": "a mode",
        "rounds": "4",
        "end of speech → first audio, p50 / p95 ms": "650 / 900",
        "goal p50": "≤ 650",
        "→ turn confirmed": "450 / 700",
        "transcript": "125 / 160",
        "speech / chat requests per turn": "1.25 / 2.25",
        "new connections": "1",
        "cut / lost": "2 / 1",
        "machine load": "0.2",
    }


# -- barge-in -----------------------------------------------------------------------------------------------------


def audio(ms: float) -> dict[str, Any]:
    delta = base64.b64encode(bytes(int(ms * RATE / 1000) * 2)).decode()
    return {"type": "response.output_audio.delta", "item_id": "item", "delta": delta}


def test_a_player_has_played_what_there_was_time_for_and_no_more_than_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    player = Player(None)  # type: ignore[arg-type]
    assert player.played_ms == 0
    player.receive(10.0, audio(400))
    player.receive(10.2, audio(200))
    for now_s, played_ms in ((10.25, 250), (10.6, 600), (11.0, 600)):
        monkeypatch.setattr(barge_in, "now_s", lambda now_s=now_s: now_s)
        assert player.played_ms == pytest.approx(played_ms)
    assert (player.item_id, player.started_s, player.last_audio_s) == ("item", 10.0, 10.2)
    player.receive(10.3, {"type": "response.output_audio_words.delta", "words": [{"end_ms": 90}]})
    assert player.words == [{"end_ms": 90}]


WORDS = [{"word": f"word{number}", "end_ms": 300.0 * (number + 1)} for number in range(10)]


@pytest.mark.parametrize(
    ("heard_ms", "kept", "too_much", "lost"),
    [
        (1_500, 5, 0, 0),
        (1_499, 5, 0, 0),
        (1_500, 6, 0, 0),
        (1_500, 4, 0, 0),
        (1_500, 8, 2, 0),
        (1_500, 2, 0, 2),
    ],
)
def test_a_history_may_be_wrong_by_the_word_that_was_being_said_and_no_more(
    heard_ms: float, kept: int, too_much: int, lost: int
) -> None:
    history = " ".join(word["word"] for word in WORDS[:kept])
    assert barge_in.compare(WORDS, heard_ms, history) == (too_much, lost)


def test_a_history_without_words_has_lost_what_was_heard() -> None:
    assert barge_in.compare(WORDS, 900.0, " ") == (0, 2)
    assert barge_in.compare([], 900.0, " ") == (0, 0)


def test_interruptions_are_told_in_one_row_with_the_worst_last_audio() -> None:
    rounds = [
        BargeIn("a", 300, -4.0, 1, 0, 0),
        BargeIn("b", 500, 12.34, 2, 3, 1),
        BargeIn("c", 400, -9.0, 0, 0, 0),
    ]
    row = barge_in.markdown(barge_in.Result(rounds, missed=2, load=0.5)).splitlines()[2]
    assert row == "| continued speech over an answer | 3 | 400 / 500 | 12.3 | 3 / 3 | 1 | 2 | 0.5 |"
    before = barge_in.markdown(barge_in.Result(rounds[:1])).splitlines()[2]
    assert " | 0.0 | " in before, "audio that came before is not late"


def test_where_every_interruption_was_missed_the_row_says_so() -> None:
    row = barge_in.markdown(barge_in.Result([], missed=2)).splitlines()[2].split(" | ")
    assert dict(zip(barge_in.HEADS, row, strict=True))["missed"] == "2"
