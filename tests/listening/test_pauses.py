"""What a pause of the user says: its text may be all, and silences without a word between them add up."""

import pytest

from realtime.core.silences import KNOWN_AHEAD_MS, NOISE_MS
from realtime.core.turn import PauseEnded
from realtime.core.turn_end import MOST_UNLIKELY, Evidence, silence_ms
from realtime.listening.segment import SpeechSegment
from tests.conversing import scripted
from tests.listening.test_speech_text import EVERY_MS, Parrot, Stage


@scripted
async def test_in_a_pause_any_text_may_be_all():
    stage = Stage()
    stage.pause()
    stage.decodes.earlies[-1]("Fine")
    assert stage.supposed() == ["Fine"]


@scripted
async def test_in_a_pause_a_whole_interim_text_is_more_than_what_was_supposed_before_it():
    """It is of more sound. What the careful decode of the pause says stays."""
    stage = Stage()
    stage.interim("我昨天买的书还没有。")
    stage.interim("我昨天买的书还没有。")
    assert stage.supposed() == ["我昨天买的书还没有。"]
    stage.grow(stage.speaking.speech_ms + EVERY_MS)
    later = stage.decodes.interims[-1]
    stage.pause()
    later("我昨天买的书还没有到")
    assert stage.supposed() == [], "it has no end"
    later("我昨天买的书还没有到。")
    assert stage.supposed() == ["我昨天买的书还没有到。"]
    stage.decodes.earlies[-1]("我昨天买的书还没有到！")
    later("我昨天买的书还没有道。")
    assert stage.supposed() == ["我昨天买的书还没有到！"]
    stage.resume()
    stage.grow(stage.speaking.speech_ms + EVERY_MS)
    stage.pause()
    stage.supposed()
    stage.decodes.interims[-1]("我昨天买的书还没有到上海。")
    assert stage.supposed() == ["我昨天买的书还没有到上海。"], "another pause has not been read"


@scripted
async def test_a_decode_of_an_earlier_pause_says_nothing_about_a_later_one():
    """It was left to decide about a reply. The later pause has more to say, and its own decode tells that."""
    stage = Stage()
    stage.segment.announced = True
    stage.grow(400)
    stage.pause()
    stage.resume()
    stage.grow(900)
    stage.pause()
    stage.decodes.earlies[0]("Stop it.")
    assert stage.supposed() == []
    stage.decodes.interims[-1]("Stop it now.")
    assert stage.supposed() == ["Stop it now."], "this pause has not been read"
    stage.decodes.earlies[1]("Stop it now!")
    assert stage.supposed() == ["Stop it now!"]


@scripted
async def test_sound_that_brings_no_word_does_not_begin_the_silence_anew():
    """Voices behind, or a hum. A new word does, and so does another turn."""
    semantic = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    stage = Stage(**semantic)
    stage.segment.announced = True

    def read(text: str) -> float:
        """The earlier silence that counts for this pause."""
        stage.speaking.speech_ms += 300
        stage.pause()
        stage.decodes.earlies[-1](text)
        return silence_ms(Evidence(text), "auto") - stage.speaking.silence_ms

    assert read("A thin stripe.") == 0
    stage.resume(150)
    assert read("A thin stripe") == 150
    stage.resume(40)
    stage.fade()
    stage.resume(30)  # a fading is no silence
    stage.pause()
    stage.resume(60)  # and nobody has read this pause
    assert read("A thin stripe.") == 250
    stage.resume(150)
    assert read("A thin stripe runs down.") == 0
    stage.resume(150)
    assert read("A thin stripe runs down.") == 150
    stage.subject.began(SpeechSegment("item_2", announced=True))
    assert read("A thin stripe runs down.") == 0
    stage.resume(150)
    assert (read(""), stage.resume(150), read("")) == (0, None, 0), "nobody has said anything yet"


