"""The refusals of the platform in both envelopes, and the faults of the chat."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.context import SandboxState
from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import NATIVE, OPENAI, WEATHER, body, post, quick

LOGIN_FAIL = "login fail: Please carry the API secret key in the 'Authorization' field of the request header"


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick()) as running:
        yield running


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in body().items() if key != name}


def history(call_id: str = "c1", arguments: str = "{}") -> list[dict[str, Any]]:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    return [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "1"},
    ]


REFUSED: list[tuple[Any, str]] = [
    (b'{"model": "MiniMax-M3", ', 'invalid params, "Syntax error at index 24: eof"'),
    (b"{nonsense}", 'invalid params, "Syntax error at index 1: invalid char"'),
    (b'{"a": "\xff"}', 'invalid params, "Syntax error at index 7: invalid utf-8"'),
    ([], 'invalid params, "Mismatch type object"'),
    (without("messages"), "invalid params, binding: expr_path=messages, cause=missing required parameter"),
    (without("model"), "invalid params, binding: expr_path=model, cause=missing required parameter"),
    (body(model="xyz"), "invalid params, unknown model 'xyz'"),
    (body(messages=[{"role": "wizard"}]), "invalid params, chat content has invalid message role: wizard"),
    (body(n=2), "invalid params, n must be 1"),
    (body(temperature=2.1), "invalid params, temperature must be in [0, 2]"),
    (body(temperature="warm"), "invalid params, temperature must be in [0, 2]"),
    (body(top_p=-1), "invalid params, top_p must be in [0, 1]"),
    (body(max_completion_tokens=0), "invalid params, max_completion_tokens must be an integer of at least 1"),
    (body(tools=[{"type": "web_search"}]), "invalid params, unsupported tool type 'web_search'"),
    (
        body(tools=[{"type": "function", "function": {"name": "f"}}]),
        "invalid params, function parameters is empty",
    ),
    (body(messages=history("c9")), "invalid params, tool result's tool id(c9) not found"),
    (
        body(messages=history("c1", "{broken")),
        "invalid params, invalid function arguments json string, tool_call_id: c1",
    ),
    (
        body(model="MiniMax-M3.1-Flash-Preview"),
        'invalid params, model "MiniMax-M3.1-Flash-Preview" requires adaptive thinking',
    ),
    (body("word " * 70_000, model="M2-her", thinking=None), "invalid params, context window exceeds limit"),
]


@pytest.mark.parametrize(("request_body", "message"), REFUSED, ids=[message[16:60] for _, message in REFUSED])
async def test_a_bad_request_is_refused_in_both_envelopes(
    sandbox: Sandbox, request_body: Any, message: str
) -> None:
    answer = await post(sandbox.url, OPENAI, request_body)
    assert answer.status == 400
    assert answer.json == {
        "type": "error",
        "error": {"type": "bad_request_error", "message": f"{message} (2013)", "http_code": "400"},
        "request_id": answer.headers["trace-id"],
    }
    native = await post(sandbox.url, NATIVE, request_body)
    assert native.status == 200
    assert native.headers["Content-Type"].startswith("application/json")
    assert native.json == {"base_resp": {"status_code": 2013, "status_msg": message}}


@pytest.mark.parametrize("path", [OPENAI, NATIVE])
@pytest.mark.parametrize(
    ("key", "code", "message"), [(None, 1004, LOGIN_FAIL), ("sk-bad", 2049, "invalid api key")]
)
async def test_a_missing_or_bad_key_is_refused(
    sandbox: Sandbox, path: str, key: str | None, code: int, message: str
) -> None:
    answer = await post(sandbox.url, path, body(), key=key)
    if path == NATIVE:
        assert answer.status == 200
        assert answer.json == {"base_resp": {"status_code": code, "status_msg": message}}
    else:
        assert answer.status == 401
        assert answer.json["error"]["type"] == "authorized_error"
        assert answer.json["error"]["message"] == f"{message} ({code})"


async def test_valid_requests_are_not_refused(sandbox: Sandbox) -> None:
    """A system message without content, history with calls, and ignored fields are accepted."""
    messages = [{"role": "system", "name": "MiniMax AI"}, *history()]
    request_body = body(
        messages=messages, response_format={"type": "text"}, seed=3, stop=["x"], temperature=0, n=1
    )
    assert (await post(sandbox.url, OPENAI, request_body)).status == 200


async def test_strict_temperature_and_context_are_settings() -> None:
    async with Sandbox(quick("chat.strict_temperature=1", "chat.context_tokens=50")) as sandbox:
        cold = await post(sandbox.url, OPENAI, body(temperature=0))
        assert cold.json["error"]["message"] == "invalid params, temperature must be in (0, 1] (2013)"
        long = await post(sandbox.url, OPENAI, body("many words " * 40))
        assert "context window" in long.json["error"]["message"]


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        (1000, 500, "server_error"),
        (1002, 429, "rate_limit_error"),
        (1004, 401, "authorized_error"),
        (1008, 402, "insufficient_balance_error"),
        (1026, 422, "unprocessable_entity_error"),
        (1027, 422, "unprocessable_entity_error"),
        (2013, 400, "bad_request_error"),
        (2049, 401, "authorized_error"),
        (2056, 429, "rate_limit_error"),
        (2064, 529, "overloaded_error"),
    ],
)
async def test_an_injected_error_has_the_status_of_its_path(
    sandbox: Sandbox, code: int, status: int, kind: str
) -> None:
    answer = await post(sandbox.url, OPENAI, body(), fault=f"chat.error={code}")
    error = answer.json["error"]
    assert (answer.status, error["type"], error["http_code"]) == (status, kind, str(status))
    match = re.search(r"\((\d{4,5})\)\s*(?:\((\d{3})\))?\s*$", error["message"])
    assert match is not None
    assert match[1] == str(code)
    assert match[2] == ("529" if status == 529 else None)
    native = await post(sandbox.url, NATIVE, body(), fault=f"chat.error={code}")
    assert native.status == 200
    assert native.json["base_resp"]["status_code"] == code


async def test_no_answer_has_a_retry_header(sandbox: Sandbox) -> None:
    headers = (await post(sandbox.url, OPENAI, body(), fault="chat.error=1002")).headers
    assert not [
        name for name in headers if name.lower() == "retry-after" or name.lower().startswith("x-ratelimit")
    ]


async def test_a_misspelt_fault_header_is_explained(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(), fault="chat.eror=1002")
    assert answer.status == 400
    assert b"did you mean 'chat.error'?" in answer.raw


async def test_the_header_overrides_the_sandboxs_own_fault() -> None:
    async with Sandbox(quick(faults=("chat.error=1002",))) as sandbox:
        assert (await post(sandbox.url, OPENAI, body())).status == 429
        assert (await post(sandbox.url, OPENAI, body(), fault="chat.error=2064")).status == 529
        assert (await post(sandbox.url, OPENAI, body(), fault="chat.error=1002@0")).status == 200


async def test_over_the_chat_limit_requests_are_refused_on_both_paths() -> None:
    async with Sandbox(quick("limit.chat_rpm=2", "limit.window_s=600")) as sandbox:
        statuses = [(await post(sandbox.url, OPENAI, body())).status for _ in range(3)]
        assert statuses == [200, 200, 429]
        native = await post(sandbox.url, NATIVE, body())
        assert native.json["base_resp"]["status_code"] == 1002
        assert (await post(sandbox.url, OPENAI, body(), key="another")).status == 200, (
            "each key is an account"
        )


async def test_requests_older_than_the_window_do_not_count() -> None:
    state = SandboxState(quick("limit.speech_rpm=1", "limit.window_s=0.2"))
    assert [state.take("speech"), state.take("speech")] == [True, False]
    await asyncio.sleep(0.25)
    assert state.take("speech")
    assert all(state.take("chat") for _ in range(100))  # this limit is off


async def test_sockets_over_the_limit_are_refused_until_one_is_closed() -> None:
    state = SandboxState(quick("limit.connections=2"))
    assert [state.open_connection() for _ in range(3)] == [1, 2, None]
    state.close_connection()
    assert state.open_connection() == 3


STORY = "Tell me a long story."


@pytest.mark.parametrize("code", [1026, 1027])
async def test_a_sensitive_answer_stops_with_a_base_resp_event(sandbox: Sandbox, code: int) -> None:
    answer = await post(sandbox.url, OPENAI, body(STORY), fault=f"chat.error_mid={code}")
    assert answer.content.startswith("Once upon a time")
    assert answer.events[-1]["base_resp"]["status_code"] == code
    assert answer.events[-1]["choices"] == []
    assert "[DONE]" not in answer.lines


async def test_overload_can_come_in_the_middle(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(STORY), fault="chat.error_mid=2064")
    assert answer.content
    assert answer.events[-1]["error"]["message"].endswith("(2064) (529)")
    native = await post(sandbox.url, NATIVE, body(STORY), fault="chat.error_mid=2064")
    assert native.events[-1]["base_resp"]["status_code"] == 2064


async def test_the_stream_can_end_without_done(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(), fault="chat.no_done")
    assert "[DONE]" not in answer.lines
    assert answer.finish == "stop"


async def test_the_socket_can_be_cut_in_the_middle(sandbox: Sandbox) -> None:
    got = bytearray()
    async with (
        faulty("chat.drop_mid") as session,
        session.post(sandbox.url + OPENAI, json=body(STORY)) as answer,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await read_into(got, answer)
    assert b"Once" in got
    assert b'"finish_reason"' not in got


async def test_the_answer_can_stall_before_it_begins(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError):
        await post(sandbox.url, OPENAI, body(), fault="chat.stall", timeout_s=0.3)


async def test_the_answer_can_stall_after_some_text(sandbox: Sandbox) -> None:
    async with (
        faulty("chat.stall_mid") as session,
        session.post(sandbox.url + OPENAI, json=body(STORY)) as answer,
    ):
        got = bytearray(await answer.content.readuntil(b"Once"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(read_into(got, answer), 0.3)
    assert b'"finish_reason"' not in got


def faulty(fault: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Authorization": "Bearer any", "X-Sandbox-Fault": fault})


async def read_into(got: bytearray, answer: aiohttp.ClientResponse) -> None:
    """Read to the end; after a failure `got` holds what was received before it."""
    async for fragment in answer.content.iter_any():
        got += fragment


async def test_an_answer_can_be_empty_or_unspeakable(sandbox: Sandbox) -> None:
    empty = await post(sandbox.url, OPENAI, body(), fault="chat.empty")
    assert (empty.content, empty.finish) == ("", "stop")
    emoji = await post(sandbox.url, OPENAI, body(), fault="chat.only_emoji")
    assert emoji.content
    assert not re.search(r"\w", emoji.content)


async def test_an_answer_can_be_only_thinking(sandbox: Sandbox) -> None:
    plain = await post(sandbox.url, OPENAI, body(model="MiniMax-M2.7"), fault="chat.only_thinking")
    assert plain.content.startswith("<think>\n")
    assert "</think>" not in plain.content
    assert plain.finish == "length"
    split = await post(
        sandbox.url, OPENAI, body(model="MiniMax-M2.7", reasoning_split=True), fault="chat.only_thinking"
    )
    assert (split.content, split.finish) == ("", "length")
    assert split.reasoning


async def test_reasoning_can_arrive_as_growing_snapshots(sandbox: Sandbox) -> None:
    request_body = body(model="MiniMax-M2.7", reasoning_split=True)
    answer = await post(sandbox.url, OPENAI, request_body, fault="chat.cumulative")
    snapshots = [delta["reasoning_content"] for delta in answer.deltas if "reasoning_content" in delta]
    assert len(snapshots) > 2
    assert all(new.startswith(old) and len(new) > len(old) for old, new in pairwise(snapshots))


async def test_m3_can_mirror_its_thinking(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(thinking=None), fault="chat.mirror")
    inside = re.search(r"<think>\n(.*?)\n</think>", answer.content, re.DOTALL)
    assert inside is not None
    assert inside[1] == answer.reasoning


async def test_a_stray_tag_can_come_before_the_answer(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(), fault="chat.stray_marker")
    assert answer.content == "</mm:think>\nHello. How can I help you?"


@pytest.mark.parametrize("split", [False, True])
async def test_tags_can_be_split_between_events(sandbox: Sandbox, split: bool) -> None:
    request_body = body(model="MiniMax-M2.7", reasoning_split=split)
    answer = await post(sandbox.url, OPENAI, request_body, fault="chat.split_tags")
    field = "reasoning_content" if split else "content"
    deltas = [delta.get(field, "") for delta in answer.deltas]
    assert "</think>" in "".join(deltas)
    assert not [delta for delta in deltas if "</think>" in delta or "<think>" in delta]


async def test_first_words_can_be_inside_the_thinking(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, OPENAI, body(thinking=None), fault="chat.early_words")
    assert answer.content.split("</think>")[1].strip() == "can I help you?"
    assert answer.content.split("</think>")[0].rstrip().endswith("Hello. How")


async def test_call_deltas_can_lack_their_index(sandbox: Sandbox) -> None:
    request_body = body("What's the weather in Paris?", tools=[WEATHER])
    answer = await post(sandbox.url, OPENAI, request_body, fault="chat.missing_index")
    deltas = [delta["tool_calls"][0] for delta in answer.deltas if "tool_calls" in delta]
    assert deltas
    assert not [delta for delta in deltas if "index" in delta]
    assert json.loads("".join(delta["function"]["arguments"] for delta in deltas)) == {"city": "Paris"}
