"""V1 video, with plain requests as docs/minimax/video.md prints them. Films are decoded."""

from __future__ import annotations

import io
from functools import partial
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.film_facts import film_frames
from realtime.sandbox.jobs import NEW_WORD
from tests.sandbox.platform_kit import Client
from tests.sandbox.test_callbacks_out import receiver
from tests.sandbox.video_kit import (
    BLUE,
    GREEN,
    OK,
    RED,
    data_url,
    ends,
    film_of,
    frame_url,
    mean,
    near,
    picture,
    platform,
    settled,
)

CREATE = "/v1/video_generation"
SMALL = {"model": "MiniMax-Hailuo-02", "resolution": "512P"}


async def make(client: Client, fault: str = "", **body: Any) -> str:
    answer = await client.json("POST", CREATE, json=body, fault=fault)
    assert answer["base_resp"] == OK, answer
    return str(answer["task_id"])


async def status(client: Client, id: str) -> dict[str, Any]:
    return await client.json("GET", f"/v1/query/video_generation?task_id={id}")


async def done(client: Client, id: str) -> dict[str, Any]:
    client.sandbox.forward(minutes=4)
    return await settled(partial(status, client, id))


async def test_a_film_of_a_text() -> None:
    async with platform() as client:
        answer = await client.json("POST", CREATE, json={"model": "T2V-01", "prompt": "a red cat [Push in]"})
        id = answer["task_id"]
        assert answer == {"task_id": id, "base_resp": OK}
        assert (isinstance(id, str), id.isdigit(), len(id)) == (True, True, 18)
        assert await status(client, id) == {
            "task_id": id,
            "status": "Preparing",
            "file_id": "",
            "base_resp": OK,
        }
        words = []
        for seconds in (10, 10):
            client.sandbox.forward(seconds=seconds)
            words.append((await status(client, id))["status"])
        assert words == ["Queueing", "Processing"]
        found = await done(client, id)
        file_id = found["file_id"]
        assert found == {
            "task_id": id, "status": "Success", "file_id": file_id, "video_width": 1280, "video_height": 720,
            "base_resp": OK,
        }  # fmt: skip
        assert isinstance(file_id, str)
        _, facts = await film_of(client, file_id)
        assert (facts.width, facts.height, facts.fps, facts.has_audio) == (1280, 720, 24, False)
        assert facts.seconds == pytest.approx(6, abs=0.05)
        assert facts.title == "a red cat [Push in]"


async def test_a_film_opens_with_the_first_frame_and_has_its_ratio() -> None:
    async with platform() as client:
        id = await make(client, **SMALL, first_frame_image=frame_url(600, 400, GREEN))
        found = await done(client, id)
        data, facts = await film_of(client, found["file_id"])
        assert (found["video_width"], found["video_height"]) == (facts.width, facts.height) == (768, 512)
        assert near(ends(data)[0], GREEN)
        job = client.sandbox.state.jobs.get(int(id))
        assert job is not None
        assert (job.body, job.inputs) == ({}, None)  # a task that has ended keeps no pictures


async def test_a_watermark_is_seen_in_the_film() -> None:
    async with platform() as client:
        brightest = {}
        for wanted in (True, False):
            id = await make(client, **SMALL, first_frame_image=frame_url(), aigc_watermark=wanted)
            data, _ = await film_of(client, (await done(client, id))["file_id"])
            brightest[wanted] = next(film_frames(data))[..., 1].max()
        assert brightest[True] > brightest[False] + 50


async def test_a_film_ends_with_the_last_frame_cut_to_the_firsts_shape() -> None:
    async with platform() as client:
        body = {"model": "MiniMax-Hailuo-02", "prompt": "it turns blue"}
        frames = {
            "first_frame_image": frame_url(400, 400, RED),
            "last_frame_image": frame_url(800, 400, BLUE),
        }
        found = await done(client, await make(client, **body, **frames))
        data, facts = await film_of(client, found["file_id"])
        assert (facts.width, facts.height) == (768, 768)
        first, last = ends(data)
        assert near(first, RED)
        assert near(last, BLUE)


async def test_a_film_of_a_subject() -> None:
    async with platform() as client:
        subject = [{"type": "character", "image": [frame_url(400, 400, RED)]}]
        found = await done(
            client, await make(client, model="S2V-01", prompt="she waves", subject_reference=subject)
        )
        _, facts = await film_of(client, found["file_id"])
        assert (facts.width, facts.height, facts.title) == (1280, 720, "she waves")


async def test_only_some_models_obey_camera_commands() -> None:
    """A picture in two colours: a camera that moves to the right shows more of the right one."""
    async with platform() as client:
        image = pytest.importorskip("PIL.Image")
        two = image.new("RGB", (400, 400), RED)
        two.paste(BLUE, (200, 0, 400, 400))
        url = _png(two)
        blue: dict[str, int] = {}
        for model in ("I2V-01-Director", "I2V-01"):
            id = await make(client, model=model, prompt="[右移]", first_frame_image=url)
            data, _ = await film_of(client, (await done(client, id))["file_id"])
            blue[model] = mean(list(film_frames(data, every=143))[-1])[2]
        assert blue["I2V-01-Director"] > blue["I2V-01"] + 20


