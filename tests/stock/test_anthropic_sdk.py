"""The unmodified `anthropic` client against the sandbox: plain, streamed, tools, errors, its own retries, lists."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import quick

anthropic = pytest.importorskip("anthropic", reason="the stock client is not installed")

HELLO = "Hello. How can I help you?"
SEED = 18  # chance applies a fault of probability one half to the first request, not to the second
SAID: list[Any] = [{"role": "user", "content": "Hello"}]
WEATHER: Any = {
    "name": "get_weather",
    "description": "Get the current weather for a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


@asynccontextmanager
async def connected(
    *sets: str, faults: tuple[str, ...] = (), seed: int = 0, key: str = "any", retries: int = 0
) -> AsyncIterator[tuple[Any, Sandbox]]:
    """The client as its users make it, and the sandbox that it talks with."""
    async with Sandbox(quick("models.ms=0", *sets, faults=faults, seed=seed)) as sandbox:
        url = f"{sandbox.url}/anthropic"
        async with anthropic.AsyncAnthropic(api_key=key, base_url=url, max_retries=retries) as client:
            yield client, sandbox


async def test_a_whole_message() -> None:
    async with connected() as (client, _):
        message = await client.messages.create(model="MiniMax-M2.7", max_tokens=500, messages=SAID)
    thinking, text = message.content
    assert isinstance(thinking, anthropic.types.ThinkingBlock)
    assert thinking.thinking.startswith("The user says")
    assert text.text == HELLO
    assert message.stop_reason == "end_turn"
    assert message.usage.input_tokens == 46


async def test_a_streamed_message() -> None:
    async with (
        connected() as (client, _),
        client.messages.stream(model="MiniMax-M2.7", max_tokens=500, messages=SAID) as stream,
    ):
        types, text = [], ""
        async for event in stream:
            types.append(event.type)
            text += event.text if event.type == "text" else ""
        final = await stream.get_final_message()
    assert text == HELLO
    assert [block.type for block in final.content] == ["thinking", "text"]
    assert len(final.content[0].signature) == 64
    assert {"message_start", "thinking", "signature", "content_block_stop", "message_stop"} <= set(types)
    assert final.usage.output_tokens > 20
    assert final.usage.input_tokens == 46


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_loop_with_thinking(streamed: bool) -> None:
    options: dict[str, Any] = {"model": "MiniMax-M2.7", "max_tokens": 500, "tools": [WEATHER]}
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]

    async def ask(client: Any) -> Any:
        if not streamed:
            return await client.messages.create(messages=messages, **options)
        async with client.messages.stream(messages=messages, **options) as stream:
            return await stream.get_final_message()

    async with connected() as (client, _):
        first = await ask(client)
        assert first.stop_reason == "tool_use"
        calls = [block for block in first.content if block.type == "tool_use"]
        assert [call.input for call in calls] == [{"city": "Paris"}, {"city": "Rome"}]
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": json.dumps({"celsius": degrees})}
            for call, degrees in zip(calls, (21, 25), strict=True)
        ]
        messages += [{"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
        second = await ask(client)
    assert second.stop_reason == "end_turn"
    assert second.content[-1].text == "For Paris: celsius 21. For Rome: celsius 25."


async def test_a_bad_key() -> None:
    async with connected(key="sk-bad") as (client, _):
        with pytest.raises(anthropic.AuthenticationError) as raised:
            await client.messages.create(model="MiniMax-M3", max_tokens=9, messages=SAID)
    assert raised.value.status_code == 401
    assert raised.value.body["error"]["message"] == "invalid api key (2049)"


async def test_a_token_is_as_good_as_a_key() -> None:
    async with Sandbox(quick()) as sandbox:
        url = f"{sandbox.url}/anthropic"
        async with anthropic.AsyncAnthropic(auth_token="any", base_url=url, max_retries=0) as client:
            message = await client.messages.create(model="MiniMax-M3", max_tokens=99, messages=SAID)
    assert message.content[0].text == HELLO


@pytest.mark.parametrize(
    ("fault", "error", "status"),
    [
        ("chat.error=1002", anthropic.RateLimitError, 429),
        ("chat.error=2064", anthropic.InternalServerError, 529),
        ("chat.error=2013", anthropic.BadRequestError, 400),
        ("chat.error=1000", anthropic.InternalServerError, 500),
    ],
)
async def test_errors_have_the_clients_own_types(fault: str, error: type[Exception], status: int) -> None:
    async with connected(faults=(fault,)) as (client, sandbox):
        with pytest.raises(error) as raised:
            await client.messages.create(model="MiniMax-M3", max_tokens=9, messages=SAID)
        assert len(sandbox.state.requests) == 1
    assert getattr(raised.value, "status_code", 0) == status


@pytest.mark.parametrize("code", [1002, 2064])
async def test_the_client_asks_again_after_a_limit_or_an_overload(code: int) -> None:
    """With this seed chance refuses the first request and not the second."""
    async with connected(faults=(f"chat.error={code}@0.5",), seed=SEED, retries=1) as (client, sandbox):
        message = await client.messages.create(model="MiniMax-M3", max_tokens=99, messages=SAID)
        assert len(sandbox.state.requests) == 2
    assert message.content[0].text == HELLO


async def test_an_error_inside_a_stream_is_raised() -> None:
    async with connected(faults=("chat.error_mid=2064",)) as (client, _):
        with pytest.raises(anthropic.APIStatusError, match=r"\(2064\) \(529\)"):
            async with client.messages.stream(model="MiniMax-M3", max_tokens=99, messages=SAID) as stream:
                await stream.get_final_message()


async def test_tokens_are_counted() -> None:
    async with connected() as (client, _):
        counted = await client.messages.count_tokens(model="MiniMax-M3", messages=SAID, tools=[WEATHER])
        message = await client.messages.create(
            model="MiniMax-M3", max_tokens=99, messages=SAID, tools=[WEATHER]
        )
    assert counted.input_tokens == message.usage.input_tokens > 46


async def test_models_are_listed_page_by_page() -> None:
    async with connected() as (client, _):
        pages = await client.models.list(limit=3)
        assert len(pages.data) == 3
        ids = [model.id async for model in pages]
        model = await client.models.retrieve("MiniMax-M2.7")
        with pytest.raises(anthropic.NotFoundError):
            await client.models.retrieve("nothing")
    assert len(ids) == len(set(ids)) > 6
    assert "MiniMax-M3" in ids
    assert (model.id, model.display_name, model.created_at.year) == ("MiniMax-M2.7", "MiniMax M2.7", 2026)
