"""Pipecat's unmodified OpenAIRealtimeLLMService in a pipeline: replies, speech, tools, interruption, manual turns.

Needs pipecat-ai (tests/stock/README.md). Nearly every `error` ends its receive loop, so after each conversation the loop
must still be running, and no ErrorFrame may have been pushed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.stock.process import require, served
from tests.stock.record import record
from tests.stock.speech import INTERRUPTION, QUESTION, said, spoken
from tests.wer import word_error_rate

HOW = "pip install 'pipecat-ai[openai]==1.14.0'"
TIMEOUT_S = 60.0
require("pipecat.services.openai.realtime", HOW)
pytestmark = pytest.mark.filterwarnings("default")  # its dependencies cause deprecation warnings


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with served() as address:
        yield address.replace("http", "ws", 1) + "/v1/realtime"


class Talk:
    """A running pipeline with the stock service, and all frames before and after the service."""

    def __init__(self, service: Any, context: Any, worker: Any, frames: list[Any]) -> None:
        self.service, self.context, self.worker, self.frames = service, context, worker, frames

    def of(self, kind: type) -> list[Any]:
        return [frame for frame in self.frames if isinstance(frame, kind)]

    async def until(self, check: Callable[[], Any], what: str) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while not (found := check()):  # noqa: ASYNC110 - there is no event for a frame
                    await asyncio.sleep(0.02)
                return found
        except TimeoutError:
            raise AssertionError(
                f"timeout: {what}; {[type(f).__name__ for f in self.frames[-12:]]}"
            ) from None

    async def replies(self, number: int) -> None:
        """Wait until this number of replies has ended."""
        from pipecat.frames.frames import LLMFullResponseEndFrame

        await self.until(lambda: len(self.of(LLMFullResponseEndFrame)) >= number, f"reply {number}")

    async def speak(self, name: str, *, seconds_after: float = 2.0) -> None:
        import numpy as np
        from pipecat.frames.frames import InputAudioRawFrame

        quiet = np.zeros(24_000, np.int16)
        after = np.zeros(int(24_000 * seconds_after), np.int16)
        samples = np.concatenate([quiet[:9_600], spoken(name), after])
        for start in range(0, len(samples), 480):
            block = samples[start : start + 480].tobytes()
            await self.worker.queue_frame(InputAudioRawFrame(audio=block, sample_rate=24_000, num_channels=1))

    def text(self) -> str:
        from pipecat.frames.frames import LLMTextFrame

        return "".join(frame.text for frame in self.of(LLMTextFrame))

    def sound_s(self) -> float:
        from pipecat.frames.frames import TTSAudioRawFrame

        return sum(len(frame.audio) for frame in self.of(TTSAudioRawFrame)) / 48_000

    def said_by(self, role: str) -> list[str]:
        return [str(m["content"]) for m in self.context.get_messages() if m["role"] == role]


@asynccontextmanager
async def talking(
    url: str, messages: list[dict[str, str]] | None = None, tools: Any = None, **properties: Any
) -> AsyncIterator[Talk]:
    from pipecat.frames.frames import EndFrame, ErrorFrame, LLMRunFrame
    from pipecat.pipeline.pipeline import Pipeline
    from pipecat.pipeline.worker import PipelineWorker
    from pipecat.processors.aggregators.llm_context import LLMContext
    from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
    from pipecat.processors.frame_processor import FrameProcessor
    from pipecat.services.openai.realtime import events
    from pipecat.services.openai.realtime.events import SessionProperties
    from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService
    from pipecat.workers.runner import WorkerRunner

    frames: list[Any] = []

    class Watch(FrameProcessor):
        async def process_frame(self, frame: Any, direction: Any) -> None:
            await super().process_frame(frame, direction)
            frames.append(frame)
            await self.push_frame(frame, direction)

    sent: list[str] = []
    received: list[str] = []

    class Observed(OpenAIRealtimeLLMService):
        """The unchanged service; records what it sends."""

        async def _ws_send(self, realtime_message: Any) -> None:
            sent.append(realtime_message["type"])
            await super()._ws_send(realtime_message)

    parse = events.parse_server_event

    def recorded(message: str) -> Any:
        received.append(json.loads(message)["type"])
        return parse(message)

    events.parse_server_event = recorded
    service = Observed(
        api_key="any",
        base_url=url,
        settings=OpenAIRealtimeLLMService.Settings(
            model="gpt-realtime-2.1", session_properties=SessionProperties(**properties)
        ),
    )
    context = LLMContext(list(messages or []), **({"tools": tools} if tools else {}))
    aggregators = LLMContextAggregatorPair(context)
    # transcripts and errors go upstream, replies go downstream; the aggregators consume some frames
    pipeline = Pipeline([aggregators.user(), Watch(), service, Watch(), aggregators.assistant()])
    worker = PipelineWorker(pipeline, cancel_on_idle_timeout=False, enable_rtvi=False)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    talk = Talk(service, context, worker, frames)
    try:
        if messages:
            await worker.queue_frame(LLMRunFrame())
        yield talk
        assert service._receive_task is not None
        assert not service._receive_task.done(), "its receive loop has ended"
        assert talk.of(ErrorFrame) == []
    finally:
        await worker.queue_frame(EndFrame())
        async with asyncio.timeout(TIMEOUT_S):
            await running
        events.parse_server_event = parse
        record("Pipecat", sent=sent, received=received)


def user(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def test_a_text_turn(url: str):
    async with talking(url, user("What is 2 plus 3?"), instructions="Be brief.") as talk:
        await talk.replies(1)
        assert "5" in talk.text() or "five" in talk.text()
        assert talk.sound_s() > 0.5


async def test_a_reply_in_text_only(url: str):
    async with talking(url, user("What is 2 plus 3?"), output_modalities=["text"]) as talk:
        await talk.replies(1)
        assert "5" in talk.text() or "five" in talk.text()
        assert talk.sound_s() == 0


async def test_a_spoken_turn(url: str):
    from pipecat.frames.frames import TranscriptionFrame

    async with talking(url, user("Hello.")) as talk:
        await talk.replies(1)
        await talk.speak(QUESTION)
        await talk.replies(2)
        (transcript,) = await talk.until(lambda: talk.of(TranscriptionFrame), "a transcript")
        assert word_error_rate([(said(QUESTION), transcript.text)]) <= 0.35
        await talk.until(lambda: len(talk.said_by("user")) == 2, "the spoken turn in its context")
        assert talk.said_by("user")[1].strip() == transcript.text.strip()


async def test_a_tool_runs_once_and_the_answer_uses_its_result(url: str):
    from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
    from pipecat.adapters.llm.schemas.tools_schema import ToolsSchema

    calls: list[dict[str, Any]] = []

    async def weather(params: Any) -> None:
        calls.append(dict(params.arguments))
        await params.result_callback({"sky": "sunny", "celsius": 21})

    schema = FunctionSchema("get_weather", "The weather in a city.", {"city": {"type": "string"}}, ["city"])
    tools = ToolsSchema(standard_tools=[schema])
    async with talking(url, user("What is the weather in Paris?"), tools) as talk:
        talk.service.register_function("get_weather", weather)
        await talk.until(lambda: "21" in talk.text(), "an answer about the weather")
        await talk.replies(2)
        assert calls == [{"city": "Paris"}]


async def test_speech_interrupts_a_long_reply(url: str):
    from pipecat.frames.frames import InterruptionFrame, TranscriptionFrame, TTSAudioRawFrame

    items: list[Any] = []

    async def created(_service: Any, _item_id: str, item: Any) -> None:
        items.append(item)

    async with talking(url, user("Tell me a very long story about the sea.")) as talk:
        talk.service.add_event_handler("on_conversation_item_created", created)
        await talk.until(lambda: talk.of(TTSAudioRawFrame), "audio of the story")
        await asyncio.sleep(0.5)
        await talk.speak(INTERRUPTION)
        (transcript,) = await talk.until(lambda: talk.of(TranscriptionFrame), "a transcript")
        await talk.replies(2)
        assert talk.of(InterruptionFrame)
        story = next(item for item in items if item.role == "assistant")
        item = await talk.service.retrieve_conversation_item(story.id)
        kept = item.content[0].transcript
        assert item.status == "incomplete"
        assert talk.text().startswith(kept)
        assert len(kept) < len(talk.text().split(transcript.text.strip(" ."))[0])
        assert word_error_rate([(said(INTERRUPTION), transcript.text)]) <= 0.35


async def test_manual_turns_with_interruptions_while_nothing_plays(url: str):
    """It clears the buffer and cancels at every interruption, usually without an active response."""
    from pipecat.frames.frames import InterruptionFrame, TranscriptionFrame, UserStoppedSpeakingFrame
    from pipecat.services.openai.realtime.events import AudioConfiguration, AudioInput

    audio = AudioConfiguration(input=AudioInput(turn_detection=False))
    async with talking(url, user("Hello."), audio=audio) as talk:
        await talk.replies(1)
        await asyncio.sleep(1.2)  # longer than the second in which a late cancel is no error
        for _ in range(2):
            await talk.worker.queue_frame(InterruptionFrame())
        await talk.speak(QUESTION, seconds_after=0.2)
        await asyncio.sleep(0.5)
        before = len(talk.frames)
        await talk.worker.queue_frame(UserStoppedSpeakingFrame())
        await talk.until(lambda: talk.of(TranscriptionFrame), "a transcript")
        await talk.until(
            lambda: any(type(f).__name__ == "TTSStoppedFrame" for f in talk.frames[before:]), "a reply"
        )


async def test_retrieving_items_and_resetting_the_conversation(url: str):
    items: list[str] = []
    async with talking(url, user("My name is Ada. What is my name?")) as talk:

        async def created(_service: Any, item_id: str, _item: Any) -> None:
            items.append(item_id)

        talk.service.add_event_handler("on_conversation_item_created", created)
        await talk.replies(1)
        await talk.until(lambda: items, "an item")
        found = await talk.service.retrieve_conversation_item(items[-1])
        assert found.id == items[-1]
        with pytest.raises(Exception, match=r"(?i)item"):
            await talk.service.retrieve_conversation_item("unknown")
        await talk.service.reset_conversation()
        before = len(talk.text())
        await talk.service._create_response()  # as in its examples after a reset: creates the context again
        await talk.until(lambda: "Ada" in talk.text()[before:], "the name after the reset")
