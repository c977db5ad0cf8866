"""The unmodified `openai` client on the sandbox's chat path: plain, streamed, tools, errors, its own retries, lists."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import WEATHER, quick

openai = pytest.importorskip("openai", reason="the stock client is not installed")

HELLO = "Hello. How can I help you?"
SEED = 18  # chance applies a fault of probability one half to the first request, not to the second
SAID: list[Any] = [{"role": "user", "content": "Hello"}]
SPLIT = {"reasoning_split": True}


@asynccontextmanager
async def connected(
    *sets: str, faults: tuple[str, ...] = (), seed: int = 0, key: str = "any", retries: int = 0
) -> AsyncIterator[tuple[Any, Sandbox]]:
    """The client as its users make it, and the sandbox that it talks with."""
    async with (
        Sandbox(quick("models.ms=0", *sets, faults=faults, seed=seed)) as sandbox,
        openai.AsyncOpenAI(api_key=key, base_url=f"{sandbox.url}/v1", max_retries=retries) as client,
    ):
        yield client, sandbox


async def test_a_whole_completion() -> None:
    async with connected() as (client, _):
        answer = await client.chat.completions.create(model="MiniMax-M2.7", messages=SAID, extra_body=SPLIT)
    (choice,) = answer.choices
    assert (choice.message.content, choice.finish_reason) == (HELLO, "stop")
    assert choice.message.reasoning_content.startswith("The user says")
    assert answer.usage.prompt_tokens == 46
    assert answer.usage.total_tokens == 46 + answer.usage.completion_tokens


async def test_a_streamed_completion() -> None:
    async with (
        connected() as (client, _),
        client.chat.completions.stream(
            model="MiniMax-M2.7", messages=SAID, extra_body=SPLIT, stream_options={"include_usage": True}
        ) as stream,
    ):
        text = ""
        async for event in stream:
            text += event.delta if event.type == "content.delta" else ""
        final = await stream.get_final_completion()
    assert text == HELLO
    assert final.choices[0].message.content == HELLO
    assert final.usage.prompt_tokens == 46


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_tool_loop(streamed: bool) -> None:
    messages: list[Any] = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]
    options: dict[str, Any] = {"model": "MiniMax-M2.7", "tools": [WEATHER], "extra_body": SPLIT}

    async def ask(client: Any) -> Any:
        if not streamed:
            return (await client.chat.completions.create(messages=messages, **options)).choices[0]
        async with client.chat.completions.stream(messages=messages, **options) as stream:
            return (await stream.get_final_completion()).choices[0]

    async with connected() as (client, _):
        first = await ask(client)
        calls = first.message.tool_calls
        assert first.finish_reason == "tool_calls"
        assert [json.loads(call.function.arguments) for call in calls] == [
            {"city": "Paris"},
            {"city": "Rome"},
        ]
        # The platform sends the role with every chunk, and the client's stream helper joins them; so it is set here.
        messages.append({**first.message.to_dict(), "role": "assistant"})
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": json.dumps({"celsius": degrees})}
            for call, degrees in zip(calls, (21, 25), strict=True)
        ]
        second = await ask(client)
    assert second.finish_reason == "stop"
    assert second.message.content == "For Paris: celsius 21. For Rome: celsius 25."


async def test_a_schema_is_obeyed_by_the_model_that_can() -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    response_format: Any = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    async with connected() as (client, _):
        answer = await client.chat.completions.create(
            model="MiniMax-Text-01",
            messages=[{"role": "user", "content": "Ada Lovelace is 36."}],
            response_format=response_format,
        )
    assert json.loads(answer.choices[0].message.content) == {"name": "Ada Lovelace", "age": 36}


@pytest.mark.parametrize(
    ("fault", "key", "error", "status"),
    [
        ("chat.error=1002", "any", openai.RateLimitError, 429),
        ("chat.error=2064", "any", openai.InternalServerError, 529),
        ("chat.error=2013", "any", openai.BadRequestError, 400),
        ("chat.error=1026", "any", openai.UnprocessableEntityError, 422),
        ("chat.no_done", "sk-bad", openai.AuthenticationError, 401),
    ],
)
async def test_errors_have_the_clients_own_types(
    fault: str, key: str, error: type[Exception], status: int
) -> None:
    async with connected(faults=(fault,), key=key) as (client, _):
        with pytest.raises(error) as raised:
            await client.chat.completions.create(model="MiniMax-M3", messages=SAID)
    assert getattr(raised.value, "status_code", 0) == status


@pytest.mark.parametrize("code", [1002, 2064])
async def test_the_client_asks_again_after_a_limit_or_an_overload(code: int) -> None:
    """With this seed chance refuses the first request and not the second."""
    async with connected(faults=(f"chat.error={code}@0.5",), seed=SEED, retries=1) as (client, sandbox):
        answer = await client.chat.completions.create(
            model="MiniMax-M3", messages=SAID, extra_body={"thinking": {"type": "disabled"}}
        )
        assert len(sandbox.state.requests) == 2
    assert answer.choices[0].message.content == HELLO


async def test_an_error_inside_a_stream_is_raised() -> None:
    async with connected(faults=("chat.error_mid=2064",)) as (client, _):
        with pytest.raises(openai.APIError, match="high load"):
            async for _event in await client.chat.completions.create(
                model="MiniMax-M3", messages=SAID, stream=True
            ):
                pass


async def test_models_are_listed() -> None:
    async with connected() as (client, _):
        ids = [model.id async for model in client.models.list()]
    assert {"MiniMax-M3", "MiniMax-M2.7"} <= set(ids)
