"""The older wire of videos, as docs/minimax/video.md 2.1 prints it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.video_kit import OK, RED, ends, film_of, frame_url, near, platform

OLDER = "/v3/async/minimax-video-01"


async def test_the_older_paths_have_their_own_shape() -> None:
    async with platform() as client:
        body = {"prompt": "a cat", "image_url": frame_url(), "enable_prompt_expansion": True}
        answer = await client.json("POST", OLDER, json=body)
        id = answer["task_id"]
        assert answer == {"task_id": id}
        assert len(id) == 16
        assert int(id, 16)
        assert await client.json("GET", f"{OLDER}/{id}") == {"status": "pending", "file_id": ""}
        client.sandbox.forward(seconds=25)
        assert (await client.json("GET", f"/v1/video_generation/{id}"))["status"] == "processing"
        client.sandbox.forward(minutes=3)
        found = await client.json("GET", f"{OLDER}/{id}")
        assert found == {"status": "succeeded", "file_id": found["file_id"]}
        data, facts = await film_of(client, found["file_id"])
        assert (facts.width, facts.height) == (720, 720)
        assert near(ends(data)[0], RED)
        for version in ("v1", "v3"):
            file = await client.json("GET", f"/{version}/files/{found['file_id']}")
            assert (await client.call("GET", file["download_url"], key=None)).raw == data


async def test_both_create_paths_and_all_questions_share_their_tasks() -> None:
    async with platform() as client:
        body = {"model": "T2V-01", "prompt": "a cat", "enable_prompt_expansion": False}
        answer = await client.json("POST", "/v1/video_generation", json=body)
        assert answer == {"task_id": answer["task_id"], "base_resp": OK}
        older = (await client.json("POST", OLDER, json={"prompt": "a cat"}))["task_id"]
        for id in (answer["task_id"], older):
            assert (await client.json("GET", f"/v1/video_generation/{id}"))["status"] == "pending"
            today = await client.json("GET", f"/v1/query/video_generation?task_id={id}")
            assert today["status"] == "Preparing"


async def test_older_names_on_todays_path() -> None:
    async with platform() as client:
        body = {"model": "I2V-01", "image_url": frame_url()}
        assert await client.code("POST", "/v1/video_generation", json=body) == 0
        body = {"model": "I2V-01", "image_url": frame_url(200, 200)}
        assert await client.code("POST", "/v1/video_generation", json=body) == 2013
        body = {"model": "T2V-01", "prompt": "a cat", "enable_prompt_expansion": "yes"}
        assert await client.code("POST", "/v1/video_generation", json=body) == 2013


async def test_a_failed_task_says_its_error() -> None:
    async with platform() as client:
        id = (await client.json("POST", OLDER, json={"prompt": "a cat"}, fault="video.fail=1027"))["task_id"]
        client.sandbox.forward(minutes=3)
        found = await client.json("GET", f"{OLDER}/{id}")
        assert found == {"status": "failed", "file_id": "", "error": "output new_sensitive (1027)"}


@pytest.mark.parametrize(
    ("rest", "status", "code"),
    [
        ({"json": {}}, 400, 2013),
        ({"json": {"prompt": "sandbox-forbidden"}}, 422, 1026),
        ({"json": {"prompt": "a"}, "key": None}, 401, 1004),
        ({"json": {"prompt": "a"}, "fault": "video.error=1002"}, 429, 1002),
    ],
)
async def test_refused_creates(rest: dict[str, Any], status: int, code: int) -> None:
    async with platform() as client:
        answer = await client.call("POST", OLDER, **rest)
        assert answer.status == status
        assert answer.json["error"].endswith(f"({code})")


@pytest.mark.parametrize("id", ["7", "zzzzzzzzzzzzzzzz", "00000000000000ff", "9" * 18])
async def test_unknown_tasks_are_not_found(id: str) -> None:
    async with platform() as client:
        answer = await client.call("GET", f"/v1/video_generation/{id}")
        assert answer.status == 404
        assert "base_resp" not in answer.json
