"""The rules of turn-taking, row by row, without a clock or a loop."""

from realtime.core.short_words import is_backchannel
from realtime.core.turn import (
    AnnounceSpeech,
    AnswerEarly,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    DetectionEnded,
    DropEarlyAnswer,
    DropSpeech,
    HoldVoice,
    InterimText,
    LikelyOver,
    PauseEnded,
    Phase,
    PlaybackEnded,
    ReplyBegan,
    ReplyEnded,
    SpeakAhead,
    SpeechBegan,
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    StartReply,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    Turn,
    TurnRules,
    WholeTextSupposed,
    step,
)
from tests.core.turn_kit import REPLYING, play


def test_speech_in_silence_is_announced_at_once():
    turn, actions = play(SpeechBegan(840, "u1"))
    assert turn.phase is Phase.SPEAKING
    assert actions == [AnnounceSpeech(840)]


def test_a_turn_is_committed_then_answered_when_its_transcript_is_known():
    turn, actions = play(SpeechBegan(0, "u1"), SpeechEnded(900), TranscriptKnown("u1", "Hello."))
    assert actions == [AnnounceSpeech(0), CommitSpeech("u1", 900), StartReply()]
    assert turn.phase is Phase.SILENT


def test_an_empty_transcript_is_not_answered():
    _, actions = play(SpeechBegan(0, "u1"), SpeechEnded(900), TranscriptKnown("u1", "  "))
    assert StartReply() not in actions


def test_a_failed_transcript_is_not_answered():
    turn, actions = play(SpeechBegan(0, "u1"), SpeechEnded(9), TranscriptFailed("u1"))
    assert StartReply() not in actions
    assert turn.phase is Phase.SILENT


def test_new_speech_before_the_transcript_withholds_the_answer():
    turn, actions = play(
        SpeechBegan(0, "u1"),
        SpeechEnded(900),
        SpeechBegan(1200, "u2"),
        TranscriptKnown("u1", "Hello."),
    )
    assert StartReply() not in actions
    assert turn.phase is Phase.SPEAKING


def cut_off(second_text, first_text="What time is it?", *, first_later=False, rules=TurnRules()):
    """A question, and before its text is known another sound."""
    spoken = (SpeechBegan(0, "u1"), SpeechEnded(900), SpeechBegan(1200, "u2"), SpeechEnded(2000))
    known = [TranscriptKnown("u1", first_text), TranscriptKnown("u2", second_text)]
    return play(*spoken, *(known[::-1] if first_later else known), rules=rules)


def test_a_noise_after_a_question_does_not_take_its_answer_away():
    for first_later in (False, True):
        turn, actions = cut_off("", first_later=first_later)
        assert actions.count(StartReply()) == 1
        assert turn == Turn()
        assert cut_off("", "", first_later=first_later)[1].count(StartReply()) == 0, "two noises"
        assert cut_off("In Paris.", "", first_later=first_later)[1].count(StartReply()) == 1
        silent = TurnRules(create_response=False)
        assert StartReply() not in cut_off("", first_later=first_later, rules=silent)[1]
    assert cut_off("In Paris.")[1].count(StartReply()) == 1, "one answer to both"


def test_an_answer_that_has_begun_answers_all_that_was_said():
    """The request waits for the texts that are still to come."""
    spoken = (SpeechBegan(0, "u1"), SpeechEnded(900), SpeechBegan(1200, "u2"), SpeechEnded(2000))
    known = (TranscriptKnown("u2", "In Paris."), ReplyBegan("r1"), ReplyEnded("r1", audible=False))
    turn, actions = play(*spoken, *known, TranscriptKnown("u1", "What time is it?"))
    assert actions.count(StartReply()) == 1
    assert turn == Turn()


def test_a_question_that_is_deleted_or_failed_is_owed_nothing():
    spoken = (SpeechBegan(0, "u1"), SpeechEnded(900), SpeechBegan(1200, "u2"))
    for news in ((TranscriptFailed("u1"),), (TranscriptKnown("u1", "What?"), TranscriptFailed("u1"))):
        turn, actions = play(*spoken, *news, SpeechEnded(2000), TranscriptKnown("u2", ""))
        assert StartReply() not in actions
        assert turn == Turn()


def test_create_response_false_never_answers():
    rules = TurnRules(create_response=False)
    _, actions = play(SpeechBegan(0, "u1"), SpeechEnded(9), TranscriptKnown("u1", "Hi"), rules=rules)
    assert StartReply() not in actions


def test_a_cough_during_a_reply_never_reaches_the_wire():
    turn, actions = play(*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(180), SpeechEnded(700))
    assert actions == [DropSpeech()]
    assert turn.response_id == "r1"


def test_long_speech_interrupts_whatever_was_said():
    turn, actions = play(*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(576), SpeechGrew(608))
    assert actions == [AnnounceSpeech(100), StopReply("r1")]
    assert turn.phase is Phase.SPEAKING


def test_a_short_word_interrupts_when_it_is_a_word():
    _, actions = play(*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(320), InterimText("Stop."))
    assert actions == [AnnounceSpeech(100), StopReply("r1")]


def test_a_murmur_does_not_interrupt():
    _, actions = play(
        *REPLYING, SpeechBegan(100, "u1"), SpeechGrew(320), InterimText("Mhm."), SpeechEnded(900)
    )
    assert actions == [DropSpeech()]


def test_text_of_a_very_short_sound_is_not_believed():
    _, actions = play(*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(192), InterimText("Stop."))
    assert actions == []


