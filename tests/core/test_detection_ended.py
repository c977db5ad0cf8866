"""A client that ends the turns itself from now on: what becomes of a reply that a sound has stopped, and of tools."""

import pytest

from realtime.core.turn import (
    ContinueReply,
    DetectionEnded,
    ReplyEnded,
    ResponseAsked,
    ResumeReply,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    StartAsked,
    StartReply,
    TranscriptKnown,
)
from tests.core.turn_kit import READS, REPLYING, play

STOPPED = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(1300), ReplyEnded("r1", audible=False, stopped=True))
NOISE = TranscriptKnown("u1", "")


@pytest.mark.parametrize("later", [(), (SpeechBegan(3000, "u2"),)])
def test_a_reply_that_a_noise_had_stopped_goes_on_as_without_the_switch(later):
    ended = (*STOPPED, SpeechEnded(1500))
    assert play(*ended, *later, DetectionEnded(), NOISE, rules=READS)[1][-1] == ResumeReply("r1")
    assert play(*ended, *later, NOISE, DetectionEnded(), rules=READS)[1].count(ResumeReply("r1")) == 1
    words = TranscriptKnown("u1", "And in Paris?")
    assert play(*ended, *later, DetectionEnded(), words, rules=READS)[1][-1] == StartReply()


def test_open_speech_that_has_stopped_a_reply_is_read_by_nobody_and_keeps_it_stopped():
    turn, actions = play(*STOPPED, DetectionEnded(), rules=READS)
    assert turn.stopped is None
    assert ResumeReply("r1") not in actions


def test_what_tools_gave_and_what_the_client_has_asked_for_comes():
    told = ReplyEnded("r1", audible=False, to_continue=True)
    spoken = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(100), told)
    assert ContinueReply("r1") in play(*spoken, DetectionEnded(), rules=READS)[1]
    over = (*STOPPED, SpeechEnded(1500), SpeechBegan(3000, "u2"), ResponseAsked(), NOISE)
    assert play(*over, DetectionEnded(), rules=READS)[1][-1] == ResumeReply("r1"), "then what was asked"
    assert StartAsked() not in play(*over, rules=READS)[1]
