"""Refusals and faults of the Anthropic-compatible path, with the status, type and text that the documents print."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.anthropic_kit import COUNT, MESSAGES, WEATHER, body, send
from tests.sandbox.chat_kit import OPENAI, post, quick
from tests.sandbox.chat_kit import body as chat_body


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick("models.ms=0")) as running:
        yield running


async def test_an_error_has_the_documented_envelope(sandbox: Sandbox) -> None:
    answer = await send(sandbox.url, body(), headers={})
    assert answer.status == 401
    assert answer.json == {
        "type": "error",
        "error": {
            "type": "authentication_error",
            "message": "login fail: Please carry the API secret key in the 'X-Api-Key' field of the request header (1004)",
        },
        "request_id": answer.headers["trace-id"],
    }


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Api-Key": "any"}, 200),
        ({"Authorization": "Bearer any"}, 200),
        ({"X-Api-Key": "sk-bad"}, 401),
        ({"X-Api-Key": " "}, 401),
        ({"Authorization": "Bearer sk-bad", "X-Api-Key": "any"}, 401),
        ({"Authorization": "Bearer any", "X-Api-Key": "sk-bad"}, 200),
        ({"Authorization": "Basic any"}, 401),
    ],
)
async def test_both_headers_carry_a_key(sandbox: Sandbox, headers: dict[str, str], status: int) -> None:
    assert (await send(sandbox.url, body(), headers=headers)).status == status
    assert (await send(sandbox.url, body(), COUNT, headers=headers)).status == status


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (1000, 500, "api_error"),
        (1002, 429, "rate_limit_error"),
        (1008, 402, "billing_error"),
        (1026, 400, "invalid_request_error"),
        (1039, 429, "rate_limit_error"),
        (2013, 400, "invalid_request_error"),
        (2049, 401, "authentication_error"),
        (2056, 429, "rate_limit_error"),
        (2061, 400, "invalid_request_error"),
        (2064, 529, "overloaded_error"),
    ],
)
async def test_each_code_has_its_status(sandbox: Sandbox, code: int, status: int, kind: str) -> None:
    for stream in (False, True):
        answer = await send(sandbox.url, body(stream=stream), fault=f"chat.error={code}")
        error = answer.json["error"]
        assert (answer.status, error["type"]) == (status, kind)
        assert re.search(rf"\({code}\)( \(529\))?$", error["message"])
        assert error["message"].endswith("(529)") is (status == 529)


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"model": "MiniMax-M9"}, "invalid params, unknown model 'MiniMax-M9'"),
        ({"model": "MiniMax-Text-01"}, "invalid params, unknown model 'MiniMax-Text-01'"),
        ({"model": None}, "invalid params, binding: expr_path=model, cause=missing required parameter"),
        ({"messages": []}, "invalid params, binding: expr_path=messages, cause=missing required parameter"),
        ({"messages": "Hello"}, "invalid params, binding: expr_path=messages, cause=expected array"),
        ({"messages": ["Hello"]}, "invalid params, binding: expr_path=messages[0], cause=expected object"),
        (
            {"messages": [{"role": "system", "content": "x"}]},
            "invalid params, chat content has invalid message role: system",
        ),
        ({"messages": [{"role": "group", "content": "x"}]}, "invalid params, chat content has invalid message role: group"),
        (
            {"messages": [{"role": "user"}]},
            "invalid params, binding: expr_path=messages[0].content, cause=missing required parameter",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "invalid params, binding: expr_path=messages[0].content[0].text, cause=expected string",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use"}]}]},
            "invalid params, messages[0] has unsupported content type 'tool_use'",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_result", "tool_use_id": "x"}]}]},
            "invalid params, tool result's tool id(x) not found",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "b", "input": "c"}]}]},
            "invalid params, binding: expr_path=messages[0].content.tool_use.input, cause=expected object",
        ),
        ({"max_tokens": 0}, "invalid params, max_tokens must be an integer of at least 1"),
        ({"temperature": 2.5}, "invalid params, temperature must be in [0, 2]"),
        ({"top_p": 1.5}, "invalid params, top_p must be in [0, 1]"),
        ({"thinking": {"type": "always"}}, "invalid params, thinking.type 'always' is not supported"),
        (
            {"model": "MiniMax-M3.1-Flash-Preview", "thinking": {"type": "disabled"}},
            'invalid params, model "MiniMax-M3.1-Flash-Preview" requires adaptive thinking',
        ),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {}}}},
            "invalid params, output_config.format is not supported",
        ),
        ({"tools": [{"input_schema": {}}]}, "invalid params, function name is empty"),
        ({"tools": [{"name": "a"}]}, "invalid params, function parameters is empty"),
        ({"stream": "yes"}, "invalid params, binding: expr_path=stream, cause=expected bool"),
    ],
)  # fmt: skip
async def test_bad_requests_are_named(sandbox: Sandbox, wrong: dict[str, Any], problem: str) -> None:
    answer = await send(sandbox.url, body(**wrong))
    assert answer.status == 400
    assert answer.json["error"] == {"type": "invalid_request_error", "message": f"{problem} (2013)"}


async def test_broken_json_is_named(sandbox: Sandbox) -> None:
    answer = await send(sandbox.url, b'{"model": ')
    assert answer.status == 400
    assert answer.json["error"]["message"] == 'invalid params, "Syntax error at index 10: eof" (2013)'


async def test_m2_takes_four_cache_marks_and_m3_any_number(sandbox: Sandbox) -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    blocks = [{"type": "text", "text": "Hello", **mark} for _ in range(3)]
    tools = [{**WEATHER, **mark}]
    five = {"system": [{"type": "text", "text": "Be brief.", **mark}], "tools": tools}
    for model, more, status in (
        ("MiniMax-M2.7", {"tools": tools}, 200),
        ("MiniMax-M2.7", five, 400),
        ("MiniMax-M3", five, 200),
    ):
        assert (await send(sandbox.url, body(blocks, model=model, **more))).status == status


@pytest.mark.parametrize(
    "path", ["/messages/batches", "/files", "/complete", "/skills", "/nothing", "/models/a/b"]
)
async def test_other_paths_are_not_there(sandbox: Sandbox, path: str) -> None:
    for method in ("GET", "POST"):
        async with (
            aiohttp.ClientSession(headers={"X-Api-Key": "any"}) as session,
            session.request(method, f"{sandbox.url}/anthropic/v1{path}") as answer,
        ):
            assert (answer.status, await answer.text()) == (404, "404 page not found")


async def test_the_limit_is_that_of_all_chat() -> None:
    async with Sandbox(quick("limit.chat_rpm=2", "models.ms=0")) as sandbox:
        assert (await post(sandbox.url, OPENAI, chat_body())).status == 200
        assert (await send(sandbox.url, body(), COUNT)).status == 200
        assert (await send(sandbox.url, body())).status == 200
        refused = await send(sandbox.url, body())
    assert (refused.status, refused.json["error"]["type"]) == (429, "rate_limit_error")


async def test_an_error_in_a_stream_is_an_event_and_the_end(sandbox: Sandbox) -> None:
    answer = await send(sandbox.url, body("Tell me a story.", stream=True), fault="chat.error_mid=2064")
    assert answer.status == 200
    assert answer.names[:3] == ["message_start", "ping", "content_block_start"]
    assert "content_block_delta" in answer.names
    assert answer.events[-1] == (
        "error",
        {
            "type": "error",
            "error": {
                "type": "overloaded_error",
                "message": "the server cluster is currently under high load, please retry shortly (2064) (529)",
            },
        },
    )
    assert "message_stop" not in answer.names
    whole = await send(sandbox.url, body(), fault="chat.error_mid=2064")
    assert whole.status == 529


async def test_a_cut_stream_has_no_end(sandbox: Sandbox) -> None:
    with pytest.raises(aiohttp.ClientPayloadError):
        await send(sandbox.url, body("Tell me a story.", stream=True), fault="chat.drop_mid")
    with pytest.raises(aiohttp.ClientError):
        await send(sandbox.url, body(), fault="chat.drop_mid")


@pytest.mark.parametrize(("fault", "begins"), [("chat.stall", False), ("chat.stall_mid", True)])
async def test_a_stream_that_stalls_ends_with_the_sandbox(fault: str, begins: bool) -> None:
    sandbox = Sandbox(quick())
    await sandbox.start()
    headers = {"X-Api-Key": "any", "X-Sandbox-Fault": fault}
    async with aiohttp.ClientSession(headers=headers) as session:
        waiting = asyncio.create_task(session.post(sandbox.url + MESSAGES, json=body("A story", stream=True)))
        if begins:
            answer = await waiting
            assert (await answer.content.readline()).startswith(b"event: message_start")
        else:
            while not sandbox.state.requests:  # noqa: ASYNC110 - the sandbox's record is a list
                await asyncio.sleep(0.005)
            assert not waiting.done()
        await sandbox.stop()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_an_empty_answer_has_no_blocks(sandbox: Sandbox) -> None:
    assert (await send(sandbox.url, body(), fault="chat.empty")).json["content"] == []
    streamed = await send(sandbox.url, body(stream=True), fault="chat.empty")
    assert streamed.names == ["message_start", "ping", "message_delta", "message_stop"]


async def test_only_thinking(sandbox: Sandbox) -> None:
    answer = (await send(sandbox.url, body(model="MiniMax-M2.7"), fault="chat.only_thinking")).json
    assert [block["type"] for block in answer["content"]] == ["thinking"]
    assert answer["stop_reason"] == "max_tokens"


async def test_thinking_inside_the_text(sandbox: Sandbox) -> None:
    answer = (await send(sandbox.url, body(model="MiniMax-M2.5"), fault="chat.think_in_text")).json
    (block,) = answer["content"]
    assert re.fullmatch(r"<think>\n.+\n</think>\n\nHello\. How can I help you\?", block["text"], re.DOTALL)


async def test_thinking_only_in_the_first_turn(sandbox: Sandbox) -> None:
    said = {"role": "user", "content": "Hello"}
    for history, kinds in (
        ([said], ["thinking", "text"]),
        ([said, {"role": "assistant", "content": "Hi."}, said], ["text"]),
    ):
        request_body = body(messages=history, thinking={"type": "adaptive"})
        answer = await send(sandbox.url, request_body, fault="chat.think_once")
        assert [block["type"] for block in answer.json["content"]] == kinds


async def test_requests_are_recorded_without_their_key(sandbox: Sandbox) -> None:
    await send(sandbox.url, body())
    (recorded,) = sandbox.state.requests
    assert (recorded.path, recorded.body["model"]) == (MESSAGES, "MiniMax-M3")
    assert "any" not in recorded.headers.values()
