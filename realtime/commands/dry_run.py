"""`--dry-run`: a server in this process notes the request and refuses it, so that nothing leaves the machine.

The command and the client run as always, with all their checks; what is printed is what would have been sent. An upload
gets an invented id, since the request that costs comes after it. Knows no endpoint but that of uploads.
"""

from __future__ import annotations

import json
from types import TracebackType
from typing import Any, Self

from aiohttp import web

MAX_BODY = 256 * 1024 * 1024
FILE_ID = 1
_LONGEST_TEXT = 2_000  # pictures and sounds in base64 or hex are cut in the printed request
_UPLOAD = "/v1/files/upload"


class Recorder:
    """Run it as `async with Recorder(base_url) as recorder`; `request` is what was asked for, None before."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._runner: web.AppRunner | None = None
        self.request: dict[str, Any] | None = None
        self.uploads: list[dict[str, Any]] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_post(_UPLOAD, self._upload)
        app.router.add_route("*", "/{path:.*}", self._refuse)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _upload(self, request: web.Request) -> web.Response:
        upload: dict[str, Any] = {}
        async for part in await request.multipart():
            data = await part.read(decode=False)  # type: ignore[union-attr]  # the parts are not multipart again
            name = getattr(part, "name", None) or "part"
            upload[name] = f"{len(data)} bytes" if name == "file" else data.decode("utf-8", "replace")
        self.uploads.append(upload)
        file = {"file_id": FILE_ID, "bytes": 0, "filename": "dry-run", "purpose": upload.get("purpose", "")}
        return web.json_response({"file": file, "base_resp": {"status_code": 0, "status_msg": "success"}})

    async def _refuse(self, request: web.Request) -> web.Response:
        if self.request is None:
            self.request = {
                "method": request.method,
                "url": f"{self._base_url}{request.path_qs}",
                "body": _shortened(_body(await request.read())),
            }
            if self.uploads:
                self.request["uploads"] = self.uploads
        refused = {"status_code": 2013, "status_msg": "dry run: nothing was sent"}
        return web.json_response({"base_resp": refused}, status=400)


def _body(content: bytes) -> object:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return f"{len(content)} bytes"


def _shortened(value: object) -> object:
    match value:
        case dict():
            return {name: _shortened(each) for name, each in value.items()}
        case list():
            return [_shortened(each) for each in value]
        case str() if len(value) > _LONGEST_TEXT and " " not in value[:_LONGEST_TEXT]:
            return f"{value[:60]}… ({len(value)} characters)"
        case _:
            return value
