"""V2 video, with plain requests as docs/minimax/video.md 4 prints them. Films are decoded."""

from __future__ import annotations

import asyncio
import io
import wave
from functools import partial
from typing import Any

import aiohttp
import pytest

from realtime.sandbox.film_facts import FilmFacts, film_facts, film_frames
from realtime.sandbox.films import make_film
from realtime.sandbox.jobs import NEW_WORD
from tests.sandbox.chat_kit import Answer
from tests.sandbox.platform_kit import Client
from tests.sandbox.test_callbacks_out import Receiver, receiver
from tests.sandbox.video_kit import (
    BLUE,
    GREEN,
    data_url,
    downloaded,
    ends,
    frame_url,
    near,
    picture,
    platform,
    settled,
)

CREATE, QUERY = "/v2/video_generation", "/v2/query/video_generation"
SMALL = {"model": "MiniMax-H3-Lite", "resolution": "480P", "duration": 4}


def text(words: str = "a cat") -> dict[str, Any]:
    return {"type": "text", "text": words}


def medium(url: str, role: str, kind: str = "image") -> dict[str, Any]:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}, "role": role}


def order(*media: dict[str, Any], words: str = "a cat", **more: Any) -> dict[str, Any]:
    return {**SMALL, "ratio": "1:1", "content": [text(words), *media], **more}


async def make(client: Client, *media: dict[str, Any], fault: str = "", **more: Any) -> str:
    answer = await client.json("POST", CREATE, json=order(*media, **more), fault=fault)
    assert list(answer) == ["task_id"]
    assert isinstance(answer["task_id"], str)
    return str(answer["task_id"])


async def task(client: Client, id: str) -> dict[str, Any]:
    return dict((await client.json("GET", f"{QUERY}/{id}"))["task"])


async def done(client: Client, id: str) -> dict[str, Any]:
    client.sandbox.forward(minutes=7)
    return await settled(partial(task, client, id))


async def film_of(client: Client, found: dict[str, Any]) -> tuple[bytes, FilmFacts]:
    data = await downloaded(client, found["content"]["url"])
    return data, film_facts(data)


def code_of(answer: Answer) -> tuple[int, str]:
    """HTTP status and the code at the end of the message."""
    error = answer.json["error"]
    assert answer.json["type"] == "error"
    assert error["http_code"] == str(answer.status)
    return answer.status, error["message"].rpartition("(")[2].rstrip(")")


async def refused(client: Client, body: Any, path: str = CREATE, **rest: Any) -> tuple[int, str]:
    return code_of(await client.call("POST", path, json=body, **rest))


async def test_a_film_of_a_text() -> None:
    async with platform() as client:
        id = await make(client)
        waiting = await task(client, id)
        assert waiting == {
            "id": id, "model": "MiniMax-H3-Lite", "status": "queued", "created_at": waiting["created_at"],
            "updated_at": waiting["created_at"], "content": {}, "resolution": "480P", "duration": 4, "usage": {},
            "ratio": "1:1", "task_type": "generation", "modality": "video",
        }  # fmt: skip
        client.sandbox.forward(seconds=10)
        assert (await task(client, id))["status"] == "running"
        found = await done(client, id)
        assert found["status"] == "succeeded"
        assert found["usage"] == {
            "total_seconds": 4, "input_seconds": 0, "output_seconds": 4, "input_image_count": 0
        }  # fmt: skip
        assert found["updated_at"] >= found["created_at"] + 20
        _, facts = await film_of(client, found)
        assert (facts.width, facts.height, facts.fps, facts.has_audio) == (480, 480, 24, True)
        assert facts.seconds == pytest.approx(4, abs=0.1)
        assert facts.title == "a cat"


async def test_frames_give_the_shape_and_the_ends() -> None:
    async with platform() as client:
        first, last = (
            medium(frame_url(600, 400, c), f"{n}_frame") for c, n in ((GREEN, "first"), (BLUE, "last"))
        )
        found = await done(client, await make(client, first, last, ratio="9:16"))
        assert (found["ratio"], found["usage"]["input_image_count"]) == ("", 2)
        data, facts = await film_of(client, found)
        assert (facts.width, facts.height) == (704, 480)
        opening, ending = ends(data)
        assert near(opening, GREEN)
        assert near(ending, BLUE)


async def test_uploaded_media_count_in_the_usage() -> None:
    async with platform() as client:
        film = make_film("old", seconds=2, width=64, height=64)
        urls = [
            f"mm_file://{await client.uploaded(data, name, 'video_generation_input')}"
            for data, name in (
                (picture(300, 300), "a.png"), (film, "b.mp4"), (_wav(3), "c.wav"), (_heic(300, 400), "d.heic"),
            )
        ]  # fmt: skip
        media = [medium(urls[0], "reference_image"), medium(urls[1], "reference_video", "video"),
                 medium(urls[2], "reference_audio", "audio"), medium(urls[3], "reference_image")]  # fmt: skip
        found = await done(client, await make(client, *media))
        assert found["usage"] == {
            "total_seconds": 6, "input_seconds": 2, "output_seconds": 4, "input_image_count": 2,
            "input_audio_seconds": 3,
        }  # fmt: skip
        client.sandbox.forward(hours=168)
        assert await refused(client, order(media[0])) == (400, "2013")


def _wav(seconds: float) -> bytes:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(16_000 * seconds)))
    return sink.getvalue()


def _heic(width: int, height: int) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return b"\0\0\0\x18ftypheic" + bytes(12) + b"ispe" + bytes(4) + size


