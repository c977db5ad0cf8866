"""List, cancel and delete of V2 tasks, regeneration and h3_context_ir (docs/minimax/video.md 4)."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.sandbox.films import make_film
from tests.sandbox.platform_kit import Client
from tests.sandbox.test_video_v2 import (
    CREATE,
    QUERY,
    code_of,
    done,
    film_of,
    make,
    medium,
    refused,
    task,
    text,
)
from tests.sandbox.video_kit import data_url, platform

AGAIN, CONTEXT = "/v2/video_regeneration", "/v2/h3_context_ir"


async def listed(client: Client, query: str = "") -> tuple[list[str], int]:
    answer = await client.json("GET", f"{QUERY}?{query}")
    assert sorted(answer) == ["items", "total"]
    return [item["id"] for item in answer["items"]], answer["total"]


async def test_the_list_has_pages_and_filters() -> None:
    async with platform() as client:
        assert await listed(client) == ([], 0)
        failed = await make(client, fault="video_v2.fail=1027")
        other = await make(client, model="MiniMax-H3-Highspeed", resolution="768P")
        await client.json("DELETE", f"{CREATE}/{other}")
        client.sandbox.forward(minutes=7)
        waiting = await make(client)
        everything = [waiting, other, failed]
        assert await listed(client) == (everything, 3)
        assert await listed(client, "page_num=1&page_size=2") == (everything[:2], 3)
        assert await listed(client, "page_num=2&page_size=2") == (everything[2:], 3)
        assert await listed(client, "page_num=9") == ([], 3)
        for status, id in (("queued", waiting), ("failed", failed), ("cancelled", other)):
            assert await listed(client, f"filter.status={status}") == ([id], 1)
        assert await listed(client, "filter.status=succeeded") == ([], 0)
        assert await listed(client, f"filter.task_ids={waiting}&filter.task_ids={failed}") == (
            [waiting, failed], 2
        )  # fmt: skip
        assert await listed(client, "filter.model=MiniMax-H3-Highspeed") == ([other], 1)
        assert (await listed(client, "filter.task_type=generation"))[1] == 3
        assert (await listed(client, "filter.task_type=regeneration"))[1] == 0
        item = (await client.json("GET", f"{QUERY}?filter.task_ids={waiting}"))["items"][0]
        assert item == await task(client, waiting)


@pytest.mark.parametrize("query", ["page_num=0", "page_num=x", "page_size=101", "filter.status=done"])
async def test_wrong_filters(query: str) -> None:
    async with platform() as client:
        assert code_of(await client.call("GET", f"{QUERY}?{query}")) == (400, "2013")


async def test_a_queued_task_is_cancelled_and_a_finished_one_deleted() -> None:
    async with platform() as client:

        async def refused_delete(id: str) -> bool:
            return code_of(await client.call("DELETE", f"{CREATE}/{id}")) == (400, "2013")

        id = await make(client)
        answer = await client.json("DELETE", f"{CREATE}/{id}")
        assert answer == {"task_id": id, "action": "cancelled", "status": "cancelled"}
        assert (await done(client, id))["status"] == "cancelled"
        assert await refused_delete(id)
        id = await make(client)
        client.sandbox.forward(seconds=15)
        assert await refused_delete(id)
        url = (await done(client, id))["content"]["url"]
        answer = await client.json("DELETE", f"{CREATE}/{id}")
        assert answer == {"task_id": id, "action": "deleted", "status": "succeeded"}
        assert code_of(await client.call("GET", f"{QUERY}/{id}")) == (400, "2013")
        assert (await client.call("GET", url)).status == 404
        assert await refused_delete(id)


async def test_a_v1_task_is_no_v2_task() -> None:
    async with platform() as client:
        body = {"model": "T2V-01", "prompt": "a cat"}
        id = (await client.json("POST", "/v1/video_generation", json=body))["task_id"]
        assert code_of(await client.call("GET", f"{QUERY}/{id}")) == (400, "2013")
        assert await listed(client) == ([], 0)


def base(**facts: Any) -> dict[str, Any]:
    """A film that can be made again, but for what `facts` change."""
    film = {"seconds": 124 / 24, "width": 768, "height": 768, "audio": True} | facts
    return medium(data_url(make_film("old", **film), "video/mp4"), "base_video", "video")


async def test_a_film_is_made_again_in_2k() -> None:
    async with platform() as client:
        body = {"resolution": "2K", "content": [text("sharper"), base()]}
        id = (await client.json("POST", AGAIN, json=body))["task_id"]
        found = await done(client, id)
        assert (found["task_type"], found["resolution"], found["status"]) == (
            "regeneration", "2K", "succeeded"
        )  # fmt: skip
        assert found["usage"]["input_seconds"] == 5
        _, facts = await film_of(client, found)
        assert (facts.width, facts.height, facts.title) == (1440, 1440, "sharper")
        assert facts.seconds == pytest.approx(124 / 24, abs=0.1)


@pytest.mark.parametrize(
    "facts",
    [{"audio": False}, {"seconds": 5.0}, {"width": 784}, {"width": 736}, {"width": 1376}],
)
async def test_base_films_have_limits(facts: dict[str, Any]) -> None:
    async with platform() as client:
        body = {"resolution": "2K", "content": [base(**facts)]}
        assert await refused(client, body, AGAIN) == (400, "2013")


async def test_a_film_is_made_again_from_its_task() -> None:
    async with platform() as client:
        source = await make(client, words="a red cat")
        assert await refused(client, {"resolution": "2K", "source_task_id": source}, AGAIN) == (400, "2013")
        await done(client, source)
        body = {"resolution": "2K", "source_task_id": source}
        for wrong in (
            {"content": [base()]},
            {"resolution": "768P"},
            {"source_task_id": "7"},
            {"source_task_id": ""},
        ):
            assert await refused(client, body | wrong, AGAIN) == (400, "2013")
        found = await done(client, (await client.json("POST", AGAIN, json=body))["task_id"])
        _, facts = await film_of(client, found)
        assert (facts.width, facts.height, facts.title) == (1440, 1440, "a red cat")


async def test_a_context_is_a_longer_prompt() -> None:
    async with platform() as client:
        body = {"model": "MiniMax-H3", "content": [text("a red cat")], "duration": 6, "ratio": "16:9"}
        id = (await client.json("POST", CONTEXT, json=body))["task_id"]
        assert (await task(client, id))["content"] == {}
        found = await done(client, id)
        assert (found["modality"], found["status"], found["duration"]) == ("text", "succeeded", 6)
        assert found["content"]["prompt"].startswith("a red cat")
        assert len(found["content"]["prompt"]) > len("a red cat")
        usage = found["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
        assert await refused(client, body | {"model": "MiniMax-H3-Lite"}, CONTEXT) == (400, "2013")
        assert await refused(client, body | {"content": []}, CONTEXT) == (400, "2013")
