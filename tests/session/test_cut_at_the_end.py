"""A stock player is late: a noise at the end of an answer makes its client throw the last words away."""

from __future__ import annotations

import pytest

from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber
from tests.session.listeners import items_said, kept_of
from tests.session.moving import Losable
from tests.session.test_moved_speech import say, send_again

COUNT = "One two three four five six seven eight nine ten."  # 60 ms a character: 3 s
LATE_MS = 300  # how far the player is behind the server's estimate


def talk_of(heard: str | Exception, *then: str, **options) -> Talk:
    chat = FakeChat([[(0.1, answer)] for answer in (COUNT, *(then or ("It is noon.",)))])
    return Talk(
        chat=chat,
        speech=FakeSpeech(factor=50),
        transcriber=FakeTranscriber([heard] * 9, interim=False),
        **options,
    )


async def noise_at_the_end(
    talk: Talk, *, after_s: float = 0.1, crosses_s: float = 0.1, heard_ms: int | None = None
) -> str:
    """A sound just after the answer should have been heard; the client truncates as stock clients do. Its item."""
    await talk.ask("Count.")
    await talk.until("response.done")
    item_id, sounds_ms = items_said(talk)[-1], talk.audio_ms()
    # It began to sound a moment before its end was written
    await talk.silence(sounds_ms / 1000 - 0.1 + after_s)
    await talk.speak(0.4)
    await talk.until("input_audio_buffer.speech_started")
    await talk.silence(crosses_s)
    end_ms = int(sounds_ms) - LATE_MS if heard_ms is None else heard_ms
    await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms)
    await talk.silence(6)
    return item_id


def spoken(talk: Talk) -> list[str]:
    return [event["transcript"].strip() for event in talk.of("response.output_audio_transcript.done")]


def left_alone(talk: Talk) -> bool:
    """Whether the server takes no reply for one that was cut."""
    responses = talk.session.responses
    return responses.interrupted is None and not any(each.interrupted for each in responses._playout._sounds)


@scripted
async def test_after_a_noise_the_last_word_is_said():
    async with talk_of("") as talk:
        item_id = await noise_at_the_end(talk)
        kept = await kept_of(talk, item_id)
        assert kept == "One two three four five six seven eight nine"
        assert spoken(talk) == [COUNT, "ten."]
        assert len(talk.chat.requests) == 1, "it is the same answer"
        await talk.silence(2)
        await talk.ask("And now?")
        await talk.until("response.done", 3)
        said = [message.content for message in talk.chat.requests[1].messages if message.role == "assistant"]
        assert " ".join(said) == COUNT


@pytest.mark.parametrize("words", ["Yes.", "嗯。", "What is next?"])
def test_words_are_answered_and_the_rest_is_not_said(words: str):
    """The answer was over for them: a "yes" is one to it."""

    @scripted
    async def scene():
        async with talk_of(words) as talk:
            item_id = await noise_at_the_end(talk)
            assert spoken(talk) == [COUNT, "It is noon."]
            asked = [message.content for message in talk.chat.requests[1].messages]
            assert asked[-2:] == ["One two three four five six seven eight nine", words]
            assert await kept_of(talk, item_id) == asked[-2]

    scene()


@scripted
async def test_speech_that_cannot_be_read_leaves_it_cut():
    async with talk_of(RuntimeError("broken")) as talk:
        await noise_at_the_end(talk)
        assert spoken(talk) == [COUNT]


@scripted
async def test_where_nothing_was_cut_nothing_is_said():
    async with talk_of("") as talk:
        item_id = await noise_at_the_end(talk, heard_ms=2940)
        assert spoken(talk) == [COUNT]
        assert await kept_of(talk, item_id) == COUNT


@scripted
async def test_long_after_the_end_the_client_means_it():
    async with talk_of("") as talk:
        await noise_at_the_end(talk, after_s=1.5)
        assert spoken(talk) == [COUNT]


@scripted
async def test_without_speech_the_client_means_it():
    async with talk_of("") as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        await talk.silence(3.1)
        item_id = items_said(talk)[-1]
        await talk.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=2600)
        assert left_alone(talk)
        await talk.silence(1)
        await talk.speak(0.4)
        await talk.silence(4)
        assert spoken(talk) == [COUNT]


@pytest.mark.parametrize("rule", ["create_response", "interrupt_response"])
def test_a_client_that_decides_itself_is_not_helped(rule: str):
    @scripted
    async def scene():
        detection = {"type": "server_vad", rule: False}
        async with talk_of("", audio={"input": {"turn_detection": detection}}) as talk:
            await noise_at_the_end(talk)
            assert spoken(talk) == [COUNT]
            assert left_alone(talk)

    scene()


@pytest.mark.parametrize("event", ["response.cancel", "response.create", "input_audio_buffer.clear"])
def test_what_the_client_does_then_counts_more(event: str):
    @scripted
    async def scene():
        async with talk_of("") as talk:
            await talk.ask("Count.")
            await talk.until("response.done")
            await talk.silence(talk.audio_ms() / 1000)
            await talk.speak(0.4)
            await talk.until("input_audio_buffer.speech_started")
            await talk.send(
                "conversation.item.truncate",
                item_id=items_said(talk)[-1], content_index=0, audio_end_ms=2600,
            )  # fmt: skip
            await talk.send(event)
            await talk.silence(6)
            assert "ten." not in spoken(talk)
            assert spoken(talk)[1:] == (["It is noon."] if event == "response.create" else [])

    scene()


@scripted
async def test_a_second_truncate_changes_where_it_goes_on():
    async with talk_of("") as talk:
        await talk.ask("Count.")
        await talk.until("response.done")
        item_id = items_said(talk)[-1]
        await talk.silence(talk.audio_ms() / 1000)
        await talk.speak(0.4)
        await talk.until("input_audio_buffer.speech_started")
        for end_ms in (2700, 2300):
            await talk.send(
                "conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end_ms
            )
        await talk.silence(6)
        kept = await kept_of(talk, item_id)
        assert spoken(talk) == [COUNT, COUNT.removeprefix(kept).strip()]
        assert spoken(talk)[1] == "eight nine ten."


@pytest.mark.parametrize("words", ["", "Yes."])
def test_the_last_word_is_said_at_the_next_server(words: str):
    @scripted
    async def scene():
        slow, voice = FakeTranscriber(["never"], interim=False, delay_s=60), FakeSpeech(factor=50)
        chat = FakeChat([[(0.1, COUNT)]])
        async with Losable(chat=chat, transcriber=slow, speech=voice, extensions="resume") as old:
            await old.ask("Count.")
            await old.until("response.done")
            sound = [SILENT] * 150 + [LOUD] * 20
            await say(old, sound)
            await old.until("input_audio_buffer.speech_started")
            (item_id,) = items_said(old)
            await old.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=2700)
            sound += [SILENT] * 80
            await say(old, sound[170:])
            left = old.lose()
        then, texts = FakeChat([[(0.1, "It is noon.")]]), FakeTranscriber([words] * 3, interim=False)
        continues = left.continues()
        async with Talk(
            chat=then, transcriber=texts, speech=voice, extensions="resume", continues=continues, ids="b"
        ) as new:
            await send_again(new, sound, new.session.input_audio_ms)
            await new.until("response.done")
            assert spoken(new) == (["It is noon."] if words else ["ten."])

    scene()
