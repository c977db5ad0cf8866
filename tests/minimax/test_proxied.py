"""Chat and speech through real small proxies: what works, and what a proxy's refusal says. Never the password."""

from __future__ import annotations

import importlib.util
import logging
import re
import traceback
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import pytest

from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax import MiniMax, ReceivedAudio, SpeechTimeouts
from realtime.minimax.http import HttpClient
from realtime.providers.openai_transcriber import OpenAITranscriber
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.local_server import closed_port, serving
from tests.minimax.small_proxies import listening, proxying

NAME = "api.voice.example"  # no such host: only a proxy can connect to it
ADDRESS = "203.0.113.9"  # reserved for examples, nobody answers there
PASSWORD, ENCODED = "pa:s@ s/9", "pa%3As%40%20s%2F9"
FAST = ("speech.connect_ms=0", "speech.first_ms=5", "speech.factor=2000", "speech.start_ms=0")
has_socks = importlib.util.find_spec("aiohttp_socks") is not None
needs_socks = pytest.mark.skipif(not has_socks, reason="needs the extra `socks`")


def socks(*values: object) -> object:
    return pytest.param(*values, marks=needs_socks)


@pytest.fixture(autouse=True)
def _no_proxies_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "no_proxy", "request_method"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@asynccontextmanager
async def platform(kind: str, url: str, monkeypatch, *, variable="HTTP_PROXY", host=NAME, **options):
    """A sandbox that only a proxy of this kind reaches, and a client. `url` names the proxy, with {port}."""
    sandbox = Sandbox(SandboxOptions.parse("local", list(FAST)))
    async with sandbox, proxying(kind, urlsplit(sandbox.url).port or 0, **options) as proxy:
        monkeypatch.setenv(variable, url.format(port=proxy.port))
        # A proxy that fails is known soon; what comes through one may take its time on a busy machine
        timeouts = SpeechTimeouts(connect_s=2.0, ready_s=60.0, first_audio_s=60.0, gap_s=60.0, finish_s=60.0)
        async with MiniMax("key", f"http://{host}", speech_timeouts=timeouts) as mm:
            yield proxy, mm


async def speak(mm: MiniMax) -> int:
    """Bytes of audio from the speech socket."""
    async with mm.speech.session() as session:
        await session.say("Hello there.")
        session.finish()
        results = [result async for result in session.events()]
    return sum(len(result.data) for result in results if isinstance(result, ReceivedAudio))


async def ask(mm: MiniMax) -> str:
    messages = [{"role": "user", "content": "Say hello."}]
    return "".join([str(delta) async for delta in mm.chat.stream(messages=messages)])


async def failures(mm: MiniMax) -> list[ProviderError]:
    """The errors of chat and of speech."""
    found = []
    for request in (ask, speak):
        with pytest.raises(ProviderError) as caught:
            await request(mm)
        found.append(caught.value)
    return found


@pytest.mark.parametrize(
    ("kind", "url", "options"),
    [
        ("http", "http://127.0.0.1:{port}", {}),
        ("http", "127.0.0.1:{port}", {}),
        ("http", f"http://me:{ENCODED}@127.0.0.1:{{port}}", {"user": "me", "password": PASSWORD}),
        ("http", "http://用户:密码é@127.0.0.1:{port}", {"user": "用户", "password": "密码é"}),
        ("http", "http://me@127.0.0.1:{port}", {"user": "me"}),
        socks("socks", "socks5://127.0.0.1:{port}", {}),
        socks("socks", "socks5h://127.0.0.1:{port}", {}),
        socks("socks", "socks://127.0.0.1:{port}/", {}),
        socks("socks", f"socks5://me:{ENCODED}@127.0.0.1:{{port}}", {"user": "me", "password": PASSWORD}),
        socks("socks", "socks4a://127.0.0.1:{port}", {}),
    ],
)
async def test_chat_and_speech_pass_the_proxy(kind, url, options, monkeypatch):
    async with platform(kind, url, monkeypatch, **options) as (proxy, mm):
        assert await ask(mm)
        assert await speak(mm) > 10_000
    assert len(proxy.asked) >= 2
    assert {name.partition(":")[0] for name in proxy.asked} == {NAME}


