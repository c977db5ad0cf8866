"""What a user says becomes a turn, or does not: commits, failed transcripts, noise, cleared and merged speech."""

import asyncio
from dataclasses import replace

import pytest

from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.providers.base import Transcript
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.stories import STORY


@scripted
async def test_manual_commit_then_create_waits_for_the_transcript():
    chat = FakeChat([[(0.1, "Fine.")]])
    manual = {"audio": {"input": {"turn_detection": None}}}
    async with Talk(chat=chat, transcriber=FakeTranscriber(["How are you?"], delay_s=0.5), **manual) as talk:
        await talk.microphone(LOUD, 1.0)
        await talk.send("input_audio_buffer.commit")
        await talk.send("response.create")
        created, completed = (
            talk.of("response.created"),
            talk.of("conversation.item.input_audio_transcription.completed"),
        )
        assert created
        assert not completed
        await talk.until("response.done")
        assert [message.content for message in chat.requests[0].messages][-1] == "How are you?"
        assert "input_audio_buffer.speech_started" not in talk.types


@scripted
async def test_a_commit_by_hand_of_silence_is_not_decoded():
    transcriber = FakeTranscriber(["I'm not going to be able to do that."])
    async with Talk(transcriber=transcriber, audio={"input": {"turn_detection": None}}) as talk:
        await talk.microphone(SILENT, 1.0)
        await talk.send("input_audio_buffer.commit")
        assert (await talk.until("conversation.item.input_audio_transcription.completed"))["transcript"] == ""
        assert transcriber.asked == []


@scripted
async def test_an_empty_commit_is_refused():
    async with Talk() as talk:
        await talk.send("input_audio_buffer.commit", event_id="c1")
        error = (await talk.until("error"))["error"]
        assert error["code"] == "input_audio_buffer_commit_empty"
        assert error["event_id"] == "c1"
        assert "0.00ms" in error["message"]


@scripted
async def test_noise_without_words_is_no_turn():
    async with Talk(transcriber=FakeTranscriber([""])) as talk:
        await talk.speak(0.6)
        await talk.silence(1.5)
        assert (await talk.until("conversation.item.input_audio_transcription.completed"))["transcript"] == ""
        assert "response.created" not in talk.types


class Doubting(FakeTranscriber):
    """Has this log-probability for each text, and hears no interim text."""

    def __init__(self, texts, log_probability) -> None:
        super().__init__(texts, interim_texts=[])
        self._log_probability = log_probability

    async def transcribe(self, samples, *, language, final) -> Transcript:
        read = await super().transcribe(samples, language=language, final=final)
        return replace(read, log_probability=self._log_probability if read.text else None)


@pytest.mark.parametrize(
    ("first", "doubt", "completed"),
    [("79, 46,", -1.0, "79, 46,"), ("79, 46,", -1.5, ""), ("Mm-hmm.", None, ""), ("", None, "")],
)
@scripted
async def test_an_empty_text_of_the_whole_does_not_undo_words_that_were_believed_at_a_pause(
    first, doubt, completed
):
    """Not a guess, and no hum. The whole turn was read rightly and refused: it looked like noise."""
    async with Talk(transcriber=Doubting([first, ""], doubt)) as talk:
        await talk.speak(0.8)
        await talk.silence(0.4)
        await talk.speak(0.8)
        await talk.silence(3.0)
        told = await talk.until("conversation.item.input_audio_transcription.completed")
        assert told["transcript"] == completed
        await talk.silence(1.0)
        assert ("response.created" in talk.types) is bool(completed)


@scripted
async def test_a_failed_transcript_is_told_and_the_next_turn_works():
    transcriber = FakeTranscriber([ProviderUnavailable("down")] * 2 + ["Hello."] * 2)
    async with Talk(transcriber=transcriber) as talk:
        await talk.speak(0.6)
        await talk.silence(1.5)
        failed = await talk.until("conversation.item.input_audio_transcription.failed")
        assert failed["error"]["code"] == "transcription_failed"
        await talk.speak(0.6)
        await talk.silence(2.0)
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_a_failed_transcript_fails_a_response_that_waits_for_it():
    transcriber = FakeTranscriber([ProviderTimeout("slow")])
    async with Talk(transcriber=transcriber, audio={"input": {"turn_detection": None}}) as talk:
        await talk.speak(0.6)
        await talk.send("input_audio_buffer.commit")
        await talk.send("response.create")
        details = (await talk.until("response.done"))["response"]["status_details"]
        assert details["error"]["code"] == "transcription_failed"


@scripted
@pytest.mark.parametrize("by_hand", [False, True])
async def test_the_deltas_of_a_turn_are_its_whole_text(by_hand: bool):
    texts = ["What time is"] * 2 + ["What time is it now"] * 20
    transcriber = FakeTranscriber(["What time is it now, please?"] * 3, interim_texts=texts)
    async with Talk(transcriber=transcriber) as talk:
        await talk.speak(2.0)
        if by_hand:
            await talk.send("input_audio_buffer.commit")
        else:
            await talk.silence(2.0)
        completed = await talk.until("conversation.item.input_audio_transcription.completed")
        deltas = talk.of("conversation.item.input_audio_transcription.delta")
        assert len(deltas) > 1
        assert {each["item_id"] for each in deltas} == {completed["item_id"]}
        assert "".join(each["delta"] for each in deltas) == completed["transcript"]
        assert talk.types.index(completed["type"]) > talk.types.index(deltas[-1]["type"])


