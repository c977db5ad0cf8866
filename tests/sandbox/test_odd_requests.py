"""Requests that no client means: each is refused in its path's own envelope, and the sandbox writes no traceback."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.platform_kit import Client, platform

NATIVE = (
    "/v1/t2a_v2", "/v1/t2a_async_v2", "/v1/voice_clone", "/v1/voice_design", "/v1/get_voice", "/v1/delete_voice",
    "/v1/files/upload", "/v1/files/delete", "/v1/batches", "/v1/image_generation", "/v1/video_generation",
    "/v1/video_template_generation", "/v1/text/chatcompletion_v2",
    "/v1/music_generation", "/v1/music_cover_preprocess", "/v1/lyrics_generation",
)  # fmt: skip
HTTP = (
    "/v1/chat/completions", "/v2/video_generation", "/v2/video_regeneration", "/v2/h3_context_ir",
    "/v1/speech_to_text", "/anthropic/v1/messages", "/anthropic/v1/messages/count_tokens",
    "/v3/async/minimax-video-01",
)  # fmt: skip
BODIES = {
    "empty": b"", "null": b"null", "list": b"[]", "text": b'"x"', "number": b"1", "broken": b"{",
    "binary": b"\xff\xfe\x00", "deep": b"[" * 100_000 + b"]" * 100_000, "no fields": b"{}",
    "digits": b'{"n": ' + b"1" * 10_000 + b"}", "nan": b'{"n": NaN, "file_id": Infinity}',
    "surrogate": json.dumps(dict.fromkeys(("model", "prompt", "preview_text", "text", "voice_id", "voice_type"), "\ud800")).encode(),
}  # fmt: skip
KINDS = (
    "application/json",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/json; charset=none",
    "",
)


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR] == []


async def refused(client: Client, path: str, data: bytes, **headers: str) -> None:
    answer = await client.call("POST", path, data=data, headers=headers)
    if path in NATIVE:
        assert answer.status == 200, answer.raw
        assert answer.json["base_resp"]["status_code"] == 2013
    else:
        assert answer.status == 400, answer.raw
        assert "(2013)" in json.dumps(answer.json["error"])


@pytest.mark.parametrize("body", BODIES)
async def test_odd_bodies(body: str) -> None:
    async with platform() as client:
        for path in (*NATIVE, *HTTP):
            for kind in KINDS:
                await refused(client, path, BODIES[body], **{"Content-Type": kind})


async def test_a_body_that_is_not_what_its_encoding_says(caplog: pytest.LogCaptureFixture) -> None:
    async with platform() as client:
        for path in ("/v1/t2a_v2", "/v1/get_voice", "/v1/chat/completions", "/anthropic/v1/messages"):
            answer = await client.call(
                "POST", path, data=b"{}", headers={"Content-Encoding": "gzip", "Connection": "close"}
            )
            assert answer.status == 400
    caplog.clear()  # aiohttp itself reports the rest of the body, which it cannot read either


CHAT = {"model": "MiniMax-M2.7", "messages": [{"role": "user", "content": "Hello"}]}
CALLS = {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "b", "arguments": "{}"}}]}


@pytest.mark.parametrize("odd", [[], ["a"], {"a": 1}, 1, True, 10**400, "\ud800", [None]])
async def test_odd_values_in_a_chat(odd: Any) -> None:
    changes: list[dict[str, Any]] = [
        {"model": odd},
        {"messages": [{"role": odd, "content": "Hello"}]},
        {"messages": [CALLS | {"tool_calls": [odd]}]},
        {"messages": [CALLS | {"tool_calls": [{"id": "a", "function": odd}]}]},
        {
            "messages": [
                CALLS | {"tool_calls": [{"id": odd, "function": {}}]},
                {"role": "tool", "tool_call_id": odd},
            ]
        },
        {"messages": [CALLS, {"role": "tool", "tool_call_id": odd}]},
        {"messages": [{"role": "user", "content": [{"type": odd}]}]},
    ]
    async with platform() as client:
        for change in changes:
            for path in ("/v1/chat/completions", "/anthropic/v1/messages"):
                answer = await client.call("POST", path, json=CHAT | change)
                assert answer.status in (200, 400), (path, change, answer.raw)


@pytest.mark.parametrize(
    "bounds",
    [
        {"minimum": 10**400},
        {"exclusiveMinimum": "a"},
        {"multipleOf": 0},
        {"maximum": 1e300},
        {"minLength": 10**9},
        {"minItems": 10**9},
    ],
)
async def test_a_schema_that_asks_for_too_much(bounds: dict[str, Any]) -> None:
    schema = {
        "type": "object",
        "properties": {"a": {"type": "string" if "minLength" in bounds else "number"} | bounds},
    }
    body = CHAT | {
        "model": "MiniMax-Text-01",
        "response_format": {"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
    }
    async with platform() as client:
        assert await client.code("POST", "/v1/text/chatcompletion_v2", json=body) == 2013


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-1", "1e400", "1" * 400, '"x"', "null", "[]"])
async def test_an_odd_time_leaves_the_clock_alone(seconds: str) -> None:
    async with platform() as client:
        answer = await client.call("POST", "/sandbox/clock", data=f'{{"forward_s": {seconds}}}'.encode())
        assert answer.status == 400
        assert client.sandbox.state.clock.ahead_s == 0
