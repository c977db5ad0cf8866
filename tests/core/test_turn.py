"""The rules of turn-taking, row by row, without a clock or a loop."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.short_words import is_backchannel
from realtime.core.turn import (
    AnnounceSpeech,
    AnswerEarly,
    CommitSpeech,
    ContinueReply,
    CutPlayback,
    DropEarlyAnswer,
    DropSpeech,
    DuckReply,
    InterimText,
    Phase,
    PlaybackEnded,
    ReadSpeech,
    ReplyBegan,
    ReplyEnded,
    ReplyHeard,
    SpeechBegan,
    SpeechDiscarded,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    StartReply,
    StopReply,
    TranscriptFailed,
    TranscriptKnown,
    Turn,
    TurnRules,
    WholeTextSupposed,
    step,
)


def play(*events, rules=TurnRules()):
    """The final state and all actions of a sequence of events."""
    turn, actions = Turn(), []
    for event in events:
        turn, new = step(turn, event, rules)
        actions += [action for action in new if not isinstance(action, DuckReply)]  # test_ducking.py
    return turn, actions


REPLYING = (ReplyBegan("r1"), ReplyHeard("r1"))


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
    turn, _ = step(turn, SpeechEnded(900), beside)
    _, actions = step(turn, TranscriptKnown("u1", ""), beside)
    assert actions == [StartReply()], "it was a noise: what the tools gave is told all the same"


READS = TurnRules(reads=True)
SHORT = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(420))
INTERRUPTS = [AnnounceSpeech(100), StopReply("r1")]


def test_a_short_word_that_has_ended_is_read_and_then_interrupts():
    turn, actions = play(*SHORT, SpeechEnded(1000), rules=READS)
    assert (turn.phase, actions) == (Phase.JUDGING, [ReadSpeech("u1", 1000)])
    turn, actions = step(turn, SpeechRead("u1", "Stop."), READS)
    assert actions == [*INTERRUPTS, CommitSpeech("u1", 1000), DuckReply("r1", down=False)]
    turn, _ = step(turn, ReplyEnded("r1", audible=False), READS)
    turn, actions = step(turn, TranscriptKnown("u1", "Stop."), READS)
    assert (turn.phase, actions) == (Phase.SILENT, [StartReply()])


def test_what_was_read_and_is_no_word_leaves_the_reply_alone():
    for text in ("Mm-hmm.", "Yeah, yeah.", "嗯", ""):
        turn, actions = play(*SHORT, SpeechEnded(1000), SpeechRead("u1", text), rules=READS)
        assert actions == [ReadSpeech("u1", 1000), DropSpeech()], text
        assert (turn.phase, turn.response_id) == (Phase.SILENT, "r1")


def test_the_text_of_a_pause_decides_before_the_silence_is_over():
    for text, expected in (("Stop.", INTERRUPTS), ("Mm-hmm.", []), ("", [])):
        assert play(*SHORT, InterimText(text, 420, whole=True), rules=READS)[1] == expected
    murmured = (*SHORT, InterimText("Mm-hmm.", 420, whole=True), SpeechEnded(1000))
    assert play(*murmured, rules=READS)[1] == [DropSpeech()], "it has been read already"


def test_a_very_short_sound_is_believed_only_as_a_word_that_takes_the_turn():
    for speech_ms, text, interrupts in (
        (160, "No!", True), (224, "Stop.", True), (200, "停", True), (192, "やめて", True), (240, "Halt!", True),
        (160, "You", False), (224, "Thank you.", False), (128, "No!", False), (200, "Mhm", False),
    ):  # fmt: skip
        spoken = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(speech_ms))
        at_pause = play(*spoken, InterimText(text, speech_ms, whole=True), rules=READS)[1]
        assert at_pause == (INTERRUPTS if interrupts else []), text
        at_end = play(*spoken, SpeechEnded(900), SpeechRead("u1", text), rules=READS)[1]
        assert (CommitSpeech("u1", 900) in at_end) is interrupts, text


def test_backchannels_explain_the_speech_so_far_and_words_after_them_interrupt_at_once():
    murmuring = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(288), InterimText("Yeah", 256))
    assert play(*murmuring, SpeechGrew(832), rules=READS)[1] == []
    longer = (*murmuring, SpeechGrew(640), InterimText("Yeah, yeah", 576))
    assert play(*longer, SpeechGrew(1152), rules=READS)[1] == []
    assert play(*longer, SpeechGrew(1184), rules=READS)[1] == INTERRUPTS, "nobody knows what came after them"
    assert play(*longer, InterimText("Yeah, yeah, but", 640), rules=READS)[1] == INTERRUPTS


def test_one_word_in_doubt_that_begins_like_a_hum_is_not_believed():
    """A transcriber made these of "mm-hmm": "Emme", "Emamton", "Mantun"; and these of commands: "ten", "灯", "Weight"."""
    for text, interrupts in (
        ("Emme.", False), ("Emamton", False), ("Mantun", False), ("Mantem", False), ("I'm home.", False),
        ("Home", False), ("Him", False), ("ten.", True), ("灯", True), ("Weight", True), ("way", True), ("Moment!", True), ("Stop.", True), ("Wait!", True), ("No.", True), ("停", True), ("やめて", True),
        ("Nein!", True), ("Turn left.", True), ("Tell me about dogs.", True), ("明天呢", True), ("Und dann?", True),
    ):  # fmt: skip
        heard = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(480))
        at_pause = play(*heard, InterimText(text, 480, whole=True, sure=False), rules=READS)[1]
        assert at_pause == (INTERRUPTS if interrupts else []), text
        at_end = play(*heard, SpeechEnded(900), SpeechRead("u1", text, sure=False), rules=READS)[1]
        assert (CommitSpeech("u1", 900) in at_end) is interrupts, text
        assert play(*heard, InterimText(text, 480, whole=True), rules=READS)[1] == INTERRUPTS, "if it is sure"


def test_doubt_delays_long_speech_no_more_than_silence_of_the_transcriber():
    spoken = (
        *REPLYING,
        SpeechBegan(100, "u1"),
        SpeechGrew(320),
        InterimText("I mean", 256, sure=False),
    )
    assert play(*spoken, InterimText("What about", 320), rules=READS)[1] == INTERRUPTS
    assert play(*spoken, SpeechGrew(768), rules=READS)[1] == []
    assert play(*spoken, SpeechGrew(800), rules=READS)[1] == INTERRUPTS
    longer = (*spoken, SpeechGrew(768), SpeechEnded(1500), SpeechRead("u1", "Emams", sure=False))
    assert play(*longer, rules=READS)[1][-1] == DropSpeech()


def test_a_sound_in_which_no_words_were_read_may_last_longer():
    hummed = (*REPLYING, SpeechBegan(100, "u1"), SpeechGrew(480), InterimText("", 448))
    assert play(*hummed, SpeechGrew(1024), rules=READS)[1] == []
    assert play(*hummed, SpeechGrew(1056), rules=READS)[1] == INTERRUPTS, "600 ms that nobody has read"
    assert play(*hummed, InterimText("Tell me", 800), rules=READS)[1] == INTERRUPTS
    deaf = (*hummed, SpeechGrew(1000), InterimText("", 960), SpeechGrew(1500), InterimText("", 1500))
    assert play(*deaf, SpeechGrew(1590), rules=READS)[1] == []
    assert play(*deaf, SpeechGrew(1600), rules=READS)[1] == INTERRUPTS, (
        "the transcriber may be deaf to this voice"
    )


def test_speech_that_nobody_has_read_interrupts_later_where_somebody_could_have():
    spoken = (*REPLYING, SpeechBegan(100, "u1"))
    assert play(*spoken, SpeechGrew(768), rules=READS)[1] == []
    assert play(*spoken, SpeechGrew(800), rules=READS)[1] == INTERRUPTS
    assert play(*spoken, SpeechGrew(608))[1] == INTERRUPTS, (
        "without a transcriber there is nothing to wait for"
    )
    assert play(*spoken, SpeechGrew(256), InterimText("What about", 256), rules=READS)[1] == INTERRUPTS


def test_while_a_text_is_on_its_way_more_speech_is_waited_for():
    spoken = (*REPLYING, SpeechBegan(100, "u1"))
    assert play(*spoken, SpeechGrew(1184, text_comes=True), rules=READS)[1] == []
    assert play(*spoken, SpeechGrew(1200, text_comes=True), rules=READS)[1] == INTERRUPTS, "not for ever"
    assert play(*spoken, SpeechGrew(608, text_comes=True))[1] == INTERRUPTS, "nobody reads"
    murmured = (*spoken, SpeechGrew(288), InterimText("Yeah", 256))
    assert play(*murmured, SpeechGrew(1248, text_comes=True), rules=READS)[1] == []
    assert play(*murmured, SpeechGrew(1248), rules=READS)[1] == INTERRUPTS


def test_a_word_is_kept_when_the_reply_ends_before_it_is_read():
    ended = (*SHORT, SpeechEnded(1000), ReplyEnded("r1", audible=False))
    _, actions = play(*ended, SpeechRead("u1", "And then?"), TranscriptKnown("u1", "And then?"), rules=READS)
    assert actions == [ReadSpeech("u1", 1000), AnnounceSpeech(100), CommitSpeech("u1", 1000), StartReply()]
    for text in ("Mhm.", "Mm-hmm.", "嗯。", ""):
        dropped = [ReadSpeech("u1", 1000), DropSpeech()]
        assert play(*ended, SpeechRead("u1", text), rules=READS)[1] == dropped, text
    for text in ("Yes.", "Okay.", "好的", "Ja.", "Oui"):
        assert CommitSpeech("u1", 1000) in play(*ended, SpeechRead("u1", text), rules=READS)[1], text


def test_more_speech_before_a_word_is_read_belongs_to_it():
    judging = (*SHORT, SpeechEnded(1000))
    turn, _ = play(*judging, SpeechBegan(100, "u1"), rules=READS)
    assert turn.phase is Phase.TENTATIVE
    assert step(turn, SpeechRead("u1", "Stop."), READS)[1] == [*INTERRUPTS, DuckReply("r1", down=False)]
    turn, actions = step(turn, SpeechRead("u1", "Mhm."), READS)
    assert (turn.phase, actions) == (Phase.TENTATIVE, [])
    unread, _ = play(*judging, SpeechBegan(100, "u1"), SpeechGrew(64), rules=READS)
    turn, actions = step(unread, SpeechEnded(2000), READS)
    assert (turn.phase, actions) == (Phase.JUDGING, [ReadSpeech("u1", 2000)]), (
        "the first word has still to be read"
    )
    after = (*judging, ReplyEnded("r1", audible=False), SpeechBegan(100, "u1"))
    assert play(*after, rules=READS)[0].phase is Phase.SPEAKING


BEFORE = (ReplyBegan("r1"), SpeechBegan(100, "u1"))  # the user speaks before anything of the answer was heard


def test_a_word_before_the_answer_is_heard_is_more_of_the_turn():
    for speech_ms, text in (
        (420, "Yes."), (420, "Okay."), (300, "Right."), (420, "对。"), (500, "好的"), (420, "はい"), (320, "Ja."), (420, "Oui."),
        (600, "Yeah, yeah."), (420, "In Paris."), (420, "Stop."), (192, "Yes!"), (192, "嗯，对"), (160, "No!"),
    ):  # fmt: skip
        spoken = (*BEFORE, SpeechGrew(speech_ms))
        assert play(*spoken, InterimText(text, speech_ms, whole=True), rules=READS)[1] == INTERRUPTS, text
        read = (*spoken, SpeechEnded(1000), SpeechRead("u1", text))
        expected = [ReadSpeech("u1", 1000), *INTERRUPTS, CommitSpeech("u1", 1000)]
        assert play(*read, rules=READS)[1] == expected, text
        answered = play(*read, ReplyEnded("r1", audible=False), TranscriptKnown("u1", text), rules=READS)
        assert answered[1][-1] == StartReply(), "one answer to all that was said"
        late = (*spoken, ReplyHeard("r1"), SpeechEnded(1000), SpeechRead("u1", text))
        assert play(*late, rules=READS)[1] == expected, "it had begun before"


def test_a_hum_or_a_noise_before_the_answer_is_heard_is_nothing():
    for text in ("", "Mhm.", "Mm-hmm.", "嗯。", "Uh-huh.", "Hmm."):
        spoken = (*BEFORE, SpeechGrew(420), InterimText(text, 420, whole=True))
        assert play(*spoken, rules=READS)[1] == [], text
        assert play(*spoken, SpeechEnded(900), SpeechRead("u1", text), rules=READS)[1][-1] == DropSpeech()
    assert play(*BEFORE, SpeechGrew(140), SpeechEnded(900), rules=READS)[1] == [DropSpeech()]


def test_who_has_heard_something_of_the_answer_may_agree_to_it():
    """Also between what was said before a tool and after it, and while the reply before still sounds."""
    tools = (*REPLYING, ReplyEnded("r1", audible=False, to_continue=True), ReplyBegan("r2", continues=True))
    sounding = (*REPLYING, ReplyEnded("r1", audible=True), ReplyBegan("r2"))
    for heard in (REPLYING, tools, sounding):
        said = (*heard, SpeechBegan(100, "u1"), SpeechGrew(420), InterimText("Okay.", 420, whole=True))
        assert AnnounceSpeech(100) not in play(*said, rules=READS)[1]
    asked = (*REPLYING, ReplyEnded("r1", audible=False), ReplyBegan("r2"))
    said = (*asked, SpeechBegan(100, "u1"), SpeechGrew(420), InterimText("Okay.", 420, whole=True))
    assert play(*said, rules=READS)[1] == [AnnounceSpeech(100), StopReply("r2")], "this is another answer"


def test_what_is_being_read_can_be_taken_away_and_late_news_is_ignored():
    turn, _ = play(*SHORT, SpeechEnded(1000), SpeechDiscarded(), rules=READS)
    assert step(turn, SpeechRead("u1", "Stop."), READS) == (turn, [])
    judging, _ = play(*SHORT, SpeechEnded(1000), rules=READS)
    assert step(judging, SpeechRead("u0", "Stop."), READS) == (judging, [])


def test_backchannels_in_two_languages():
    assert all(map(is_backchannel, ["Mhm.", "Uh-huh", "yeah, yeah", "OK!", "嗯", "对。", ""]))
    assert not any(map(is_backchannel, ["stop", "yeah but", "不对", "等一下"]))


events = st.one_of(
    st.builds(SpeechBegan, st.floats(0, 1e5), st.sampled_from(["u1", "u2"])),
    st.builds(SpeechGrew, st.floats(0, 2000), st.booleans()),
    st.builds(
        InterimText,
        st.sampled_from(["stop", "yes", "mhm", ""]),
        st.none() | st.floats(0, 2000),
        st.booleans(),
    ),
    st.builds(SpeechRead, st.sampled_from(["u1", "u2"]), st.sampled_from(["stop", "mhm", ""]), st.booleans()),
    st.builds(SpeechEnded, st.floats(0, 1e5)),
    st.just(SpeechDiscarded()),
    st.builds(WholeTextSupposed, st.sampled_from(["stop", ""])),
    st.builds(TranscriptKnown, st.sampled_from(["u1", "u2"]), st.sampled_from(["hi", ""])),
    st.builds(TranscriptFailed, st.sampled_from(["u1", "u2"])),
    st.builds(ReplyBegan, st.sampled_from(["r1", "r2"]), st.booleans()),
    st.builds(ReplyHeard, st.sampled_from(["r1", "r2"])),
    st.builds(ReplyEnded, st.sampled_from(["r1", "r2"]), st.booleans(), st.booleans()),
    st.builds(PlaybackEnded, st.sampled_from(["r1", "r2"])),
)


@given(st.lists(events, max_size=40), st.booleans())
def test_any_order_of_events_keeps_the_promises(sequence, reads):
    """Only the reply that is there is stopped; no answer starts beside an active reply; announcements pair up."""
    turn = Turn()
    announced = False
    for event in sequence:
        before, (turn, actions) = turn, step(turn, event, TurnRules(reads=reads))
        for action in actions:
            match action:
                case StopReply(response_id):
                    assert response_id == before.response_id
                case StartReply():
                    assert before.response_id is None
                case AnnounceSpeech():
                    assert not announced
                case CommitSpeech(item_id):
                    assert before.phase is Phase.SPEAKING or AnnounceSpeech(before.onset_ms) in actions
                    assert item_id == before.item_id
                case ReadSpeech(item_id):
                    assert (turn.phase, turn.item_id) == (Phase.JUDGING, item_id)
                case DropSpeech():
                    assert before.phase in (Phase.TENTATIVE, Phase.JUDGING)
                case AnswerEarly():
                    assert before.phase is Phase.SPEAKING
                    assert before.response_id is None
                case ContinueReply(response_id):
                    assert response_id == before.response_id
                    assert turn.response_id is None
            if isinstance(event, TranscriptKnown) and event.text and event.item_id in before.unread:
                assert StartReply() in actions or event.item_id in turn.owed or before.response_id
        announced = turn.phase is Phase.SPEAKING
        assert not (turn.phase is Phase.SILENT and turn.owed), "nobody speaks, and nobody answers"


@given(st.lists(events, max_size=40), st.booleans())
def test_every_phase_ends_whatever_was_before(sequence, reads):
    """The end of the speech and its text, or that there is none, lead back to silence; nothing stays owed."""
    turn = Turn()
    for event in sequence:
        turn, _ = step(turn, event, TurnRules(reads=reads))
    item_id = turn.item_id or ""
    ends = (SpeechEnded(1e6), SpeechRead(item_id, "stop"), *map(TranscriptFailed, {item_id, *turn.unread}))
    for event in ends:
        turn, _ = step(turn, event, TurnRules(reads=reads))
    assert (turn.phase, turn.unread, turn.owed) == (Phase.SILENT, frozenset(), frozenset())