@scripted
async def test_the_words_that_interrupt_are_told_like_all_others():
    """A delta needs two decodes that agree: the first of them is the one that announces the speech."""
    transcriber = FakeTranscriber(["Stop it."], interim_texts=["Stop it", "Stop it please"])
    async with Talk(chat=FakeChat([STORY]), transcriber=transcriber) as talk:
        await talk.ask("Tell me a story.")
        await talk.until("response.output_audio.delta")
        await talk.speak(0.45)
        assert len(transcriber.asked) == 2
        assert [event["delta"] for event in talk.of("conversation.item.input_audio_transcription.delta")] == [
            "Stop it"
        ]


@scripted
async def test_clear_forgets_open_speech():
    async with Talk(transcriber=FakeTranscriber(["Hello."])) as talk:
        await talk.speak(0.5)
        await talk.send("input_audio_buffer.clear")
        assert "input_audio_buffer.cleared" in talk.types
        await talk.silence(1.5)
        assert "input_audio_buffer.speech_stopped" not in talk.types
        assert "response.created" not in talk.types


@scripted
async def test_new_speech_before_the_answer_merges_into_one_question():
    chat = FakeChat([[(0.1, "Both.")]])
    transcriber = FakeTranscriber(["First part.", "Second part."], delay_s=0.4, interim=False)
    async with Talk(chat=chat, transcriber=transcriber) as talk:
        await talk.speak(0.6)
        await talk.silence(0.6)
        await talk.speak(0.6)
        await talk.silence(2.0)
        await talk.until("response.done")
        users = [message.content for message in chat.requests[0].messages if message.role == "user"]
        assert " ".join(users) == "First part. Second part."
        assert len(chat.requests) == 1


@scripted
async def test_a_question_that_the_client_deletes_before_its_words_are_known_is_not_answered():
    chat = FakeChat()
    async with Talk(chat=chat, transcriber=FakeTranscriber(["Hello there."], delay_s=0.8)) as talk:
        await talk.speak(1.0)
        await talk.silence(0.6)
        item_id = (await talk.until("input_audio_buffer.committed"))["item_id"]
        await talk.send("conversation.item.delete", item_id=item_id)
        await talk.silence(1.5)
        assert not talk._run.done(), "the session lives on"
        assert chat.requests == []
        await talk.ask("Hello?")
        assert (await talk.until("response.done"))["response"]["status"] == "completed"


@scripted
async def test_a_turn_that_has_ended_is_answered_by_the_rules_it_ended_under():
    manual = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    for create_response in (False, True):
        async with Talk(
            transcriber=FakeTranscriber(["Hello."], delay_s=1.0, interim=False),
            audio={"input": {"turn_detection": {"type": "server_vad", "create_response": create_response}}},
        ) as talk:
            await talk.speak(1.0)
            await talk.silence(0.6)
            await talk.until("input_audio_buffer.committed")
            await talk.send("session.update", session=manual)
            await talk.until("conversation.item.input_audio_transcription.completed")
            await asyncio.sleep(1.0)
            assert ("response.created" in talk.types) is create_response


@scripted
async def test_speech_is_announced_ahead_of_audio_that_nobody_waits_for():
    """The player emptied itself, so nothing sounds that could be cut; what is still unsent must not sound either."""
    async with Talk(chat=FakeChat([STORY]), extensions="playback") as talk:
        await talk.ask("Tell me a story.")
        item_id = (await talk.until("response.output_audio.delta"))["item_id"]
        talk.reads.clear()
        await asyncio.sleep(0.2)
        await talk.send("output_audio_buffer.played", item_id=item_id, played_ms=0, state="flushed")
        await asyncio.sleep(5.0)
        assert talk.outbox.unsent_audio_ms > 1_000
        await talk.speak(0.3)
        assert talk.outbox.unsent_audio_ms == 0
        talk.reads.set()
        await talk.until("input_audio_buffer.speech_started")


@scripted
async def test_speech_in_which_a_typed_message_is_answered_gets_an_answer_too():
    """The reply to the message began before the speech had ended, so it knows nothing of it."""
    chat = FakeChat([STORY, [(0.1, "Both.")]])
    async with Talk(chat=chat, transcriber=FakeTranscriber(["And in Rome?"])) as talk:
        await talk.speak(0.5)
        await talk.ask("Tell me a story.")
        await talk.speak(0.5)
        await talk.silence(2.0)
        done = await talk.until("response.done", count=2)
        assert [event["response"]["status"] for event in talk.of("response.done")] == [
            "cancelled",
            "completed",
        ]
        assert done["response"]["output"][0]["content"][0]["transcript"] == "Both."
        said = [message.content for message in chat.requests[-1].messages if message.role == "user"]
        assert said == ["Tell me a story.", "And in Rome?"]


@scripted
@pytest.mark.parametrize("extensions", ["", "playback"])
async def test_that_speech_also_interrupts_what_still_sounds_of_the_reply(extensions):
    """The reply was written within a second, and sounds for longer than the user speaks."""
    quick = [(0.02, "Once there was a small dog, and it lived by the sea. " * 4)]
    reader = FakeTranscriber(["Stop it now, what time is it?"] * 8, delay_s=0.2)
    chat, speech = FakeChat([quick, [(0.1, "At noon.")]]), FakeSpeech(factor=100.0)
    async with Talk(chat=chat, speech=speech, transcriber=reader, extensions=extensions) as talk:
        await talk.speak(0.5)
        await talk.ask("Tell me a story.")
        await talk.speak(3.0)
        await talk.silence(2.0)
        assert [event["response"]["status"] for event in talk.of("response.done")] == ["completed"] * 2
        assert talk.types.count("output_audio_buffer.cleared") == bool(extensions)
        said = [message.content for message in chat.requests[-1].messages]
        (story,) = [text for text in said if text.startswith("Once")]
        assert len(story) < 80, "what was not heard is not in it"
        assert "Stop it now, what time is it?" in said
