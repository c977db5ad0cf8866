"""What early answers may cost a turn, how long a turn waits for one, and what the metrics say of both."""

import gc
import weakref

import pytest

from realtime.core.turn_end import MOST_QUESTIONS, MOST_UNLIKELY, STRETCH_MS, Evidence, silence_ms
from realtime.providers.base import Transcript
from realtime.replying.speculation import MOST_SPEECH_IN_VAIN
from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeSpeech
from tests.session.early import NOON, Heard, outcomes, settings

SEMANTIC = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()


def value(talk: Talk, name: str) -> float:
    """Of one metric."""
    return talk.metrics.registry.get_sample_value(name) or 0.0


async def silence_that_ended(answer_after_s: float, speculate: str = "chat") -> float:
    """Milliseconds from the end of the voice to `speech_stopped`, where the model answers after so long."""
    chat = FakeChat([[(answer_after_s, "At noon, I think. ")]])
    async with Talk(
        chat=chat, transcriber=Heard((1.3, "What time is it?")), settings=settings(speculate), **SEMANTIC
    ) as talk:
        await talk.speak(1.28)
        end = talk.events[0]["at"] + 1.28
        await talk.silence(3.0)
        return (talk.of("input_audio_buffer.speech_stopped")[0]["at"] - end) * 1000


@scripted
async def test_a_turn_waits_for_its_early_answer_and_not_for_ever():
    base_ms = silence_ms(Evidence("What time is it?"), "auto")
    assert await silence_that_ended(0.05) == pytest.approx(base_ms, abs=60), "ready before the end"
    assert await silence_that_ended(9.0) == pytest.approx(base_ms + STRETCH_MS, abs=60)
    assert await silence_that_ended(9.0, "off") == pytest.approx(base_ms, abs=60), "nothing to wait for"


def sentences(every_s: float) -> Heard:
    """Whole sentences, one longer than the other: each looks as if it were all."""
    texts = [" ".join(["Count", *NUMBERS[:many]]) + ", please." for many in range(1, 13)]
    return Heard(*((number * every_s, text) for number, text in enumerate(texts)))


@scripted
async def test_a_turn_asks_only_so_many_questions():
    chat = FakeChat([NOON] * 14)
    async with Talk(chat=chat, transcriber=sentences(0.6), settings=settings(), **SEMANTIC) as talk:
        await talk.speak(6.6)
        assert len(chat.requests) == MOST_QUESTIONS
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == MOST_QUESTIONS + 1, "the one that counts is asked all the same"
        assert value(talk, "realtime_turn_questions_sum") == MOST_QUESTIONS + 1
        await talk.speak(1.5)
        assert len(chat.requests) > MOST_QUESTIONS + 1, "the next turn has questions of its own"


class Café(Heard):
    """Voices behind that are whole sentences for a while, and nothing in the end; then somebody asks."""

    asks = False

    async def transcribe(self, samples, *, language, final):
        if not self.asks and final:
            return Transcript("")
        heard = Heard((1.3, "What time is it?")) if self.asks else sentences(0.6)
        return await heard.transcribe(samples, language=language, final=final)


@scripted
async def test_a_turn_without_words_takes_no_question_from_the_next_one():
    chat, café = FakeChat([NOON] * 14), Café()
    async with Talk(chat=chat, transcriber=café, settings=settings(), **SEMANTIC) as talk:
        await talk.speak(6.6)
        assert len(chat.requests) == MOST_QUESTIONS
        await talk.silence(4.0)
        assert not talk.of("response.created")
        café.asks = True
        await talk.speak(1.28)
        await talk.silence(0.2)
        assert len(chat.requests) == MOST_QUESTIONS + 1, "before the turn is over"
        assert value(talk, "realtime_turn_questions_sum") == MOST_QUESTIONS
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == MOST_QUESTIONS + 1
        assert value(talk, "realtime_turn_questions_sum") == MOST_QUESTIONS + 1
        assert value(talk, "realtime_turn_questions_count") == 2


@scripted
async def test_who_hesitates_again_and_again_is_answered_as_soon():
    unfinished = [
        "and then I saw number " + " and number ".join(NUMBERS[:many]) + " and" for many in range(1, 9)
    ]
    whole = (0, "Well, what time is it in Oslo now?")
    for pauses in (1, 8):
        chat = FakeChat([NOON] * 14)
        async with Talk(chat=chat, transcriber=Heard(), settings=settings(), **SEMANTIC) as talk:
            heard = talk.session._context.providers.transcriber
            for text in unfinished[:pauses]:
                heard.steps = ((0, text),)
                await talk.speak(1.0)
                await talk.silence(0.4)
            heard.steps = (whole,)
            asked = len(chat.requests)
            await talk.speak(1.0)
            await talk.silence(0.2)
            assert len(chat.requests) == asked + 1, "the end is asked about at once"
            assert asked <= MOST_UNLIKELY


@scripted
async def test_a_turn_gives_the_voice_only_so_much_in_vain():
    chat, speech = FakeChat([NOON] * 14), FakeSpeech()
    async with Talk(
        chat=chat, speech=speech, transcriber=sentences(0.9), settings=settings("speech"), **SEMANTIC
    ) as talk:
        await talk.speak(5.0)
        assert value(talk, "realtime_speech_in_vain_total") == MOST_SPEECH_IN_VAIN


