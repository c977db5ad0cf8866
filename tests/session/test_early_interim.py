"""Early answers that begin with an interim text: before a pause, as the voice fades, at the pause itself."""

import pytest

from tests.conversing import Talk, scripted
from tests.fakes import FakeChat, FakeTranscriber
from tests.session.early import FADED, NOON, VOICE, Heard, outcomes, settings


@scripted
async def test_a_whole_sentence_that_stays_the_same_is_answered_before_any_pause():
    """The detector still hears speech (a noisy room), the words have ended: two equal decodes are enough."""
    chat = FakeChat([NOON])
    transcriber = Heard((0, "What"), (1.0, "What time is it?"))
    async with Talk(chat=chat, transcriber=transcriber, settings=settings(), extensions="latency") as talk:
        await talk.speak(2.4)
        assert [request.messages[-1].content for request in chat.requests] == ["What time is it?"]
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert outcomes(talk) == {"used": 1}
        latency = await talk.until("response.latency.done")
        assert latency["origin"] == "speech_ended"
        assert latency["marks"]["chat_request"] < 0, "asked before the user had ended"


@scripted
async def test_a_sentence_known_from_an_interim_decode_is_answered_when_the_pause_begins():
    """The decode of the pause takes half a second here; it confirms the question that was asked meanwhile."""
    chat = FakeChat([NOON])
    transcriber = Heard((0, "What"), (0.7, "What time is it?"), delay_s=0.5)
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.speak(1.6)
        assert chat.requests == []
        await talk.silence(0.2)
        assert [request.messages[-1].content for request in chat.requests] == ["What time is it?"]
        await talk.silence(2.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_a_whole_sentence_is_answered_when_the_voice_fades_before_the_detector_agrees():
    chat = FakeChat([NOON])
    async with Talk(chat=chat, transcriber=Heard((0, "What time is it?")), settings=settings()) as talk:
        await talk.microphone(VOICE, 0.3)
        assert chat.requests == []
        await talk.microphone(FADED, 0.1)
        assert [request.messages[-1].content for request in chat.requests] == ["What time is it?"]
        await talk.silence(2.0)
        await talk.until("response.done")
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_a_slow_decode_that_ends_after_the_turn_leaves_the_early_answer_alone():
    chat, heard = FakeChat([NOON]), Heard((0, "What time is it?"))
    async with Talk(chat=chat, transcriber=heard, settings=settings()) as talk:
        await talk.microphone(VOICE, 0.5)
        heard.delay_s = 1.5
        await talk.microphone(FADED, 0.1)
        await talk.silence(3.0)
        await talk.until("response.done")
        assert len(chat.requests) == 1
        assert outcomes(talk) == {"used": 1}


@scripted
async def test_a_fragment_waits_for_the_detector():
    for text in ("What time", "What time is it in", "Yes.", "好。"):
        chat = FakeChat([NOON])
        async with Talk(chat=chat, transcriber=Heard((0, text)), settings=settings()) as talk:
            await talk.microphone(VOICE, 0.3)
            await talk.microphone(FADED, 0.14)
            assert chat.requests == []
            await talk.silence(2.0)
            await talk.until("response.done")
            assert len(chat.requests) == 1


@scripted
async def test_a_guess_outlives_a_closure_inside_a_word_but_not_another_text():
    chat = FakeChat([[(9.0, "Wrong.")], [(0.3, "Right.")]])
    steps = [(0, "What time is it?"), (1.6, "What time is it now, in the end"), (1.9, "What time is it now?")]
    async with Talk(chat=chat, transcriber=Heard(*steps), settings=settings()) as talk:
        await talk.microphone(VOICE, 0.5)
        await talk.microphone(FADED, 0.1)
        await talk.microphone(VOICE, 0.3)
        assert (len(chat.requests), chat.running) == (1, 1), "nothing has contradicted it"
        await talk.microphone(VOICE, 1.0)
        assert chat.running == 0
        await talk.silence(2.0)
        await talk.until("response.done")
        assert chat.requests[-1].messages[-1].content == "What time is it now?"


@scripted
async def test_the_waterfall_begins_where_the_user_ended_and_not_where_it_first_seemed_so():
    chat, heard = FakeChat([NOON]), Heard((0, "What time is it?"))
    async with Talk(chat=chat, transcriber=heard, settings=settings(), extensions="latency") as talk:
        await talk.microphone(VOICE, 0.3)
        await talk.microphone(FADED, 0.1)
        await talk.microphone(VOICE, 0.4)
        await talk.silence(2.0)
        marks = (await talk.until("response.latency.done"))["marks"]
        assert marks["speech_ended"] == 0
        assert marks["chat_request"] == pytest.approx(-430, abs=60)
        assert marks["turn_confirmed"] > 0


@scripted
async def test_the_decode_of_a_pause_corrects_the_interim_sentence():
    chat = FakeChat([[(0.3, "Wrong.")], [(0.05, "Right.")]])
    transcriber = Heard((0, "What time is it?"), (1.55, "What time is it there?"))
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.speak(0.9)
        await talk.speak(0.75)
        await talk.silence(2.0)
        await talk.until("response.done")
        assert chat.requests[-1].messages[-1].content == "What time is it there?"
        assert not [event for event in talk.events if "Wrong" in str(event)]


@scripted
async def test_an_interim_sentence_that_grows_is_not_answered():
    for steps in (
        ((0, "What"), (0.8, "What time"), (1.3, "What time is"), (1.8, "What time is it?")),
        ((0, "I would like to"),),  # stays the same, ends no sentence
    ):
        chat = FakeChat([NOON])
        async with Talk(chat=chat, transcriber=Heard(*steps), settings=settings()) as talk:
            await talk.speak(2.0)
            assert chat.requests == []


@scripted
async def test_an_interim_guess_is_dropped_when_more_words_come():
    chat = FakeChat([[(0.05, "Wrong.")], [(0.05, "Right.")]])
    transcriber = Heard((0, "What time is it?"), (2.0, "What time is it? In Rome, please."))
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.speak(1.5)
        assert len(chat.requests) == 1
        await talk.speak(1.2)
        await talk.silence(2.0)
        await talk.until("response.done")
        assert chat.requests[-1].messages[-1].content == "What time is it? In Rome, please."
        assert not [event for event in talk.events if "Wrong" in str(event)]


@scripted
async def test_interim_text_during_a_reply_never_speculates():
    """Suspected speech under a reply is no turn yet, however complete its sentence."""
    chat = FakeChat([[(0.1, "Once there was a small dog, and it lived by the sea, far away from here. ")]])
    transcriber = Heard((0, "Yeah."), delay_s=0.01)
    async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.done")
        await talk.speak(0.55)
        assert len(chat.requests) == 1


@pytest.mark.parametrize(
    ("guess", "final", "questions"),
    [
        ("今天是九月五号吗？", "今天是9月5号吗。", 1),
        ("我想去达摩愿看看。", "我想去达摩院看看。", 1),
        ("我想卖一套房子。", "我想买一套房子。", 2),
    ],
)
def test_a_guess_that_is_written_otherwise_is_used_if_it_sounds_the_same(guess, final, questions):
    @scripted
    async def talk_over():
        chat = FakeChat([[(0.05, "好的。")], [(0.05, "好的。")]])
        transcriber = FakeTranscriber([final], interim_texts=[guess] * 99)
        async with Talk(chat=chat, transcriber=transcriber, settings=settings()) as talk:
            await talk.speak(1.5)
            await talk.silence(2.0)
            await talk.until("response.done")
            asked = [request.messages[-1].content for request in chat.requests]
            assert asked == [guess, final][:questions]
            completed = talk.of("conversation.item.input_audio_transcription.completed")
            assert [event["transcript"] for event in completed] == [final], "it knows the words better"

    talk_over()
