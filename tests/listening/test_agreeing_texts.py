"""Interim texts that say the same: when one is asked about, and what becomes a delta."""

from realtime.core.turn_end import AGREED_MS
from realtime.listening.speech_text import FIRST_INTERIM_MS
from tests.conversing import scripted
from tests.listening.test_speech_text import Stage


def asked_about_two() -> Stage:
    """Two texts of an utterance were asked about while the voice sounded."""
    stage = Stage()
    stage.segment.announced = True
    stage.decodes.every_ms = (1.0, 1.0)
    stage.grow(FIRST_INTERIM_MS)
    for text in ("How are you?", "How are you doing?"):
        stage.interim(text, after_ms=1)
        stage.interim(text, after_ms=1)
        assert stage.supposed()[-1] == text
    return stage


@scripted
async def test_decodes_of_nearly_the_same_sound_prove_little_once_two_texts_were_asked_about():
    stage = asked_about_two()
    stage.interim("How are you doing today?", after_ms=1)
    stage.interim("How are you doing today?", after_ms=AGREED_MS - 1)
    assert stage.supposed() == [""], "it is another text"
    stage.interim("How are you doing today?", after_ms=1)
    assert stage.supposed() == ["How are you doing today?"]


@scripted
async def test_the_text_of_a_pause_is_compared_with_what_follows():
    stage = Stage()
    stage.decodes.every_ms = (1.0, 1.0)
    stage.interim("How are", after_ms=300)
    stage.pause()
    stage.audio.scored_ms += 500
    stage.decodes.earlies[-1]("How are you?")
    stage.resume()
    stage.supposed()
    stage.speaking.speech_ms = stage.audio.scored_ms
    stage.interim("How are you?", after_ms=1)
    assert stage.supposed() == ["How are you?"], "the pause has said the same"


@scripted
async def test_what_a_pause_has_said_first_is_new_from_there_on():
    stage = asked_about_two()
    stage.speaking.speech_ms += 500
    stage.pause()
    stage.decodes.earlies[-1]("How are you doing today?")
    stage.resume()
    stage.supposed()
    stage.interim("How are you doing today?", after_ms=AGREED_MS - 1)
    assert stage.supposed() == [], "the text before the pause was another one"
    stage.interim("How are you doing today?", after_ms=1)
    assert stage.supposed() == ["How are you doing today?"]


@scripted
async def test_a_delta_needs_two_texts_of_sounds_that_differ():
    """It is never taken back."""
    stage = Stage(audio={"input": {"transcription": {}}})
    stage.segment.announced = True
    stage.decodes.every_ms = (1.0, 1.0)
    stage.interim("The care")
    stage.interim("The care", after_ms=AGREED_MS - 1)
    assert deltas(stage) == []
    stage.interim("The cat is", after_ms=1)
    assert deltas(stage) == ["The"]
    stage.pause()
    stage.decodes.earlies[-1]("The cat is here.")
    assert deltas(stage) == [" cat is"], "the careful text says it, too"


def deltas(stage: Stage) -> list[str]:
    """Those since the last call."""
    return [event["delta"] for event in stage.bench.sent() if event["type"].endswith("transcription.delta")]
