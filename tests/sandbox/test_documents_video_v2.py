"""V2 films over plain HTTP, exactly as docs/minimax/video.md 4 prints them.

Written from that page alone, without a look at the sandbox's code.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.platform_kit import platform
from tests.sandbox.test_documents_video import film, receiver, wait
from tests.sandbox.video_kit import frame_url


def text(words: str = "a cat") -> dict[str, Any]:
    return {"type": "text", "text": words}


def image(role: str | None = None, size: tuple[int, int] = (400, 400)) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": frame_url(*size)}} | ({"role": role} if role else {})


H3 = {"model": "MiniMax-H3", "content": [text()], "resolution": "2K", "duration": 4, "ratio": "16:9"}
SMALL = H3 | {"resolution": "768P"}  # a 2K film takes seconds to make
V2 = ("video_v2.queue_s=10", "video_v2.run_s=100", "video_v2.context_s=20")


async def test_video_4_the_life_of_a_task():
    async with platform(*V2) as client:
        made = await client.json("POST", "/v2/video_generation", json=SMALL)
        assert set(made) == {"task_id"}
        path = f"/v2/query/video_generation/{made['task_id']}"
        first = (await client.json("GET", path))["task"]
        assert (first["status"], first["usage"]) == ("queued", {})
        client.sandbox.forward(seconds=12)
        assert (await client.json("GET", path))["task"]["status"] == "running"
        busy = await client.call("DELETE", f"/v2/video_generation/{made['task_id']}")
        assert (busy.status, busy.json["type"]) == (400, "error")
        answer = await wait(client, path, "succeeded")
        assert set(answer) == {"task"}
        task = answer["task"]
        assert set(task) == {
            "id", "model", "status", "created_at", "updated_at", "content", "resolution", "duration", "usage",
            "ratio", "task_type", "modality",
        }  # fmt: skip
        assert (task["id"], task["resolution"], task["duration"], task["ratio"]) == (
            made["task_id"],
            "768P",
            4,
            "16:9",
        )
        assert (task["task_type"], task["modality"]) == ("generation", "video")
        assert (
            task["usage"].items()
            >= {"total_seconds": 4, "input_seconds": 0, "output_seconds": 4, "input_image_count": 0}.items()
        )
        assert film((await client.call("GET", task["content"]["url"], key=None)).raw)[3] == 4.0
        listed = await client.json(
            "GET", "/v2/query/video_generation?page_num=1&page_size=10&filter.status=succeeded"
        )
        assert (listed["total"], [item["id"] for item in listed["items"]]) == (1, [made["task_id"]])
        deleted = await client.json("DELETE", f"/v2/video_generation/{made['task_id']}")
        assert deleted.items() >= {"task_id": made["task_id"], "action": "deleted"}.items()
        assert set(deleted) == {"task_id", "action", "status"}
        assert (await client.call("GET", path)).status == 400


async def test_video_4_cancel_list_filters_and_seven_days():
    async with platform(*V2) as client:
        ids = [(await client.json("POST", "/v2/video_generation", json=SMALL))["task_id"] for _ in range(3)]
        gone = await client.json("DELETE", f"/v2/video_generation/{ids[0]}")
        assert gone == {"task_id": ids[0], "action": "cancelled", "status": "cancelled"}
        assert (await client.call("DELETE", f"/v2/video_generation/{ids[0]}")).status == 400

        async def found(query: str) -> list[str]:
            listed = await client.json("GET", f"/v2/query/video_generation?{query}")
            return sorted(item["id"] for item in listed["items"])

        assert await found("filter.status=queued") == sorted(ids[1:])
        assert await found(f"filter.task_ids={ids[0]}&filter.task_ids={ids[1]}") == sorted(ids[:2])
        assert await found("filter.model=MiniMax-H3-Max") == []
        assert await found("filter.task_type=regeneration") == []
        assert len(await found("page_num=2&page_size=2")) == 1
        client.sandbox.forward(hours=169)
        answer = await client.call("GET", f"/v2/query/video_generation/{ids[1]}")
        assert answer.status == 400
        assert "invalid task_id" in answer.json["error"]["message"]


@pytest.mark.parametrize(
    "change",
    [{"content": [{"type": "text", "text": " "}]}, {"content": []}, {"content": [text("a" * 7001)]}, {"ratio": None},
     {"ratio": "adaptive"}, {"resolution": None}, {"resolution": "480P"}, {"duration": None}, {"duration": 3},
     {"duration": 16}, {"model": "MiniMax-H4"}, {"ratio": "5:4"}, {"extra": {"prompt_expansion_mode": "quality"}},
     {"content": [text(), image("first_frame"), image("reference_image")]},
     {"content": [text(), *[image("reference_image")] * 10]}, {"content": [text(), image("hero")]},
     {"content": [text(), image("first_frame", (200, 200))]}, {"content": [text(), image("first_frame", (300, 900))]},
     {"model": "MiniMax-H3-Max", "resolution": "2K"}, {"model": "MiniMax-H3-Max", "resolution": "768P", "duration": 4},
     {"model": "MiniMax-H3-Max", "resolution": "768P", "extra": {"other": 1}}],
)  # fmt: skip
async def test_video_4_refusals_are_http_400_in_the_openai_envelope(change):
    async with platform(*V2) as client:
        body = {k: v for k, v in (H3 | change).items() if v is not None}
        answer = await client.call("POST", "/v2/video_generation", json=body)
    assert answer.status == 400, answer.raw
    assert (answer.json["type"], answer.json["error"]["type"]) == ("error", "bad_request_error")
    assert answer.json["error"]["http_code"] == "400"
    assert answer.json["error"]["message"].endswith("(2013)")
    assert answer.json["request_id"] == answer.headers["trace-id"]


async def test_video_4_the_printed_text_of_a_missing_prompt():
    async with platform() as client:
        answer = await client.call("POST", "/v2/video_generation", json=H3 | {"content": [image()]})
    assert answer.json["error"]["message"] == (
        "invalid params, content must include a non-empty text item (prompt is required) (2013)"
    )


@pytest.mark.parametrize(
    "change",
    [{"content": [text(), image()]}, {"content": [text(), image("first_frame"), image("last_frame")], "ratio": "adaptive"},
     {"content": [text(), *[image("reference_image")] * 9]}, {"model": "MiniMax-H3-Highspeed", "resolution": "768P", "duration": 15},
     {"model": "MiniMax-H3-Lite", "resolution": "480P", "duration": 4},
     {"model": "MiniMax-H3-Max", "resolution": "480P", "duration": 5, "extra": {"prompt_expansion_mode": "quality"}}],
)  # fmt: skip
async def test_video_4_what_is_allowed(change):
    async with platform(*V2) as client:
        answer = await client.call("POST", "/v2/video_generation", json=H3 | change)
    assert answer.status == 200, answer.raw


async def test_video_4_context_gives_a_prompt():
    async with platform(*V2) as client:
        body = {"model": "MiniMax-H3", "content": [text()], "duration": 5, "ratio": "16:9"}
        made = await client.json("POST", "/v2/h3_context_ir", json=body)
        task = (await wait(client, f"/v2/query/video_generation/{made['task_id']}", "succeeded"))["task"]
    assert task["modality"] == "text"
    assert task["content"]["prompt"]


async def test_video_4_a_regeneration_wants_exactly_one_source():
    async with platform(*V2) as client:
        made = await client.json("POST", "/v2/video_generation", json=SMALL)
        await wait(client, f"/v2/query/video_generation/{made['task_id']}", "succeeded")
        none = await client.call(
            "POST", "/v2/video_regeneration", json={"model": "MiniMax-H3", "resolution": "2K"}
        )
        assert none.status == 400
        body = {"model": "MiniMax-H3", "resolution": "2K", "source_task_id": made["task_id"]}
        again = await client.json("POST", "/v2/video_regeneration", json=body)
        task = (await wait(client, f"/v2/query/video_generation/{again['task_id']}", "succeeded"))["task"]
    assert task["task_type"] == "regeneration"


async def test_video_4_v2_calls_back():
    async with receiver() as sink, platform("video_v2.queue_s=1", "video_v2.run_s=1") as client:
        made = await client.json("POST", "/v2/video_generation", json=SMALL | {"callback_url": sink.url})
        await wait(client, f"/v2/query/video_generation/{made['task_id']}", "succeeded")
        await sink.until("succeeded")
    assert {post["task"]["status"] for post in sink.posts[1:]} <= {"queued", "running", "succeeded"}


async def test_readme_3_2_v2_without_a_key_and_a_failed_task():
    async with platform("video_v2.queue_s=1", "video_v2.run_s=1") as client:
        for key in (None, "sk-bad"):
            answer = await client.call("POST", "/v2/video_generation", json=H3, key=key)
            assert (answer.status, answer.json["error"]["type"]) == (401, "authorized_error")
        made = await client.json("POST", "/v2/video_generation", json=H3, fault="video_v2.fail=1026")
        task = (await wait(client, f"/v2/query/video_generation/{made['task_id']}", "failed"))["task"]
    assert task["error"]["code"] == "1026"
    assert task["error"]["message"]
