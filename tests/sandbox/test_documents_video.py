"""Films, templates and their callbacks over plain HTTP, exactly as docs/minimax/video.md and README.md 6 print them.

Written from those pages alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.video_kit import frame_url

av = pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")

OK = {"status_code": 0, "status_msg": "success"}


def film(data: bytes) -> tuple[int, int, float, float]:
    """Width, height, frames a second and seconds of a film, measured by decoding it."""
    with av.open(io.BytesIO(data)) as box:
        stream = box.streams.video[0]
        frames = sum(1 for _ in box.decode(stream))
        return stream.width, stream.height, float(stream.average_rate), frames / float(stream.average_rate)


async def wait(client: Client, path: str, *ends: str) -> dict[str, Any]:
    """Ask until the task has one of the last words; the clock is moved past every stage."""
    for _ in range(600):
        found = await client.json("GET", path)
        task = found.get("task", found)
        if task["status"] in ends:
            return found
        client.sandbox.forward(seconds=5)
        await asyncio.sleep(0.02)
    raise AssertionError(found)


class Receiver:
    """The receiver of docs/minimax/README.md 6."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.posts: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def until(self, status: str) -> dict[str, Any]:
        """The push with this status."""
        async with asyncio.timeout(60):
            while self.posts[-1].get("task", self.posts[-1]).get("status") != status:
                self.came.clear()
                await self.came.wait()
        return self.posts[-1]


