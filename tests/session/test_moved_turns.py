"""A session moves in the middle of a turn: what the user is owed is said at the next server."""

from __future__ import annotations

import asyncio

import pytest

from realtime.tools import Toolbox
from tests.conversing import LOUD, SILENT, Talk, scripted
from tests.fakes import FakeChat, FakeSpeech, FakeTranscriber, call
from tests.session.moving import Left, Losable, StoryChat
from tests.session.test_moved import EXTENSIONS, STORY, WORDS, quiet, said
from tests.session.test_moved_speech import say, send_again, users

DETECTION = {"audio": {"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 500}}}}
NOISE = [LOUD] * 200 + [SILENT] * 60


async def asked_and_coughed() -> tuple[list[bytes], Left]:
    """The words of the question are known while a cough sounds, and the server is lost."""
    heard = FakeTranscriber(["What time is it?", ""], interim=False, delay_s=0.3)
    question, cough = [SILENT] * 20 + [LOUD] * 50 + [SILENT] * 30, [LOUD] * 10 + [SILENT] * 60
    async with Losable(transcriber=heard, extensions="resume", **DETECTION) as old:
        await say(old, question + cough[:20])
        assert len(old.of("input_audio_buffer.speech_started")) == 2
        assert not old.of("response.created")
        return question + cough, old.lose()


@pytest.mark.parametrize("again", [True, False])
@scripted
async def test_a_question_before_a_cough_is_answered_though_the_cough_may_not_come_again(again: bool) -> None:
    sound, left = await asked_and_coughed()
    chat, nothing = FakeChat([[(0.1, "It is noon.")]]), FakeTranscriber([""], interim=False)
    continues = left.continues()
    async with Talk(
        chat=chat, transcriber=nothing, extensions="resume", continues=continues, ids="b", **DETECTION
    ) as new:
        if again:
            await send_again(new, sound, new.session.input_audio_ms)
        await new.until("response.done")
        assert users(new)[0] == "What time is it?"
        assert len(chat.requests) == 1


async def stopped_by_noise(old: Losable) -> None:
    await old.ask("Tell.")
    await old.until("response.output_audio.delta", 3)
    await asyncio.sleep(0.5)
    for pcm in NOISE:
        if not old.of("input_audio_buffer.speech_started"):
            await say(old, [pcm])
    await asyncio.sleep(0.4)


@pytest.mark.parametrize("made", [True, False])
@pytest.mark.parametrize("again", [True, False])
@scripted
async def test_an_answer_that_a_noise_has_stopped_is_said_on(again: bool, made: bool) -> None:
    """`made`: the model had written all of it."""
    voice = FakeSpeech(factor=5.0)
    nothing = FakeTranscriber(["", ""], interim_texts=[], delay_s=0.1)
    chat = StoryChat(story=STORY, word_s=0.01 if made else 0.3)
    async with Losable(chat=chat, transcriber=nothing, speech=voice, extensions=EXTENSIONS) as old:
        await stopped_by_noise(old)
        left = old.lose()
    continues, silence = left.continues(), FakeTranscriber(["", ""], interim_texts=[])
    async with Talk(
        chat=chat, transcriber=silence, extensions=EXTENSIONS, continues=continues, ids="b"
    ) as new:
        if again:
            await send_again(new, NOISE, new.session.input_audio_ms)
        await new.until("response.created")
        await quiet(new)
        assert said(new) == WORDS


@pytest.mark.parametrize("deleted", [True, False])
@scripted
async def test_an_answer_that_a_stock_client_has_truncated_is_said_on_unless_it_deletes_it(
    deleted: bool,
) -> None:
    voice, nothing = FakeSpeech(factor=5.0), FakeTranscriber(["", ""], interim_texts=[], delay_s=0.1)
    chat = StoryChat(story=STORY, word_s=0.01)
    async with Losable(chat=chat, transcriber=nothing, speech=voice, extensions="resume") as old:
        await stopped_by_noise(old)
        item_id = old.of("response.output_audio.delta")[0]["item_id"]
        await old.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=700)
        if deleted:
            await old.send("conversation.item.delete", item_id=item_id)
        left = old.lose()
    continues, silence = left.continues(), FakeTranscriber(["", ""], interim_texts=[])
    async with Talk(chat=chat, transcriber=silence, extensions="resume", continues=continues, ids="b") as new:
        await asyncio.sleep(20)
        await quiet(new)
        assert said(new) == ([] if deleted else WORDS)


@scripted
async def test_an_answer_that_words_have_stopped_is_not_said_on() -> None:
    nothing = FakeTranscriber([""], interim_texts=[], delay_s=0.1)
    chat = StoryChat(story=STORY, word_s=0.01)
    async with Losable(
        chat=chat, transcriber=nothing, speech=FakeSpeech(factor=5.0), extensions=EXTENSIONS
    ) as old:
        await stopped_by_noise(old)
        heard = said(old)
        left = old.lose()
    continues, words = left.continues(), FakeTranscriber(["No, tell me about the sea."], interim_texts=[])
    other = FakeChat([[(0.1, "It is blue.")]])
    async with Talk(
        chat=other, transcriber=words, extensions=EXTENSIONS, continues=continues, ids="b"
    ) as new:
        await send_again(new, NOISE, new.session.input_audio_ms)
        await new.until("response.done")
        await quiet(new)
        assert said(new) == [*heard, "It", "is", "blue."]


async def look_up() -> str:
    """Look it up."""
    await asyncio.sleep(2.0)
    return "noon"


@pytest.mark.parametrize("creates", [True, False])
@scripted
async def test_what_a_tool_gave_while_the_user_spoke_is_told(creates: bool) -> None:
    """`creates`: whether turns are answered of themselves."""
    chat = FakeChat([[(0.1, call("look_up", "{}"))]])
    heard = FakeTranscriber([""], interim=False, delay_s=60.0)
    tools = {"server_tools": Toolbox([look_up])}
    no_interruption = {"type": "server_vad", "interrupt_response": False, "create_response": creates}
    settings = {"audio": {"input": {"turn_detection": no_interruption}}}
    sound = [LOUD] * 140 + [SILENT] * 60
    async with Losable(chat=chat, transcriber=heard, extensions="resume", **tools, **settings) as old:
        await old.ask("What time is it?")
        await say(old, sound[:140])
        assert len(old.of("response.done")) == 1
        assert not old.session.responses.busy
        left = old.lose()
    after, nothing = FakeChat([[(0.1, "It is noon.")]]), FakeTranscriber([""], interim=False)
    continues = left.continues()
    async with Talk(
        chat=after,
        transcriber=nothing,
        extensions="resume",
        continues=continues,
        ids="b",
        **tools,
        **settings,
    ) as new:
        await send_again(new, sound, new.session.input_audio_ms)
        await new.until("response.done")
        await new.silence(5.0)
        (request,) = after.requests
        assert request.messages[-1].content == "noon"