@needs_socks
async def test_socks4_gets_addresses(monkeypatch):
    url = "socks4://127.0.0.1:{port}"
    async with platform("socks", url, monkeypatch, variable="ALL_PROXY", host=ADDRESS) as (proxy, mm):
        assert await ask(mm)
        assert await speak(mm) > 10_000
    assert set(proxy.asked) == {f"{ADDRESS}:80"}


@pytest.mark.parametrize("name", [NAME, ".voice.example", "*", f"{NAME}:80"])
async def test_no_proxy_goes_around_the_proxy_for_both(name, monkeypatch):
    monkeypatch.setenv("NO_PROXY", name)
    async with platform("http", "http://127.0.0.1:{port}", monkeypatch) as (proxy, mm):
        for error in await failures(mm):  # the name does not exist
            assert "proxy" not in error.message
    assert proxy.asked == []


async def test_the_sandbox_of_this_machine_is_reached_without_a_proxy(monkeypatch, sandbox):
    monkeypatch.setenv("ALL_PROXY", "not a proxy")
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")
    async with MiniMax("key", sandbox.url) as mm:
        assert await ask(mm)
        assert await speak(mm) > 10_000


@pytest.mark.parametrize(
    ("kind", "url", "options", "says", "retryable"),
    [
        ("http", "http://me:{secret}@127.0.0.1:{{port}}", {"refuse": 403}, r"refuses the connection to .*\(HTTP 403\)", False),
        ("http", "http://me:{secret}@127.0.0.1:{{port}}", {"refuse": 502}, r"refuses the connection to .*\(HTTP 502\)", True),
        ("http", "http://me:{secret}@127.0.0.1:{{port}}", {"user": "you"}, "refuses the user or the password in HTTPS_PROXY", False),
        ("http", "http://127.0.0.1:{{port}}", {"user": "you"}, r"set HTTPS_PROXY=http://user:password@127.0.0.1:\d+", False),
        socks("socks", "socks5://me:{secret}@127.0.0.1:{{port}}", {"user": "you"}, "refuses the user or the password", False),
        socks("socks", "socks5://me:{secret}@127.0.0.1:{{port}}", {"refuse": 5}, "did not connect to .*refused", True),
        socks("socks", "socks4a://me:{secret}@127.0.0.1:{{port}}", {"refuse": 91}, "did not connect to .*", True),
    ],
)  # fmt: skip
async def test_a_refusal_is_one_sentence_for_both(kind, url, options, says, retryable, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    url = url.format(secret="s3cr3t")
    async with proxying(kind, 1, **options) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", url.format(port=proxy.port))
        async with MiniMax("key", f"https://{NAME}") as mm:
            errors = await failures(mm)
    for error in errors:
        assert re.search(says, error.message), error.message
        assert "(HTTPS_PROXY)" in error.message
        assert isinstance(error, ProviderUnavailable)
        assert error.retryable is retryable
        assert "s3cr3t" not in "".join(traceback.format_exception(error))
    assert "s3cr3t" not in caplog.text


@pytest.mark.parametrize(
    "url", ["http://me:s3cr3t@{host}", "https://{host}", socks("socks5://me:s3cr3t@{host}")]
)
async def test_a_proxy_that_is_not_there_is_named(url, monkeypatch):
    async with closed_port() as closed:
        monkeypatch.setenv("ALL_PROXY", url.format(host=closed.removeprefix("http://")))
        async with MiniMax("key", f"https://{NAME}") as mm:
            errors = await failures(mm)
    for error in errors:
        assert "(ALL_PROXY) cannot be reached: start it, or change ALL_PROXY." in error.message
        assert not error.sent
        assert "s3cr3t" not in "".join(traceback.format_exception(error))


async def test_a_proxy_whose_name_is_unknown_is_named(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://no-such-proxy.invalid:3128")
    async with MiniMax("key", f"https://{NAME}") as mm:
        for error in await failures(mm):
            assert (
                "the proxy http://no-such-proxy.invalid:3128 (HTTPS_PROXY) cannot be reached" in error.message
            )


async def test_a_proxy_that_forwards_plain_http_and_wants_a_login_is_understood(monkeypatch):
    async with platform("http", "http://127.0.0.1:{port}", monkeypatch, user="you") as (_, mm):
        for error in await failures(mm):
            assert (
                "wants a user and a password: set HTTP_PROXY=http://user:password@127.0.0.1:" in error.message
            )
            assert not error.retryable


@pytest.mark.parametrize(("kind", "scheme"), [("http", "http"), socks("socks", "socks5")])
async def test_a_proxy_that_never_answers_times_out(kind, scheme, monkeypatch):
    async with proxying(kind, 1, silent=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://me:s3cr3t@127.0.0.1:{proxy.port}")
        timeouts = SpeechTimeouts(connect_s=0.2)
        async with MiniMax("key", f"https://{NAME}", speech_timeouts=timeouts) as mm:
            with pytest.raises(ProviderTimeout, match=r"no connection to .* through the proxy") as caught:
                await speak(mm)
    assert "s3cr3t" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("answer", [b"SSH-2.0-OpenSSH_9\r\n\r\n", b"", b"HTTP/1.1 200", b"\x05\xff"])
async def test_a_proxy_that_speaks_something_else_is_named(answer, monkeypatch):
    async def nonsense(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with listening(nonsense) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:s3cr3t@127.0.0.1:{port}")
        async with MiniMax("key", f"https://{NAME}") as mm:
            for error in await failures(mm):
                assert f"through the proxy http://127.0.0.1:{port} (HTTPS_PROXY) failed" in error.message
                assert "s3cr3t" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("http://me:s3cr3t@:1", "HTTPS_PROXY is not the address"),
        ("ftp://me:s3cr3t@host", "of the kind ftp://"),
    ],
)
async def test_a_malformed_proxy_is_an_error_of_the_turn(value, says, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", value)
    async with MiniMax("key", f"https://{NAME}") as mm:
        for error in await failures(mm):
            assert says in error.message
            assert "s3cr3t" not in error.message
            assert not error.retryable


async def test_the_other_transcriber_uses_the_proxy_too(monkeypatch):
    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        return aiohttp.web.json_response({"text": "hello"})

    async with serving(answer) as url, proxying("http", urlsplit(url).port or 0) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        transcriber = OpenAITranscriber(f"http://{NAME}/v1", "m", key="k", timeout_s=60)
        got = await transcriber.transcribe(np.zeros(1600, dtype=np.int16), language=None, final=True)
        await transcriber.aclose()
    assert got.text == "hello"
    assert proxy.asked == [NAME]


async def test_files_are_fetched_through_the_proxy_without_the_key(monkeypatch):
    seen = []

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.Response:
        seen.append((request.headers.get("Authorization"), request.headers.get("Proxy-Authorization")))
        return aiohttp.web.Response(body=b"film")

    async with serving(answer) as url, proxying("http", urlsplit(url).port or 0) as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        http = HttpClient("https://api.minimax.io", "key")
        async with http.fetch(f"http://files.{NAME}/a.mp4?s=%2F") as response:
            assert await response.read() == b"film"
        await http.aclose()
    assert seen == [(None, None)]
    assert proxy.asked == [f"files.{NAME}"]


@needs_socks
async def test_a_socks_timeout_of_chat_is_a_timeout(monkeypatch):
    async with proxying("socks", 1, silent=True) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"socks5://127.0.0.1:{proxy.port}")
        http = HttpClient(f"https://{NAME}", "key", connect_timeout_s=0.2)
        with pytest.raises(ProviderTimeout, match="through the proxy") as caught:
            await http.json("GET", "/v1/models")
        await http.aclose()
    assert not caught.value.sent
