"""Answers of the Anthropic-compatible path byte by byte, read with a plain HTTP client."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.anthropic_kit import COUNT, MODELS, WEATHER, body, send
from tests.sandbox.chat_kit import quick

KEY = {"X-Api-Key": "any"}
HELLO = {"type": "text", "text": "Hello. How can I help you?"}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick("models.ms=0")) as running:
        yield running


async def get(sandbox: Sandbox, path: str, headers: dict[str, str] = KEY) -> tuple[int, Any]:
    async with aiohttp.ClientSession(headers=headers) as session, session.get(sandbox.url + path) as answer:
        assert answer.content_type == "application/json"
        return answer.status, await answer.json()


async def test_a_whole_answer_looks_like_the_documented_one(sandbox: Sandbox) -> None:
    answer = await send(sandbox.url, body(model="MiniMax-M2.7"))
    message = answer.json
    assert list(message) == [
        "id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", "base_resp",
    ]  # fmt: skip
    thinking, text = message["content"]
    assert message["id"] == answer.headers["trace-id"]
    assert re.fullmatch("[0-9a-f]{32}", message["id"])
    assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "MiniMax-M2.7")
    assert list(thinking) == ["type", "thinking", "signature"]
    assert thinking["thinking"].startswith('The user says: "Hello".')
    assert re.fullmatch("[0-9a-f]{64}", thinking["signature"])
    assert text == HELLO
    assert (message["stop_reason"], message["stop_sequence"]) == ("end_turn", None)
    assert message["usage"] == {
        "input_tokens": 46,  # two tokens of the word, four of the message, 40 of the hidden system message
        "output_tokens": message["usage"]["output_tokens"],
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "service_tier": "standard",
    }
    assert message["usage"]["output_tokens"] > 20
    assert message["base_resp"] == {"status_code": 0, "status_msg": ""}


@pytest.mark.parametrize(
    ("model", "thinking", "kinds"),
    [
        ("MiniMax-M3", None, ["text"]),
        ("MiniMax-M3", {"type": "disabled"}, ["text"]),
        ("MiniMax-M3", {"type": "adaptive"}, ["thinking", "text"]),
        ("MiniMax-M3", {"type": "enabled", "budget_tokens": 1024}, ["thinking", "text"]),
        ("MiniMax-M2.5-highspeed", {"type": "disabled"}, ["thinking", "text"]),
        ("MiniMax-M3.1-Flash-Preview", None, ["thinking", "text"]),
        ("M2-her", None, ["text"]),
    ],
)
async def test_which_models_think(sandbox: Sandbox, model: str, thinking: Any, kinds: list[str]) -> None:
    request_body = body(model=model, thinking=thinking)
    assert [b["type"] for b in (await send(sandbox.url, request_body)).json["content"]] == kinds
    streamed = await send(sandbox.url, {**request_body, "stream": True})
    assert [b["type"] for b in streamed.content] == kinds


async def test_the_order_of_a_stream(sandbox: Sandbox) -> None:
    answer = await send(sandbox.url, body(model="MiniMax-M2.7", stream=True))
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert all(data["type"] == name for name, data in answer.events)
    order = " ".join(answer.names)
    block = "content_block_start (content_block_delta )+content_block_stop "
    assert re.fullmatch(f"message_start ping ({block}){{2}}message_delta message_stop", order)
    start = answer.events[0][1]["message"]
    assert (start["content"], start["stop_reason"], start["usage"]["output_tokens"]) == ([], None, 0)
    assert start["id"] == answer.headers["trace-id"]
    deltas = [data["delta"]["type"] for name, data in answer.events if name == "content_block_delta"]
    runs = re.sub(r"(\w+)( \1)+", r"\1", " ".join(deltas))
    assert runs == "thinking_delta signature_delta text_delta"
    assert deltas.count("signature_delta") == 1
    end = answer.events[-2][1]
    assert end["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert end["usage"]["input_tokens"] == start["usage"]["input_tokens"]


async def test_a_stream_says_the_same_as_a_whole_answer(sandbox: Sandbox) -> None:
    for request_body in (
        body("Tell me a story.", model="MiniMax-M2.7"),
        body("Weather in Paris and in Rome?", tools=[WEATHER], thinking={"type": "adaptive"}),
    ):
        whole = (await send(sandbox.url, request_body)).json
        streamed = await send(sandbox.url, {**request_body, "stream": True})
        assert [{**b, "id": ""} for b in streamed.content] == [{**b, "id": ""} for b in whole["content"]]
        assert streamed.events[-2][1]["usage"] == whole["usage"]
        assert streamed.events[-2][1]["delta"]["stop_reason"] == whole["stop_reason"]


async def test_a_tool_loop(sandbox: Sandbox) -> None:
    question = {"role": "user", "content": [{"type": "text", "text": "What is the weather in Paris?"}]}
    asked = body(messages=[question], tools=[WEATHER], stream=True)
    first = await send(sandbox.url, asked)
    (call,) = first.content
    assert first.events[-2][1]["delta"]["stop_reason"] == "tool_use"
    assert re.fullmatch(r"call_function_[0-9a-z]{12}_1", call["id"])
    assert (call["name"], call["input"]) == ("get_weather", {"city": "Paris"})
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": '{"celsius": 21}'}
    history = [
        question,
        {"role": "assistant", "content": first.content},
        {"role": "user", "content": [result]},
    ]
    second = (await send(sandbox.url, body(messages=history, tools=[WEATHER]))).json
    assert second["content"] == [{"type": "text", "text": "For Paris: celsius 21."}]
    assert second["stop_reason"] == "end_turn"
    blocks = [{"type": "text", "text": "no such city"}]
    failed = {**result, "content": blocks, "is_error": True}
    history[-1] = {"role": "user", "content": [failed]}
    third = (await send(sandbox.url, body(messages=history, tools=[WEATHER]))).json
    assert third["content"][0]["text"] == "That did not work: no such city."
    history[-1] = {"role": "user", "content": [result, {"type": "text", "text": "What is 2 plus 3?"}]}
    fourth = (await send(sandbox.url, body(messages=history, tools=[WEATHER]))).json
    assert fourth["content"] == [{"type": "text", "text": "2 plus 3 is 5."}]


async def test_tool_choice_none_calls_nothing(sandbox: Sandbox) -> None:
    request_body = body("What is the weather in Paris?", tools=[WEATHER], tool_choice={"type": "none"})
    answer = (await send(sandbox.url, request_body)).json
    assert [block["type"] for block in answer["content"]] == ["text"]
    request_body["tool_choice"] = {"type": "auto"}
    assert (await send(sandbox.url, request_body)).json["stop_reason"] == "tool_use"


async def test_the_tools_of_the_server_are_accepted(sandbox: Sandbox) -> None:
    request_body = body(tools=[{"type": "web_search_20250305", "name": "web_search"}])
    assert (await send(sandbox.url, request_body)).json["content"] == [HELLO]


@pytest.mark.parametrize("system", ["Your name is Ada.", [{"type": "text", "text": "Your name is Ada."}]])
async def test_a_system_prompt_is_a_string_or_blocks(sandbox: Sandbox, system: Any) -> None:
    answer = (await send(sandbox.url, body("What is your name?", system=system))).json
    assert "Ada" in answer["content"][0]["text"]
    assert answer["usage"]["input_tokens"] < 40  # a hidden system message would be added without one


async def test_thinking_goes_back_whatever_its_signature(sandbox: Sandbox) -> None:
    first = (await send(sandbox.url, body("My name is Ada.", model="MiniMax-M2.7"))).json
    first["content"][0]["signature"] = "0" * 64
    history = [
        {"role": "user", "content": "My name is Ada."},
        {"role": "assistant", "content": first["content"]},
        {"role": "user", "content": "What is my name?"},
    ]
    second = (await send(sandbox.url, body(messages=history, model="MiniMax-M2.7"))).json
    assert second["content"][1]["text"] == "Your name is Ada."


async def test_pictures_are_taken_and_other_media_refused(sandbox: Sandbox) -> None:
    source = {"type": "url", "url": "https://example.com/cat.png"}
    for model in ("MiniMax-M3", "MiniMax-M2.7"):
        request_body = body(
            [{"type": "image", "source": source}, {"type": "text", "text": "Hello"}], model=model
        )
        assert (await send(sandbox.url, request_body)).json["content"][-1] == HELLO
    for kind in ("document", "audio"):
        answer = await send(sandbox.url, body([{"type": kind, "source": source}]))
        assert answer.status == 400
        assert answer.json["error"]["message"] == (
            f"invalid params, messages[0] has unsupported content type '{kind}' (2013)"
        )


async def test_a_small_limit_stops_the_answer(sandbox: Sandbox) -> None:
    answer = (await send(sandbox.url, body("Tell me a story.", max_tokens=5))).json
    assert (answer["stop_reason"], answer["usage"]["output_tokens"]) == ("max_tokens", 5)
    cut = (await send(sandbox.url, body("Weather in Paris?", tools=[WEATHER], max_tokens=3))).json
    assert (cut["stop_reason"], cut["content"][0]["input"]) == ("max_tokens", {})
    assert (await send(sandbox.url, body(max_tokens=None))).json["stop_reason"] == "end_turn"


async def test_fields_without_effect_are_accepted(sandbox: Sandbox) -> None:
    more = {
        "top_k": 5, "stop_sequences": ["."], "mcp_servers": [], "context_management": {}, "container": "x",
        "metadata": {"user_id": "u"}, "service_tier": "auto", "temperature": 0.5, "top_p": 0.9,
    }  # fmt: skip
    assert (await send(sandbox.url, body(**more))).json["content"] == [HELLO]


async def test_tokens_are_counted_like_a_prompt(sandbox: Sandbox) -> None:
    request_body = body("What is the weather?", tools=[WEATHER], system="Be brief.", max_tokens=None)
    counted = await send(sandbox.url, request_body, COUNT)
    assert list(counted.json) == ["input_tokens"]
    answer = (await send(sandbox.url, request_body)).json
    assert counted.json["input_tokens"] == answer["usage"]["input_tokens"] > 20


async def test_a_marked_prompt_is_written_to_the_cache_and_read_again(sandbox: Sandbox) -> None:
    long = [{"type": "text", "text": "rules " * 200, "cache_control": {"type": "ephemeral"}}]
    usages = []
    for text in ("Hello", "Good evening"):
        request_body = body(text, model="MiniMax-M2.7", system=long)
        usages.append((await send(sandbox.url, request_body)).json["usage"])
    first, second = usages
    assert first["cache_creation_input_tokens"] > 200
    assert (first["cache_read_input_tokens"], second["cache_creation_input_tokens"]) == (0, 0)
    assert second["cache_read_input_tokens"] == first["cache_creation_input_tokens"]
    assert second["input_tokens"] < 20


async def test_m3_caches_long_prompts_without_marks(sandbox: Sandbox) -> None:
    marked = [{"type": "text", "text": "few", "cache_control": {"type": "ephemeral"}}]
    for system, reads in (("rules " * 600, True), ("rules " * 60, False), (marked, False)):
        request_body = body(system=system)
        first = (await send(sandbox.url, request_body)).json["usage"]
        second = (await send(sandbox.url, request_body)).json["usage"]
        assert (first["cache_creation_input_tokens"], first["cache_read_input_tokens"]) == (0, 0)
        assert (second["cache_read_input_tokens"] >= 512) is reads


async def test_models_are_listed(sandbox: Sandbox) -> None:
    status, page = await get(sandbox, MODELS)
    assert status == 200
    assert list(page) == ["data", "first_id", "last_id", "has_more"]
    ids = [model["id"] for model in page["data"]]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[0], ids[-1], False)
    assert "MiniMax-M3" in ids
    assert "MiniMax-Text-01" not in ids
    assert {
        "id": "MiniMax-M2.7", "created_at": "2026-03-18T02:00:00Z", "display_name": "MiniMax M2.7", "type": "model",
    } in page["data"]  # fmt: skip


async def test_the_models_come_in_pages(sandbox: Sandbox) -> None:
    ids = [model["id"] for model in (await get(sandbox, MODELS))[1]["data"]]
    _, first = await get(sandbox, f"{MODELS}?limit=2")
    assert ([m["id"] for m in first["data"]], first["has_more"]) == (ids[:2], True)
    _, second = await get(sandbox, f"{MODELS}?limit=2&after_id={first['last_id']}")
    assert [m["id"] for m in second["data"]] == ids[2:4]
    _, back = await get(sandbox, f"{MODELS}?limit=1&before_id={second['first_id']}")
    assert ([m["id"] for m in back["data"]], back["has_more"]) == (ids[1:2], True)
    _, none = await get(sandbox, f"{MODELS}?after_id={ids[-1]}")
    assert none == {"data": [], "first_id": None, "last_id": None, "has_more": False}
    for query in ("limit=0", "limit=many", "after_id=nothing"):
        status, refused = await get(sandbox, f"{MODELS}?{query}")
        assert (status, refused["error"]["type"]) == (400, "invalid_request_error")


async def test_one_model_by_its_id(sandbox: Sandbox) -> None:
    status, model = await get(sandbox, f"{MODELS}/MiniMax-M3")
    assert (status, model["id"]) == (200, "MiniMax-M3")
    status, unknown = await get(sandbox, f"{MODELS}/claude")
    assert (status, unknown["error"]["type"]) == (404, "not_found_error")
    assert (await get(sandbox, f"{MODELS}/MiniMax-M3", {}))[0] == 401
    assert (await get(sandbox, MODELS, {}))[0] == 401
