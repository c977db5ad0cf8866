"""Streams of whole messages in place of deltas, and of Ollama's own events: each word is said once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from realtime.core.messages import ChatEvent, ChatFinish, ChatMessage, ChatUsage, TextDelta
from realtime.errors import ProviderError
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import Dialect
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.http import HttpClient
from realtime.minimax.sse import SseDecoder
from tests.minimax.scripted import Reply, scripted
from tests.minimax.test_other_services import read

ROME = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rom"}'}}
NOW = {"id": "b", "type": "function", "function": {"name": "now", "arguments": "{}"}}
CALLS = [("get_weather", {"city": "Rom"}), ("now", {})]


def message(text: str | None, reason: str | None = None, **fields: Any) -> dict[str, Any]:
    return {
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text, **fields}, "finish_reason": reason}
        ]
    }


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def native(text: str, done: str | None = None, **fields: Any) -> dict[str, Any]:
    event = {
        "model": "tiny",
        "message": {"role": "assistant", "content": text, **fields},
        "done": done is not None,
    }
    return event | ({"done_reason": done, "prompt_eval_count": 5, "eval_count": 2} if done else {})


@pytest.mark.parametrize(
    "events",
    [
        [message("Good"), message(" day."), message("", "stop")],
        [message("Good"), message(" day.", "stop")],
        [message("Good"), message("Good day", None), message("Good day.", "stop")],
        [message("Good"), message(" day."), message("Good day.", "stop")],
        [message("Good day."), message("Good day.", "stop")],
        [message("Good day.", "stop")],
        [message("", role="assistant"), message("Good day."), message(None, "stop")],
        [delta(reasoning_content="hm"), message("Good day.", "stop", reasoning_content="hm")],
        [delta(content="Good"), delta(content=" day."), message("Good day.", "stop")],
        [delta(role="assistant", content=""), message("Good day.", "stop")],
        [native("Good"), native(" day."), native("", "stop")],
        [native("", thinking="hm"), native("Good day."), native("", "stop")],
    ],
)  # fmt: skip
def test_each_word_is_said_once(events: list[Any]) -> None:
    assert read(*events) == ("Good day.", [])
    assert read("\n".join(json.dumps(event) for event in events), whole=True) == ("Good day.", [])


def test_a_refrain_is_no_repetition() -> None:
    assert read(message("ha"), message("ha", "stop")) == ("haha", [])


@pytest.mark.parametrize(
    "events",
    [
        [message("", tool_calls=[ROME]), message("", tool_calls=[NOW]), message("", "tool_calls")],
        [message("", tool_calls=[ROME]), message("", tool_calls=[ROME, NOW]), message("", "tool_calls", tool_calls=[ROME, NOW])],
        [message("", "tool_calls", tool_calls=[ROME, NOW])],
        [delta(tool_calls=[{"index": 0, **ROME}, {"index": 1, **NOW}]), message("", "tool_calls", tool_calls=[ROME, NOW])],
        [native("", tool_calls=[{"function": {"name": "get_weather", "arguments": {"city": "Rom"}}}]),
         native("", tool_calls=[{"function": {"name": "now", "arguments": {}}}]), native("", "stop")],
    ],
)  # fmt: skip
def test_each_call_is_run_once(events: list[Any]) -> None:
    assert read(*events) == ("", CALLS)


@pytest.mark.parametrize(
    "events",
    [
        [delta(content="Good"), delta(content=" day."), message("Good day.", "tool_calls", tool_calls=[ROME, NOW])],
        [message("Good"), message(" day."), message("Good day.", "tool_calls", tool_calls=[ROME, NOW])],
        [message("Good"), message(" day.", tool_calls=[ROME]), message("Good day.", "tool_calls", tool_calls=[ROME, NOW])],
    ],
)  # fmt: skip
def test_a_last_message_that_repeats_the_text_may_bring_the_calls(events: list[Any]) -> None:
    assert read(*events) == ("Good day.", CALLS)


def test_thinking_that_a_message_repeats_is_kept_once() -> None:
    decoder = ChatDecoder()
    decoder.feed(json.dumps(delta(reasoning_content="hm")))
    events = decoder.feed(json.dumps(message("Good day.", "stop", reasoning_content="hm")))
    assert events[-1] == ChatFinish("stop", {"reasoning_content": "hm"})


async def streamed(body: bytes, content_type: str) -> list[ChatEvent]:
    async with scripted(Reply(body, content_type=content_type)) as server:
        http = HttpClient(server.url, None)
        try:
            chat = Chat(http, model="tiny", dialect=Dialect.OPENAI, path="/chat/completions")
            return [event async for event in chat.stream([ChatMessage("user", "Hi")])]
        finally:
            await http.aclose()


@pytest.mark.parametrize("content_type", ["application/x-ndjson", "application/json", "text/event-stream"])
async def test_lines_of_json_are_an_answer(content_type: str) -> None:
    events = [native("Good"), native(" day."), native("", "stop")]
    body = "".join(json.dumps(event) + "\n" for event in events).encode()
    assert await streamed(body, content_type) == [
        TextDelta("Good"),
        TextDelta(" day."),
        ChatFinish("stop"),
        ChatUsage(5, 2),
    ]


async def test_an_error_among_the_lines_is_told() -> None:
    body = json.dumps(native("Good")) + '\n{"error": "the model was unloaded"}\n'
    with pytest.raises(ProviderError, match="the model was unloaded"):
        await streamed(body.encode(), "application/x-ndjson")


async def test_lines_that_end_too_early_are_an_error() -> None:
    with pytest.raises(ProviderError, match="ended too early"):
        await streamed(json.dumps(native("Good")).encode() + b"\n", "application/x-ndjson")


def test_a_line_comes_out_when_it_has_ended() -> None:
    lines = SseDecoder(lines=True)
    assert [lines.feed(part) for part in (b'{"a"', b":1}\r", b"\n\n", b' {"b":2}\n{"c":3}')] == [
        [], ['{"a":1}'], [], ['{"b":2}'],
    ]  # fmt: skip
    assert lines.finish() == ['{"c":3}']
