"""The rules of turn-taking where a transcriber reads what the user says beside a reply."""

from realtime.core.turn import (
    AnnounceSpeech,
    CommitSpeech,
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
    SpeechCommitted,
    SpeechEnded,
    SpeechGrew,
    SpeechRead,
    StartReply,
    StopReply,
    TranscriptKnown,
    step,
)
from tests.core.turn_kit import INTERRUPTS, READS, REPLYING, SHORT, play


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


def test_a_word_that_may_as_well_be_a_murmur_is_one_only_while_an_answer_is_heard():
    read, ended = SpeechRead("u1", "C.", sure=False, murmur="I see."), SpeechEnded(1000)
    interim = InterimText("C.", 420, whole=True, sure=False, murmur="I see.")
    assert play(*SHORT, interim, rules=READS)[1] == []
    assert play(*SHORT, ended, read, rules=READS)[1] == [ReadSpeech("u1", 1000), DropSpeech()]
    for hum in ("I see.", "Hmm."):
        interim = InterimText("C.", 420, whole=True, sure=False, murmur=hum)
        read = SpeechRead("u1", "C.", sure=False, murmur=hum)
        unheard = (ReplyBegan("r1"), SpeechBegan(100, "u1"), SpeechGrew(420))
        assert play(*unheard, interim, rules=READS)[1] == INTERRUPTS, "it is more of what was asked"
        over = (*SHORT, ReplyEnded("r1", audible=True), ended, PlaybackEnded("r1"), read)
        assert CommitSpeech("u1", 1000) in play(*over, rules=READS)[1], "nothing sounds any more"


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
    turn, _ = play(*SHORT, SpeechEnded(1000), SpeechCommitted(), rules=READS)
    assert step(turn, SpeechRead("u1", "Stop."), READS) == (turn, [])
    judging, _ = play(*SHORT, SpeechEnded(1000), rules=READS)
    assert step(judging, SpeechRead("u0", "Stop."), READS) == (judging, [])
