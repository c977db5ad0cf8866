"""A platform that answers with links at once: pictures, songs and lyrics, and the files behind the links."""

from __future__ import annotations

import asyncio
import json
import threading
from contextlib import asynccontextmanager, contextmanager

from aiohttp import web

OK = {"status_code": 0, "status_msg": "success"}
JPEG = b"\xff\xd8\xff\xe0" + b"a picture" * 50
PNG = b"\x89PNG\r\n\x1a\n" + b"a picture" * 50
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"a song" * 50
WORDS = "[Verse]\nRain again"


class Answering:
    """What it was asked, and how it answers: `refuse` (code by the number of the request), `stopped`, `file`, `dead`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict]] = []
        self.refuse: dict[int, int] = {}
        self.lose: set[int] = set()
        self.stopped = 0
        self.file = JPEG
        self.dead = False
        self.go = threading.Event()  # cleared: what it is asked waits
        self.go.set()
        self.url = ""

    def bodies(self, path: str) -> list[dict]:
        return [body for asked, body in self.asked if asked == path]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response(status=403) if self.dead else web.Response(body=self.file)
        number, body = len(self.asked), json.loads(await request.read())
        self.asked.append((request.path, body))
        await asyncio.to_thread(self.go.wait, 20)
        if number in self.lose:
            assert request.transport is not None
            request.transport.abort()
        if number in self.refuse:
            refused = {"status_code": self.refuse[number], "status_msg": "refused"}
            return web.json_response({"base_resp": refused})
        makers = {
            "/v1/image_generation": self._pictures, "/v1/music_generation": self._song,
            "/v1/lyrics_generation": self._lyrics,
        }  # fmt: skip
        return web.json_response({**makers[request.path](body, number), "base_resp": OK})

    def _pictures(self, body: dict, number: int) -> dict:
        made = body.get("n", 1) - self.stopped
        links = [f"{self.url}/files/{number}-{place}?Signature=secret" for place in range(made)]
        counts = {"success_count": str(made), "failed_count": str(self.stopped)}
        return {"id": f"trace-{number}", "data": {"image_urls": links}, "metadata": counts}

    def _song(self, body: dict, number: int) -> dict:
        link = f"{self.url}/files/song?Signature=secret"
        by_url = body.get("output_format") == "url"
        audio = link if by_url else self.file.hex()
        return {"data": {"audio": audio, "status": 2}, "trace_id": f"trace-{number}"}

    def _lyrics(self, body: dict, number: int) -> dict:
        # as a platform may send them: commands give them one form
        lyrics = f"\ufeff\n{WORDS}\n".replace("\n", "\r\n")
        return {"song_title": "Rain", "style_tags": "Pop", "lyrics": lyrics}


@asynccontextmanager
async def answering(platform: Answering):
    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{path:.*}", platform.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    platform.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield platform
    finally:
        await runner.cleanup()


@contextmanager
def served():
    """The platform in a thread of its own: commands have their own event loop."""
    ready, loop, stop, fake = threading.Event(), asyncio.new_event_loop(), asyncio.Event(), Answering()

    async def serve():
        async with answering(fake):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    yield fake
    fake.go.set()
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()