@scripted
async def test_over_an_answer_each_pause_has_its_own_silence():
    """There an echo stands for a hum, whatever it says."""
    stage = Stage(echo=Parrot(), audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    for text in ("One thing.", "One thing. Quite another thing."):
        stage.pause()
        stage.decodes.earlies[-1](text)
        assert stage.speaking.silence_ms == silence_ms(Evidence("hm"), "auto")
        stage.resume(150)


@scripted
async def test_a_decode_of_an_earlier_fading_says_nothing_about_a_later_pause():
    stage = Stage()
    stage.grow(400)
    stage.fade()
    stage.resume()
    stage.segment.announced = True
    stage.grow(900)
    stage.pause()
    stage.decodes.earlies[1]("Stop it right now, please.")
    stage.decodes.earlies[0]("Stop it right.")
    assert stage.supposed() == ["Stop it right now, please."]
    stage.resume()
    stage.decodes.earlies[0]("Stop it right.")
    assert stage.supposed() == ["", "Stop it right."], "while somebody speaks it is the best there is"


@scripted
async def test_sound_after_a_pause_leaves_the_text_as_it_is_where_the_next_pause_decides_about_the_voice():
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True
    stage.pause()
    stage.decodes.earlies[-1]("Stop it right now, please.")
    assert stage.supposed() == ["Stop it right now, please."]
    stage.resume(150)
    assert PauseEnded() in stage.bench.noticed
    assert stage.supposed() == []


@scripted
async def test_a_pause_that_is_read_at_any_price_tells_its_text():
    stage = Stage()
    stage.grow(900)
    stage.pause()
    stage.subject.read_pause(stage.speaking.speech_ms)
    stage.decodes.reads[-1]("Stop it now.")
    assert stage.supposed() == ["Stop it now."]


@scripted
async def test_interim_texts_that_say_the_same_for_long_begin_the_silence_before_the_detector_does():
    """In noise it takes the sound after the last word for speech, for up to half a second."""
    semantic = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    for announced, counted_ms in ((True, 800 - KNOWN_AHEAD_MS), (False, 0)):
        stage = Stage(**semantic)
        stage.segment.announced = announced
        for heard_to_ms, text in (
            (1_000, "Down the middle."),
            (1_400, "Down the middle."),
            (1_700, "down the middle"),
        ):
            stage.audio.scored_ms = heard_to_ms
            stage.interim(text)
        stage.speaking.speech_ms = 1_800
        stage.pause()
        stage.decodes.earlies[-1]("Down the middle")
        assert silence_ms(Evidence("Down the middle"), "auto") - stage.speaking.silence_ms == counted_ms


@scripted
async def test_a_noise_that_fades_asks_about_the_text_of_the_pause_before_it():
    """Not about an interim text from before that pause."""
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True
    stage.interim("Stop it right.")
    stage.interim("Stop it right.")
    stage.pause()
    stage.decodes.earlies[-1]("Stop it right now, please.")
    stage.resume(150)
    stage.supposed()
    stage.fade()
    assert stage.supposed() == ["Stop it right now, please."]


@scripted
async def test_an_interim_text_that_comes_after_the_text_of_the_pause_is_not_asked_about_later():
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True
    stage.grow(EVERY_MS)
    late = stage.decodes.interims[-1]
    stage.pause()
    stage.decodes.earlies[-1]("Stop it right now, please.")
    late("Stop it right.")
    stage.resume(150)
    stage.supposed()
    stage.fade()
    assert stage.supposed() == ["Stop it right now, please."]


@scripted
@pytest.mark.parametrize("asked", ["while the voice sounds", "while it fades", "in the pause"])
async def test_a_decode_that_ends_in_the_noise_after_a_pause_knows_no_more_than_the_one_of_the_pause(asked):
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True
    stage.decodes.guesses_sooner = asked == "in the pause"
    end_ms = EVERY_MS if asked == "while it fades" else EVERY_MS + 300
    stage.audio.scored_ms = end_ms + 32 if asked == "while it fades" else 0.0
    stage.grow(EVERY_MS)
    stage.speaking.speech_ms = end_ms
    stage.audio.scored_ms = end_ms + 64
    stage.pause()
    late = stage.decodes.guesses[-1] if asked == "in the pause" else stage.decodes.interims[-1]
    stage.decodes.earlies[-1]("Stop it right now, please.")
    stage.audio.scored_ms += 150
    stage.resume(150)
    late("Stop it right.")
    stage.supposed()
    stage.fade()
    assert stage.supposed() == ["Stop it right now, please."]


@scripted
async def test_after_many_unfinished_pauses_the_next_one_is_asked_about_when_the_turn_is_likely_over():
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True

    def read(text: str) -> list[str]:
        stage.speaking.speech_ms += 300
        stage.pause()
        stage.decodes.earlies[-1](text)
        return stage.supposed()

    for number in range(MOST_UNLIKELY):
        assert read(f"And {number} and") == [f"And {number} and"]
        stage.resume(150)
        assert read(f"And {number} and") == [f"And {number} and"], "what is asked about already costs nothing"
        stage.resume(150)
    assert read("") == [""], "no text is no question"
    stage.resume(150)
    assert read("And the last one and") == []
    stage.subject.likely_over()
    assert stage.supposed() == ["And the last one and"]
    stage.subject.likely_over()
    assert stage.supposed() == []
    stage.subject.began(SpeechSegment("item_2", announced=True))
    assert read("And then and") == ["And then and"], "another turn"


@scripted
async def test_a_long_hum_after_the_words_is_no_end():
    """ "I want to book a table for uhhh": the transcriber leaves it out."""
    stage = Stage(audio={"input": {"turn_detection": {"type": "semantic_vad"}}})
    stage.segment.announced = True
    text = "I want to book a table for"
    for heard_to_ms in range(800, 3_000, 200):
        stage.audio.scored_ms = heard_to_ms
        stage.interim(text)
    stage.speaking.speech_ms = 3_000
    stage.pause()
    stage.decodes.earlies[-1](text)
    assert silence_ms(Evidence(text), "auto") - stage.speaking.silence_ms == NOISE_MS
