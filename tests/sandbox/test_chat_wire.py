"""Chat answers byte by byte, read with a plain HTTP client."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator

import aiohttp
import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import NATIVE, OPENAI, WEATHER, Answer, body, post, quick

SPEAKER = {"role": "assistant", "name": "MiniMax AI", "audio_content": ""}
EVENT_KEYS = [
    "id", "choices", "created", "model", "object", "usage", "input_sensitive", "output_sensitive",
    "input_sensitive_type", "output_sensitive_type", "output_sensitive_int",
]  # fmt: skip


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick()) as running:
        yield running


async def test_every_event_is_one_data_line_and_the_last_is_done(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("Tell me a story."))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.lines[-1] == "[DONE]"
    assert answer.lines.count("[DONE]") == 1


async def test_an_event_looks_like_the_captured_one(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("Tell me a story."))
    for event in answer.events:
        assert list(event) == EVENT_KEYS
        assert event["object"] == "chat.completion.chunk"
        assert event["model"] == "MiniMax-M3"
        assert event["usage"] is None
    assert {event["id"] for event in answer.events} == {answer.headers["trace-id"]}
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["trace-id"])
    assert all(delta | SPEAKER == delta for delta in answer.deltas)


async def test_the_finish_reason_comes_with_the_last_content(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("Tell me a story."))
    reasons = [event["choices"][0].get("finish_reason") for event in answer.events]
    assert reasons[:-1] == [None] * (len(reasons) - 1)
    assert reasons[-1] == "stop"
    assert answer.deltas[-1]["content"]
    assert answer.content.endswith("you can still hear it today.")


async def test_the_first_event_has_one_or_two_tokens_and_later_ones_have_more() -> None:
    async with Sandbox(quick("chat.tps=1000", "chat.chunk_ms=20")) as sandbox:
        answer = await post(sandbox.url, OPENAI, body("Tell me a long story."))
    sizes = [len(delta["content"]) for delta in answer.deltas]
    assert sizes[0] <= 10
    assert all(40 <= size <= 110 for size in sizes[1:-1])  # 20 tokens


async def test_usage_comes_last_with_empty_choices_when_asked_for(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(stream_options={"include_usage": True}))
    last = answer.events[-1]
    assert last["choices"] == []
    assert last["base_resp"] == {"status_code": 0, "status_msg": ""}
    usage = last["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["total_characters"] == 0
    assert all(event["usage"] is None for event in answer.events[:-1])


@pytest.mark.parametrize("model", ["MiniMax-M3", "MiniMax-M2.7", "MiniMax-M2.5-highspeed"])
async def test_thinking_comes_first_in_the_content(sandbox: Sandbox, model: str) -> None:
    request_body = body(model=model, thinking=None if model == "MiniMax-M3" else {"type": "disabled"})
    answer = await post(sandbox.url, OPENAI, request_body)
    assert re.fullmatch(r"<think>\n.+\n</think>\n\nHello\. How can I help you\?", answer.content, re.DOTALL)
    assert answer.reasoning == ""


async def test_m3_does_not_think_if_thinking_is_disabled(sandbox: Sandbox) -> None:
    assert (await post(sandbox.url, OPENAI, body())).content == "Hello. How can I help you?"


async def test_split_thinking_comes_first_in_its_own_fields(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(model="MiniMax-M2.7", reasoning_split=True))
    assert answer.content == "Hello. How can I help you?"
    kinds = ["reasoning_content" in delta for delta in answer.deltas]
    assert kinds == sorted(kinds, reverse=True)
    assert kinds[0]
    for delta in answer.deltas:
        if "reasoning_content" in delta:
            assert "content" not in delta
            assert delta["reasoning_details"] == [
                {
                    "type": "reasoning.text",
                    "id": "reasoning-text-1",
                    "format": "MiniMax-response-v1",
                    "index": 0,
                    "text": delta["reasoning_content"],
                }
            ]


async def test_thinking_is_counted_in_the_completion(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(model="MiniMax-M2.7", stream=False))
    usage = answer.json["usage"]
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]


async def test_a_tool_call_comes_in_deltas_and_its_finish_reason_in_its_own_event(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("What's the weather in Paris?", tools=[WEATHER]))
    first, *rest = [delta["tool_calls"][0] for delta in answer.deltas if "tool_calls" in delta]
    assert re.fullmatch(r"call_function_[0-9a-z]{12}_1", first["id"])
    assert first["type"] == "function"
    assert first["function"]["name"] == "get_weather"
    assert rest
    assert all(sorted(delta) == ["function", "index", "type"] for delta in rest)
    assert all(list(delta["function"]) == ["arguments"] for delta in rest)
    assert {delta["index"] for delta in (first, *rest)} == {0}
    text = "".join(delta["function"]["arguments"] for delta in (first, *rest))
    assert text == '{"city": "Paris"}'
    assert answer.events[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert answer.deltas[-1] == {"content": "", **SPEAKER}


async def test_two_calls_have_two_indices_and_two_ids(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("Weather in Paris and in Rome?", tools=[WEATHER]))
    deltas = [delta["tool_calls"][0] for delta in answer.deltas if "tool_calls" in delta]
    assert [delta["id"][-2:] for delta in deltas if "id" in delta] == ["_1", "_2"]
    assert {delta["index"] for delta in deltas} == {0, 1}


async def test_after_the_result_the_answer_is_text(sandbox: Sandbox) -> None:
    made = await post(
        sandbox.url, OPENAI, body("What's the weather in Paris?", tools=[WEATHER], stream=False)
    )
    message = made.json["choices"][0]["message"]
    assert made.json["choices"][0]["finish_reason"] == "tool_calls"
    result = {
        "role": "tool",
        "tool_call_id": message["tool_calls"][0]["id"],
        "content": '{"temperature": 21}',
    }
    history = [{"role": "user", "content": "What's the weather in Paris?"}, message, result]
    answer = await post(sandbox.url, OPENAI, body(messages=history, tools=[WEATHER]))
    assert answer.content == "For Paris: temperature 21."
    assert answer.finish == "stop"


async def test_a_whole_answer_has_the_documented_shape(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(stream=False))
    whole = answer.json
    assert whole["id"] == answer.headers["trace-id"]
    assert whole["object"] == "chat.completion"
    assert whole["choices"] == [
        {"finish_reason": "stop", "index": 0, "message": {"content": "Hello. How can I help you?", **SPEAKER}}
    ]
    assert whole["base_resp"] == {"status_code": 0, "status_msg": ""}
    assert whole["usage"]["prompt_tokens_details"] == {"cached_tokens": 0}


async def test_the_native_stream_ends_with_the_whole_message_and_without_done(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, NATIVE, body())
    assert "[DONE]" not in answer.lines
    *events, last = answer.events
    assert events[-1]["choices"][0]["finish_reason"] == "stop"
    assert last["object"] == "chat.completion"
    assert "delta" not in last["choices"][0]
    assert last["choices"][0]["message"]["content"] == "".join(
        e["choices"][0]["delta"]["content"] for e in events
    )
    assert last["base_resp"]["status_code"] == 0
    assert last["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
async def test_the_answer_is_cut_at_the_token_limit(sandbox: Sandbox, name: str) -> None:
    answer = await post(sandbox.url, OPENAI, body("Tell me a long story.", **{name: 12}))
    assert answer.finish == "length"
    assert 20 <= len(answer.content) <= 60


async def test_a_tiny_limit_leaves_only_open_thinking(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(model="MiniMax-M2.7", max_completion_tokens=5))
    assert answer.finish == "length"
    assert answer.content.startswith("<think>\n")
    assert "</think>" not in answer.content


async def test_the_same_question_gets_the_same_words(sandbox: Sandbox) -> None:
    answers = [await post(sandbox.url, OPENAI, body("Tell me a joke.")) for _ in range(2)]
    assert answers[0].content == answers[1].content


async def test_chinese_is_sent_unescaped(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body("三加四等于几？"))
    assert answer.content == "三加四等于七。"
    assert "三".encode() in answer.raw


async def test_a_long_story_streams_for_more_than_half_a_second() -> None:
    async with Sandbox() as sandbox:  # the unchanged local profile
        loop = asyncio.get_running_loop()
        times: list[float] = []
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer any"}) as session,
            session.post(sandbox.url + OPENAI, json=body("Tell me a long story.")) as answer,
        ):
            async for line in answer.content:
                if line.startswith(b"data: {"):
                    times.append(loop.time())
    assert times[-1] - times[0] > 0.5


async def test_the_first_token_waits_for_its_setting() -> None:
    async with Sandbox(quick("chat.first_ms=200")) as sandbox:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await post(sandbox.url, OPENAI, body())
        assert loop.time() - start >= 0.19


async def test_requests_are_kept_without_the_key(sandbox: Sandbox) -> None:
    await post(sandbox.url, OPENAI, body("Hello"), key="sk-very-secret")
    kept = sandbox.state.requests[-1]
    assert kept.path == OPENAI
    assert kept.body["messages"] == [{"role": "user", "content": "Hello"}]
    assert "sk-very-secret" not in repr(kept)


async def test_two_runs_of_one_seed_have_the_same_faults() -> None:
    async def statuses(seed: int) -> list[int]:
        async with Sandbox(quick(faults=("chat.error=1002@0.5",), seed=seed)) as sandbox:
            return [(await post(sandbox.url, OPENAI, body())).status for _ in range(12)]

    first, again, other = await statuses(3), await statuses(3), await statuses(4)
    assert first == again
    assert first != other
    assert {200, 429} == set(first)


def test_the_kit_itself_refuses_a_malformed_stream() -> None:
    """The helper that these tests rely on fails for a line that is not an event."""
    with pytest.raises(AssertionError):
        _ = Answer(200, {}, b"data: {}\nevent: x\n\n").lines
    assert Answer(200, {}, b"data: {}\n\n").events == [json.loads("{}")]
