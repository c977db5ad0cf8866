"""The rules of turn-taking, row by row, without a clock or a loop."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.turn import (
    AnnounceSpeech,
    AnswerEarly,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    DropEarlyAnswer,
    DropSpeech,
    InterimText,
    Phase,
    PlaybackEnded,
    ReplyBegan,
    ReplyEnded,
    SpeechBegan,
    SpeechDiscarded,
    SpeechEnded,
    SpeechGrew,
    StartReply,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    Turn,
    TurnRules,
    WholeTextSupposed,
    is_backchannel,
    step,
)


def play(*events, rules=TurnRules()):
    """The final state and all actions of a sequence of events."""
    turn, actions = Turn(), []
    for event in events:
        turn, new = step(turn, event, rules)
        actions += new
    return turn, actions


REPLYING = (ReplyBegan("r1"),)


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
    turn, actions = play(SpeechBegan(0, "u1"), SpeechDiscarded(), SpeechEnded(900))
    assert actions == [AnnounceSpeech(0)]
    assert turn.phase is Phase.SILENT


def test_a_whole_text_is_answered_early_while_the_user_may_have_ended():
    _, actions = play(SpeechBegan(0, "u1"), WholeTextSupposed("Hello."), WholeTextSupposed(""))
    assert actions == [AnnounceSpeech(0), AnswerEarly("Hello."), DropEarlyAnswer()]


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


def test_backchannels_in_two_languages():
    assert all(map(is_backchannel, ["Mhm.", "Uh-huh", "yeah, yeah", "OK!", "嗯", "对。", ""]))
    assert not any(map(is_backchannel, ["stop", "yeah but", "不对", "等一下"]))


events = st.one_of(
    st.builds(SpeechBegan, st.floats(0, 1e5), st.sampled_from(["u1", "u2"])),
    st.builds(SpeechGrew, st.floats(0, 2000)),
    st.builds(InterimText, st.sampled_from(["stop", "mhm", ""])),
    st.builds(SpeechEnded, st.floats(0, 1e5)),
    st.just(SpeechDiscarded()),
    st.builds(WholeTextSupposed, st.sampled_from(["stop", ""])),
    st.builds(TranscriptKnown, st.sampled_from(["u1", "u2"]), st.sampled_from(["hi", ""])),
    st.builds(TranscriptFailed, st.sampled_from(["u1", "u2"])),
    st.builds(ReplyBegan, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyEnded, st.sampled_from(["r1", "r2"]), st.booleans(), st.booleans()),
    st.builds(PlaybackEnded, st.sampled_from(["r1", "r2"])),
)


@given(st.lists(events, max_size=40))
def test_any_order_of_events_keeps_the_promises(sequence):
    """Only the reply that is there is stopped; no answer starts beside an active reply; announcements pair up."""
    turn = Turn()
    announced = False
    for event in sequence:
        before, (turn, actions) = turn, step(turn, event)
        for action in actions:
            match action:
                case StopReply(response_id):
                    assert response_id == before.response_id
                case StartReply():
                    assert before.response_id is None
                case AnnounceSpeech():
                    assert not announced
                case CommitSpeech(item_id):
                    assert before.phase is Phase.SPEAKING
                    assert item_id == before.item_id
                case AnswerEarly():
                    assert before.phase is Phase.SPEAKING
                    assert before.response_id is None
                case ContinueReply(response_id):
                    assert response_id == before.response_id
                    assert turn.response_id is None
        announced = turn.phase is Phase.SPEAKING
