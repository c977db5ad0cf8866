"""A response that the client asks for while another one sounds: it comes after that, but for words or a cancel."""

import pytest

from realtime.core.turn import (
    AskedUnwanted,
    CommitSpeech,
    ContinueReply,
    DropAsked,
    NothingToResume,
    ReplyBegan,
    ReplyEnded,
    ResponseAsked,
    ResumeReply,
    SpeechBegan,
    SpeechCleared,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    StartAsked,
    StartReply,
    StopChat,
    TranscriptFailed,
    TranscriptKnown,
    TurnRules,
)
from tests.core.turn_kit import INTERRUPTS, READS, REPLYING, play

ASKED = (*REPLYING, ResponseAsked())
OVER = ReplyEnded("r1", audible=True)
STOPPED = ReplyEnded("r1", audible=False, stopped=True)
BARGE_IN = (*ASKED, SpeechBegan(100, "u1"), SpeechGrew(1300), STOPPED, SpeechEnded(2000))
COMMITTED = [*INTERRUPTS, CommitSpeech("u1", 2000)]


def played(*events, rules=READS):
    turn, actions = play(*events, rules=rules)
    return turn, [action for action in actions if not isinstance(action, StopChat)]


def test_it_begins_right_after_the_one_before_it():
    turn, actions = played(*ASKED, OVER)
    assert (actions, turn.asked) == ([StartAsked()], False)


@pytest.mark.parametrize(
    ("text", "then"), [("", [ResumeReply("r1")]), ("And Paris?", [DropAsked(by_client=False), StartReply()])]
)
def test_speech_that_was_over_before_its_stop_was_told_leaves_it_to_nobody(text, then):
    speech = (*ASKED, SpeechBegan(100, "u1"), SpeechGrew(1300), SpeechEnded(2000))
    _, before = played(*speech, TranscriptKnown("u1", text))
    turn, actions = played(*speech, TranscriptKnown("u1", text), STOPPED)
    assert actions[len(before) :] == then
    ended, more = played(*REPLYING, ResponseAsked(), STOPPED)
    assert (more, ended.asked) == ([StartAsked()], False)


def test_what_tools_of_the_server_gave_is_in_its_question():
    over = ReplyEnded("r1", audible=False, to_continue=True)
    assert played(*ASKED, over)[1] == [StartAsked()]
    assert played(*REPLYING, over)[1] == [ContinueReply("r1")]


@pytest.mark.parametrize("create", [True, False])
def test_speech_that_may_not_interrupt_does_not_keep_it(create):
    rules = TurnRules(interrupt_response=False, create_response=create)
    speech = (*ASKED, SpeechBegan(100, "u1"), SpeechGrew(1300))
    assert played(*speech, OVER, rules=rules)[1][-1] == StartAsked()
    said = (*speech, SpeechEnded(2000), TranscriptKnown("u1", "And Paris?"))
    turn, actions = played(*said, OVER, ReplyBegan("r2"), rules=rules)
    assert actions[-1] == StartAsked(), "its question has these words, too"
    assert not turn.owed


def test_one_with_its_own_input_answers_nothing_of_the_conversation():
    rules = TurnRules(interrupt_response=False)
    said = (SpeechBegan(100, "u1"), SpeechGrew(1300), SpeechEnded(2000), TranscriptKnown("u1", "And Paris?"))
    apart = (ReplyBegan("r2", apart=True), ReplyEnded("r2", audible=True))
    assert played(*ASKED, *said, OVER, *apart, rules=rules)[1][-2:] == [StartAsked(), StartReply()]
    unread = (*ASKED, *said[:-1], OVER, *apart[:1], said[-1], apart[1])
    assert played(*unread, rules=rules)[1][-2:] == [StartAsked(), StartReply()]
    gave = ReplyEnded("r1", audible=False, to_continue=True)
    turn, actions = played(*ASKED, gave, *apart, ReplyBegan("r3"))
    assert (actions, turn.untold_id) == ([StartAsked(), ContinueReply("r1")], None)
    noise = (*said[:-1], TranscriptKnown("u1", ""))
    during = played(*ASKED, gave, apart[0], *noise, apart[1], rules=rules)[1]
    assert during[-1] == ContinueReply("r1")
    spoken = played(*ASKED, gave, *apart, *said, rules=rules)[1]
    assert spoken.count(ContinueReply("r1")) == 1
    stopped = ReplyEnded("r2", audible=False, stopped=True)
    assert played(*ASKED, gave, apart[0], stopped)[1] == [StartAsked()], "no other reply after a cancel"


