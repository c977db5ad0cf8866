"""The fakes of the package: they play their roles, by script and by the loop's clock."""

import asyncio

import numpy as np
import pytest

from realtime.core.messages import ChatFinish, ChatMessage, ChatRequest, ChatUsage, TextDelta
from realtime.errors import ProviderUnavailable
from realtime.providers import (
    VAD_FRAME_SAMPLES,
    FakeChat,
    FakeEndOfTurnModel,
    FakeSpeech,
    FakeTranscriber,
    FakeVad,
    SpeechAudio,
    SpeechChunkDone,
    SpeechWords,
    Voice,
)
from tests.conversing import scripted

QUESTION = ChatRequest((ChatMessage("user", "What time is it?"),))
SECOND = np.zeros(16_000, np.int16)


def now_s() -> float:
    return asyncio.get_running_loop().time()


@scripted
async def test_a_chat_answers_by_its_script_and_then_for_ever():
    chat = FakeChat([[(0.5, "It is "), (0.25, "noon.")]])
    began_s, came = now_s(), []
    async for event in chat.stream(QUESTION):
        came.append((round(now_s() - began_s, 6), event))
    assert came == [
        (0.5, TextDelta("It is ")),
        (0.75, TextDelta("noon.")),
        (0.75, ChatFinish("stop")),
        (0.75, ChatUsage(33, 7)),
    ]
    assert chat.requests == [QUESTION]
    assert TextDelta("Fine.") in [event async for event in chat.stream(QUESTION)]
    assert chat.running == 0


@scripted
async def test_a_chat_fails_where_the_script_says_so_and_knows_that_it_was_left():
    chat = FakeChat([[(0.1, "It is "), (0.1, ProviderUnavailable("gone"))], [(0.1, "a"), (9.0, "b")]])
    with pytest.raises(ProviderUnavailable, match="gone"):
        _ = [event async for event in chat.stream(QUESTION)]
    answer = chat.stream(QUESTION)
    await anext(answer)
    assert chat.running == 1
    await answer.aclose()
    assert chat.running == 0


@scripted
async def test_a_voice_says_every_chunk_in_order_and_at_its_rate():
    speech, events = FakeSpeech(first_s=0.2, factor=2.0), []
    began_s = now_s()
    async with speech.open(Voice("v1")) as utterance:
        assert speech.open_now == 1
        assert [await utterance.say(text) for text in ("It is", "noon.")] == [0, 1]
        utterance.finish()
        async for event in utterance.events():
            events.append(event)
    assert now_s() - began_s == pytest.approx(2 * 0.2 + 2 * 300 / 1000 / 2, abs=1e-4)
    sound = [b"".join(e.pcm for e in events if isinstance(e, SpeechAudio) and e.chunk == n) for n in (0, 1)]
    assert [len(pcm) for pcm in sound] == [300 * 48] * 2
    words = next(event for event in events if isinstance(event, SpeechWords))
    assert [(w.begin, w.end, w.start_ms, w.end_ms) for w in words.words] == [(0, 2, 0, 120), (3, 5, 180, 300)]
    assert [event.chunk for event in events if isinstance(event, SpeechChunkDone)] == [0, 1]
    assert (speech.said, speech.begun, speech.open_now) == (["It is", "noon."], 2, 0)


@scripted
async def test_a_voice_fails_where_a_chunk_would_begin():
    speech = FakeSpeech(errors=[ProviderUnavailable("gone")])
    async with speech.open(Voice("v1")) as utterance:
        await utterance.say("Hello.")
        with pytest.raises(ProviderUnavailable, match="gone"):
            await anext(utterance.events())


@scripted
async def test_a_transcriber_gives_a_text_for_each_final_decode():
    transcriber = FakeTranscriber(["One.", ProviderUnavailable("gone")])
    interim = await transcriber.transcribe(SECOND, language=None, final=False)
    assert interim.text == "One."
    assert (await transcriber.transcribe(SECOND, language=None, final=True)).text == "One."
    with pytest.raises(ProviderUnavailable):
        await transcriber.transcribe(SECOND[:8_000], language=None, final=True)
    assert (await transcriber.transcribe(SECOND, language=None, final=True)).text == ""
    assert transcriber.asked == [(1.0, False), (1.0, True), (0.5, True), (1.0, True)]


@scripted
async def test_a_voice_detector_hears_loud_samples():
    detector = FakeVad()
    stream = detector.open()
    quiet = np.zeros(VAD_FRAME_SAMPLES, np.int16)
    low, high = await stream.probabilities([quiet, quiet + 5000])
    assert low < 0.5 < high
    stream.reset()
    stream.close()
    await detector.aclose()


@scripted
async def test_an_end_of_turn_model_says_what_it_is_told_to():
    model = FakeEndOfTurnModel([0.9, ProviderUnavailable("gone")])
    assert await model.finished(SECOND) == 0.9
    with pytest.raises(ProviderUnavailable):
        await model.finished(SECOND)
    assert model.asked == [1.0, 1.0]
