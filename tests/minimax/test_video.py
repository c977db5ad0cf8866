"""Films of Hailuo and of templates: every cell of the table, the bodies that are sent, the answers that are read."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from realtime.errors import AnswerLost, InvalidArgument, TaskFailed
from realtime.minimax import MiniMax
from realtime.minimax.field_tables import TABLES
from realtime.minimax.job import State
from realtime.minimax.templates import TEMPLATES, Templates, find
from realtime.minimax.video import Video
from realtime.minimax.video_rules import CAMERA_MOVES, CELLS, Mode, cells, check_film, default_model, mode_of
from tests.minimax.pictures import png
from tests.minimax.scripted import Reply, scripted

OK = {"base_resp": {"status_code": 0, "status_msg": "success"}}
# docs/minimax/video.md 1, written down by hand: how many cells each model has in each mode.
COUNTS = {
    (Mode.TEXT, "MiniMax-Hailuo-2.3"): 3,
    (Mode.TEXT, "MiniMax-Hailuo-02"): 3,
    (Mode.TEXT, "T2V-01-Director"): 1,
    (Mode.TEXT, "T2V-01"): 1,
    (Mode.IMAGE, "MiniMax-Hailuo-2.3"): 3,
    (Mode.IMAGE, "MiniMax-Hailuo-2.3-Fast"): 3,
    (Mode.IMAGE, "MiniMax-Hailuo-02"): 5,
    (Mode.IMAGE, "I2V-01-Director"): 1,
    (Mode.IMAGE, "I2V-01-live"): 1,
    (Mode.IMAGE, "I2V-01"): 1,
    (Mode.FRAMES, "MiniMax-Hailuo-02"): 3,
    (Mode.SUBJECT, "S2V-01"): 1,
}
MODELS = sorted({model for models in CELLS.values() for model in models})


def reply(answer: dict[str, Any]) -> Reply:
    return Reply(json.dumps(answer).encode(), content_type="application/json")


@pytest.mark.parametrize("operation", ["video.create", "templates.create"])
def test_each_field_is_a_keyword_of_its_method(operation: str):
    method = Video.create if operation == "video.create" else Templates.create
    assert {field.name for field in TABLES[operation]} <= set(method.__kwdefaults__ or ()) | set(
        method.__annotations__
    )


def test_every_cell_is_allowed_and_every_other_is_refused_by_name():
    allowed = {(cell.mode, cell.model, cell.resolution, cell.seconds) for cell in cells()}
    assert len(allowed) == sum(COUNTS.values()) == 26
    for mode, model in COUNTS:
        assert len([cell for cell in allowed if cell[:2] == (mode, model)]) == COUNTS[mode, model]
    for mode, model, resolution, seconds in itertools.product(
        Mode, MODELS, ("512P", "720P", "768P", "1080P"), (6, 10)
    ):
        cell = (mode, model, resolution, seconds)
        if cell in allowed:
            check_film(mode, model, seconds=seconds, resolution=resolution, fast_pretreatment=None)
            continue
        with pytest.raises(InvalidArgument) as caught:
            check_film(mode, model, seconds=seconds, resolution=resolution, fast_pretreatment=None)
        assert caught.value.param in ("model", "resolution", "seconds")


def test_without_a_wish_the_models_own_resolution_counts():
    check_film(Mode.IMAGE, "MiniMax-Hailuo-02", seconds=10, resolution=None, fast_pretreatment=None)
    with pytest.raises(InvalidArgument, match="720P of 6 s") as caught:
        check_film(Mode.TEXT, "T2V-01", seconds=10, resolution=None, fast_pretreatment=None)
    assert caught.value.param == "seconds"
    check_film(Mode.TEXT, "MiniMax-Hailuo-9", seconds=30, resolution="8K", fast_pretreatment=True)


def test_the_mode_follows_from_the_pictures():
    assert [default_model(mode) for mode in Mode] == [
        "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-2.3", "MiniMax-Hailuo-02", "S2V-01",
    ]  # fmt: skip
    assert mode_of(first=False, last=True, subject=False) is Mode.FRAMES
    with pytest.raises(InvalidArgument) as caught:
        mode_of(first=True, last=False, subject=True)
    assert caught.value.param == "subject"


@pytest.mark.parametrize(
    ("mode", "model", "allowed"),
    [
        (Mode.TEXT, "MiniMax-Hailuo-2.3", True),
        (Mode.IMAGE, "MiniMax-Hailuo-2.3-Fast", True),
        (Mode.FRAMES, "MiniMax-Hailuo-02", False),
        (Mode.TEXT, "T2V-01", False),
    ],
)
def test_fast_pretreatment_by_mode(mode: Mode, model: str, allowed: bool):
    if allowed:
        check_film(mode, model, seconds=None, resolution=None, fast_pretreatment=True)
        return
    with pytest.raises(InvalidArgument) as caught:
        check_film(mode, model, seconds=None, resolution=None, fast_pretreatment=True)
    assert caught.value.param == "fast_pretreatment"


def test_there_are_fifteen_camera_moves():
    assert len(CAMERA_MOVES) == len(set(CAMERA_MOVES.values())) == 15


async def test_a_body_holds_what_was_asked_for_and_nothing_else():
    async with scripted(reply({"task_id": "7", **OK})) as server, MiniMax("key", server.url) as mm:
        job = await mm.video.create("雪山日出 [推进]", seconds=6, resolution="768P")
        await mm.video.create(first=png(), last="https://x.example/b.png", watermark=True, extra={"seed": 1})
        await mm.video.create(subject="https://x.example/me.jpg", optimize_prompt=False)
    text, frames, subject = (json.loads(body) for _, body in server.requests)
    assert job.id == "7"
    assert text == {
        "model": "MiniMax-Hailuo-2.3",
        "prompt": "雪山日出 [推进]",
        "duration": 6,
        "resolution": "768P",
    }
    assert frames["model"] == "MiniMax-Hailuo-02"
    assert frames["first_frame_image"].startswith("data:image/png;base64,")
    assert (frames["last_frame_image"], frames["aigc_watermark"], frames["seed"]) == (
        "https://x.example/b.png",
        True,
        1,
    )
    assert subject == {
        "model": "S2V-01",
        "subject_reference": [{"type": "character", "image": ["https://x.example/me.jpg"]}],
        "prompt_optimizer": False,
    }


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({}, "prompt"),
        ({"prompt": "x" * 2001}, "prompt"),
        ({"prompt": "x", "seconds": 7}, "seconds"),
        ({"prompt": "x", "seconds": 10, "resolution": "1080P"}, "seconds"),
        ({"prompt": "x", "resolution": "2K"}, "resolution"),
        ({"prompt": "x", "model": "S2V-01"}, "model"),
        ({"prompt": "x", "model": "MiniMax-H3"}, "model"),
        ({"prompt": "x", "first": b"GIF89a"}, "first"),
        ({"last": "https://x.example/a.png", "model": "MiniMax-Hailuo-2.3"}, "model"),
    ],
)
async def test_nothing_is_sent_of_what_is_refused_here(arguments: dict[str, Any], param: str):
    async with scripted(reply(OK)) as server, MiniMax("key", server.url) as mm:
        with pytest.raises(InvalidArgument) as caught:
            await mm.video.create(**arguments)
    assert caught.value.param == param
    assert server.requests == []


async def test_an_answer_without_a_task_may_have_been_accepted():
    async with scripted(reply(OK)) as server, MiniMax("key", server.url) as mm:
        with pytest.raises(AnswerLost):
            await mm.video.create("a cat")
    assert len(server.requests) == 1


async def test_the_documents_answer_becomes_a_film(tmp_path):
    done = {
        "task_id": "200000000000001", "status": "Success", "file_id": "200000000000002",
        "video_width": 1366, "video_height": 768, **OK,
    }  # fmt: skip
    async with scripted(reply(done)) as server, MiniMax("key", server.url) as mm:
        film = await mm.video.task("200000000000001")
    assert (film.task_id, film.file_id, film.width, film.height) == (
        "200000000000001",
        "200000000000002",
        1366,
        768,
    )
    assert film.raw["status"] == "Success"
    assert server.requests[0][0] == "/v1/query/video_generation?task_id=200000000000001"


async def test_a_failure_of_the_older_wire_is_one_too():
    answer = {"status": "failed", "file_id": ""}
    async with scripted(reply(answer)) as server, MiniMax("key", server.url) as mm:
        with pytest.raises(TaskFailed) as caught:
            await mm.video.task("7")
        assert mm.video.task("7").state is State.QUEUED
    assert caught.value.task_id == "7"


def test_the_templates_are_found_by_id_and_both_names():
    assert len(TEMPLATES) == len({each.id for each in TEMPLATES}) == 11
    for template in TEMPLATES:
        assert find(template.id) is find(template.name.upper()) is find(template.name_zh) is template
    assert find("mcdonalds pet courier") is not None
    assert find("sailing") is None


async def test_a_template_sends_its_id_and_its_inputs():
    async with scripted(reply({"task_id": "8", **OK})) as server, MiniMax("key", server.url) as mm:
        await mm.templates.create("绝地求生", media=[png()], texts=["tiger"])
        await mm.templates.create("4242", media=[png(), png()])  # newer than this package
    body, newer = (json.loads(body) for _, body in server.requests)
    assert body["template_id"] == "393769180141805569"
    assert body["media_inputs"][0]["value"].startswith("data:image/png")
    assert body["text_inputs"] == [{"value": "tiger"}]
    assert (newer["template_id"], len(newer["media_inputs"]), newer["text_inputs"]) == ("4242", 2, [])


@pytest.mark.parametrize(
    ("name", "media", "texts", "param"),
    [
        ("跳水", [], [], "media"),
        ("跳水", [png(), png()], [], "media"),
        ("diving", [png()], ["a text"], "texts"),
        ("生无可恋", [], [" "], "texts"),
        ("divin", [png()], [], "template"),
        ("diving", png(), [], "media"),
        ("diving", [b"GIF89a"], [], "media"),
    ],
)
async def test_inputs_that_a_template_does_not_want_are_refused(
    name: str, media: Any, texts: list[str], param: str
):
    async with scripted(reply(OK)) as server, MiniMax("key", server.url) as mm:
        with pytest.raises(InvalidArgument) as caught:
            await mm.templates.create(name, media=media, texts=texts)
    assert caught.value.param == param
    assert server.requests == []
