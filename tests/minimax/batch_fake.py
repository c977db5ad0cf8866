"""A platform with files and batches, in memory: it answers with what a test wrote down, and keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from realtime.minimax import MiniMax

OK = {"status_code": 0, "status_msg": "success"}
INPUT_ID = 7_000_000_000_000_000_001  # beyond 2^53


def line(custom_id: str, *, url: str = "/v1/text/chatcompletion_v2", **changes: Any) -> dict[str, Any]:
    body = {"model": "MiniMax-Text-01", "messages": [{"role": "user", "content": custom_id}]}
    return {"custom_id": custom_id, "method": "POST", "url": url, "body": body, **changes}


def answered(custom_id: str, text: str = "Hi!", *, status: int = 200, code: int = 0) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    base_resp = {"status_code": code, "status_msg": "no" if code else ""}
    body = {
        "id": "07",
        "model": "MiniMax-Text-01",
        "choices": [choice],
        "usage": {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12},
        "base_resp": base_resp,
    }
    response = {"status_code": status, "request_id": "07", "body": body}
    return {"id": "batch_req_1", "custom_id": custom_id, "response": response, "error": None}


def failed(custom_id: str, code: str = "2013", message: str = "no") -> dict[str, Any]:
    return {"custom_id": custom_id, "response": None, "error": {"code": code, "message": message}}


def jsonl(lines: Sequence[Any]) -> bytes:
    return b"".join(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n" for each in lines)


@dataclass
class FakePlatform:
    """`words` are the batch's states, one for each query; the last one stays. `files` are contents by id."""

    url: str = ""
    words: list[str] = field(default_factory=lambda: ["completed"])
    files: dict[str, bytes] = field(default_factory=dict)
    batch: dict[str, Any] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    created: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[tuple[str, bytes]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    has_more: bool = False
    lose_create: bool = False

    async def upload(self, request: web.Request) -> web.Response:
        name, content = "", b""
        async for part in await request.multipart():
            if part.name == "file":
                name, content = part.filename, await part.read()
            else:
                assert await part.text() == "batch"
        self.uploads.append((name, content))
        self.files[str(INPUT_ID)] = content
        file = {"file_id": INPUT_ID, "bytes": len(content), "filename": name, "purpose": "batch"}
        return web.json_response({"file": file, "base_resp": OK})

    async def retrieve(self, request: web.Request) -> web.Response:
        file_id = request.query["file_id"]
        if file_id not in self.files:
            return web.json_response({"base_resp": {"status_code": 2013, "status_msg": "invalid params"}})
        return web.json_response({"file": {"file_id": int(file_id), "filename": "x"}, "base_resp": OK})

    async def content(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.query["file_id"]])

    def shown(self, batch_id: str, word: str) -> dict[str, Any]:
        return {
            "id": batch_id,
            "object": "batch",
            "status": word,
            "input_file_id": INPUT_ID,
            "output_file_id": "",
            "error_file_id": "",
            "base_resp": OK,
            **self.batch,
        }

    async def create(self, request: web.Request) -> web.Response:
        self.created.append(await request.json())
        if self.lose_create:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(self.shown("batch_Ab12", "validating"))

    async def query(self, request: web.Request) -> web.Response:
        self.queries.append(request.path)
        word = self.words.pop(0) if len(self.words) > 1 else self.words[0]
        return web.json_response(self.shown(request.match_info["id"], word))

    async def cancel(self, request: web.Request) -> web.Response:
        self.queries.append(request.path)
        self.words = ["cancelling", "cancelled"]
        return web.json_response(self.shown(request.match_info["id"], "cancelling"))

    async def list(self, request: web.Request) -> web.Response:
        self.queries.append(request.path_qs)
        after = request.query.get("after")
        start = self.listed.index(after) + 1 if after else 0
        ids = self.listed[start : start + int(request.query["limit"])]
        answer: dict[str, Any] = {"object": "list", "data": [self.shown(id, "completed") for id in ids]}
        if self.has_more:
            answer["has_more"] = start + len(ids) < len(self.listed)
        return web.json_response({**answer, "base_resp": OK})


@asynccontextmanager
async def batch_platform() -> AsyncIterator[tuple[FakePlatform, MiniMax]]:
    fake = FakePlatform()
    app = web.Application()
    app.router.add_post("/v1/files/upload", fake.upload)
    app.router.add_get("/v1/files/retrieve", fake.retrieve)
    app.router.add_get("/v1/files/retrieve_content", fake.content)
    app.router.add_post("/v1/batches", fake.create)
    app.router.add_get("/v1/batches", fake.list)
    app.router.add_get("/v1/batches/{id}", fake.query)
    app.router.add_post("/v1/batches/{id}/cancel", fake.cancel)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with MiniMax("key", fake.url) as mm:
            yield fake, mm
    finally:
        await runner.cleanup()