def test_a_reply_that_is_only_still_playing_is_cut_not_cancelled():
    _, actions = play(*REPLYING, ReplyEnded("r1", audible=True), SpeechBegan(100, "u1"), SpeechGrew(640))
    assert actions == [AnnounceSpeech(100), CutPlayback("r1")]


def test_interrupt_response_false_announces_and_lets_the_reply_go_on():
    turn, actions = play(
        *REPLYING, SpeechBegan(5, "u1"), SpeechGrew(640), rules=TurnRules(interrupt_response=False)
    )
    assert actions == [AnnounceSpeech(5)]
    assert turn.response_id == "r1"


def test_no_second_answer_while_a_reply_is_active():
    rules = TurnRules(interrupt_response=False)
    _, actions = play(
        *REPLYING,
        SpeechBegan(5, "u1"),
        SpeechGrew(640),
        SpeechEnded(1200),
        TranscriptKnown("u1", "And then?"),
        rules=rules,
    )
    assert StartReply() not in actions


def test_suspected_speech_is_announced_when_the_playback_ends():
    _, actions = play(*REPLYING, ReplyEnded("r1", audible=True), SpeechBegan(40, "u1"), PlaybackEnded("r1"))
    assert actions == [AnnounceSpeech(40)]


def test_late_news_of_an_old_reply_changes_nothing():
    turn, _ = play(ReplyBegan("r1"), ReplyEnded("r1", audible=False), ReplyBegan("r2"))
    assert step(turn, ReplyEnded("r1", audible=True)) == (turn, [])
    assert step(turn, PlaybackEnded("r1")) == (turn, [])


def test_clear_forgets_open_speech():
    turn, actions = play(SpeechBegan(0, "u1"), SpeechCommitted(), SpeechEnded(900))
    assert actions == [AnnounceSpeech(0)]
    assert turn.phase is Phase.SILENT


def test_a_whole_text_is_answered_early_while_the_user_may_have_ended():
    _, actions = play(SpeechBegan(0, "u1"), WholeTextSupposed("Hello."), WholeTextSupposed(""))
    assert actions == [AnnounceSpeech(0), AnswerEarly("Hello."), DropEarlyAnswer()]


def test_the_voice_begins_with_the_early_answer_where_the_users_turn_is_likely_over():
    assert play(SpeechBegan(0, "u1"), LikelyOver())[1] == [AnnounceSpeech(0), SpeakAhead()]
    assert play(SpeechBegan(0, "u1"), LikelyOver(), PauseEnded())[1][-2:] == [SpeakAhead(), HoldVoice()]
    over_a_reply = (*REPLYING, SpeechBegan(0, "u1"), LikelyOver(), PauseEnded())
    assert play(*over_a_reply)[1] == play(*over_a_reply[:-2])[1], "it may be no turn at all"
    assert play(SpeechBegan(0, "u1"), SpeechEnded(900), LikelyOver())[1][-1] == CommitSpeech("u1", 900)


def test_no_early_answer_where_none_may_follow():
    speech = (SpeechBegan(0, "u1"), WholeTextSupposed("Hello."))
    assert AnswerEarly("Hello.") not in play(*speech, rules=TurnRules(create_response=False))[1]
    beside = TurnRules(interrupt_response=False)
    interrupting = (*REPLYING, SpeechBegan(0, "u1"), SpeechGrew(640), WholeTextSupposed("Hello."))
    assert AnswerEarly("Hello.") not in play(*interrupting, rules=beside)[1]


def test_what_tools_gave_is_answered_unless_the_user_speaks():
    continued = ReplyEnded("r1", audible=True, to_continue=True)
    assert play(*REPLYING, continued)[1] == [ContinueReply("r1")]
    beside = TurnRules(interrupt_response=False)
    turn, actions = play(*REPLYING, SpeechBegan(0, "u1"), SpeechGrew(640), continued, rules=beside)
    assert actions == [AnnounceSpeech(0)]
    assert turn.playing_id == "r1"
    turn, _ = step(turn, SpeechEnded(900), beside)
    _, actions = step(turn, TranscriptKnown("u1", ""), beside)
    assert actions == [ContinueReply("r1")], "it was a noise: what the tools gave is told all the same"


def test_backchannels_in_two_languages():
    assert all(map(is_backchannel, ["Mhm.", "Uh-huh", "yeah, yeah", "OK!", "嗯", "对。", ""]))
    assert not any(map(is_backchannel, ["stop", "yeah but", "不对", "等一下"]))


def test_where_detection_ends_open_speech_is_none_and_what_had_ended_is_answered():
    asked = (SpeechBegan(0, "u1"), SpeechEnded(900))
    for later in ((), (SpeechBegan(1500, "u2"),)):
        turn, actions = play(*asked, *later, DetectionEnded(), TranscriptKnown("u1", "What time is it?"))
        assert actions[-1] == StartReply()
        assert turn.phase is Phase.SILENT
        noise = play(*asked, *later, DetectionEnded(), TranscriptKnown("u1", ""))[1]
        assert StartReply() not in noise
    known = (*asked, SpeechBegan(1500, "u2"), TranscriptKnown("u1", "What time is it?"))
    assert StartReply() not in play(*known)[1], "the user goes on"
    assert play(*known, DetectionEnded())[1][-1] == StartReply()
    rules = TurnRules(create_response=False)
    assert StartReply() not in play(*known, DetectionEnded(), rules=rules)[1]
