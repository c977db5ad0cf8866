"""Templates, with plain requests as docs/minimax/video.md 3 prints them."""

from __future__ import annotations

from functools import partial
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.film_facts import film_facts
from realtime.sandbox.jobs import NEW_WORD
from realtime.sandbox.templates import TEMPLATES
from tests.sandbox.platform_kit import Client
from tests.sandbox.test_callbacks_out import receiver
from tests.sandbox.video_kit import GREEN, OK, downloaded, ends, frame_url, near, platform, settled

CREATE, QUERY = "/v1/video_template_generation", "/v1/query/video_template_generation"
DIVING, SURVIVAL, NO_LOVE = "392753057216684038", "393769180141805569", "394125185182695432"


def body(template_id: str, media: int = 0, texts: int = 0) -> dict[str, Any]:
    return {
        "template_id": template_id,
        "media_inputs": [{"value": frame_url(320, 320, GREEN)}] * media,
        "text_inputs": [{"value": "a lion"}] * texts,
        "callback_url": "",
    }


async def make(client: Client, *args: Any, fault: str = "") -> str:
    answer = await client.json("POST", CREATE, json=body(*args), fault=fault)
    assert answer["base_resp"] == OK, answer
    return str(answer["task_id"])


async def done(client: Client, id: str) -> dict[str, Any]:
    client.sandbox.forward(minutes=3)
    return await settled(partial(client.json, "GET", f"{QUERY}?task_id={id}"))


async def test_a_film_from_a_picture() -> None:
    async with platform() as client:
        id = await make(client, DIVING, 1)
        waiting = await client.json("GET", f"{QUERY}?task_id={id}")
        assert waiting == {"task_id": id, "status": "Preparing", "video_url": "", "base_resp": OK}
        found = await done(client, id)
        assert (found["status"], found["base_resp"]) == ("Success", OK)
        film = await downloaded(client, found["video_url"])
        facts = film_facts(film)
        assert (facts.width, facts.height, facts.fps) == (512, 512, 24)
        assert "跳水" in facts.title
        assert near(ends(film)[0], GREEN)


async def test_a_film_from_a_text() -> None:
    async with platform() as client:
        film = await downloaded(client, (await done(client, await make(client, NO_LOVE, 0, 1)))["video_url"])
        assert "a lion" in film_facts(film).title


async def test_a_link_is_good_for_nine_hours() -> None:
    async with platform() as client:
        id = await make(client, NO_LOVE, 0, 1)
        url = (await done(client, id))["video_url"]
        client.sandbox.forward(hours=8.9)
        assert (await client.call("GET", url)).status == 200
        client.sandbox.forward(hours=0.2)
        assert (await client.call("GET", url)).status == 403
        assert (await client.call("GET", (await done(client, id))["video_url"])).status == 200


# What each template wants, from the table: pictures and texts.
WANTS = dict.fromkeys(TEMPLATES, (1, 0)) | {SURVIVAL: (1, 1), NO_LOVE: (0, 1)}


async def test_every_template_takes_its_own_inputs_only() -> None:
    async with platform() as client:
        assert len(TEMPLATES) == 11
        for id, wanted in WANTS.items():
            for given in ((0, 0), (1, 0), (0, 1), (1, 1), (2, 0)):
                code = await client.code("POST", CREATE, json=body(id, *given))
                assert code == (0 if given == wanted else 2013), (id, given)


@pytest.mark.parametrize(
    "change",
    [
        {"template_id": "1"},
        {"template_id": None},
        {"media_inputs": [{}]},
        {"media_inputs": ["x"]},
        {"media_inputs": [{"value": frame_url(200, 200)}]},
        {"text_inputs": [{"value": 7}]},
        {"text_inputs": [{"value": ""}]},
    ],
)
async def test_refused_requests(change: dict[str, Any]) -> None:
    async with platform() as client:
        answer = await client.json("POST", CREATE, json=body(SURVIVAL, 1, 1) | change)
        assert (answer["task_id"], answer["base_resp"]["status_code"]) == ("", 2013)


async def test_faults() -> None:
    async with platform() as client:
        sensitive = body(NO_LOVE) | {"text_inputs": [{"value": "沙盒违禁词"}]}
        assert await client.code("POST", CREATE, json=sensitive) == 1026
        assert await client.code("POST", CREATE, json=body(DIVING, 1), fault="template.error=1008") == 1008
        found = await done(client, await make(client, DIVING, 1, fault="template.fail=1027"))
        assert (found["status"], found["video_url"], found["base_resp"]["status_code"]) == ("Fail", "", 1027)
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.call("POST", CREATE, json=body(DIVING, 1), fault="template.lost")
        assert len(client.sandbox.state.jobs.all("template")) == 2


async def test_faults_of_tasks() -> None:
    async with platform("task.expire_s=20") as client:
        never, expires, word = [
            await make(client, DIVING, 1, fault=f"job.{name}") for name in ("never", "expire", "new_word")
        ]
        client.sandbox.forward(seconds=12)
        path = f"{QUERY}?task_id={word}"
        assert (await client.json("GET", path))["status"] == NEW_WORD
        assert (await done(client, word))["status"] == "Success"
        assert (await done(client, expires))["status"] == "Expired"
        assert (await done(client, never))["status"] == "Processing"
        assert await client.code("GET", path, fault="query.error=1002") == 1002


async def test_a_template_task_is_no_video_task() -> None:
    async with platform() as client:
        id = await make(client, NO_LOVE, 0, 1)
        assert await client.code("GET", f"/v1/query/video_generation?task_id={id}") == 2013
        assert await client.code("GET", f"{QUERY}?task_id=7") == 2013


async def test_pushes() -> None:
    async with receiver() as hook, platform() as client:
        answer = await client.json("POST", CREATE, json=body(NO_LOVE, 0, 1) | {"callback_url": hook.url})
        await done(client, answer["task_id"])
        assert await hook.until(3) == ["challenge", "processing", "success"]
        assert hook.got[-1]["video_url"].startswith("http")
        assert hook.got[-1]["base_resp"] == OK
