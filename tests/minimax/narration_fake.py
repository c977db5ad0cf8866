"""A platform that reads out long texts: uploads, tasks and tars, with the answers of the documents; it counts."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

OK = {"status_code": 0, "status_msg": "success"}
TASK, FILE = 2**60 + 1, 2**60 + 2  # beyond 2^53: a double would lose the last digit
TITLES = [{"text": "One line.", "time_begin": 0, "time_end": 900.5}]
EXTRA = {
    "audio_length": 1000,
    "audio_sample_rate": 32000,
    "audio_size": 4,
    "bitrate": 128000,
    "word_count": 2,
}
AUDIO = b"\xff\xfb\x90\xc4" + bytes(60)


def tar_of(*members: tuple[str, bytes]) -> bytes:
    """A tar with plain files."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def result_tar() -> bytes:
    folder = str(FILE)
    return tar_of(
        (f"{folder}/content-{FILE}.titles", json.dumps(TITLES).encode()),
        (f"{folder}/content-{FILE}.extra", json.dumps(EXTRA).encode()),
        (f"{folder}/content-{FILE}.mp3", AUDIO),
    )


@dataclass(slots=True)
class FakePlatform:
    """`created` are the bodies of tasks, `uploads` the files' names and contents, `words` the states to come."""

    url: str = ""
    created: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    words: list[str] = field(default_factory=lambda: ["Success"])
    content: bytes = field(default_factory=result_tar)

    async def upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert form["purpose"] == "t2a_async_input"
        file = form["file"]
        assert isinstance(file, web.FileField)
        self.uploads.append((file.filename, file.file.read()))
        return web.json_response({"file": {"file_id": 2**60 + 5}, "base_resp": OK})

    async def create(self, request: web.Request) -> web.Response:
        self.created.append(await request.json())
        answer = {
            "task_id": TASK,
            "task_token": "eyJ",
            "file_id": FILE,
            "usage_characters": 101,
            "base_resp": OK,
        }
        return web.json_response(answer)

    async def query(self, request: web.Request) -> web.Response:
        assert request.query["task_id"] == str(TASK)
        word = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        return web.json_response({"task_id": TASK, "status": word, "file_id": FILE, "base_resp": OK})

    async def retrieve(self, request: web.Request) -> web.Response:
        assert request.query["file_id"] == str(FILE)
        file = {"file_id": FILE, "bytes": 0, "purpose": "t2a_async", "download_url": f"{self.url}/result"}
        return web.json_response({"file": file, "base_resp": OK})

    async def result(self, request: web.Request) -> web.Response:
        assert "Authorization" not in request.headers
        return web.Response(body=self.content)


@asynccontextmanager
async def fake_platform() -> AsyncIterator[FakePlatform]:
    fake = FakePlatform()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_post("/v1/files/upload", fake.upload)
    app.router.add_post("/v1/t2a_async_v2", fake.create)
    app.router.add_get("/v1/query/t2a_async_query_v2", fake.query)
    app.router.add_get("/v1/files/retrieve", fake.retrieve)
    app.router.add_get("/result", fake.result)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield fake
    finally:
        await runner.cleanup()
