"""The server as a part of another aiohttp application, over real sockets: the page and all its addresses, the
WebSocket, client secrets, health.
"""

import asyncio
import contextlib
import re
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
import pytest
from aiohttp import web

from realtime import realtime_app, realtime_runner
from realtime.errors import ConfigError
from realtime.providers import FakeChat, FakeSpeech
from realtime.server import listener
from realtime.settings import Settings
from tests.adversarial.raw_http import exchange, head
from tests.server.harness import open_socket

KEY = "sk-own-1234567890"
QUIET = {"transcriber": None, "vad": None, "end_of_turn": None}
# Where the page and its modules have addresses: HTML attributes, imports, URLs and requests.
ADDRESSES = re.compile(
    r"""(?:\b(?:href|src)=|\bfrom\ |\bimport\ |\bnew\ URL\(|\bfetch\(|\bclientSecret\()"([^"#]+)\"""",
    re.VERBOSE,
)


async def hello(request: web.Request) -> web.Response:
    return web.Response(text="the other application")


@asynccontextmanager
async def mounted(
    at: str, *, host: str = "127.0.0.1", guarded: bool = False, **settings
) -> AsyncIterator[str]:
    """The address of an application that has the server at this path."""
    chat = FakeChat([[(0.0, "It is noon.")]] * 9)
    own = {**QUIET, "chat": chat, "speech": FakeSpeech(first_s=0.0, factor=1000)}
    app = web.Application()
    app.router.add_get("/", hello)
    voice = realtime_app(Settings(**settings), providers=own)
    app.add_subapp(at, voice)
    if guarded:
        runner = realtime_runner(app, voice, access_log=None)
    else:
        runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("at", ["/voice/", "/voice", "/a/deep/place/"])
async def test_a_conversation_at_a_path(at: str):
    async with mounted(at) as url:
        socket = url.replace("http", "ws") + at.rstrip("/") + "/v1/realtime"
        async with open_socket(socket + "?extensions=words") as wire:
            await wire.until("conversation.created")
            done = await wire.ask("What time is it?")
            assert done["output"][0]["content"][0]["transcript"] == "It is noon."
            assert wire.audio()
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert await answer.text() == "the other application"
            assert "Content-Security-Policy" not in answer.headers


async def test_all_addresses_of_the_page_are_relative_and_exist():
    """Starts at the page and follows every address that it or one of its modules contains."""
    async with mounted("/voice/") as url, aiohttp.ClientSession() as http:
        page = url + "/voice/"
        seen, waiting = set(), [(page, page)]  # an address, and what it is relative to
        while waiting:
            address, base = waiting.pop()
            whole = urljoin(base, address)
            if whole in seen:
                continue
            seen.add(whole)
            assert whole.startswith(page), f"{address} in {base} is not below the path"
            method = "POST" if whole.endswith("client_secrets") else "GET"
            async with http.request(method, whole) as answer:
                assert answer.status == (426 if whole.endswith("v1/realtime") else 200), whole
                text = await answer.text()
            if whole == page or whole.endswith(".js"):
                assert answer.headers["Content-Security-Policy"]
                # an import is relative to its module, a request to the page
                waiting += [
                    (found, whole if found.startswith(".") else page) for found in ADDRESSES.findall(text)
                ]
        for part in (
            "demo.js", "style.css", "icon.svg", "readyz", "v1/realtime", "v1/realtime/client_secrets",
            "sdk/realtime.js", "sdk/worklets/player.js", "sdk/worklets/capture.js", "page/debug.js",
        ):  # fmt: skip
            assert page + part in seen, part


async def test_the_path_without_a_slash_redirects_to_the_page():
    async with mounted("/a/voice/") as url, aiohttp.ClientSession() as http:
        async with http.get(url + "/a/voice?debug=1", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, "voice/?debug=1")
        async with http.get(url + "/a/voice") as answer:
            assert "<html" in await answer.text()
            assert str(answer.url) == url + "/a/voice/"


async def test_keys_and_client_secrets_at_a_path():
    async with mounted("/voice/", api_keys=(KEY,)) as url, aiohttp.ClientSession(url) as http:
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


def network_address() -> str:
    """An address of this machine that others can connect to."""
    with sockets.socket(sockets.AF_INET, sockets.SOCK_DGRAM) as probe:
        try:
            # A datagram socket sends nothing here, it only selects an address
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network")
        return probe.getsockname()[0]


@pytest.mark.parametrize(
    ("settings", "status"), [({}, 403), ({"open_to_all": True}, None), ({"api_keys": (KEY,)}, None)]
)
async def test_without_keys_only_this_machine_may_connect(settings: dict, status: int | None):
    """A client on the network cannot get in with a false Host header."""
    async with mounted("/voice/", host="0.0.0.0", **settings) as url:
        port = url.rpartition(":")[2]
        headers = {"Authorization": f"Bearer {KEY}"}
        false_host = {"Host": f"127.0.0.1:{port}"}
        async with aiohttp.ClientSession() as http:
            with contextlib.ExitStack() as stack:
                if status is not None:
                    stack.enter_context(pytest.raises(aiohttp.WSServerHandshakeError, match=str(status)))
                address = f"http://{network_address()}:{port}/voice/v1/realtime"
                async with http.ws_connect(address, headers=headers | false_host) as socket:
                    assert (await socket.receive_json())["type"] == "session.created"
        async with open_socket(f"ws://127.0.0.1:{port}/voice/v1/realtime", headers=headers) as wire:
            await wire.until("session.created")


async def test_an_unknown_provider_is_an_error_when_the_application_starts():
    app = web.Application()
    app.add_subapp("/voice/", realtime_app(Settings(chat_provider="magic")))
    runner = web.AppRunner(app, access_log=None)
    with pytest.raises(ConfigError, match="CHAT_PROVIDER=magic"):
        await runner.setup()
    await runner.cleanup()


async def test_the_runner_guards_the_whole_application_as_serve_does(monkeypatch):
    monkeypatch.setattr(listener, "HEAD_TIMEOUT_S", 0.3)
    async with mounted("/voice/", guarded=True) as url, aiohttp.ClientSession() as http:
        async with http.get(url + "/") as answer:
            assert await answer.text() == "the other application"
        for sent, status in ((b"no http\r\n\r\n", 400), (head(b"Expect: a-secret", path=b"/"), 417)):
            answer = await exchange(url, sent)
            assert (answer.status, answer.error["type"]) == (status, "invalid_request_error")
            assert b"secret" not in answer.raw
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\n")
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
        writer.close()


def test_a_runner_needs_the_application_it_guards():
    with pytest.raises(ValueError, match="realtime_app"):
        realtime_runner(web.Application())
