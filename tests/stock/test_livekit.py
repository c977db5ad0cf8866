"""LiveKit's unmodified RealtimeModel, without a LiveKit room: replies, speech, tools, interruption, reconnecting.

Needs livekit-plugins-openai (tests/stock/README.md). Fails if it logs an error.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.stock.process import require, served
from tests.stock.record import record
from tests.stock.speech import QUESTION, said, spoken
from tests.wer import word_error_rate

HOW = "pip install livekit-plugins-openai==1.8.9"
TIMEOUT_S = 60.0
require("livekit.plugins.openai", HOW)
pytestmark = pytest.mark.filterwarnings("default")  # its dependencies cause deprecation warnings


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with served() as address:
        yield address.replace("http", "ws", 1)


class Talk:
    """A session of the stock model, and all events that it reported."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.transcripts: list[Any] = []
        self.errors: list[Any] = []
        self.types: list[str] = []
        self.generations: asyncio.Queue[Any] = asyncio.Queue()
        self.reconnected = asyncio.Event()
        self.speech: list[str] = []
        session.on("openai_server_event_received", lambda event: self.types.append(event["type"]))
        self.sent: list[str] = []
        session.on("openai_client_event_queued", lambda event: self.sent.append(event["type"]))
        session.on("error", self.errors.append)
        session.on("input_audio_transcription_completed", self.transcripts.append)
        session.on("input_speech_started", lambda _: self.speech.append("started"))
        session.on("input_speech_stopped", lambda _: self.speech.append("stopped"))
        session.on("session_reconnected", lambda _: self.reconnected.set())
        session.on("generation_created", self.generations.put_nowait)

    async def say(self, text: str) -> None:
        context = self.session.chat_ctx.copy()
        context.add_message(role="user", content=text)
        await self.session.update_chat_ctx(context)

    async def reply(self, **options: Any) -> Reply:
        async with asyncio.timeout(TIMEOUT_S):
            return await read(await self.session.generate_reply(**options))


class Reply:
    """One complete generation."""

    def __init__(self) -> None:
        self.id = ""
        self.text = ""
        self.seconds = 0.0
        self.calls: list[Any] = []
        self.modalities: list[str] = []


async def read(generation: Any) -> Reply:
    reply = Reply()
    async for message in generation.message_stream:
        reply.id = message.message_id
        reply.modalities = list(await message.modalities)

        async def text(message: Any = message) -> None:
            async for delta in message.text_stream:
                reply.text += delta

        async def sound(message: Any = message) -> None:
            async for frame in message.audio_stream:
                reply.seconds += frame.duration

        await asyncio.gather(text(), sound())
    async for call in generation.function_stream:
        reply.calls.append(call)
    return reply


