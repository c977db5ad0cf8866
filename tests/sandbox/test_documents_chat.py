"""Chat over plain HTTP, exactly as docs/minimax/chat.md and README.md 3 print it.

Written from those pages alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.sandbox.platform_kit import Client, platform

OK = {"status_code": 0, "status_msg": "success"}
OPENAI, NATIVE = "/v1/chat/completions", "/v1/text/chatcompletion_v2"
HELLO = {"model": "MiniMax-M2.7", "messages": [{"role": "user", "content": "Hello"}]}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather", "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}  # fmt: skip
SENSITIVE = {
    "input_sensitive": False, "output_sensitive": False, "input_sensitive_type": 0, "output_sensitive_type": 0,
    "output_sensitive_int": 0,
}  # fmt: skip


async def events(client: Client, path: str, body: Any, **rest: Any) -> list[Any]:
    """The events of a stream; `[DONE]` as None."""
    answer = await client.call("POST", path, json=body, **rest)
    assert answer.headers["Content-Type"].startswith("text/event-stream"), answer.raw
    blocks = answer.raw.decode().split("\n\n")
    assert blocks.pop() == ""
    assert all(block.startswith("data: ") and "\n" not in block for block in blocks)
    return [None if block == "data: [DONE]" else json.loads(block[6:]) for block in blocks]


# --- chat.md 1 and 3 ----------------------------------------------------------------------------------


async def test_chat_1_models():
    async with platform() as client:
        found = await client.json("GET", "/v1/models")
        one = await client.json("GET", "/v1/models/MiniMax-M2.7")
        assert (await client.call("GET", "/v1/models", key=None)).status == 401
        unknown = await client.call("GET", "/v1/models/nothing")
        assert unknown.status == 400
        assert unknown.json["error"]["message"] == "invalid params, unknown model 'nothing' (2013)"
    assert found["object"] == "list"
    assert one == {"id": "MiniMax-M2.7", "object": "model", "created": 1773799200, "owned_by": "minimax"}
    created = {model["id"]: model["created"] for model in found["data"]}
    assert created["MiniMax-M2.5-highspeed"] == 1770948000
    assert created["MiniMax-M2.1"] == 1766455200
    assert created["MiniMax-M2"] == 1761530400


@pytest.mark.parametrize("path", [OPENAI, NATIVE])
async def test_chat_3_a_whole_answer_field_by_field(path):
    async with platform() as client:
        answer = await client.call("POST", path, json=HELLO)
    found = answer.json
    assert found["id"] == answer.headers["trace-id"]
    assert (found["object"], found["model"]) == ("chat.completion", "MiniMax-M2.7")
    assert found.items() >= SENSITIVE.items()
    assert found["base_resp"]["status_code"] == 0
    (choice,) = found["choices"]
    assert (choice["finish_reason"], choice["index"]) == ("stop", 0)
    message = choice["message"]
    assert (message["role"], message["name"], message["audio_content"]) == ("assistant", "MiniMax AI", "")
    assert re.match(r"<think>\n.*\n</think>\n\n.", message["content"], re.DOTALL)
    usage = found["usage"]
    assert set(usage) >= {
        "total_tokens",
        "total_characters",
        "prompt_tokens",
        "completion_tokens",
        "completion_tokens_details",
    }
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


async def test_chat_3_reasoning_split():
    async with platform() as client:
        found = await client.json("POST", OPENAI, json=HELLO | {"reasoning_split": True})
    message = found["choices"][0]["message"]
    (detail,) = message["reasoning_details"]
    assert set(detail) == {"type", "id", "format", "index", "text"}
    assert (detail["type"], detail["id"], detail["format"], detail["index"]) == (
        "reasoning.text", "reasoning-text-1", "MiniMax-response-v1", 0
    )  # fmt: skip
    assert detail["text"] == message["reasoning_content"]
    assert "think>" not in message["content"]


async def test_chat_3_a_tool_call_and_its_result():
    ask = {
        "model": "MiniMax-M2.7",
        "tools": [WEATHER],
        "messages": [{"role": "user", "content": "What is the weather in Beijing?"}],
    }
    async with platform() as client:
        found = await client.json("POST", OPENAI, json=ask)
        choice = found["choices"][0]
        assert choice["finish_reason"] == "tool_calls"
        (call,) = choice["message"]["tool_calls"]
        assert re.fullmatch(r"call_function_\w{12}_1", call["id"])
        assert (call["type"], call["index"], call["function"]["name"]) == ("function", 0, "get_weather")
        assert set(json.loads(call["function"]["arguments"])) == {"city"}
        reply = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
        more = ask | {"messages": [*ask["messages"], choice["message"], reply]}
        assert (await client.json("POST", OPENAI, json=more))["choices"][0]["finish_reason"] == "stop"
        reply["tool_call_id"] = "call_function_other_1"
        wrong = await client.call("POST", OPENAI, json=more)
    assert wrong.status == 400
    assert wrong.json["error"]["message"].endswith(
        "tool result's tool id(call_function_other_1) not found (2013)"
    )


# --- chat.md 4 and 5: streams -------------------------------------------------------------------------


async def test_chat_4_the_printed_order_of_events():
    body = HELLO | {"stream": True, "reasoning_split": True, "stream_options": {"include_usage": True}}
    async with platform() as client:
        found = await events(client, OPENAI, body)
    assert found.pop() is None
    last = found.pop()
    assert last["choices"] == []
    assert set(last["usage"]) >= {"total_tokens", "total_characters", "prompt_tokens", "completion_tokens"}
    assert last["base_resp"]["status_code"] == 0
    for event in found:
        assert (event["object"], event["usage"]) == ("chat.completion.chunk", None)
        assert event.items() >= SENSITIVE.items()
        assert event["choices"][0]["delta"]["role"] == "assistant"
        assert event["choices"][0]["delta"]["name"] == "MiniMax AI"
    assert {event["id"] for event in found} == {last["id"]}
    assert found[0]["choices"][0]["delta"]["reasoning_details"][0]["id"] == "reasoning-text-1"
    assert found[-1]["choices"][0]["finish_reason"] == "stop"
    assert found[-1]["choices"][0]["delta"]["content"]
    assert all(
        "finish_reason" not in event["choices"][0] or event["choices"][0]["finish_reason"] is None
        for event in found[:-1]
    )


async def test_chat_4_without_split_the_thinking_is_in_content_and_usage_is_null():
    async with platform() as client:
        found = await events(client, OPENAI, HELLO | {"stream": True})
    assert found.pop() is None
    assert all(event["usage"] is None for event in found)
    content = "".join(event["choices"][0]["delta"].get("content", "") for event in found)
    assert re.match(r"<think>\n.*\n</think>\n\n.", content, re.DOTALL)


async def test_chat_4_a_tool_call_in_a_stream():
    ask = {
        "model": "MiniMax-M2.7",
        "stream": True,
        "tools": [WEATHER],
        "messages": [{"role": "user", "content": "Weather in Beijing?"}],
    }
    async with platform() as client:
        found = [event for event in await events(client, OPENAI, ask) if event]
    parts = [call for event in found for call in event["choices"][0]["delta"].get("tool_calls", [])]
    assert parts[0]["id"].endswith("_1")
    assert parts[0]["function"]["name"] == "get_weather"
    assert all("id" not in part or not part["id"] for part in parts[1:])
    assert json.loads("".join(part["function"]["arguments"] for part in parts))
    assert found[-1]["choices"][0]["finish_reason"] == "tool_calls"


async def test_chat_5_the_native_stream_ends_with_a_whole_message():
    async with platform() as client:
        found = [event for event in await events(client, NATIVE, HELLO | {"stream": True}) if event]
    *parts, end = found
    assert parts[-1]["choices"][0]["finish_reason"] == "stop"
    assert end["object"] == "chat.completion"
    assert "delta" not in end["choices"][0]
    said = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    assert end["choices"][0]["message"]["content"] == said
    assert end["usage"]["total_tokens"] > 0
    assert end["base_resp"]["status_code"] == 0


async def test_chat_5_text_01_obeys_a_schema_and_others_do_not():
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    body = HELLO | {
        "response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    }
    async with platform() as client:
        found = await client.json("POST", NATIVE, json=body | {"model": "MiniMax-Text-01"})
        other = await client.json("POST", NATIVE, json=body)
    said = json.loads(found["choices"][0]["message"]["content"])
    assert (type(said["name"]), type(said["age"])) == (str, int)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(other["choices"][0]["message"]["content"])


# --- README.md 3.2, chat.md 2 and 7: refusals ---------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [({"messages": None}, "invalid params, binding: expr_path=messages, cause=missing required parameter (2013)"),
     ({"model": "xyz"}, "invalid params, unknown model 'xyz' (2013)"),
     ({"n": 2}, "(2013)"), ({"temperature": 2.1}, "(2013)"), ({"temperature": -0.1}, "(2013)"), ({"top_p": 1.1}, "(2013)"),
     ({"tools": [{"type": "function", "function": {"name": "a"}}]}, "function parameters is empty (2013)"),
     ({"tools": [{"type": "retrieval"}]}, "(2013)"), ({"max_completion_tokens": 0}, "(2013)"),
     ({"messages": [{"role": "user", "content": "a " * 300_000}]}, "context window exceeds limit (2013)")],
)  # fmt: skip
async def test_readme_3_2_refusals_of_both_paths(change, message):
    body = {k: v for k, v in (HELLO | change).items() if v is not None}
    async with platform() as client:
        answer = await client.call("POST", OPENAI, json=body)
        assert answer.status == 400, answer.raw
        assert set(answer.json) == {"type", "error", "request_id"}
        assert answer.json["error"]["type"] == "bad_request_error"
        assert answer.json["error"]["message"].endswith(message)
        assert answer.json["request_id"] == answer.headers["trace-id"]
        assert await client.code("POST", NATIVE, json=body) == 2013


async def test_readme_3_2_keys_and_broken_json():
    async with platform() as client:
        none = await client.call("POST", OPENAI, json=HELLO, key=None)
        assert none.status == 401
        assert none.json["error"] == {
            "type": "authorized_error", "http_code": "401",
            "message": "login fail: Please carry the API secret key in the 'Authorization' field of the request header (1004)",
        }  # fmt: skip
        bad = await client.call("POST", OPENAI, json=HELLO, key="sk-bad")
        assert (bad.status, bad.json["error"]["message"][-6:]) == (401, "(2049)")
        broken = await client.call(
            "POST", OPENAI, data=b'{"model": ', headers={"Content-Type": "application/json"}
        )
        assert broken.status == 400
        assert broken.json["error"]["message"].startswith('invalid params, "Syntax error')
        assert await client.code("POST", NATIVE, json=HELLO, key=None) == 1004
        assert await client.code("POST", NATIVE, json=HELLO, key="sk-bad") == 2049
        assert await client.code("POST", NATIVE, json=HELLO, key=None, headers={"X-Api-Key": "any"}) == 1004


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [(1002, 429, "rate_limit_error"), (1008, 402, "insufficient_balance_error"), (1026, 422, "unprocessable_entity_error"),
     (1027, 422, "unprocessable_entity_error"), (1000, 500, "server_error"), (2064, 529, "overloaded_error"),
     (2056, 429, "rate_limit_error")],
)  # fmt: skip
async def test_readme_3_2_the_table_of_the_envelope(code, status, kind):
    async with platform() as client:
        answer = await client.call("POST", OPENAI, json=HELLO, fault=f"chat.error={code}")
        native = await client.call("POST", NATIVE, json=HELLO | {"stream": True}, fault=f"chat.error={code}")
    assert (answer.status, answer.json["error"]["type"]) == (status, kind)
    assert re.search(rf"\({code}\)\s*(?:\(\d{{3}}\))?\s*$", answer.json["error"]["message"])
    assert "Retry-After" not in answer.headers
    assert (native.status, native.json["base_resp"]["status_code"]) == (200, code)


@pytest.mark.parametrize("messages", [
    [{"role": "system", "name": "MiniMax AI"}, {"role": "user", "content": "Hello"}],
    [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
    [{"role": "user", "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": {"url": "https://a.b/c.jpg", "detail": "low"}}]}],
])  # fmt: skip
async def test_chat_2_messages_that_are_accepted(messages):
    async with platform() as client:
        for model in ("MiniMax-M2.7", "MiniMax-M3"):
            assert (
                await client.call("POST", OPENAI, json={"model": model, "messages": messages})
            ).status == 200


async def test_chat_2_thinking():
    async with platform() as client:
        off = await client.json(
            "POST", OPENAI, json=HELLO | {"model": "MiniMax-M3", "thinking": {"type": "disabled"}}
        )
        on = await client.json("POST", OPENAI, json=HELLO | {"model": "MiniMax-M3"})
        flash = HELLO | {"model": "MiniMax-M3.1-Flash-Preview", "thinking": {"type": "disabled"}}
        refused = await client.call("POST", OPENAI, json=flash)
    assert "<think>" not in off["choices"][0]["message"]["content"]
    assert "<think>" in on["choices"][0]["message"]["content"]
    assert refused.status == 400
    assert "requires adaptive thinking" in refused.json["error"]["message"]


async def test_chat_3_few_tokens_end_with_length():
    async with platform() as client:
        found = await client.json("POST", OPENAI, json=HELLO | {"max_completion_tokens": 3})
    assert found["choices"][0]["finish_reason"] == "length"
    assert "</think>" not in found["choices"][0]["message"]["content"]
