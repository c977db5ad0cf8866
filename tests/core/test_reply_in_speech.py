"""A reply that begins while the user speaks: to a typed message, or to what a tool of the client gave."""

import pytest

from realtime.core.turn import (
    AnnounceSpeech,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    Phase,
    PlaybackEnded,
    ReadSpeech,
    ReplyBegan,
    ReplyEnded,
    ReplyHeard,
    SpeechBegan,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    StartReply,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    TurnRules,
    step,
)
from tests.core.turn_kit import READS, REPLYING, play

BEGUN = (SpeechBegan(0, "u1"), ReplyBegan("r1"))
SOUNDING = (*BEGUN, ReplyHeard("r1"))
ENDED = SpeechEnded(900)
JUDGED = [AnnounceSpeech(0), ReadSpeech("u1", 900)]
WORDS, NOISE, HUM = (SpeechRead("u1", text) for text in ("And in Rome?", "", "Mhm."))
SAID = TranscriptKnown("u1", "And in Rome?")
COMMIT = CommitSpeech("u1", 900)
PATIENT = TurnRules(interrupt_response=False, reads=True)


def test_it_sounds_until_the_speech_ends_and_words_interrupt_it_then():
    turn, actions = play(*SOUNDING, SpeechGrew(5_000), ENDED, rules=READS)
    assert (turn.phase, actions) == (Phase.JUDGING, JUDGED)
    turn, actions = step(turn, WORDS, READS)
    assert actions == [AnnounceSpeech(0), StopReply("r1"), COMMIT], "the client is told to silence its player"
    turn, _ = step(turn, ReplyEnded("r1", audible=False), READS)
    turn, actions = step(turn, SAID, READS)
    assert (actions, turn.owed) == ([StartReply()], frozenset()), "one answer to both"


def test_what_still_sounds_of_it_is_cut():
    ended = (*SOUNDING, ReplyEnded("r1", audible=True), ENDED, WORDS)
    assert play(*ended, rules=READS)[1][-3:] == [AnnounceSpeech(0), CutPlayback("r1"), COMMIT]


def test_before_anything_of_it_was_heard_there_is_nothing_to_silence():
    stopped = [AnnounceSpeech(0, known=True), StopReply("r1"), COMMIT]
    assert play(*BEGUN, ENDED, WORDS, rules=READS)[1] == [*JUDGED, *stopped]
    over = (ReplyEnded("r1", audible=True), ENDED, PlaybackEnded("r1"))
    assert play(*SOUNDING, *over, WORDS, rules=READS)[1] == [*JUDGED, AnnounceSpeech(0, known=True), COMMIT]


@pytest.mark.parametrize("read", [NOISE, HUM])
def test_a_noise_or_a_hum_is_committed_and_does_not_disturb_it(read):
    turn, actions = play(*SOUNDING, ENDED, read, rules=READS)
    assert (turn.phase, actions) == (Phase.SILENT, [*JUDGED, COMMIT])
    known = TranscriptKnown("u1", read.text)
    assert play(*SOUNDING, ENDED, read, known, ReplyEnded("r1", audible=False), rules=READS)[1] == actions


def test_words_that_were_not_read_in_time_are_answered_after_it():
    turn, actions = play(*SOUNDING, ENDED, NOISE, SAID, rules=READS)
    assert actions == [*JUDGED, COMMIT]
    assert step(turn, ReplyEnded("r1", audible=True), READS)[1] == [StartReply()]


@pytest.mark.parametrize(("text", "answers"), [("Mhm.", [StartReply()]), ("", [])])
def test_what_was_said_is_a_turn_like_any_other_once_the_reply_is_over(text, answers):
    over = (ReplyEnded("r1", audible=False), SpeechRead("u1", text), TranscriptKnown("u1", text))
    assert play(*SOUNDING, ENDED, *over, rules=READS)[1] == [*JUDGED, COMMIT, *answers]