def test_one_with_its_own_input_that_is_asked_while_words_are_read_does_not_swallow_them():
    said = (SpeechBegan(100, "u1"), SpeechGrew(1300), SpeechEnded(2000))
    known = TranscriptKnown("u1", "And Paris?")
    apart = (ReplyBegan("r2", apart=True), ReplyEnded("r2", audible=True))
    assert played(*said, apart[0], known, apart[1])[1][-1] == StartReply()
    assert played(*said, *apart, known)[1][-1] == StartReply()
    assert StartReply() not in played(*said, ReplyBegan("r2"), known, apart[1])[1]


def test_words_that_interrupt_are_answered_instead():
    assert played(*BARGE_IN, TranscriptKnown("u1", "And Paris?"))[1] == [
        *COMMITTED,
        DropAsked(by_client=False),
        StartReply(),
    ]


def test_after_a_noise_the_rest_comes_first():
    noise = (*BARGE_IN, TranscriptKnown("u1", ""))
    assert played(*noise)[1] == [*COMMITTED, ResumeReply("r1")]
    rest = (*noise, ReplyBegan("r2"), ReplyEnded("r2", audible=True))
    assert played(*rest)[1] == [*COMMITTED, ResumeReply("r1"), StartAsked()]
    assert played(*noise, NothingToResume())[1] == [*COMMITTED, ResumeReply("r1"), StartAsked()]


def test_where_the_client_creates_the_answers_words_end_it_and_a_noise_does_not():
    rules = TurnRules(create_response=False, reads=True)
    assert played(*BARGE_IN, TranscriptKnown("u1", "Hm?"), rules=rules)[1][-1] == DropAsked(by_client=False)
    assert played(*BARGE_IN, TranscriptKnown("u1", ""), rules=rules)[1][-1] == StartAsked()


def test_the_client_may_take_it_back():
    for before in (ASKED, BARGE_IN):
        turn, actions = played(*before, AskedUnwanted())
        assert (actions[-1], turn.asked) == (DropAsked(by_client=True), False)
    assert played(*ASKED, AskedUnwanted(), STOPPED)[1] == [DropAsked(by_client=True)]
    assert played(*REPLYING, AskedUnwanted())[1] == []


def test_speech_that_is_taken_away_gives_it_back_and_one_that_is_committed_by_hand_ends_it():
    speech = BARGE_IN[:-1]
    assert played(*speech, SpeechCleared())[1][-1] == StartAsked()
    assert played(*speech, SpeechCommitted())[1][-1] == DropAsked(by_client=True)
    tentative = (*ASKED, SpeechBegan(100, "u1"), SpeechGrew(100), SpeechCommitted())
    assert played(*tentative, OVER)[1][-1] == StartAsked()


def test_at_another_server_it_begins_if_nothing_is_in_work():
    assert played(ResponseAsked())[1] == [StartAsked()]


def test_it_waits_for_a_text_that_is_still_to_come():
    rules = TurnRules(create_response=False, reads=True)
    more = (SpeechBegan(2100, "u2"), SpeechEnded(3000))
    late = (*BARGE_IN, *more, TranscriptKnown("u2", ""))
    turn, actions = played(*late, rules=rules)
    assert (StartAsked() in actions, turn.asked) == (False, True)
    assert played(*late, TranscriptKnown("u1", ""), rules=rules)[1][-1] == StartAsked()
    assert played(*late, TranscriptKnown("u1", "Hm?"), rules=rules)[1][-1] == DropAsked(by_client=False)
    assert played(*late, TranscriptFailed("u1"), rules=rules)[1][-1] == StartAsked()