@asynccontextmanager
async def talking(base_url: str, caplog: pytest.LogCaptureFixture, **options: Any) -> AsyncIterator[Talk]:
    from livekit.plugins.openai.realtime import RealtimeModel

    caplog.set_level(logging.ERROR, logger="livekit")
    model = RealtimeModel(base_url=base_url, api_key="any", **options)
    session = model.session()
    talk = Talk(session)
    try:
        yield talk
    finally:
        await session.aclose()
        await model.aclose()
        record("LiveKit", sent=talk.sent, received=talk.types)
    assert talk.errors == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def speak(talk: Talk, name: str) -> None:
    """Push speech with silence before and after, in 100 ms frames."""
    import numpy as np
    from livekit import rtc

    quiet = np.zeros(24_000, np.int16)
    samples = np.concatenate([quiet[:9_600], spoken(name), quiet, quiet, quiet])
    for start in range(0, len(samples), 2_400):
        block = samples[start : start + 2_400].tobytes()
        talk.session.push_audio(rtc.AudioFrame(block, 24_000, 1, len(block) // 2))
        await asyncio.sleep(0)


@pytest.mark.parametrize("path", ["/v1", "", "/v1?extensions=words"])
async def test_a_text_turn_with_every_form_of_the_url(url: str, caplog: Any, path: str):
    async with talking(url + path, caplog) as talk:
        await talk.say("What is 2 plus 3?")
        reply = await talk.reply()
        assert "5" in reply.text or "five" in reply.text
        assert "audio" in reply.modalities
        assert reply.seconds > 0.5
        items = talk.session.chat_ctx.items
        assert [item.role for item in items] == ["user", "assistant"]
        assert items[1].id == reply.id


async def test_a_spoken_turn_is_in_its_history_once(url: str, caplog: Any):
    async with talking(url + "/v1", caplog) as talk:
        await speak(talk, QUESTION)
        async with asyncio.timeout(TIMEOUT_S):
            reply = await read(await talk.generations.get())
            while not any(each.is_final for each in talk.transcripts):  # noqa: ASYNC110 - its events are callbacks
                await asyncio.sleep(0.02)
        final = [each for each in talk.transcripts if each.is_final]
        assert len(final) == 1
        assert word_error_rate([(said(QUESTION), final[0].transcript)]) <= 0.35
        assert talk.speech == ["started", "stopped"]
        assert reply.seconds > 0.5
        user, assistant = talk.session.chat_ctx.items
        assert (user.role, assistant.role) == ("user", "assistant")
        assert user.text_content == final[0].transcript


async def test_a_tool_is_called_and_the_answer_uses_its_result(url: str, caplog: Any):
    from livekit.agents import llm

    @llm.function_tool
    async def get_weather(city: str) -> str:
        """The weather in a city."""
        return f'{{"city":"{city}","celsius":21}}'

    async with talking(url + "/v1", caplog) as talk:
        await talk.session.update_tools([get_weather])
        await talk.say("What is the weather in Paris?")
        reply = await talk.reply()
        (call,) = reply.calls
        assert (call.name, json.loads(call.arguments)) == ("get_weather", {"city": "Paris"})
        context = talk.session.chat_ctx.copy()
        context.items.append(
            llm.FunctionCallOutput(
                call_id=call.call_id, name=call.name, output=await get_weather("Paris"), is_error=False
            )
        )
        await talk.session.update_chat_ctx(context)
        answer = await talk.reply()
        assert answer.calls == []
        assert "21" in answer.text


async def test_instructions_of_one_reply(url: str, caplog: Any):
    async with talking(url + "/v1", caplog) as talk:
        await talk.session.update_instructions("Be brief.")
        reply = await talk.reply(instructions="Say only 'Ahoy'.")
        assert reply.text.startswith("Ahoy")


async def test_an_interrupted_reply_is_truncated_or_deleted(url: str, caplog: Any):
    async with talking(url + "/v1", caplog) as talk:
        await talk.say("Tell me a very long story about the sea.")
        generation = await talk.session.generate_reply()
        reading = asyncio.create_task(read(generation))
        async with asyncio.timeout(TIMEOUT_S):
            while "response.output_audio.delta" not in talk.types:  # noqa: ASYNC110 - its events are callbacks
                await asyncio.sleep(0.02)
            talk.session.interrupt()
            reply = await reading
            talk.session.truncate(message_id=reply.id, modalities=["audio"], audio_end_ms=300)
            while "conversation.item.truncated" not in talk.types:  # noqa: ASYNC110 - its events are callbacks
                await asyncio.sleep(0.02)
            talk.session.truncate(message_id=reply.id, modalities=["audio"], audio_end_ms=0)
            while "conversation.item.deleted" not in talk.types:  # noqa: ASYNC110 - its events are callbacks
                await asyncio.sleep(0.02)
        assert [item.role for item in talk.session.chat_ctx.items] == ["user"]
        await talk.say("What is 2 plus 3?")
        assert (await talk.reply()).text


async def test_it_reconnects_and_creates_the_conversation_again(url: str, caplog: Any):
    async with talking(url + "/v1", caplog, max_session_duration=3.0) as talk:
        await talk.say("My name is Ada.")
        await talk.reply()
        before = [(item.id, item.role) for item in talk.session.chat_ctx.items]
        async with asyncio.timeout(TIMEOUT_S):
            await talk.reconnected.wait()
            while [(item.id, item.role) for item in talk.session.chat_ctx.items] != before:  # noqa: ASYNC110 - its events are callbacks
                await asyncio.sleep(0.02)
        await talk.say("What is my name?")
        assert "Ada" in (await talk.reply()).text


async def test_manual_turns(url: str, caplog: Any):
    async with talking(url + "/v1", caplog, turn_detection=None) as talk:
        await speak(talk, QUESTION)
        talk.session.commit_audio()
        reply = await talk.reply()
        assert reply.seconds > 0.5
        assert talk.speech == []