@asynccontextmanager
async def receiver(wrong: bool = False) -> AsyncIterator[Receiver]:
    async def take(request: web.Request) -> web.Response:
        body = await request.json()
        found.posts.append(body)
        found.came.set()
        if "challenge" in body:
            return web.json_response({"challenge": "no" if wrong else body["challenge"]})
        return web.json_response({"status": "success"})

    app = web.Application()
    app.router.add_post("/cb", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found = Receiver(f"http://127.0.0.1:{runner.addresses[0][1]}/cb")
    try:
        yield found
    finally:
        await runner.cleanup()


# --- video.md 1 and 2 ---------------------------------------------------------------------------------

SUNRISE = {"model": "MiniMax-Hailuo-2.3", "prompt": "雪山日出 [推进]", "duration": 6, "resolution": "768P"}
FAST = ("video.prepare_s=1", "video.queue_s=1", "video.process_s=5")


async def test_video_1_and_2_create_query_retrieve():
    async with platform("video.prepare_s=10", "video.queue_s=10", "video.process_s=100") as client:
        made = await client.json("POST", "/v1/video_generation", json=SUNRISE)
        assert made == {"task_id": made["task_id"], "base_resp": OK}
        assert made["task_id"].isdigit()
        path = f"/v1/query/video_generation?task_id={made['task_id']}"
        first = await client.json("GET", path)
        assert (first["status"], first["file_id"], first["base_resp"]) == ("Preparing", "", OK)
        client.sandbox.forward(seconds=12)
        assert (await client.json("GET", path))["status"] == "Queueing"
        client.sandbox.forward(seconds=12)
        assert (await client.json("GET", path))["status"] == "Processing"
        done = await wait(client, path, "Success")
        assert set(done) == {"task_id", "status", "file_id", "video_width", "video_height", "base_resp"}
        assert type(done["file_id"]) is str
        assert (done["video_width"], done["video_height"]) == (1366, 768)
        file = (await client.json("GET", f"/v1/files/retrieve?file_id={done['file_id']}"))["file"]
        assert set(file) >= {"file_id", "bytes", "created_at", "filename", "purpose", "download_url"}
        assert (type(file["file_id"]), file["purpose"]) == (int, "video_generation")
        data = (await client.call("GET", file["download_url"], key=None)).raw
        assert file["bytes"] == len(data)
        assert film(data) == (1366, 768, 24.0, 6.0)
        client.sandbox.forward(hours=1.1)
        assert (await client.call("GET", file["download_url"], key=None)).status == 403
        again = (await client.json("GET", f"/v1/files/retrieve?file_id={done['file_id']}"))["file"][
            "download_url"
        ]
        assert (await client.call("GET", again, key=None)).raw == data
        deleted = {"file_id": int(done["file_id"]), "purpose": "video_generation"}
        assert await client.code("POST", "/v1/files/delete", json=deleted) == 0
        assert (await client.call("GET", again, key=None)).status in (403, 404)


T2V, I2V, FL, SUBJECT = "text", "image", "first and last", "subject"
CELLS = {
    ("MiniMax-Hailuo-2.3", T2V): {("768P", 6), ("768P", 10), ("1080P", 6)},
    ("MiniMax-Hailuo-2.3", I2V): {("768P", 6), ("768P", 10), ("1080P", 6)},
    ("MiniMax-Hailuo-2.3-Fast", I2V): {("768P", 6), ("768P", 10), ("1080P", 6)},
    ("MiniMax-Hailuo-02", T2V): {("768P", 6), ("768P", 10), ("1080P", 6)},
    ("MiniMax-Hailuo-02", I2V): {("512P", 6), ("512P", 10), ("768P", 6), ("768P", 10), ("1080P", 6)},
    ("MiniMax-Hailuo-02", FL): {("768P", 6), ("768P", 10), ("1080P", 6)},
    **{(model, T2V): {("720P", 6)} for model in ("T2V-01-Director", "T2V-01")},
    **{(model, I2V): {("720P", 6)} for model in ("I2V-01-Director", "I2V-01-live", "I2V-01")},
    ("S2V-01", SUBJECT): {("720P", 6)},
}


async def test_video_1_every_cell_of_model_mode_seconds_resolution():
    frame = frame_url()
    inputs = {
        T2V: {"prompt": "a cat"}, I2V: {"first_frame_image": frame},
        FL: {"first_frame_image": frame, "last_frame_image": frame},
        SUBJECT: {"prompt": "a cat", "subject_reference": [{"type": "character", "image": [frame]}]},
    }  # fmt: skip
    wrong = []
    async with platform("video.process_s=100000") as client:
        for model in {model for model, _ in CELLS}:
            for mode, fields in inputs.items():
                for resolution in ("512P", "720P", "768P", "1080P", "4K"):
                    for length in (5, 6, 10):
                        body = {"model": model, "resolution": resolution, "duration": length} | fields
                        want = 0 if (resolution, length) in CELLS.get((model, mode), ()) else 2013
                        got = await client.code("POST", "/v1/video_generation", json=body)
                        if got != want:
                            wrong.append((model, mode, resolution, length, got))
    assert wrong == []


@pytest.mark.parametrize(
    ("change", "code"),
    [({"prompt": ""}, 2013), ({"prompt": "a" * 2001}, 2013), ({"model": "x"}, 2013), ({"prompt": None}, 2013),
     ({"first_frame_image": frame_url(300, 400)}, 2013), ({"first_frame_image": frame_url(301, 752)}, 0),
     ({"first_frame_image": frame_url(301, 800)}, 2013), ({"first_frame_image": "data:image/png;base64,AAAA"}, 2013),
     ({"first_frame_image": "not an address"}, 2013), ({"prompt_optimizer": "yes"}, 2013),
     ({"fast_pretreatment": True}, 0), ({"duration": "6"}, 2013), ({"aigc_watermark": True}, 0)],
)  # fmt: skip
async def test_video_1_refusals_have_an_empty_task_id(change, code):
    async with platform() as client:
        body = {k: v for k, v in (SUNRISE | change).items() if v is not None}
        found = await client.json("POST", "/v1/video_generation", json=body)
    assert found["base_resp"]["status_code"] == code, found
    assert (found["task_id"] == "") is bool(code)


async def test_video_2_unknown_task_and_a_failure():
    async with platform(*FAST) as client:
        for id in ("1", "abc", "", "9" * 30):
            assert await client.code("GET", f"/v1/query/video_generation?task_id={id}") == 2013
        assert await client.code("GET", "/v1/query/video_generation") == 2013
        made = await client.json("POST", "/v1/video_generation", json=SUNRISE, fault="video.fail=1027")
        found = await wait(client, f"/v1/query/video_generation?task_id={made['task_id']}", "Fail")
    assert found["file_id"] == ""
    assert found["base_resp"]["status_code"] in (0, 1027)


async def test_readme_6_the_challenge_and_every_push_of_a_video():
    async with (
        receiver() as sink,
        platform("video.prepare_s=1", "video.queue_s=1", "video.process_s=5") as client,
    ):
        made = await client.json("POST", "/v1/video_generation", json=SUNRISE | {"callback_url": sink.url})
        assert list(sink.posts[0]) == ["challenge"]
        done = await wait(client, f"/v1/query/video_generation?task_id={made['task_id']}", "Success")
        await sink.until("success")
    pushes = sink.posts[1:]
    assert {push["status"] for push in pushes} <= {"processing", "success", "failed"}
    assert all(push["task_id"] == made["task_id"] and push["base_resp"] == OK for push in pushes)
    assert pushes[0]["status"] == "processing"
    assert pushes[0]["file_id"] == ""
    assert pushes[-1]["file_id"] == done["file_id"]


async def test_readme_6_a_wrong_challenge_is_2013():
    async with receiver(wrong=True) as sink, platform() as client:
        found = await client.json("POST", "/v1/video_generation", json=SUNRISE | {"callback_url": sink.url})
    assert (found["task_id"], found["base_resp"]["status_code"]) == ("", 2013)
    assert len(sink.posts) == 1


# --- video.md 2.1: the older wire ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("create", "query", "file"),
    [("/v3/async/minimax-video-01", "/v3/async/minimax-video-01/{}", "/v3/files/{}"),
     ("/v1/video_generation", "/v1/video_generation/{}", "/v1/files/{}")],
)  # fmt: skip
async def test_video_2_1_the_older_wire(create, query, file):
    body = {"model": "I2V-01", "prompt": "a cat", "image_url": frame_url(), "enable_prompt_expansion": True}
    async with platform("video.prepare_s=10", "video.queue_s=10", "video.process_s=50") as client:
        made = await client.json("POST", create, json=body)
        if create.startswith("/v3"):
            assert set(made) == {"task_id"}
        path = query.format(made["task_id"])
        assert (await client.json("GET", path))["status"] == "pending"
        client.sandbox.forward(seconds=22)
        assert (await client.json("GET", path))["status"] == "processing"
        done = await wait(client, path, "succeeded")
        found = await client.json("GET", file.format(done["file_id"]))
        assert set(found) >= {"download_url", "file_id", "created_at"}
        assert film((await client.call("GET", found["download_url"], key=None)).raw)[3] == 6.0


