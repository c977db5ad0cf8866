"""What providers from anywhere give: what is clear is changed, all else is one error that says what came."""

import asyncio
from array import array

import numpy as np
import pytest

from realtime.core.messages import ChatFinish, ChatUsage, TextDelta, ToolCallDelta, WordTime
from realtime.errors import ConfigError, ProviderError
from realtime.metrics import Metrics
from realtime.providers.base import (
    ChatModel,
    EndOfTurnModel,
    Providers,
    SpeechAudio,
    SpeechChunkDone,
    SpeechPaused,
    SpeechWords,
    Transcript,
)
from realtime.server import given
from realtime.server.observed import observed
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, FakeVad

WHO = "The chat model n"


@pytest.mark.parametrize(
    ("came", "event"),
    [
        ("Hello", TextDelta("Hello")),
        (np.str_("Hello"), TextDelta("Hello")),
        (TextDelta(np.str_("Hello")), TextDelta("Hello")),
        (TextDelta(None), TextDelta("")),
        (ToolCallDelta(np.int64(0), None, None, None), ToolCallDelta(0, "", "", "")),
        (ToolCallDelta(0, "c", "f", {"a": 1}), ToolCallDelta(0, "c", "f", '{"a":1}')),
        (ChatUsage(np.int64(3), 4.0, None), ChatUsage(3, 4)),
        (ChatUsage(None, None), None),
        (ChatFinish(None), ChatFinish("stop")),
        (ChatFinish("stop", trace_id=7), ChatFinish("stop")),
    ],
)
def test_an_event_of_a_chat_model_that_is_clear_becomes_what_was_meant(came, event):
    found = given.chat_event(came, WHO)
    assert found == event
    for part in () if found is None else (getattr(found, name) for name in found.__slots__):
        assert type(part) in (str, int, type(None)), "what can be written"


@pytest.mark.parametrize(
    ("came", "message"),
    [
        (None, "The chat model n gave None; a ChatEvent is needed."),
        ({"text": "Hello"}, "The chat model n gave a dict; a ChatEvent is needed."),
        (TextDelta(5), "The chat model n gave 5; TextDelta.text needs a str."),
        (ToolCallDelta(0, "c", "f", {"a": object()}), "gave a dict; ToolCallDelta.arguments needs a str."),
        (ChatUsage(-1, 2), "gave -1; ChatUsage needs whole numbers."),
        (ChatUsage(float("nan"), 2), "gave nan; ChatUsage needs whole numbers."),
        (ChatUsage(2**80, 2), "needs whole numbers."),
        (ChatFinish(object()), "gave an object; ChatFinish.reason needs a str."),
    ],
)
def test_an_event_of_a_chat_model_that_is_not_clear_is_refused_by_name(came, message):
    with pytest.raises(ProviderError) as raised:
        given.chat_event(came, WHO)
    assert message in raised.value.message
    assert (raised.value.code, raised.value.retryable) == ("internal_error", False)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 10])
def test_sound_in_pieces_of_any_length_is_whole_samples(size: int):
    pcm = bytes(range(250)) + b"\1"  # the last half is of no use
    sound = given.Sound("The voice")
    pieces = [sound.event(SpeechAudio(0, pcm[at : at + size])) for at in range(0, len(pcm), size)]
    assert all(piece is None or (piece.pcm and len(piece.pcm) % 2 == 0) for piece in pieces)
    assert b"".join(piece.pcm for piece in pieces if piece) == pcm[:250]
    assert sound.event(SpeechAudio(1, b"\5\6")) == SpeechAudio(1, b"\5\6"), "a half is of one chunk"


@pytest.mark.parametrize(
    "kind", [bytearray, memoryview, lambda pcm: np.frombuffer(pcm, np.int16), lambda pcm: array("h", pcm)]
)
def test_whatever_holds_16_bit_samples_is_sound(kind):
    pcm = bytes(range(250))
    event = given.Sound("The voice").event(SpeechAudio(np.int64(0), kind(pcm)))
    assert (type(event.chunk), type(event.pcm), event.pcm) == (int, bytes, pcm)


@pytest.mark.parametrize(
    ("came", "message"),
    [
        (
            SpeechAudio(0, np.zeros(9, np.float32)),
            "gave a ndarray of the format 'f'; SpeechAudio.pcm needs bytes",
        ),
        (SpeechAudio(0, "AAAA"), "The voice gave a str; SpeechAudio.pcm needs bytes"),
        (SpeechAudio(0, None), "The voice gave None; SpeechAudio.pcm needs bytes"),
        (SpeechAudio("0", b"\0\0"), "The voice gave a str; SpeechAudio.chunk needs whole numbers."),
        (b"\0\0", "The voice gave a bytes; a SpeechEvent is needed."),
        (SpeechWords(0, [(0, 5)]), "The voice gave a list; SpeechWords.words needs a tuple of WordTime."),
        (SpeechWords(0, (WordTime(0, 5, 0, float("nan")),)), "The voice gave nan; WordTime needs numbers."),
        (SpeechChunkDone(None), "The voice gave None; SpeechChunkDone.chunk needs whole numbers."),
    ],
)
def test_what_is_no_sound_is_refused_by_name(came, message):
    with pytest.raises(ProviderError) as raised:
        given.Sound("The voice").event(came)
    assert message in raised.value.message


