"""`/v1/batches` by plain HTTP, as docs/minimax/batch.md prints it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.test_callbacks_out import receiver

PATH = "/v1/batches"
CHAT = "/v1/text/chatcompletion_v2"
SLOW = ("batch.validate_s=10", "batch.run_s=100", "batch.finalize_s=10", "batch.cancel_s=10")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with platform(*SLOW) as running:
        yield running


def line(custom_id: Any = "req-1", **fields: Any) -> dict[str, Any]:
    body = {"model": "MiniMax-Text-01", "messages": [{"role": "user", "content": "hi"}]}
    return {"custom_id": custom_id, "method": "POST", "url": CHAT, "body": body, **fields}


def refused_line(custom_id: str) -> dict[str, Any]:
    return line(custom_id, body={"model": "no-such-model", "messages": [{"role": "user", "content": "hi"}]})


def jsonl(*lines: Any) -> bytes:
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in lines).encode()


async def made(client: Client, *lines: Any, fault: str = "", **fields: Any) -> dict[str, Any]:
    id = await client.uploaded(jsonl(*lines), "q.jsonl", "batch")
    body = {"input_file_id": str(id), **fields}
    return await client.json("POST", PATH, json=body, fault=fault)


async def asked(client: Client, batch: dict[str, Any], *, seconds: float = 0) -> dict[str, Any]:
    client.sandbox.forward(seconds=seconds)
    return await client.json("GET", f"{PATH}/{batch['id']}")


async def lines_of(client: Client, id: str) -> list[dict[str, Any]]:
    answer = await client.call("GET", f"/v1/files/retrieve_content?file_id={id}")
    assert answer.raw.endswith(b"\n")
    return [json.loads(text) for text in answer.raw.decode().splitlines()]


async def test_a_batch_goes_through_its_states_and_answers_every_line(client: Client) -> None:
    ids = [f"req-{number}" for number in range(10)]
    lines = [refused_line(ids[0]), *map(line, ids[1:])]
    batch = await made(client, *lines, endpoint=CHAT, completion_window="24h")
    assert batch["base_resp"] == {"status_code": 0, "status_msg": "success"}
    assert (batch["object"], batch["status"], batch["endpoint"]) == ("batch", "validating", CHAT)
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert batch["expires_at"] - batch["created_at"] == 86_400
    assert (batch["output_file_id"], batch["errors"], batch["in_progress_at"]) == ("", None, 0)

    running = await asked(client, batch, seconds=11)
    assert (running["status"], running["request_counts"]["total"]) == ("in_progress", 10)
    half = await asked(client, batch, seconds=50)
    counts = half["request_counts"]
    assert counts["completed"] + counts["failed"] in (4, 5)
    assert (await asked(client, batch, seconds=50))["status"] == "finalizing"

    done = await asked(client, batch, seconds=10)
    assert (done["status"], done["errors"]) == ("completed", None)
    assert done["request_counts"] == {"total": 10, "completed": 9, "failed": 1}
    assert 0 < done["created_at"] <= done["in_progress_at"] <= done["finalizing_at"] <= done["completed_at"]
    assert done["failed_at"] == done["cancelled_at"] == 0

    output = await lines_of(client, done["output_file_id"])
    assert {item["custom_id"] for item in output} == set(ids[1:])
    assert [item["custom_id"] for item in output] != ids[1:]  # not in the order of the input
    for item in output:
        response = item["response"]
        assert (item["error"], response["status_code"]) == (None, 200)
        assert response["request_id"] == response["body"]["id"]
        assert response["body"]["choices"][0]["message"]["content"]
        assert response["body"]["usage"]["total_tokens"] > 0
        assert response["body"]["base_resp"]["status_code"] == 0
    (error,) = await lines_of(client, done["error_file_id"])
    assert (error["custom_id"], error["response"], error["error"]["code"]) == (ids[0], None, "2013")
    assert "no-such-model" in error["error"]["message"]
    file = await client.json("GET", f"/v1/files/retrieve?file_id={done['output_file_id']}")
    assert file["file"]["purpose"] == "batch_output"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("{broken", "invalid_json_line"),
        ("[1]", "invalid_json_line"),
        ("\udcff", "invalid_json_line"),
        (line("a"), "duplicate_custom_id"),
        (line(""), "invalid_custom_id"),
        (line(7), "invalid_custom_id"),
        (line("b", method="GET"), "invalid_method"),
        (line("b", url="/v1/chat/completions"), "mismatched_url"),
        (line("b", body=None), "invalid_body"),
        (line("b", body={**line()["body"], "stream": True}), "invalid_body"),
    ],
)
async def test_a_bad_line_fails_the_batch_and_is_named(client: Client, bad: Any, code: str) -> None:
    data = jsonl(line("a")) + b"\n\n" + (jsonl(bad) if bad != "\udcff" else b"\xff{}")
    id = await client.uploaded(data, "q.jsonl", "batch")
    batch = await client.json("POST", PATH, json={"input_file_id": id})
    assert (await asked(client, batch, seconds=5))["status"] == "validating"
    failed = await asked(client, batch, seconds=6)
    assert (failed["status"], failed["failed_at"] > 0, failed["in_progress_at"]) == ("failed", True, 0)
    assert failed["errors"]["object"] == "list"
    (problem,) = failed["errors"]["data"]
    assert (problem["code"], problem["line"]) == (code, 3)
    assert problem["message"]
    assert failed["output_file_id"] == failed["error_file_id"] == ""


async def test_too_many_lines_and_none_at_all(client: Client) -> None:
    for data, code in ((b"x\n" * 50_001, "too_many_requests"), (b"\n \n", "empty_file")):
        id = await client.uploaded(data, "q.jsonl", "batch")
        failed = await asked(client, await client.json("POST", PATH, json={"input_file_id": id}), seconds=200)
        assert (failed["status"], failed["errors"]["data"][0]["code"]) == ("failed", code)


@pytest.mark.parametrize(
    "fields",
    [
        {"input_file_id": None},
        {"input_file_id": "123"},
        {"input_file_id": "x"},
        {"input_file_id": ["1"]},
        {"endpoint": "/v1/embeddings"},
        {"completion_window": "1h"},
        {"callback_url": 7},
    ],
)
async def test_a_wrong_field_is_refused(client: Client, fields: dict[str, Any]) -> None:
    id = await client.uploaded(jsonl(line()), "q.jsonl", "batch")
    assert await client.code("POST", PATH, json={"input_file_id": id, **fields}) == 2013
    assert (await client.json("GET", PATH))["data"] == []


async def test_only_a_file_for_batches_is_taken(client: Client) -> None:
    id = await client.uploaded(jsonl(line()), "q.jsonl", "retrieval")
    assert await client.code("POST", PATH, json={"input_file_id": id}) == 2013


async def test_unknown_batches(client: Client) -> None:
    digits = (await made(client, line()))["id"].removeprefix("batch_")
    for id in ("batch_unknown", "batch_1", digits):
        assert await client.code("GET", f"{PATH}/{id}") == 2013
        assert await client.code("POST", f"{PATH}/{id}/cancel") == 2013


async def test_cancel_keeps_what_is_finished(client: Client) -> None:
    batch = await made(client, *[line(f"req-{number}") for number in range(10)])
    await asked(client, batch, seconds=11)
    client.sandbox.forward(seconds=50)
    cancelling = await client.json("POST", f"{PATH}/{batch['id']}/cancel")
    assert (cancelling["status"], cancelling["cancelling_at"] > 0) == ("cancelling", True)
    counts = cancelling["request_counts"]
    assert counts["completed"] in (4, 5)
    await client.json("POST", f"{PATH}/{batch['id']}/cancel")  # twice is no trouble
    cancelled = await asked(client, batch, seconds=11)
    assert (cancelled["status"], cancelled["request_counts"]) == ("cancelled", counts)
    assert len(await lines_of(client, cancelled["output_file_id"])) == counts["completed"]
    again = await client.json("POST", f"{PATH}/{batch['id']}/cancel")
    assert (again["status"], again["output_file_id"]) == ("cancelled", cancelled["output_file_id"])


async def test_a_batch_that_is_cancelled_at_once_has_no_files(client: Client) -> None:
    batch = await made(client, line())
    await client.json("POST", f"{PATH}/{batch['id']}/cancel")
    cancelled = await asked(client, batch, seconds=11)
    assert (cancelled["status"], cancelled["output_file_id"]) == ("cancelled", "")


@pytest.mark.parametrize("fault", ["job.never", "job.expire"])
async def test_an_expired_batch_has_the_lines_that_were_finished(client: Client, fault: str) -> None:
    batch = await made(client, *[line(f"req-{number}") for number in range(10)], fault=fault)
    await asked(client, batch, seconds=11)
    if fault == "job.never":
        assert (await asked(client, batch, seconds=86_000))["status"] == "in_progress"
    expired = await asked(client, batch, seconds=400)
    assert (expired["status"], expired["expired_at"] > 0) == ("expired", True)
    assert expired["request_counts"] == {"total": 10, "completed": 5, "failed": 0}
    assert len(await lines_of(client, expired["output_file_id"])) == 5


async def test_the_list_has_pages(client: Client) -> None:
    id = await client.uploaded(jsonl(line()), "q.jsonl", "batch")
    bodies = [await client.json("POST", PATH, json={"input_file_id": id}) for _ in range(5)]
    ids = [body["id"] for body in bodies][::-1]
    first = await client.json("GET", f"{PATH}?limit=2")
    assert (first["object"], first["has_more"]) == ("list", True)
    assert [batch["id"] for batch in first["data"]] == ids[:2]
    rest = await client.json("GET", f"{PATH}?limit=3&after={ids[1]}")
    assert ([batch["id"] for batch in rest["data"]], rest["has_more"]) == (ids[2:], False)
    client.sandbox.forward(seconds=11)
    everything = await client.json("GET", PATH)
    assert [batch["status"] for batch in everything["data"]] == ["in_progress"] * 5
    for query in ("limit=0", "limit=101", "limit=x", "after=batch_1"):
        assert await client.code("GET", f"{PATH}?{query}") == 2013


async def test_faults_of_the_lines(client: Client) -> None:
    lines = [line(f"req-{number}") for number in range(4)]
    lost = await made(client, *lines, fault="batch.lost_line")
    bad = await made(client, *lines, fault="batch.bad_line")
    refused = await made(client, *lines, fault="chat.error=1026")
    for seconds in (11, 101, 11):
        client.sandbox.forward(seconds=seconds)
        await client.json("GET", PATH)
    done = await asked(client, lost)
    assert (len(await lines_of(client, done["output_file_id"])), done["error_file_id"]) == (3, "")
    done = await asked(client, bad)
    answer = await client.call("GET", f"/v1/files/retrieve_content?file_id={done['output_file_id']}")
    *good, torn = answer.raw.decode().splitlines()
    assert len([json.loads(text) for text in good]) == 3
    with pytest.raises(json.JSONDecodeError):
        json.loads(torn)
    done = await asked(client, refused)
    assert (done["status"], done["output_file_id"]) == ("completed", "")
    assert [item["error"]["code"] for item in await lines_of(client, done["error_file_id"])] == ["1026"] * 4


async def test_faults_of_a_batch(client: Client) -> None:
    id = await client.uploaded(jsonl(line()), "q.jsonl", "batch")
    body = {"input_file_id": id}
    assert await client.code("POST", PATH, json=body, fault="batch.error=1008") == 1008
    batch = await client.json("POST", PATH, json=body, fault="batch.fail=1000")
    await asked(client, batch, seconds=11)
    failed = await asked(client, batch, seconds=101)
    assert (failed["status"], failed["errors"]["data"][0]["code"]) == ("failed", "1000")
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", PATH, json=body, fault="batch.lost")
    assert len((await client.json("GET", PATH))["data"]) == 2


async def test_only_so_many_batches_at_once() -> None:
    async with platform("limit.batch_in_flight=1", *SLOW) as client:
        id = await client.uploaded(jsonl(line()), "q.jsonl", "batch")
        assert await client.code("POST", PATH, json={"input_file_id": id}) == 0
        assert await client.code("POST", PATH, json={"input_file_id": id}) == 1041


async def test_pushes_have_the_batch_of_each_state(client: Client) -> None:
    async with receiver() as hook:
        batch = await made(client, line(), callback_url=hook.url)
        for seconds in (11, 101, 11):
            done = await asked(client, batch, seconds=seconds)
        statuses = await hook.until(5)
    assert statuses == ["challenge", "validating", "in_progress", "finalizing", "completed"]
    assert {push["id"] for push in hook.got[1:]} == {batch["id"]}
    assert hook.got[-1]["output_file_id"] == done["output_file_id"] != ""
    assert hook.got[-1]["request_counts"] == {"total": 1, "completed": 1, "failed": 0}
    assert done["callback_url"] == hook.url