@scripted
async def test_the_voice_begins_in_a_pause_that_is_likely_the_end_and_the_turn_ends_with_its_first_sound():
    base_ms = silence_ms(Evidence("What time is it?"), "auto")
    for first_s in (0.05, 0.5):
        speech = FakeSpeech(first_s=first_s)
        async with Talk(
            chat=FakeChat([NOON]),
            speech=speech,
            transcriber=Heard((1.3, "What time is it?")),
            settings=settings(),
            **SEMANTIC,
        ) as talk:
            await talk.speak(1.28)
            end = talk.events[0]["at"] + 1.28
            await talk.silence(0.5 * base_ms / 1000)
            assert speech.said == [], "no answer is spoken on a guess so short"
            await talk.silence(0.2 * base_ms / 1000)
            assert speech.said == ["It is noon in Oslo."]
            assert not talk.of("input_audio_buffer.speech_stopped"), "the user may still go on"
            await talk.silence(1.5)
            stopped_ms = (talk.of("input_audio_buffer.speech_stopped")[0]["at"] - end) * 1000
            assert stopped_ms == pytest.approx(max(base_ms, 0.6 * base_ms + first_s * 1000), abs=70)
            first_ms = (talk.of("response.output_audio.delta")[0]["at"] - end) * 1000
            assert first_ms == pytest.approx(stopped_ms, abs=30)
            assert value(talk, "realtime_speech_in_vain_total") == 0


@scripted
async def test_an_answer_begun_late_in_a_pause_is_spoken_at_once():
    """The text comes when the silence has been long enough for the voice already."""
    base_ms = silence_ms(Evidence("What time is it?"), "auto")
    speech = FakeSpeech(first_s=0.2)
    transcriber = Heard((1.3, "What time is it?"), delay_s=0.8 * base_ms / 1000)
    async with Talk(
        chat=FakeChat([[(0.01, "It is noon in Oslo.")]]),
        speech=speech,
        transcriber=transcriber,
        settings=settings(),
        **SEMANTIC,
    ) as talk:
        await talk.speak(1.28)
        await talk.silence(0.7 * base_ms / 1000)
        assert speech.said == []
        await talk.silence(0.2 * base_ms / 1000)
        assert speech.said == ["It is noon in Oslo."]
        assert not talk.of("input_audio_buffer.speech_stopped")


@scripted
async def test_a_noise_after_the_words_asks_nothing_again():
    """The text stays the same: the question was right, and only the voice waits for the next pause. The first pause
    was likely the end, but the model answers in the noise."""
    base_s = silence_ms(Evidence("What time is it?"), "auto") / 1000
    chat, speech = FakeChat([[(1.75, "It is noon in Oslo.")]]), FakeSpeech()
    async with Talk(
        chat=chat,
        speech=speech,
        transcriber=Heard((1.3, "What time is it?")),
        settings=settings(),
        **SEMANTIC,
    ) as talk:
        await talk.speak(1.28)
        await talk.silence(0.75 * base_s)
        await talk.speak(0.6)
        assert speech.said == [], "there is sound again"
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert speech.said == ["It is noon in Oslo."]
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_who_goes_on_after_a_pause_that_was_likely_the_end_hears_nothing_of_it():
    speech = FakeSpeech(first_s=0.5)
    heard = Heard((1.3, "What time is it?"), (2, "What time is it in the town of Oslo?"))
    async with Talk(
        chat=FakeChat([NOON, NOON]), speech=speech, transcriber=heard, settings=settings(), **SEMANTIC
    ) as talk:
        await talk.speak(1.28)
        await talk.silence(0.8 * silence_ms(Evidence("What time is it?"), "auto") / 1000)
        assert len(speech.said) == 1
        await talk.speak(1.5)
        assert value(talk, "realtime_speech_in_vain_total") == 1
        await talk.silence(2.0)
        await talk.until("response.done")
        assert [
            item["transcript"] for item in talk.of("conversation.item.input_audio_transcription.completed")
        ] == ["What time is it in the town of Oslo?"]
        assert len(talk.of("response.created")) == 1


@scripted
async def test_a_turn_that_goes_on_soon_after_its_end_was_cut():
    for pause_s, cuts in ((1.2, 1), (4.0, 0)):
        chat = FakeChat([[(9.0, "Late.")], [(9.0, "Late.")]])
        async with Talk(chat=chat, transcriber=Heard((0, "Hello there.")), settings=settings()) as talk:
            await talk.speak(0.8)
            await talk.silence(pause_s)
            assert talk.of("input_audio_buffer.speech_stopped")
            await talk.speak(1.6)
            assert value(talk, "realtime_turns_cut_total") == cuts


@scripted
async def test_a_session_that_closes_ends_no_turn():
    chat = FakeChat([[(9.0, "Late.")]])
    async with Talk(
        chat=chat, transcriber=Heard((1.3, "What time is it?")), settings=settings(), **SEMANTIC
    ) as talk:
        await talk.speak(1.28)
        await talk.silence((silence_ms(Evidence("What time is it?"), "auto") + STRETCH_MS / 2) / 1000)
        assert len(chat.requests) == 1
        assert not talk.of("input_audio_buffer.speech_stopped"), "it waits for the early answer"
    assert not talk.of("input_audio_buffer.speech_stopped")
    assert not talk.session.conversation.items


@scripted
async def test_an_early_answer_that_was_in_vain_is_free_at_once():
    chat = FakeChat([[(9.0, "Late.")], [(9.0, "Late.")]])
    heard = Heard((0, "What time is it?"), (2, "What time is it in the town of Oslo?"))
    async with Talk(chat=chat, transcriber=heard, settings=settings(), **SEMANTIC) as talk:
        await talk.speak(1.28)
        early = weakref.ref(talk.session._speculation._response)
        gc.disable()
        try:
            await talk.speak(1.5)
            assert len(chat.requests) == 2
            assert early() is None, "it waits for the garbage collection"
        finally:
            gc.enable()