def test_words_and_ends_of_chunks_have_plain_numbers():
    sound = given.Sound("The voice")
    words = sound.event(SpeechWords(np.int32(1), [WordTime(np.int64(0), 5, np.float32(0.5), 9)]))
    assert words == SpeechWords(1, (WordTime(0, 5, 0.5, 9.0),))
    assert [type(each) for each in (words.words[0].begin, words.words[0].start_ms)] == [int, float]
    assert sound.event(SpeechChunkDone(np.int64(1), 7)).trace_id == "7"
    assert sound.event(SpeechPaused()) == SpeechPaused()


def test_a_text_is_a_transcript_and_numbers_nobody_knows_are_none():
    assert given.transcript_of("hello", WHO) == Transcript("hello")
    made = given.transcript_of(Transcript(np.str_("hi"), np.str_("en"), np.float32(-0.5), float("nan")), WHO)
    assert (made, type(made.text), type(made.log_probability)) == (Transcript("hi", "en", -0.5), str, float)
    for came in (None, ("hello", "en"), Transcript(5)):
        with pytest.raises(ProviderError):
            given.transcript_of(came, WHO)


@pytest.mark.parametrize("came", [np.array([0.9]), np.float64(0.9), np.array(0.9), 0.9])
def test_a_probability_is_one_number(came):
    assert type(given.probability(came, WHO)) is float
    assert given.probability(came, WHO) == pytest.approx(0.9)


@pytest.mark.parametrize("came", [None, "0.9", float("nan"), 97, np.array([0.1, 0.9]), -1, [0.9]])
def test_what_is_no_probability_is_refused(came):
    with pytest.raises(ProviderError):
        given.probability(came, WHO)


@pytest.mark.parametrize("came", [None, 0.9, [0.9], [0.9, None], np.zeros((2, 2)), "no", {0: 0.5, 1: 0.5}])
def test_a_detector_gives_one_probability_for_each_frame(came):
    with pytest.raises(ProviderError):
        given.probabilities(came, 2, "The voice detector")
    for good in ((0.5, True), np.array([0.5, 1.0], np.float32), np.array([[0.5], [1.0]])):
        assert given.probabilities(good, 2, "The voice detector") == [0.5, 1.0]


# -- the providers around it ---------------------------------------------------------------------------------


def seen(**own) -> Providers:
    roles = {"vad": None, "transcriber": None, "chat": FakeChat(), "speech": FakeSpeech(), **own}
    return observed(Providers(**roles), Metrics())


class Duck:
    """Has what a chat model must have, and is no subclass of it."""

    name = "duck"

    async def stream(self, request):
        yield "Hello"


def test_an_object_that_is_no_subclass_has_the_defaults_of_its_role():
    chat = seen(chat=Duck()).chat
    assert (chat.sees_images, chat.context_tokens, chat.requests_left()) == (False, None, float("inf"))
    asyncio.run(chat.prewarm())

    class Hears:
        name = "hears"

        def transcribe(self, samples, *, language, final):
            return "hello"

    transcriber = seen(transcriber=Hears()).transcriber
    assert (transcriber.interim, transcriber.spare(None)) == (False, False)
    assert asyncio.run(transcriber.transcribe([], language=None, final=True)) == Transcript("hello")


def test_a_provider_without_a_name_stops_the_start():
    class Nameless(ChatModel):
        pass

    with pytest.raises(ConfigError, match="The chat provider Nameless needs a `name`"):
        seen(chat=Nameless())


@pytest.mark.parametrize(
    "stream", [lambda self, request: ["Hello"], lambda self, request: iter("Hello")], ids=["list", "iterator"]
)
def test_a_stream_that_is_none_is_refused_by_name(stream):
    chat = seen(chat=type("Wrong", (Duck,), {"stream": stream})()).chat

    async def read():
        return [event async for event in chat.stream(None)]

    with pytest.raises(
        ProviderError, match=r"The chat model duck's stream\(\) gave a .*; an async generator"
    ):
        asyncio.run(read())


def test_a_detector_whose_answer_is_none_is_told_once_and_asked_no_more(caplog):
    asked = []

    class Detector(FakeVad):
        def open(self):
            stream = super().open()

            async def probabilities(frames):
                asked.append(len(frames))

            stream.probabilities = probabilities
            return stream

    async def hear():
        stream = seen(vad=Detector()).vad.open()
        frame = np.zeros(512, np.int16)
        with pytest.raises(ProviderError, match="The voice detector gave None"):
            await stream.probabilities([frame])
        return await stream.probabilities([frame] * 2)

    assert asyncio.run(hear()) == [0.0, 0.0]
    assert asked == [1]
    assert len([record for record in caplog.records if "voice detector" in record.message]) == 1


def test_an_end_of_turn_model_gives_one_number(caplog):
    answers = [np.array([0.9]), None, None]

    class Model(EndOfTurnModel):
        async def finished(self, samples):
            return answers.pop(0)

    async def ask():
        model = seen(end_of_turn=Model(), transcriber=FakeTranscriber()).end_of_turn
        assert await model.finished([]) == pytest.approx(0.9)
        for _ in range(2):
            with pytest.raises(ProviderError):
                await model.finished([])

    asyncio.run(ask())
    assert [record.message for record in caplog.records].count(
        "The end-of-turn model gave None; one number from 0 to 1 is needed."
    ) == 1
