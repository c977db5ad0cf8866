"""The Anthropic dialect against the sandbox: models, a tool loop, faults, structured answers, counts and lists."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatEvent, ChatFinish, ChatMessage, TextDelta, Tool
from realtime.errors import InvalidArgument, ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox

WEATHER = Tool(
    "get_weather", "The weather in a city", {"type": "object", "properties": {"city": {"type": "string"}}}
)
FAST = ("http.error_ms=0", "chat.first_ms=5", "chat.chunk_ms=5", "chat.tps=2000", "chat.plain_tps=2000")
MODELS = ("MiniMax-M3", "MiniMax-M2.7", "MiniMax-M3.1-Flash-Preview")


class Invoice(msgspec.Struct):
    number: str
    total: float


def sandbox(*faults: str) -> Sandbox:
    return Sandbox(SandboxOptions.parse(sets=FAST, faults=faults))


async def ask(*faults: str, key: str = "k", **options: Any) -> list[ChatEvent]:
    options.setdefault("model", "MiniMax-M2.7")
    async with sandbox(*faults) as server, MiniMax(key, server.url, chat_dialect="anthropic") as mm:
        return [event async for event in mm.chat.stream("What is two plus three?", **options)]


def text_of(events: list[ChatEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def finish_of(events: list[ChatEvent]) -> ChatFinish:
    (finish,) = [event for event in events if isinstance(event, ChatFinish)]
    return finish


@pytest.mark.parametrize("model", MODELS)
async def test_every_model_answers_without_visible_thinking(model: str) -> None:
    events = await ask(model=model)
    assert "five" in text_of(events)
    assert "user" not in text_of(events)
    assert finish_of(events).reason == "stop"


@pytest.mark.parametrize("model", MODELS)
async def test_a_tool_loop_of_whole_answers(model: str) -> None:
    async with sandbox() as server, MiniMax("k", server.url, chat_dialect="anthropic") as mm:
        question = ChatMessage("user", "What's the weather in Paris?")
        asked = await mm.chat.complete([question], tools=[WEATHER], model=model)
        (call,) = asked.tool_calls
        assert (call.name, msgspec.json.decode(call.arguments)) == ("get_weather", {"city": "Paris"})
        result = ChatMessage("tool", '{"weather":"sunny"}', tool_call_id=call.call_id)
        history = [question, asked.message, result]
        answer = await mm.chat.complete(history, tools=[WEATHER], model=model, cache=True)
        assert "sunny" in answer.text
        assert answer.finish == "stop"


@pytest.mark.parametrize(
    "fault", ["stray_marker", "split_tags", "cumulative", "no_done", "mirror", "think_in_text", "think_once"]
)
async def test_oddities_do_not_change_the_answer(fault: str) -> None:
    assert text_of(await ask(f"chat.{fault}")) == text_of(await ask())


@pytest.mark.parametrize(
    ("code", "wire"),
    [
        (1004, "invalid_api_key"), (1008, "insufficient_quota"), (1026, "content_filter"), (2013, "upstream_rejected"),
        (2049, "invalid_api_key"), (2056, "rate_limit_exceeded"),
    ],
)  # fmt: skip
async def test_refusals_are_raised_at_once(code: int, wire: str) -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(f"chat.error={code}")
    assert (caught.value.code, caught.value.upstream_code) == (wire, code)


async def test_trouble_in_mid_answer() -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        await ask("chat.error_mid=2064")
    assert caught.value.upstream_code == 2064
    assert finish_of(await ask("chat.error_mid=1027")).reason == "content_filter"
    assert finish_of(await ask("chat.only_thinking")).reason == "length"
    with pytest.raises(ProviderUnavailable):
        await ask("chat.drop_mid")
    with pytest.raises(ProviderTimeout):
        await ask("chat.stall", first_timeout_s=0.3)
    with pytest.raises(ProviderTimeout):
        await ask("chat.stall_mid", gap_timeout_s=0.3)


async def test_counts_and_models() -> None:
    async with sandbox() as server, MiniMax("k", server.url) as mm:
        assert 0 < await mm.chat.count_tokens("Hello") < await mm.chat.count_tokens("Hello", tools=[WEATHER])
        listed = [model.id async for model in mm.chat.models()]
        assert set(MODELS) <= set(listed)
        assert (await mm.chat.get_model("MiniMax-M3")).id == "MiniMax-M3"
        with pytest.raises(InvalidArgument):
            await mm.chat.get_model("nope")


@pytest.mark.parametrize(
    ("model", "dialect"),
    [("MiniMax-Text-01", "openai"), ("MiniMax-M3", "openai"), ("MiniMax-M2.7", "anthropic")],
)
async def test_structured_answers(model: str, dialect: Any) -> None:
    async with sandbox() as server, MiniMax("k", server.url) as mm:
        invoice = await mm.chat.parse("Invent an invoice.", Invoice, model=model, dialect=dialect)
    assert isinstance(invoice, Invoice)