def _png(image: Any) -> str:
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return data_url(sink.getvalue())


@pytest.mark.parametrize(
    ("size", "code"),
    [((301, 301), 0), ((300, 400), 2013), ((800, 320), 0), ((810, 320), 2013), ((320, 800), 0), ((320, 810), 2013)],
)  # fmt: skip
async def test_pictures_have_limits(size: tuple[int, int], code: int) -> None:
    async with platform() as client:
        body = {**SMALL, "first_frame_image": frame_url(*size)}
        assert await client.code("POST", CREATE, json=body) == code


async def test_pictures_by_kind_and_size() -> None:
    async with platform() as client:

        async def code(value: Any) -> int:
            body = {**SMALL, "first_frame_image": value}
            return await client.code("POST", CREATE, json=body)

        for kind in ("PNG", "JPEG", "WEBP"):
            assert await code(data_url(picture(320, 320, kind=kind), f"image/{kind.lower()}")) == 0
        assert await code(data_url(picture(320, 320, kind="GIF"), "image/gif")) == 2013
        assert await code(data_url(b"\0\0\0\x18ftypheic" + bytes(64), "image/heic")) == 2013
        assert await code("not a picture") == 2013
        assert await code(7) == 2013
        store = client.sandbox.state.store
        for more, expected in ((0, 0), (20 * 2**20, 2013)):
            file = store.add(picture(320, 320) + bytes(more), "a.png", "image/png")
            assert await code(client.sandbox.url + store.link(file)) == expected


async def test_refusals_name_the_field_and_have_no_task() -> None:
    async with platform() as client:
        answer = await client.json("POST", CREATE, json={"model": "T2V-01", "prompt": "x", "duration": 10})
        assert answer["task_id"] == ""
        assert answer["base_resp"]["status_code"] == 2013
        assert "duration" in answer["base_resp"]["status_msg"]
        answer = await client.json("POST", CREATE, json={"model": "T2V-01", "prompt": "sandbox-forbidden"})
        assert (answer["task_id"], answer["base_resp"]["status_code"]) == ("", 1026)
        assert client.sandbox.state.jobs.all() == []


async def test_a_stopped_film_says_1027() -> None:
    async with platform() as client:
        id = await make(client, model="T2V-01", prompt="a cat", fault="video.fail=1027")
        found = await done(client, id)
        assert (found["status"], found["file_id"], found["base_resp"]["status_code"]) == ("Fail", "", 1027)


async def test_faults_of_tasks() -> None:
    async with platform("task.expire_s=100") as client:
        text = {"model": "T2V-01", "prompt": "a cat"}
        never = await make(client, **text, fault="job.never")
        expires = await make(client, **text, fault="job.expire")
        word = await make(client, **text, fault="job.new_word")
        client.sandbox.forward(seconds=30)
        assert (await status(client, word))["status"] == NEW_WORD
        assert (await done(client, word))["status"] == "Success"
        assert (await status(client, expires))["status"] == "Expired"
        assert (await status(client, never))["status"] == "Processing"


async def test_a_lost_answer_leaves_its_task() -> None:
    async with platform() as client:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.call("POST", CREATE, json={"model": "T2V-01", "prompt": "a cat"}, fault="video.lost")
        (job,) = client.sandbox.state.jobs.all("video")
        assert (await status(client, str(job.id)))["status"] == "Preparing"


async def test_only_known_tasks() -> None:
    async with platform() as client:
        for id in ("", "7", "abc", "9" * 18):
            assert await client.code("GET", "/v1/query/video_generation", params={"task_id": id}) == 2013


async def test_pushes_have_three_words_in_small_letters() -> None:
    async with receiver() as hook, platform() as client:
        id = await make(client, model="T2V-01", prompt="a cat", callback_url=hook.url)
        found = await done(client, id)
        assert await hook.until(3) == ["challenge", "processing", "success"]
        assert hook.got[1] == {"task_id": id, "status": "processing", "file_id": "", "base_resp": OK}
        assert hook.got[2] == {
            "task_id": id, "status": "success", "file_id": found["file_id"], "base_resp": OK
        }  # fmt: skip
        failing = await make(
            client, model="T2V-01", prompt="a cat", callback_url=hook.url, fault="video.fail=1027"
        )
        await done(client, failing)
        assert (await hook.until(6))[3:] == ["challenge", "processing", "failed"]
        assert hook.got[-1]["base_resp"]["status_code"] == 1027


async def test_more_seconds_take_longer_and_fast_pretreatment_less() -> None:
    async with platform() as client:
        url = frame_url()
        ids = [
            await make(client, **SMALL, first_frame_image=url, **more)
            for more in ({"fast_pretreatment": True}, {}, {"duration": 10})
        ]
        jobs = [client.sandbox.state.jobs.get(int(id)) for id in ids]
        due = [job.due_s for job in jobs if job is not None]
        assert due == sorted(due)
        assert due[2] - due[0] > 60
