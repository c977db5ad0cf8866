"""While somebody may be interrupting, the reply is played more quietly: the rules alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.turn import (
    AnnounceSpeech,
    DetectionEnded,
    DuckReply,
    InterimText,
    Phase,
    PlaybackEnded,
    ReplyBegan,
    ReplyEnded,
    ReplyHeard,
    SpeechBegan,
    SpeechCleared,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    StopReply,
    Turn,
    TurnRules,
    step,
)

READS = TurnRules(reads=True)
HEARD = (ReplyBegan("r1"), ReplyHeard("r1"))
VOICE = (*HEARD, SpeechBegan(100, "u1"), SpeechGrew(160))
DOWN, UP = DuckReply("r1", down=True), DuckReply("r1", down=False)


def play(*events, rules=READS):
    turn, actions = Turn(), []
    for event in events:
        turn, new = step(turn, event, rules)
        actions += new
    return turn, actions


def test_a_voice_of_150_ms_lowers_the_reply_once():
    assert play(*HEARD, SpeechBegan(100, "u1"), SpeechGrew(128))[1] == []
    assert play(*VOICE, SpeechGrew(192), SpeechGrew(224))[1] == [DOWN]


@pytest.mark.parametrize(
    "known",
    [
        InterimText("Mm-hmm.", 160),
        InterimText("嗯", 160),
        InterimText("", 160, whole=True),
        SpeechEnded(400),
        SpeechCommitted(),
    ],
)
def test_it_comes_back_when_the_words_are_known_or_the_sound_is_over(known):
    turn, actions = play(*VOICE, SpeechGrew(256), InterimText("", 200), known)
    assert actions[0] == DOWN
    restored = UP in actions
    assert restored is (turn.phase is not Phase.JUDGING), "an ended sound may still be a word"
    if not restored:
        assert play(*VOICE, SpeechGrew(256), known, SpeechRead("u1", "Mm."))[1][-1] == UP


def test_after_a_murmur_it_takes_more_voice():
    murmur = (*VOICE, SpeechGrew(320), InterimText("Yeah", 320))
    assert play(*murmur, SpeechGrew(740))[1] == [DOWN, UP]
    assert play(*murmur, SpeechGrew(780))[1] == [DOWN, UP, DOWN]


def test_an_interruption_ends_with_the_gain_of_before():
    _, actions = play(*VOICE, SpeechGrew(320), InterimText("What about cats"))
    assert actions == [DOWN, AnnounceSpeech(100), StopReply("r1"), UP]


def test_a_reply_that_ends_meanwhile_leaves_no_low_gain():
    assert play(*VOICE, ReplyEnded("r1", audible=True), PlaybackEnded("r1"))[1] == [
        DOWN,
        AnnounceSpeech(100),
        UP,
    ]


def test_nothing_is_lowered_where_speech_does_not_interrupt():
    assert play(*VOICE, rules=TurnRules(interrupt_response=False, reads=True))[1] == []


EVENTS = st.one_of(
    st.builds(SpeechBegan, st.floats(0, 1e6), st.sampled_from(["u1", "u2"])),
    st.builds(SpeechGrew, st.sampled_from([100, 200, 500, 900])),
    st.builds(InterimText, st.sampled_from(["", "mhm", "stop"]), st.just(300.0), st.booleans()),
    st.builds(SpeechRead, st.sampled_from(["u1", "u2"]), st.sampled_from(["", "stop"])),
    st.builds(SpeechEnded, st.floats(0, 1e6)),
    st.sampled_from([SpeechCommitted(), SpeechCleared(), DetectionEnded()]),
    st.builds(ReplyBegan, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyHeard, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyEnded, st.sampled_from(["r1", "r2"]), st.booleans()),
    st.builds(PlaybackEnded, st.sampled_from(["r1", "r2"])),
)


@given(st.lists(EVENTS, max_size=40))
def test_down_and_up_take_turns_and_it_is_down_only_while_something_is_undecided(sequence):
    turn, down = Turn(), False
    for event in sequence:
        turn, actions = step(turn, event, READS)
        for action in actions:
            if isinstance(action, DuckReply):
                assert action.down is not down
                down = action.down
        assert not down or turn.phase in (Phase.TENTATIVE, Phase.JUDGING)
