"""Helpers for the tests of the native endpoints: plain requests as the documents print them."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import PARTS, Part, Sandbox
from tests.sandbox.chat_kit import Answer

KEY = {"Authorization": "Bearer any"}
NO_WAIT = (
    "http.connect_ms=0", "http.error_ms=0", "files.ms=0", "task.ms=0", "image.ms=0", "music.ms=0", "cover.ms=0",
    "lyrics.ms=0", "voice.clone_ms=0", "voice.design_ms=0",
)  # fmt: skip


class Client:
    """Plain HTTP against a running sandbox; every answer has been read completely."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.session = session

    async def call(
        self,
        method: str,
        path: str,
        *,
        fault: str = "",
        key: str | None = "any",
        headers: dict[str, str] | None = None,
        **rest: Any,
    ) -> Answer:
        sent = dict(headers or {}) | ({"Authorization": f"Bearer {key}"} if key else {})
        if fault:
            sent["X-Sandbox-Fault"] = fault
        url = path if path.startswith("http") else self.sandbox.url + path
        async with self.session.request(method, url, headers=sent, **rest) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def json(self, method: str, path: str, **rest: Any) -> dict[str, Any]:
        """The JSON of an answer with status 200."""
        answer = await self.call(method, path, **rest)
        assert answer.status == 200, answer.raw
        return dict(answer.json)

    async def code(self, method: str, path: str, **rest: Any) -> int:
        """The code of a native answer."""
        return int((await self.json(method, path, **rest))["base_resp"]["status_code"])

    async def upload(
        self,
        data: bytes,
        filename: str,
        purpose: str,
        content_type: str = "application/octet-stream",
        **rest: Any,
    ) -> Answer:
        """`POST /v1/files/upload` with a form."""
        form = aiohttp.FormData()
        form.add_field("purpose", purpose)
        form.add_field("file", io.BytesIO(data), filename=filename, content_type=content_type)
        return await self.call("POST", "/v1/files/upload", data=form, **rest)

    async def uploaded(self, data: bytes, filename: str, purpose: str) -> int:
        """The id of a new file."""
        return int((await self.upload(data, filename, purpose)).json["file"]["file_id"])


@asynccontextmanager
async def platform(
    *sets: str, faults: tuple[str, ...] = (), parts: tuple[Part, ...] = ()
) -> AsyncIterator[Client]:
    """A whole sandbox without latency, with a test's own `parts`, and a client of it."""
    options = SandboxOptions.parse("local", [*NO_WAIT, *sets], faults)
    async with (
        Sandbox(options, parts=(*PARTS, *parts)) as sandbox,
        aiohttp.ClientSession(read_bufsize=2**22) as session,
    ):
        yield Client(sandbox, session)
