"""When a reply that was stopped goes on: the rules alone, without a clock or a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.stopped_reply import StoppedReply, is_meant
from realtime.core.turn import (
    AnswerEarly,
    CutPlayback,
    DetectionEnded,
    DuckReply,
    InterimText,
    NothingToResume,
    Phase,
    PlaybackEnded,
    ReplyBegan,
    ReplyCutShort,
    ReplyEnded,
    ReplyHeard,
    ReplyUnwanted,
    ResumeReply,
    SpeechBegan,
    SpeechCleared,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    StartReply,
    StopChat,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    Turn,
    TurnRules,
    WholeTextSupposed,
    step,
)

READS = TurnRules(reads=True)
HEARD = (ReplyBegan("r1"), ReplyHeard("r1"))
NOISE = (SpeechBegan(100, "u1"), SpeechGrew(800), ReplyEnded("r1", audible=False))
STOPPED = (*HEARD, *NOISE)


def play(*events, rules=READS):
    turn, actions = Turn(), []
    for event in events:
        turn, new = step(turn, event, rules)
        actions += [action for action in new if not isinstance(action, DuckReply)]  # test_ducking.py
    return turn, actions


@pytest.mark.parametrize("text", ["", " ", "Mm-hmm.", "嗯", "I see.", "Got it, yeah.", "明白。"])
def test_without_words_it_goes_on(text):
    turn, actions = play(*STOPPED, SpeechEnded(1500), TranscriptKnown("u1", text))
    assert actions[-1] == ResumeReply("r1")
    assert StartReply() not in actions
    after, actions = step(turn, ReplyBegan("r2", continues=True), READS)
    assert (after.stopped, after.heard, actions) == (None, True, [StopChat("r1")])


def test_a_finished_reply_that_was_still_heard_goes_on_too():
    said = (*HEARD, ReplyEnded("r1", audible=True), SpeechBegan(100, "u1"), SpeechGrew(800))
    _, actions = play(*said, SpeechEnded(1500), TranscriptKnown("u1", ""))
    assert CutPlayback("r1") in actions
    assert actions[-1] == ResumeReply("r1")


@pytest.mark.parametrize("text", ["Stop.", "And in Paris?", "Yeah, but why?", "停", "不对"])
def test_words_are_answered(text):
    turn, actions = play(*STOPPED, SpeechEnded(1500), TranscriptKnown("u1", text))
    assert actions[-2:] == [StopChat("r1"), StartReply()]
    assert turn.stopped is None


@pytest.mark.parametrize("last", [TranscriptFailed("u1"), SpeechCommitted(), ReplyUnwanted()])
def test_what_nobody_can_read_or_the_client_wants_stays_stopped(last):
    turn, actions = play(*STOPPED, *([SpeechEnded(1500)] if last == TranscriptFailed("u1") else []), last)
    assert actions[-1] == StopChat("r1")
    assert turn.stopped is None


@pytest.mark.parametrize("last", [SpeechCommitted(), SpeechCleared(), ReplyUnwanted()])
def test_it_stays_stopped_too_if_the_client_wants_it_while_the_sound_is_read(last):
    turn, actions = play(*STOPPED, SpeechEnded(1500), last, TranscriptKnown("u1", ""))
    assert actions[-1] == StopChat("r1")
    assert (turn.stopped, turn.phase) == (None, Phase.SILENT)


@pytest.mark.parametrize("last", [SpeechCommitted(), SpeechCleared(), ReplyUnwanted()])
def test_a_murmur_is_then_a_turn_like_any_other(last):
    assert play(*STOPPED, SpeechEnded(1500), last, TranscriptKnown("u1", "Mmm."))[1][-1] == StartReply()


@pytest.mark.parametrize("taken", [SpeechCleared(), SpeechCommitted(), DetectionEnded()])
def test_words_that_are_being_read_when_the_client_takes_what_follows_are_answered(taken):
    said = (
        *STOPPED,
        SpeechEnded(1500),
        taken,
        TranscriptKnown("u1", "And in Paris?"),
    )
    assert play(*said)[1][-2:] == [StopChat("r1"), StartReply()]


def test_nothing_goes_on_without_a_transcriber_or_where_the_client_starts_the_replies():
    for rules in (TurnRules(), TurnRules(create_response=False, reads=True)):
        turn, actions = play(*STOPPED, rules=rules)
        stop = next(action for action in actions if isinstance(action, StopReply))
        assert not stop.keep_chat
        assert turn.stopped is None


def test_before_anything_was_heard_a_yes_is_more_of_the_turn_and_a_hum_is_not():
    began = (ReplyBegan("r1"), *NOISE, SpeechEnded(1500))
    assert play(*began, TranscriptKnown("u1", "Yes."))[1][-1] == StartReply()
    assert play(*began, TranscriptKnown("u1", "Mmm."))[1][-1] == ResumeReply("r1")


def test_all_sounds_since_the_stop_are_waited_for():
    twice = (*STOPPED, SpeechEnded(1500), SpeechBegan(1700, "u2"), SpeechEnded(2600))
    for texts, last in (
        (("", ""), ResumeReply("r1")),
        (("", "Go."), StartReply()),
        (("Go.", ""), StartReply()),
    ):
        first, second = (TranscriptKnown(item, text) for item, text in zip(("u1", "u2"), texts, strict=True))
        assert play(*twice, first, second)[1][-1] == last
        _, actions = play(*twice, second, first)
        assert actions.count(last) == 1


def test_the_chat_model_writes_on_until_words_are_beyond_doubt():
    for text, sure, ends in (
        ("", True, False),
        ("Yeah.", True, False),
        ("Emme.", False, False),
        ("Bread", True, False),
        ("What about Paris", False, False),
        ("What about Paris", True, True),
        ("Wait", True, True),
    ):
        turn, actions = play(*STOPPED, InterimText(text, sure=sure))
        assert (StopChat("r1") in actions) is ends, text
        assert turn.stopped is not None, "the whole text may still be empty"
        assert turn.stopped.keeps_chat is not ends
    _, actions = play(*HEARD, SpeechBegan(100, "u1"), SpeechGrew(300), InterimText("What about Paris"))
    assert not next(action for action in actions if isinstance(action, StopReply)).keep_chat


def test_an_early_answer_is_not_begun_to_a_murmur():
    assert AnswerEarly("Yeah.") not in play(*STOPPED, WholeTextSupposed("Yeah."))[1]
    assert AnswerEarly("Why?") in play(*STOPPED, WholeTextSupposed("Why?"))[1]


def test_if_nothing_is_left_to_say_a_yes_is_an_answer():
    for text, answered in (("Yes.", True), ("Mm.", False), ("", False)):
        said = (*STOPPED, SpeechEnded(1500), TranscriptKnown("u1", text), NothingToResume())
        turn, actions = play(*said)
        assert (StartReply() in actions) is answered, text
        assert turn.stopped is None


def test_one_word_may_be_a_misread_noise():
    assert is_meant("Stop!", sure=True)
    assert is_meant("Tell me more", sure=True)
    assert not is_meant("Stop!", sure=False)
    assert not is_meant("Home", sure=True)
    assert StoppedReply("r1", heard=True).told(None) is None


ENDED = (ReplyBegan("r1"), ReplyHeard("r1"), ReplyEnded("r1", audible=True), PlaybackEnded("r1"))
LATE = (*ENDED, SpeechBegan(100, "u1"), ReplyCutShort("r1"))


def test_what_a_late_player_threw_away_is_said_only_if_there_are_no_words():
    for text, follows in (("", ResumeReply("r1")), ("Mm-hmm.", StartReply()), ("Yes.", StartReply())):
        turn, actions = play(*LATE, SpeechEnded(600), TranscriptKnown("u1", text))
        assert actions[-1] == follows, text
        assert turn.stopped is None or not text
    assert play(*LATE, SpeechEnded(600), TranscriptFailed("u1"))[0].stopped is None
    assert AnswerEarly("Yes.") in play(*LATE, WholeTextSupposed("Yes."))[1]
    after = (*ENDED, SpeechBegan(100, "u1"), SpeechEnded(600), ReplyCutShort("r1"))
    assert play(*after, TranscriptKnown("u1", ""))[1][-1] == ResumeReply("r1")


def test_a_player_that_stops_of_its_own_will_is_left_alone():
    assert play(*ENDED, ReplyCutShort("r1"))[0].stopped is None
    assert play(*STOPPED, ReplyCutShort("r0"))[0].stopped.response_id == "r1"
    assert play(*LATE, ReplyUnwanted())[0].stopped is None
    for rules in (TurnRules(), TurnRules(create_response=False), TurnRules(interrupt_response=False)):
        assert play(*LATE, rules=rules)[0].stopped is None


ITEMS, REPLIES = st.sampled_from(["u1", "u2"]), st.sampled_from(["r1", "r2"])
EVENTS = st.one_of(
    st.builds(SpeechBegan, st.floats(0, 1e6), ITEMS),
    st.builds(SpeechGrew, st.sampled_from([300, 900, 2000])),
    st.builds(InterimText, st.sampled_from(["", "mhm", "stop", "what is that"])),
    st.builds(SpeechEnded, st.floats(0, 1e6)),
    st.sampled_from([SpeechCommitted(), SpeechCleared(), DetectionEnded()]),
    st.builds(TranscriptKnown, ITEMS, st.sampled_from(["", "yes", "what is that"])),
    st.builds(TranscriptFailed, ITEMS),
    st.builds(ReplyBegan, REPLIES, st.booleans()),
    st.builds(ReplyHeard, REPLIES),
    st.builds(ReplyEnded, REPLIES, st.booleans(), st.booleans()),
    st.builds(PlaybackEnded, REPLIES),
    st.builds(ReplyCutShort, REPLIES),
    st.builds(ReplyUnwanted),
    st.builds(NothingToResume),
)


@given(st.lists(EVENTS, max_size=40))
def test_only_the_reply_that_was_stopped_goes_on_and_never_beside_another_one(sequence):
    turn, kept, stopped = Turn(), None, None
    for event in sequence:
        before, (turn, actions) = turn, step(turn, event, READS)
        if isinstance(event, ReplyCutShort) and turn.stopped is not before.stopped:
            stopped = event.response_id
        for action in actions:
            match action:
                case StopReply(response_id, keep_chat):
                    stopped, kept = response_id, response_id if keep_chat else None
                case CutPlayback(response_id):
                    stopped = response_id
                case StopChat(response_id):
                    assert response_id == kept
                    kept = None
                case ResumeReply(response_id):
                    assert response_id == stopped
                    assert (turn.phase, turn.response_id, turn.unread) == (Phase.SILENT, None, frozenset())
                    assert StartReply() not in actions
                    assert isinstance(event, TranscriptKnown)
                case StartReply():
                    assert before.response_id is None
        held = turn.stopped is not None and turn.stopped.keeps_chat
        assert held == (kept is not None), "a chat model that nobody waits for is stopped"
