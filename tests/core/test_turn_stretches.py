"""Speech that begins before the one before it was read: each is judged by its own length, and their text is one."""

import pytest

from realtime.core import turn_interruptions
from realtime.core.turn import (
    CommitSpeech,
    DropSpeech,
    InterimText,
    Phase,
    ReadSpeech,
    ReplyBegan,
    ReplyEnded,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
)
from tests.core.turn_kit import INTERRUPTS, READS, REPLYING, play

COUGHED = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(704), SpeechEnded(1300))  # and it is being read
GOES_ON = (*COUGHED, SpeechBegan(100, "u1"))


def after(first: str, speech_ms: float, both: str):
    """What is done after a sound that is read as this, and one that is read with it."""
    spoken = (*GOES_ON, SpeechRead("u1", first, at_ms=1300), SpeechGrew(speech_ms), SpeechEnded(2200))
    return play(*spoken, SpeechRead("u1", both, at_ms=2200), rules=READS)[1]


STOPPED = [ReadSpeech("u1", 1300), ReadSpeech("u1", 2200), *INTERRUPTS, CommitSpeech("u1", 2200)]
NOTHING = [ReadSpeech("u1", 1300), ReadSpeech("u1", 2200), DropSpeech()]


def test_what_was_read_of_a_sound_says_nothing_about_the_next_one():
    turn, actions = play(
        *GOES_ON, SpeechGrew(192), SpeechEnded(2200), SpeechRead("u1", "", at_ms=1300), rules=READS
    )
    assert (turn.phase, actions[-1]) == (Phase.JUDGING, ReadSpeech("u1", 2200)), (
        "that one is still being read"
    )
    third = (*GOES_ON, SpeechGrew(300), SpeechEnded(2200), SpeechBegan(100, "u1"), SpeechGrew(64))
    turn, _ = play(*third, SpeechRead("u1", "", at_ms=1300), SpeechEnded(3000), rules=READS)
    assert turn.phase is Phase.JUDGING, "of three sounds, the second has not been read"
    turn, _ = play(*third, SpeechRead("u1", "", at_ms=2200), SpeechEnded(3000), rules=READS)
    assert turn.phase is Phase.SILENT, "two are known, and the third is too short to be a word"


@pytest.mark.parametrize(
    ("first", "both"),
    [("", "Stop."), ("Mm-hmm.", "Mm-hmm. Stop."), ("嗯。", "嗯。停。"), ("Uh-huh.", "Uh-huh, wait!"), ("Yeah.", "Yeah no"),
     ("嗯", "嗯停"), ("好的", "好的不对"), ("うん", "うんやめて"), ("응", "응그만")],
)  # fmt: skip
@pytest.mark.parametrize("speech_ms", [160, 192, 320])
def test_a_command_after_a_murmur_stops_the_answer_however_short_it_is(first, both, speech_ms):
    assert after(first, speech_ms, both) == STOPPED
    at_pause = (*GOES_ON, SpeechRead("u1", first, at_ms=1300), SpeechGrew(speech_ms))
    interim = InterimText(both, speech_ms, whole=True)
    assert play(*at_pause, interim, rules=READS)[1] == [ReadSpeech("u1", 1300), *INTERRUPTS]


@pytest.mark.parametrize(
    ("first", "both"),
    [("", ""), ("Mm-hmm.", "Mm-hmm."), ("Mm-hmm.", "Mm-hmm. Yeah."), ("嗯。", "嗯。对对对。"), ("", "Rice."), ("Okay.", "Okay. Light.")],
)  # fmt: skip
def test_a_knock_or_a_murmur_after_a_murmur_is_nothing(first, both):
    assert after(first, 192, both) == NOTHING


def test_a_word_of_one_sound_is_not_measured_by_the_length_of_another():
    """A knock is read as a word, and a cough follows that is longer."""
    knock = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(192), SpeechEnded(800), SpeechBegan(100, "u1"))
    turn, _ = play(
        *knock, SpeechGrew(500), SpeechEnded(2000), SpeechRead("u1", "Ice.", at_ms=800), rules=READS
    )
    assert turn.phase is Phase.JUDGING


def test_before_the_answer_a_yes_is_a_word_also_after_another_sound():
    begun = (ReplyBegan("r1"), *GOES_ON[2:], SpeechRead("u1", "Hm.", at_ms=1300), SpeechGrew(192))
    assert play(*begun, InterimText("Hm. Yes.", 192, whole=True), rules=READS)[1][1:] == INTERRUPTS


@pytest.mark.parametrize("both", ["Yes. Mm-hmm.", "好的。嗯。", "Okay, hm"])
def test_a_yes_is_an_answer_where_nothing_sounds_any_more_also_before_a_hum(both):
    over = (*GOES_ON, SpeechGrew(192), SpeechEnded(2200), ReplyEnded("r1", audible=False))
    actions = play(*over, SpeechRead("u1", both, at_ms=2200), rules=READS)[1]
    assert actions[-1] == CommitSpeech("u1", 2200)


@pytest.mark.parametrize(
    ("text", "stops"), [("What about cats?", True), ("", False), ("Mm-hmm.", False), ("I", False)]
)
def test_what_is_read_late_of_the_sound_before_stops_the_answer_and_explains_nothing(text, stops):
    """Each new sound begins the decode of all of them anew: nobody else would tell it before they end."""
    late = InterimText(text, 640, earlier=True)
    turn, actions = play(*GOES_ON, SpeechGrew(64), late, rules=READS)
    assert (turn.phase is Phase.SPEAKING, turn.explained_ms) == (stops, 0.0)
    assert actions == ([ReadSpeech("u1", 1300), *INTERRUPTS] if stops else [ReadSpeech("u1", 1300)])


def test_a_long_text_is_looked_at_in_a_bounded_number_of_steps(monkeypatch):
    asked = []
    monkeypatch.setattr(turn_interruptions, "is_agreement", lambda text, **_: bool(asked.append(text)))
    play(*GOES_ON, SpeechGrew(64), InterimText("yeah yes okay " * 2_000, 64), rules=READS)
    assert len(asked) <= turn_interruptions.MOST_PIECES + 1
