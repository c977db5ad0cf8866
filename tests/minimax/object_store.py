"""A host of results with bad days, for the tests of downloads. Its links are signed; it never wants to see a key."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

from aiohttp import web

from realtime.minimax.http import HttpClient
from tests.minimax.local_server import serving

SIGNATURE = "s1gnature%2Fof%2Fthe%2Flink"
MP4 = b"\x00\x00\x00\x18ftypisom"


def a_film(size: int) -> bytes:
    return MP4 + os.urandom(size - len(MP4))


@dataclass
class Store:
    """Serves `content`. `days` are what happens to the first requests, one word each; "" is a good day."""

    content: bytes
    days: list[str] = field(default_factory=list)
    every_day: str = ""
    ranges: bool = True
    etag: str | None = '"v1"'
    modified: str | None = None
    cut_at: int = 0
    seen: list[dict[str, str | None]] = field(default_factory=list)
    links: int = 0
    url: str = ""

    async def link(self) -> str:
        self.links += 1
        return f"{self.url}/film.mp4?Expires={self.links}&Signature={SIGNATURE}"

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        if SIGNATURE not in request.path_qs and not request.path.startswith("/v1/files/"):
            # A client of another test, whose server has had this port before
            return web.Response(status=404)
        self.seen.append(
            {
                name: request.headers.get(name)
                for name in ("Range", "If-Range", "Authorization", "Accept-Encoding")
            }
        )
        day = self.days.pop(0) if self.days else self.every_day
        match day:
            case "403" | "404" | "410" | "500" | "400":
                said = (
                    f"<Error><Message>Request has expired</Message><Asked>{request.path_qs}</Asked></Error>"
                )
                return web.Response(status=int(day), text=said, content_type="application/xml")
            case "html":
                return web.Response(text="<!DOCTYPE html><h1>Please log in</h1>", content_type="text/html")
            case "json":
                return web.json_response({"base_resp": {"status_code": 1004, "status_msg": "login fail"}})
            case "other json":
                return web.json_response({"oops": f"no such file, {SIGNATURE}"})
            case "empty":
                return web.Response()
            case "hang up":
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
        return await self._file(request, day)

    async def _file(self, request: web.Request, day: str) -> web.StreamResponse:
        start, total = self._start(request), len(self.content)
        if start == total and start:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{total}"})
        response = web.StreamResponse(status=206 if start else 200, headers=self._validators())
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if day == "no length":
            response.enable_chunked_encoding()
        else:
            response.content_length = total - start + (100 if day == "wrong length" else 0)
        await response.prepare(request)
        end = min(start + self.cut_at, total) if day in ("cut", "stall") else total
        for at in range(start, end, 1 << 18):
            await response.write(self.content[at : min(at + (1 << 18), end)])
        if day == "stall":
            await asyncio.sleep(3600)
        if day in ("cut", "wrong length"):
            # The client loses what it has received and not yet read, so it gets turns of the loop before the cut.
            for _ in range(20):
                await asyncio.sleep(0.005)
            assert request.transport is not None
            request.transport.close()
        return response

    def _start(self, request: web.Request) -> int:
        asked = request.headers.get("Range")
        if (
            asked is None
            or not self.ranges
            or request.headers.get("If-Range") not in (self.etag, self.modified)
        ):
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _validators(self) -> dict[str, str]:
        headers = {"ETag": self.etag, "Last-Modified": self.modified}
        return {name: value for name, value in headers.items() if value is not None}


def a_date(seconds: int) -> str:
    return formatdate(1_790_000_000 + seconds, usegmt=True)


@asynccontextmanager
async def open_store(store: Store) -> AsyncIterator[HttpClient]:
    async with serving(store) as store.url:
        http = HttpClient(store.url, "sk-secret", group_id="g1")
        try:
            yield http
        finally:
            await http.aclose()
