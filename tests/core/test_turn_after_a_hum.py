"""Speech that was only a hum when the reply's playback ends: its echo perhaps, or a listener."""

from realtime.core.turn import (
    AnnounceSpeech,
    DropSpeech,
    InterimText,
    PlaybackEnded,
    ReplyEnded,
    SpeechBegan,
    SpeechEnded,
    SpeechGrew,
    TurnRules,
)
from tests.core.turn_kit import REPLYING, play

SOUNDING = (*REPLYING, ReplyEnded("r1", audible=True), SpeechBegan(40, "u1"), SpeechGrew(300))
READS = TurnRules(reads=True)


def test_a_hum_is_not_announced_when_the_playback_ends():
    """It may be the reply's own echo. What follows it is judged as during the reply."""
    heard = (*SOUNDING, InterimText("hm"), PlaybackEnded("r1"))
    assert play(*heard, rules=READS)[1] == []
    assert play(*heard, SpeechEnded(400), rules=READS)[1] == [DropSpeech()]
    assert play(*heard, InterimText("Hm, yes."), rules=READS)[1] == [AnnounceSpeech(40)]
    assert play(*heard, SpeechGrew(1_000), rules=READS)[1] == [AnnounceSpeech(40)]


def test_a_yes_at_the_end_of_the_playback_is_an_answer():
    assert play(*SOUNDING, InterimText("Yes."), PlaybackEnded("r1"), rules=READS)[1] == [AnnounceSpeech(40)]
    more = (*SOUNDING, InterimText("hm"), SpeechGrew(900), InterimText("Yes."))
    assert AnnounceSpeech(40) in play(*more, PlaybackEnded("r1"), rules=READS)[1]