async def test_video_2_1_a_failure_has_its_reason_in_error():
    async with platform(*FAST) as client:
        made = await client.json(
            "POST", "/v3/async/minimax-video-01", json={"prompt": "a cat"}, fault="video.fail=1027"
        )
        found = await wait(client, f"/v3/async/minimax-video-01/{made['task_id']}", "failed")
    assert isinstance(found["error"], str)
    assert found["error"]


# --- video.md 3: templates ----------------------------------------------------------------------------

IMAGE, TEXT = {"media_inputs": [{"value": frame_url()}]}, {"text_inputs": [{"value": "狮子"}]}
TEMPLATES = {
    "392753057216684038": IMAGE, "393881433990066176": IMAGE, "393769180141805569": IMAGE | TEXT,
    "394246956137422856": IMAGE, "393879757702918151": IMAGE, "393766210733957121": IMAGE,
    "394125185182695432": TEXT, "393857704283172864": IMAGE, "393866076583718914": IMAGE,
    "398574688191234048": IMAGE, "393876118804459526": IMAGE,
}  # fmt: skip


async def test_video_3_the_printed_template():
    async with platform("template.prepare_s=10", "template.process_s=50") as client:
        body = {"template_id": "392753057216684038", "text_inputs": [], "callback_url": ""} | IMAGE
        made = await client.json("POST", "/v1/video_template_generation", json=body)
        assert made == {"task_id": made["task_id"], "base_resp": OK}
        path = f"/v1/query/video_template_generation?task_id={made['task_id']}"
        assert (await client.json("GET", path))["status"] == "Preparing"
        client.sandbox.forward(seconds=12)
        assert (await client.json("GET", path))["status"] == "Processing"
        done = await wait(client, path, "Success")
        assert set(done) == {"task_id", "status", "video_url", "base_resp"}
        assert film((await client.call("GET", done["video_url"], key=None)).raw)[2] == 24.0
        client.sandbox.forward(hours=9.1)
        assert (await client.call("GET", done["video_url"], key=None)).status == 403


@pytest.mark.parametrize("id", TEMPLATES)
async def test_video_3_every_template_wants_its_own_inputs(id):
    async with platform("template.process_s=100000") as client:
        right = {"template_id": id} | TEMPLATES[id]
        assert await client.code("POST", "/v1/video_template_generation", json=right) == 0
        assert await client.code("POST", "/v1/video_template_generation", json={"template_id": id}) == 2013
    assert len(TEMPLATES) == 11


async def test_video_3_a_template_calls_back():
    async with receiver() as sink, platform("template.prepare_s=1", "template.process_s=2") as client:
        body = {"template_id": "394125185182695432", "callback_url": sink.url} | TEXT
        made = await client.json("POST", "/v1/video_template_generation", json=body)
        await wait(client, f"/v1/query/video_template_generation?task_id={made['task_id']}", "Success")
        await sink.until("success")
    assert sink.posts[-1]["video_url"].startswith("http")