async def test_media_outside_their_limits_are_refused() -> None:
    async with platform() as client:
        short, silent_gif = make_film("x", seconds=1, width=64, height=64), picture(300, 300, kind="GIF")
        long = medium(
            data_url(make_film("x", seconds=8, width=64, height=64), "video/mp4"), "reference_video", "video"
        )
        cases = [
            [medium(frame_url(255, 300), "first_frame")],
            [medium(frame_url(260, 700), "first_frame")],
            [medium(frame_url(5761, 2400), "first_frame")],
            [medium(data_url(silent_gif), "first_frame")],
            [medium(data_url(_heic(255, 300)), "first_frame")],
            [medium(data_url(short, "video/mp4"), "reference_video", "video")],
            [medium(data_url(picture(300, 300)), "reference_video", "video")],
            [long, long],
            [medium(data_url(_wav(1)), "reference_audio", "audio")],
            [medium(data_url(_wav(8)), "reference_audio", "audio")] * 2,
            [medium(data_url(short, "video/mp4"), "reference_audio", "audio")],
            [medium("mm_file://7", "first_frame")],
            [medium("", "first_frame")],
        ]
        for media in cases:
            assert await refused(client, order(*media)) == (400, "2013"), str(media)[:100]
        assert client.sandbox.state.jobs.all() == []
        await make(client, long)


async def test_refusals_have_a_real_status_and_no_base_resp() -> None:
    async with platform() as client:
        answer = await client.call("POST", CREATE, json={**SMALL, "content": []})
        assert answer.status == 400
        message = "invalid params, content must include a non-empty text item (prompt is required) (2013)"
        assert answer.json["error"]["message"] == message
        assert "base_resp" not in answer.json
        assert answer.json["request_id"] == answer.headers["trace-id"]
        answer = await client.call("POST", CREATE, json=order(words="sandbox-forbidden"))
        assert (answer.status, answer.json["error"]["message"]) == (
            422, "video description contains sensitive content (1026)"
        )  # fmt: skip
        assert await refused(client, order(), key=None) == (401, "1004")
        assert await refused(client, order(), fault="video_v2.error=1008") == (402, "1008")
        assert await refused(client, order(ratio="adaptive")) == (400, "2013")
        assert await refused(client, []) == (400, "2013")


async def test_links_are_fresh_and_tasks_are_kept_for_seven_days() -> None:
    async with platform() as client:
        id = await make(client)
        url = (await done(client, id))["content"]["url"]
        client.sandbox.forward(hours=2)
        assert (await client.call("GET", url, key=None)).status == 403
        client.sandbox.forward(hours=165)
        assert (await client.call("GET", (await task(client, id))["content"]["url"])).status == 200
        client.sandbox.forward(hours=2)
        answer = await client.call("GET", f"{QUERY}/{id}")
        assert code_of(answer) == (400, "2013")
        assert "invalid task_id" in answer.json["error"]["message"]


async def test_a_failed_task_has_its_code_as_a_string() -> None:
    async with platform() as client:
        found = await done(client, await make(client, fault="video_v2.fail=1026"))
        assert found["status"] == "failed"
        assert found["error"] == {"code": "1026", "message": "input new_sensitive"}
        assert (found["content"], found["usage"]) == ({}, {})


async def test_faults_of_tasks() -> None:
    async with platform("task.expire_s=20") as client:
        never = await make(client, fault="job.never")
        expires = await make(client, fault="job.expire")
        word = await make(client, fault="job.new_word")
        client.sandbox.forward(seconds=12)
        assert (await task(client, word))["status"] == NEW_WORD
        assert (await done(client, word))["status"] == "succeeded"
        assert (await task(client, expires))["status"] == "expired"
        assert (await task(client, never))["status"] == "running"
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.call("POST", CREATE, json=order(), fault="video_v2.lost")
        assert len(client.sandbox.state.jobs.all("video_v2")) == 4
        page = await client.call("GET", f"{QUERY}/{never}", fault="query.502")
        assert (page.status, b"502 Bad Gateway" in page.raw) == (502, True)


async def test_tasks_in_flight_are_limited() -> None:
    async with platform("limit.video_v2_in_flight=1") as client:
        first = await make(client)
        assert await refused(client, order()) == (429, "1041")
        await client.json("DELETE", f"{CREATE}/{first}")
        await make(client)


async def _came(hook: Receiver, count: int) -> None:
    async with asyncio.timeout(60):
        while len(hook.got) < count:
            hook.came.clear()
            await hook.came.wait()


async def test_pushes_are_the_answer_of_the_query() -> None:
    async with receiver() as hook, platform() as client:
        id = await make(client, callback_url=hook.url)
        await done(client, id)
        await _came(hook, 4)
        assert list(hook.got[0]) == ["challenge"]
        assert [push["task"]["status"] for push in hook.got[1:]] == ["queued", "running", "succeeded"]
        last = hook.got[-1]
        found = await task(client, id)
        assert (await client.call("GET", last["task"]["content"].pop("url"))).status == 200
        found["content"].pop("url")
        assert last == {"task": found}
        id = await make(client, callback_url=hook.url)
        await client.json("DELETE", f"{CREATE}/{id}")
        await _came(hook, 7)
        assert [push["task"]["status"] for push in hook.got[5:]] == ["queued", "cancelled"]


async def test_a_watermark_is_seen_in_the_film() -> None:
    async with platform() as client:
        first = medium(frame_url(), "first_frame")
        brightest = {}
        for wanted in (True, False):
            found = await done(client, await make(client, first, aigc_watermark=wanted))
            data, _ = await film_of(client, found)
            brightest[wanted] = next(film_frames(data))[..., 1].max()
        assert brightest[True] > brightest[False] + 50


async def test_a_body_has_a_limit() -> None:
    async with platform() as client:
        body = io.BytesIO(b" " * (65 * 2**20))
        assert code_of(await client.call("POST", CREATE, data=body)) == (413, "2013")
