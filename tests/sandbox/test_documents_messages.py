"""Messages, transcription and batches over plain HTTP, exactly as docs/minimax/anthropic.md, asr.md and batch.md print
them. Written from those pages alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
from typing import Any

import aiohttp
import pytest

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.test_documents_chat import NATIVE, OK, WEATHER
from tests.sandbox.voice_kit import recording

pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")

# --- anthropic.md -------------------------------------------------------------------------------------

CLAUDE = {"model": "MiniMax-M2.7", "max_tokens": 500, "messages": [{"role": "user", "content": "Hello"}]}


@pytest.mark.parametrize("headers", [{"X-Api-Key": "any"}, {"Authorization": "Bearer any"}])
async def test_anthropic_2_an_answer(headers):
    async with platform() as client:
        headers |= {"anthropic-version": "2023-06-01"}
        answer = await client.call("POST", "/anthropic/v1/messages", json=CLAUDE, key=None, headers=headers)
    found = answer.json
    assert found["id"] == answer.headers["trace-id"]
    assert (found["type"], found["role"], found["model"]) == ("message", "assistant", "MiniMax-M2.7")
    thinking, text = found["content"]
    assert set(thinking) == {"type", "thinking", "signature"}
    assert re.fullmatch("[0-9a-f]{64}", thinking["signature"])
    assert text["type"] == "text"
    assert text["text"].strip()
    assert (found["stop_reason"], found["stop_sequence"]) == ("end_turn", None)
    assert set(found["usage"]) >= {
        "input_tokens",
        "output_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "service_tier",
    }


async def test_anthropic_3_the_order_of_the_stream():
    async with platform() as client:
        answer = await client.call("POST", "/anthropic/v1/messages", json=CLAUDE | {"stream": True})
    blocks = [block.split("\n") for block in answer.raw.decode().split("\n\n") if block]
    found = [json.loads(data.removeprefix("data: ")) for _, data in blocks]
    assert [name.removeprefix("event: ") for name, _ in blocks] == [event["type"] for event in found]
    kinds = [event.get("delta", {}).get("type") or event["type"] for event in found]
    short = [kind for place, kind in enumerate(kinds) if place == 0 or kinds[place - 1] != kind]
    assert short == [
        "message_start", "ping", "content_block_start", "thinking_delta", "signature_delta", "content_block_stop",
        "content_block_start", "text_delta", "content_block_stop", "message_delta", "message_stop",
    ]  # fmt: skip
    assert (found[0]["message"]["content"], found[0]["message"]["stop_reason"]) == ([], None)
    assert found[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert found[-2]["usage"]["output_tokens"] > 0


async def test_anthropic_1_tools_count_and_models():
    tool = {
        "name": "get_weather",
        "description": "The weather",
        "input_schema": WEATHER["function"]["parameters"],
    }
    ask = CLAUDE | {"tools": [tool], "messages": [{"role": "user", "content": "Weather in Beijing?"}]}
    async with platform() as client:
        found = await client.json("POST", "/anthropic/v1/messages", json=ask)
        assert found["stop_reason"] == "tool_use"
        use = found["content"][-1]
        assert set(use) == {"type", "id", "name", "input"}
        result = {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": use["id"], "content": "sunny", "is_error": False}
            ],
        }
        more = ask | {
            "messages": [*ask["messages"], {"role": "assistant", "content": found["content"]}, result]
        }
        assert (await client.json("POST", "/anthropic/v1/messages", json=more))["stop_reason"] == "end_turn"
        counted = await client.json("POST", "/anthropic/v1/messages/count_tokens", json=CLAUDE)
        plain = await client.json("POST", "/anthropic/v1/messages", json=CLAUDE)
        assert counted == {"input_tokens": plain["usage"]["input_tokens"]}
        models = await client.json("GET", "/anthropic/v1/models?limit=2")
        assert set(models) == {"data", "first_id", "last_id", "has_more"}
        assert (len(models["data"]), models["has_more"]) == (2, True)
        assert set(models["data"][0]) == {"id", "created_at", "display_name", "type"}
        after = await client.json("GET", f"/anthropic/v1/models?limit=1&after_id={models['last_id']}")
        assert after["data"][0]["id"] not in {model["id"] for model in models["data"]}
        one = await client.json("GET", f"/anthropic/v1/models/{models['first_id']}")
        assert one == models["data"][0]


@pytest.mark.parametrize(
    ("change", "status", "kind"),
    [({"model": "xyz"}, 400, "invalid_request_error"), ({"messages": None}, 400, "invalid_request_error"),
     ({"temperature": 3}, 400, "invalid_request_error"), ({"max_tokens": 0}, 400, "invalid_request_error"),
     ({"max_tokens": None}, 200, None), ({"output_config": {"format": {"type": "json_schema", "schema": {}}}}, 400, "invalid_request_error"),
     ({"top_k": 5, "stop_sequences": ["a"], "metadata": {}, "service_tier": "standard"}, 200, None)],
)  # fmt: skip
async def test_anthropic_4_errors(change, status, kind):
    body = {k: v for k, v in (CLAUDE | change).items() if v is not None}
    async with platform() as client:
        answer = await client.call("POST", "/anthropic/v1/messages", json=body)
        none = await client.call("POST", "/anthropic/v1/messages", json=body, key=None)
    assert answer.status == status, answer.raw
    if kind:
        assert (answer.json["type"], answer.json["error"]["type"]) == ("error", kind)
    assert none.status == 401
    assert none.json == {
        "type": "error", "request_id": none.headers["trace-id"],
        "error": {
            "type": "authentication_error",
            "message": "login fail: Please carry the API secret key in the 'X-Api-Key' field of the request header (1004)",
        },
    }  # fmt: skip


# --- asr.md -------------------------------------------------------------------------------------------


async def transcribe(client: Client, data: bytes = b"", **parts: str) -> Any:
    form = aiohttp.FormData()
    for name, value in ({"model": "asr-1.0"} | parts).items():
        form.add_field(name, value)
    form.add_field("file", io.BytesIO(data or recording(3)), filename="a.wav", content_type="audio/wav")
    return await client.call("POST", "/v1/speech_to_text", data=form, headers={"language": "en"})


async def test_asr_every_answer():
    async with platform() as client:
        plain = (await transcribe(client)).json
        verbose = (await transcribe(client, response_format="verbose_json")).json
        srt = await transcribe(client, response_format="srt")
        vtt = await transcribe(client, response_format="vtt")
        stream = await transcribe(client, stream="true")
        wrong = await transcribe(client, stream="true", response_format="srt")
        broken = await transcribe(client, b"no recording at all")
        model = await transcribe(client, model="asr-9")
    assert set(plain) == {"text", "duration", "trace_id"}
    assert plain["duration"] == pytest.approx(3, abs=0.05)
    assert set(verbose) == {"text", "duration", "trace_id", "n_speakers", "segments"}
    assert set(verbose["segments"][0]) == {"id", "start", "end", "speaker", "text"}
    assert "-->" in srt.raw.decode()
    assert vtt.raw.startswith(b"WEBVTT")
    found = [json.loads(line[6:]) for line in stream.raw.decode().split("\n") if line]
    assert [event["index"] for event in found] == list(range(len(found)))
    assert [event["finish"] for event in found] == [False] * (len(found) - 1) + [True]
    assert set(found[-1]) == {"index", "delta", "finish", "duration"}
    assert "".join(event["delta"] for event in found).strip() == plain["text"]
    for answer in (wrong, broken, model):
        assert (answer.status, answer.json["error"]["type"]) == (400, "bad_request_error")


# --- batch.md -----------------------------------------------------------------------------------------

LINE = {
    "custom_id": "req-1", "method": "POST", "url": NATIVE,
    "body": {"model": "MiniMax-Text-01", "messages": [{"role": "user", "content": "hi"}]},
}  # fmt: skip
BATCH = {
    "id", "object", "endpoint", "errors", "input_file_id", "completion_window", "status", "output_file_id",
    "error_file_id", "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at",
    "expired_at", "cancelling_at", "cancelled_at", "request_counts", "callback_url", "base_resp",
}  # fmt: skip


async def batched(client: Client, *lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    id = await client.uploaded(data, "q.jsonl", "batch")
    return await client.json("POST", "/v1/batches", json={"input_file_id": id} | fields)


async def ended(client: Client, batch: dict[str, Any]) -> dict[str, Any]:
    for _ in range(300):
        found = await client.json("GET", f"/v1/batches/{batch['id']}")
        if found["status"] in ("completed", "failed", "cancelled", "expired"):
            return found
        client.sandbox.forward(seconds=30)
        await asyncio.sleep(0.02)
    raise AssertionError(found)


async def test_batch_1_2_3_as_printed():
    bad = LINE | {"custom_id": "req-2", "body": LINE["body"] | {"model": "xyz"}}
    async with platform() as client:
        made = await batched(client, LINE, bad, endpoint=NATIVE, completion_window="24h")
        assert set(made) == BATCH
        assert (
            made.items()
            >= {"object": "batch", "endpoint": NATIVE, "completion_window": "24h", "base_resp": OK}.items()
        )
        assert made["expires_at"] - made["created_at"] == 86400
        done = await ended(client, made)
        assert set(done) == BATCH
        assert done["status"] == "completed"
        assert done["request_counts"] == {"total": 2, "completed": 1, "failed": 1}
        texts = [
            (await client.call("GET", f"/v1/files/retrieve_content?file_id={done[key]}")).raw
            for key in ("output_file_id", "error_file_id")
        ]
        listed = await client.json("GET", "/v1/batches?limit=20")
        await batched(client, LINE)
        first = await client.json("GET", "/v1/batches?limit=1")
        second = await client.json("GET", f"/v1/batches?limit=1&after={first['data'][0]['id']}")
        for wrong in (0, 101, "x"):
            assert await client.code("GET", f"/v1/batches?limit={wrong}") == 2013
        assert await client.code("GET", "/v1/batches/batch_none") == 2013
        assert await client.code("POST", "/v1/batches/batch_none/cancel", json={}) == 2013
    (line,) = map(json.loads, texts[0].splitlines())
    assert set(line) == {"id", "custom_id", "response", "error"}
    assert (line["custom_id"], line["error"], line["response"]["status_code"]) == ("req-1", None, 200)
    assert line["response"]["body"]["base_resp"]["status_code"] == 0
    assert line["response"]["body"]["choices"][0]["message"]["content"]
    (error,) = map(json.loads, texts[1].splitlines())
    assert (error["custom_id"], error["response"], error["error"]["code"]) == ("req-2", None, "2013")
    assert (listed["object"], [batch["id"] for batch in listed["data"]], listed["base_resp"]) == (
        "list",
        [made["id"]],
        OK,
    )
    assert {first["data"][0]["id"], second["data"][0]["id"]} > {made["id"]}


@pytest.mark.parametrize(
    "lines",
    [(LINE, LINE), ({"method": "POST"},), (LINE | {"method": "GET"},), (LINE | {"url": "/v1/t2a_v2"},),
     (LINE | {"body": LINE["body"] | {"stream": True}},)],
)  # fmt: skip
async def test_batch_2_a_file_that_does_not_validate_fails_with_errors(lines):
    async with platform() as client:
        done = await ended(client, await batched(client, *lines))
    assert done["status"] == "failed"
    assert done["errors"]["object"] == "list"
    assert set(done["errors"]["data"][0]) >= {"code", "message", "line"}


async def test_batch_2_cancel():
    async with platform("batch.run_s=1000") as client:
        made = await batched(client, LINE)
        client.sandbox.forward(seconds=20)
        now = await client.json("POST", f"/v1/batches/{made['id']}/cancel")
        assert now["status"] in ("cancelling", "cancelled")
        assert now["cancelling_at"]
        done = await ended(client, made)
    assert done["status"] == "cancelled"
    assert done["cancelled_at"] >= done["cancelling_at"]


async def test_batch_2_what_a_create_refuses():
    async with platform() as client:
        for body in ({}, {"input_file_id": 1}, {"input_file_id": "x"}):
            assert await client.code("POST", "/v1/batches", json=body) == 2013
        id = await client.uploaded(b"x", "a.txt", "retrieval")
        assert await client.code("POST", "/v1/batches", json={"input_file_id": id}) == 2013
        id = await client.uploaded(b"{}", "a.jsonl", "batch")
        assert (
            await client.code("POST", "/v1/batches", json={"input_file_id": id, "endpoint": "/v1/t2a_v2"})
            == 2013
        )