def test_speech_that_goes_on_while_it_is_judged_is_announced_once():
    more = (SpeechBegan(0, "u1"), WORDS, SpeechEnded(2_000))
    turn, actions = play(*SOUNDING, ENDED, *more, rules=READS)
    assert actions == [*JUDGED, ReadSpeech("u1", 2_000)]
    assert step(turn, WORDS, READS)[1][-1] == CommitSpeech("u1", 2_000)


def test_without_a_transcriber_it_is_not_interrupted():
    assert play(*SOUNDING, ENDED, TranscriptFailed("u1"))[1] == [AnnounceSpeech(0), COMMIT]


@pytest.mark.parametrize("begun", [BEGUN, (*REPLYING, SpeechBegan(0, "u1"), SpeechGrew(1_000))])
def test_without_interruptions_what_was_said_is_answered_after_it(begun):
    turn, actions = play(*begun, ENDED, SAID, rules=PATIENT)
    assert (turn.owed, actions) == ({"u1"}, [AnnounceSpeech(0), COMMIT]), "one reply at a time"
    for audible in (False, True):
        after, actions = step(turn, ReplyEnded("r1", audible=audible), PATIENT)
        assert actions == [StartReply()]
        assert not after.owed
    asked, actions = step(turn, ReplyEnded("r1", audible=False, to_continue=True), PATIENT)
    assert actions == [ContinueReply("r1")]
    assert not step(asked, ReplyBegan("r2"), PATIENT)[0].owed, "the next round reads it"
    noise = (TranscriptKnown("u1", ""), ReplyEnded("r1", audible=False))
    assert StartReply() not in play(*begun, ENDED, *noise, rules=PATIENT)[1]
    silent = TurnRules(create_response=False, interrupt_response=False)
    assert StartReply() not in play(*begun, ENDED, SAID, ReplyEnded("r1", audible=False), rules=silent)[1]


@pytest.mark.parametrize("short", [True, False])
def test_the_next_reply_may_begin_before_it_is_known_what_the_speech_is(short):
    said = (*REPLYING, SpeechBegan(0, "u1"), SpeechGrew(400), *([ENDED] if short else []))
    began = (ReplyEnded("r1", audible=True), ReplyBegan("r2"))
    turn, _ = play(*said, *began, rules=PATIENT)
    read = SpeechRead("u1", "What time is it?", True, None) if short else SpeechGrew(2_000)
    for event in (read, SpeechEnded(2_200), TranscriptKnown("u1", "What time is it?")):
        turn, actions = step(turn, event, PATIENT)
    assert (turn.owed, actions) == ({"u1"}, [])
    assert step(turn, ReplyEnded("r2", audible=True), PATIENT)[1] == [StartReply()]


def test_a_reply_that_the_client_asks_for_after_the_speech_waits_for_its_words():
    turn, actions = play(SpeechBegan(0, "u1"), ENDED, ReplyBegan("r1"), rules=READS)
    assert turn.phase is Phase.SILENT
    turn, _ = step(turn, SpeechBegan(2_000, "u2"), READS)
    turn, actions = step(turn, SAID, READS)
    assert (turn.owed, turn.unread, actions) == (frozenset(), frozenset(), []), "the reply answers them"


TOOLS = (*BEGUN, ReplyEnded("r1", audible=False, to_continue=True))


def test_what_its_tools_gave_is_told_after_the_speech():
    turn, actions = play(*TOOLS, ENDED, rules=READS)
    assert actions == [AnnounceSpeech(0), COMMIT]
    assert step(turn, TranscriptKnown("u1", ""), READS)[1] == [ContinueReply("r1")]
    assert step(turn, SAID, READS)[1] == [StartReply()], "one answer to both"


def test_a_client_that_creates_its_responses_itself_is_told_them_after_a_noise():
    rules = TurnRules(create_response=False, reads=True)
    turn, _ = play(*TOOLS, ENDED, rules=rules)
    assert step(turn, TranscriptKnown("u1", ""), rules)[1] == [ContinueReply("r1")]
    assert step(turn, SAID, rules)[1] == [], "its next response reads them"
    assert play(*TOOLS, SpeechCommitted(), rules=rules)[1] == [AnnounceSpeech(0)], "it has taken the turn"
