"""The server as a part of somebody else's aiohttp application, over real sockets: the page with every address in it,
the WebSocket, client secrets and health.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web

from realtime import realtime_app
from realtime.errors import ConfigError
from realtime.providers import FakeChat, FakeSpeech
from realtime.settings import Settings
from tests.server.harness import open_socket

KEY = "sk-own-1234567890"
QUIET = {"transcriber": None, "vad": None, "end_of_turn": None}
# How the page names its files: attributes in HTML, imports, URLs and requests in modules.
ADDRESSES = re.compile(
    r"""(?:\b(?:href|src)=|\bfrom\ |\bimport\ |\bnew\ URL\(|\bfetch\(|\bclientSecret\()"([^"#]+)\"""",
    re.VERBOSE,
)


class OwnSpeech(FakeSpeech):
    closed = False

    async def aclose(self) -> None:
        self.closed = True


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="ours")


@asynccontextmanager
async def mounted(at: str, **settings) -> AsyncIterator[tuple[str, OwnSpeech]]:
    """An application of our own with the server below this path; its address, and the voice it was given."""
    speech = OwnSpeech(first_s=0.0, factor=1000)
    own = {**QUIET, "chat": FakeChat([[(0.0, "It is noon.")]] * 9), "speech": speech}
    app = web.Application()
    app.router.add_get("/", hello)
    app.add_subapp(at, realtime_app(Settings(**settings), providers=own))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", speech
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("at", ["/voice/", "/voice", "/a/deep/place/"])
async def test_a_conversation_below_a_path(at: str):
    async with mounted(at) as (url, speech):
        socket = url.replace("http", "ws") + at.rstrip("/") + "/v1/realtime"
        async with open_socket(socket + "?extensions=words") as wire:
            await wire.until("conversation.created")
            done = await wire.ask("What time is it?")
            assert done["output"][0]["content"][0]["transcript"] == "It is noon."
            assert wire.audio()
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert await answer.text() == "ours", "the rest of the application is untouched"
            assert "Content-Security-Policy" not in answer.headers
    assert not speech.closed, "what was handed in is not closed"


async def test_every_address_of_the_page_leads_into_the_mounted_server():
    """Followed from the page on, file by file: all of them relative, all of them there."""
    async with mounted("/voice/") as (url, _), aiohttp.ClientSession() as http:
        page = url + "/voice/"
        seen, waiting = set(), [(page, page)]  # an address, and what it is relative to
        while waiting:
            address, base = waiting.pop()
            whole = urljoin(base, address)
            if whole in seen:
                continue
            seen.add(whole)
            assert whole.startswith(page), f"{address} in {base} leaves the application"
            method = "POST" if whole.endswith("client_secrets") else "GET"
            async with http.request(method, whole) as answer:
                assert answer.status == (426 if whole.endswith("v1/realtime") else 200), whole
                text = await answer.text()
            if whole == page or whole.endswith(".js"):
                assert answer.headers["Content-Security-Policy"]
                # what a module fetches is relative to the page, what it imports to itself
                waiting += [
                    (found, whole if found.startswith(".") else page) for found in ADDRESSES.findall(text)
                ]
        for part in (
            "demo.js", "style.css", "icon.svg", "readyz", "v1/realtime", "v1/realtime/client_secrets",
            "sdk/realtime.js", "sdk/worklets/player.js", "sdk/worklets/capture.js", "page/debug.js",
        ):  # fmt: skip
            assert page + part in seen, part


async def test_the_path_without_its_slash_leads_to_the_page():
    async with mounted("/a/voice/") as (url, _), aiohttp.ClientSession() as http:
        async with http.get(url + "/a/voice?debug=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, "voice/?debug=1")
        async with http.get(url + "/a/voice") as answer:
            assert "<html" in await answer.text()
            assert str(answer.url) == url + "/a/voice/"


async def test_keys_and_client_secrets_below_a_path():
    async with mounted("/voice/", api_keys=(KEY,)) as (url, _), aiohttp.ClientSession(url) as http:
        socket = url.replace("http", "ws") + "/voice/v1/realtime"
        async with http.get("/voice/readyz") as answer:
            assert (await answer.json())["key_required"] is True
        async with http.get("/voice/healthz") as answer:
            assert (await answer.json())["status"] == "ok"
        headers = {"Authorization": f"Bearer {KEY}"}
        async with http.post("/voice/v1/realtime/client_secrets", json={}, headers=headers) as answer:
            secret = (await answer.json())["value"]
        async with open_socket(socket, protocols=("realtime", f"openai-insecure-api-key.{secret}")) as wire:
            assert (await wire.ask("What time is it?"))["status"] == "completed"
        async with open_socket(socket, protocols=("realtime", "openai-insecure-api-key.wrong")) as wire:
            assert (await wire.error())["code"] == "invalid_api_key"


async def test_two_servers_in_one_application():
    one, two = FakeChat([[(0.0, "One.")]]), FakeChat([[(0.0, "Two.")]])
    app = web.Application()
    for path, chat in (("/one/", one), ("/two/", two)):
        own = {**QUIET, "chat": chat, "speech": FakeSpeech(first_s=0.0, factor=1000)}
        app.add_subapp(path, realtime_app(Settings(), providers=own))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        said = []
        for path in ("one", "two"):
            async with open_socket(f"ws://127.0.0.1:{runner.addresses[0][1]}/{path}/v1/realtime") as wire:
                said.append((await wire.ask("Who are you?"))["output"][0]["content"][0]["transcript"])
    finally:
        await runner.cleanup()
    assert said == ["One.", "Two."]


async def test_what_cannot_work_is_told_when_the_application_starts():
    app = web.Application()
    app.add_subapp("/voice/", realtime_app(Settings(chat_provider="magic")))
    runner = web.AppRunner(app, access_log=None)
    with pytest.raises(ConfigError, match="CHAT_PROVIDER=magic"):
        await runner.setup()
    await runner.cleanup()
