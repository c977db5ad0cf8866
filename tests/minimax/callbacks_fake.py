"""What tests of callbacks share: something that waits, and something that posts as the platform does."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from realtime.minimax.callbacks import Callbacks

HOST = "https://my.host"
SECRET = "a secret of the operator"
DONE = {"status": "success"}


class Sleeper:
    """Something that waits for a task, and counts how often it is woken."""

    def __init__(self, task_id: str = "200000000000001") -> None:
        self.id = task_id
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


class Sender:
    """Posts to the callbacks as the platform does."""

    def __init__(self, http: aiohttp.ClientSession, address: str, callbacks: Callbacks) -> None:
        self.http = http
        self.address = address
        self.url = callbacks.url_for("video").replace(HOST, address)

    async def post(self, body: Any, url: str | None = None, **options: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) or hasattr(body, "__aiter__") else json.dumps(body).encode()
        async with self.http.post(url or self.url, data=data, **options) as response:
            text = await response.text()
            return response.status, json.loads(text) if text.startswith("{") else text


@asynccontextmanager
async def serving(callbacks: Callbacks) -> AsyncIterator[Sender]:
    async with callbacks.serve(port=0) as port, aiohttp.ClientSession() as http:
        yield Sender(http, f"http://127.0.0.1:{port}", callbacks)
