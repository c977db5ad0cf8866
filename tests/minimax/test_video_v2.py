"""V2 films without a sandbox: roles and limits, models, the bodies, and the number of unfinished tasks."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from realtime.errors import InvalidArgument
from realtime.minimax import MiniMax, base_video, first_frame, last_frame, reference_image, reference_video
from realtime.minimax.field_tables import TABLES
from realtime.minimax.in_flight import InFlight
from realtime.minimax.video_v2 import VideoV2
from realtime.minimax.video_v2_content import Item, looked_at, reference_audio
from realtime.minimax.video_v2_results import VideoTask
from realtime.minimax.video_v2_rules import check_film
from tests.minimax.pictures import png
from tests.minimax.scripted import Reply, scripted
from tests.minimax.tasks_fake import STORY, Platform, new, now, virtual

URL = "https://x.example/a"


@pytest.mark.parametrize("name", ["create", "regenerate", "context"])
def test_each_field_is_a_keyword_of_its_method(name: str):
    fields = {field.name for field in TABLES[f"video_v2.{name}"]}
    assert fields <= set(getattr(VideoV2, name).__annotations__)


@pytest.mark.parametrize(
    "media",
    [
        [first_frame(URL)],
        [last_frame(URL)],
        [first_frame(URL), last_frame(URL)],
        [reference_image(URL)] * 9,
        [reference_image(URL)] * 6 + [reference_video(URL)] * 3 + [reference_audio(URL)] * 3,
        [{"type": "image_url", "image_url": {"url": URL}}],
    ],
)
def test_media_that_can_be_together(media: Sequence[Item]):
    assert len(looked_at(["a cat", *media]).roles) == len(media)


@pytest.mark.parametrize(
    "content",
    [
        "",
        " ",
        "x" * 7001,
        [first_frame(URL)],
        ["a", "b"],
        ["a", first_frame(URL), first_frame(URL)],
        ["a", first_frame(URL), reference_image(URL)],
        ["a", *[reference_image(URL)] * 10],
        ["a", *[reference_video(URL)] * 4],
        ["a", *[reference_audio(URL)] * 4],
        ["a", *[reference_image(URL)] * 7, *[reference_video(URL)] * 3, *[reference_audio(URL)] * 3],
        [
            "a",
            {"type": "image_url", "image_url": {"url": URL}},
            {"type": "image_url", "image_url": {"url": URL}},
        ],
        ["a", 7],
    ],
)
def test_content_that_is_refused(content: Any):
    with pytest.raises(InvalidArgument) as caught:
        looked_at(content)
    assert caught.value.param == "content"


def test_every_model_resolution_and_length():
    table = {  # docs/minimax/video.md 4, by hand
        "MiniMax-H3": ({"768P", "2K"}, 4),
        "MiniMax-H3-Max": ({"480P", "768P"}, 5),
        "MiniMax-H3-Highspeed": ({"768P"}, 4),
        "MiniMax-H3-Lite": ({"480P", "768P"}, 4),
    }
    parts = looked_at("a cat")
    for (model, (resolutions, shortest)), resolution, seconds in itertools.product(
        table.items(), ("480P", "768P", "2K"), range(3, 17)
    ):
        if resolution in resolutions and shortest <= seconds <= 15:
            check_film(model, parts, resolution=resolution, seconds=seconds, ratio="16:9")
            continue
        with pytest.raises(InvalidArgument) as caught:
            check_film(model, parts, resolution=resolution, seconds=seconds, ratio="16:9")
        assert caught.value.param in ("resolution", "seconds")


@pytest.mark.parametrize(
    ("model", "content", "ratio", "allowed"),
    [
        ("MiniMax-H3", "a cat", None, False),
        ("MiniMax-H3", "a cat", "adaptive", False),
        ("MiniMax-H3", ["a cat", first_frame(URL)], None, True),
        ("MiniMax-H3", ["a cat", reference_image(URL)], "adaptive", True),
        ("MiniMax-H3-Lite", ["a cat", reference_image(URL)], "adaptive", False),
        ("MiniMax-H3-Lite", ["a cat", first_frame(URL)], None, True),
        ("MiniMax-H9", "a cat", None, False),
    ],
)
def test_when_a_ratio_is_named(model: str, content: Any, ratio: str | None, allowed: bool):
    parts = looked_at(content)
    if allowed:
        check_film(model, parts, resolution="768P", seconds=5, ratio=ratio)
        return
    with pytest.raises(InvalidArgument) as caught:
        check_film(model, parts, resolution="768P", seconds=5, ratio=ratio)
    assert caught.value.param == "ratio"


async def test_the_bodies_that_are_sent():
    async with (
        scripted(Reply(b'{"task_id":"5"}', content_type="application/json")) as server,
        MiniMax("key", server.url) as mm,
    ):
        job = await mm.video_v2.create(["a cat", first_frame(png())], resolution="2K", seconds=7)
        await mm.video_v2.regenerate([base_video(URL), "sharper"])
        await mm.video_v2.context("a cat", seconds=5)
        for wrong in ({}, {"source_task_id": "5", "content": base_video(URL)}, {"content": "a cat"}):
            with pytest.raises(InvalidArgument):
                await mm.video_v2.regenerate(**wrong)
    film, larger, context = (json.loads(body) for _, body in server.requests)
    assert job.id == "5"
    assert [path for path, _ in server.requests] == [
        "/v2/video_generation", "/v2/video_regeneration", "/v2/h3_context_ir",
    ]  # fmt: skip
    picture = film["content"].pop()
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")
    assert (picture["type"], picture["role"]) == ("image_url", "first_frame")
    assert film == {
        "model": "MiniMax-H3", "content": [{"type": "text", "text": "a cat"}], "resolution": "2K", "duration": 7,
    }  # fmt: skip
    assert larger["content"][0] == {"type": "video_url", "video_url": {"url": URL}, "role": "base_video"}
    assert context == {"model": "MiniMax-H3", "content": [{"type": "text", "text": "a cat"}], "duration": 5}


def test_the_documents_task_is_read():
    task = VideoTask.read(
        {
            "id": "200000000000004", "model": "MiniMax-H3", "status": "failed", "created_at": 1790000000,
            "updated_at": 1790000417, "content": {"url": "https://x.example/out.mp4?sign=1"}, "resolution": "2K",
            "duration": 5, "usage": {"total_seconds": 5, "input_seconds": 0}, "ratio": "16:9",
            "task_type": "generation", "modality": "video", "error": {"code": "1026", "message": "no"}, "new": 1,
        }
    )  # fmt: skip
    assert (task.state, task.code, task.reason, task.seconds) == ("failed", 1026, "no", 5)
    assert task.usage == {"total_seconds": 5, "input_seconds": 0}
    assert "sign" not in repr(task)


@virtual
async def test_an_order_waits_while_as_many_tasks_as_allowed_are_unfinished():
    full: list[int] = []
    room = InFlight(2, lambda jobs: full.append(len(jobs)))
    created: list[float] = []

    async def order() -> None:
        async with room.room() as made:
            await asyncio.sleep(1.0)
            created.append(now())
            made(new(Platform(STORY)))

    began = now()
    await asyncio.gather(*(order() for _ in range(4)))
    times = [at - began for at in created]
    assert times[:2] == [1.0, 1.0]
    assert all(30.0 <= at <= 60.0 for at in times[2:])  # a film takes 30 s
    assert room.unfinished() <= 2
    assert full


@virtual
async def test_a_failed_creation_gives_its_room_back():
    room = InFlight(1)
    with pytest.raises(ValueError, match="refused"):
        async with room.room():
            raise ValueError("refused")
    async with room.room() as made:
        made(new(Platform(STORY)))
    assert room.unfinished() == 1
