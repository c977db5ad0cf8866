"""Which web pages may use the server: import the SDK, frame the page, connect; also behind a proxy with its own Host."""

from dataclasses import replace

import aiohttp
import pytest

from realtime.providers import ProviderOverrides
from realtime.server.access import origin_allowed
from realtime.server.origins import frame_ancestors
from realtime.server.run import running
from realtime.server.runtime import Missing
from realtime.server.state import OPENED
from realtime.settings import Settings
from tests.server.harness import open_harness

APP = "https://app.example"
ALLOWED = [APP, "http://localhost:3000", "http://127.0.0.1:5173", "http://[::1]:8080"]
REFUSED = [
    "https://evil.example",
    "http://app.example",
    "https://app.example.evil.org",
    "https://app.example:444",
    "null",
    "",
]


@pytest.mark.parametrize("path", ["/sdk/realtime.js", "/sdk/worklets/player.js", "/sdk/markdown.js"])
async def test_the_sdk_can_be_imported_by_allowed_pages(path):
    async with open_harness(origins=(APP,)) as harness, aiohttp.ClientSession(harness.server.url) as http:
        for origin in ALLOWED:
            async with http.get(path, headers={"Origin": origin}) as answer:
                assert answer.status == 200
                assert answer.headers["Access-Control-Allow-Origin"] == origin
                assert answer.headers["Vary"] == "Origin"
        for origin in REFUSED:
            async with http.get(path, headers={"Origin": origin}) as answer:
                assert "Access-Control-Allow-Origin" not in answer.headers, origin
                assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/demo.js", "/readyz", "/", "/metrics"])
async def test_nothing_else_can_be_read_by_other_pages(path):
    async with (
        open_harness(origins=(APP,)) as harness,
        aiohttp.ClientSession(harness.server.url) as http,
        http.get(path, headers={"Origin": APP}) as answer,
    ):
        assert answer.status == 200
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_allowed_pages_may_show_the_page_in_a_frame():
    async with (
        open_harness(origins=(APP,)) as harness,
        aiohttp.ClientSession(harness.server.url) as http,
        http.get("/") as answer,
    ):
        directives = answer.headers["Content-Security-Policy"].split(";")
        assert "X-Frame-Options" not in answer.headers
    policy = dict(directive.strip().split(" ", 1) for directive in directives)
    ancestors = policy["frame-ancestors"].split()
    assert {"'self'", APP, "http://localhost:*"} <= set(ancestors)
    assert not any("evil" in ancestor for ancestor in ancestors)


@pytest.mark.parametrize(
    ("origins", "added"),
    [
        ((), []),
        ((APP,), [APP]),
        (("https://a.example/path", "http://b.example:81"), ["https://a.example", "http://b.example:81"]),
        (("*",), ["*"]),
        (("https://a.example; script-src *",), []),
        (("https://a.example 'unsafe-inline'",), []),
        (("nonsense", ""), []),
    ],
)
def test_the_frames_of_a_policy(origins, added):
    """An origin that is none, or that would end the directive, is left out."""
    own = frame_ancestors(()).split()
    assert frame_ancestors(origins).split() == [*own, *added]


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("https://app.example", "x", True),
        ("https://APP.example", "x", True),
        ("https://app.example:443", "x", True),
        ("http://app.example", "x", False),
        ("https://talk.example", "talk.example:443", True),
        ("https://talk.example", "TALK.example", True),
        ("http://talk.example", "talk.example:80", True),
        ("https://talk.example:8443", "talk.example", False),
        ("http://localhost.evil.example", "x", False),
        ("http://[::1", "x", False),
        ("http://talk.example:port", "talk.example", False),
        ("null", "null", False),
        ("file://", "", False),
    ],
)
def test_origins_are_compared_as_browsers_do(origin, host, allowed):
    """Small letters, and the port that a URL may leave out."""
    assert origin_allowed(origin, host, (APP,)) is allowed


async def test_a_proxy_with_its_own_host_says_which_one_the_browser_used():
    """X-Forwarded-Host counts for the page's own origin, and makes no other origin allowed."""
    async with open_harness(api_keys=("k",), trusted_proxies=("127.0.0.1",)) as harness:
        browser = {"Origin": "https://voice.example", "Authorization": "Bearer k"}
        for forwarded in ("voice.example", "voice.example:443", "voice.example, inner.example"):
            async with harness.connect(headers={**browser, "X-Forwarded-Host": forwarded}) as wire:
                await wire.until("session.created")
        async with aiohttp.ClientSession(harness.server.url) as http:
            for forwarded in ("other.example", "", "voice.example.evil.org", "inner.example, voice.example"):
                async with http.get(
                    "/v1/realtime", headers={**browser, "X-Forwarded-Host": forwarded}
                ) as answer:
                    assert answer.status == 403, forwarded
            preflight = {
                "Origin": "https://evil.example",
                "Access-Control-Request-Headers": "x-forwarded-host",
            }
            async with http.options("/v1/realtime/client_secrets", headers=preflight) as answer:
                assert answer.status == 403


async def test_visitors_are_not_told_what_to_install():
    """/readyz says what is missing and whether the server hears; how to change that stands in the log."""
    deaf: ProviderOverrides = {"vad": None, "transcriber": None}
    async with running(Settings(port=0), providers=deaf) as server:
        told = Missing(
            "voice detection", "No module named 'onnxruntime': pip install 'minimax-realtime[local]'"
        )
        server.app[OPENED].runtime = replace(server.runtime, parts_missing=(told,))
        async with aiohttp.ClientSession(server.url) as http, http.get("/readyz") as answer:
            ready = await answer.json()
    assert ready["hears"] is False
    assert ready["missing"] == [
        {"part": "voice detection", "message": "This server runs without its voice detection."}
    ]


async def test_a_server_with_detector_and_transcriber_hears():
    async with (
        open_harness(transcriber="minimax") as harness,
        aiohttp.ClientSession(harness.server.url) as http,
        http.get("/readyz") as answer,
    ):
        detects = harness.server.runtime.providers.vad is not None  # not installed everywhere
        assert (await answer.json())["hears"] is detects


@pytest.mark.parametrize(
    ("settings", "emulated"),
    [
        ({}, ["chat", "speech"]),
        ({"chat_base_url": "http://127.0.0.1:9/v1", "chat_model": "other"}, ["speech"]),
        ({"chat_provider": "openai", "chat_base_url": "http://127.0.0.1:9/v1", "chat_model": "other"}, ["speech"]),
        ({"chat_provider": "minimax", "chat_base_url": "http://127.0.0.1:9/v1", "chat_model": "other"},
         ["chat", "speech"]),
        ({"transcriber": "minimax"}, ["chat", "speech", "transcriber"]),
        ({"api_key": "k", "base_url": "http://127.0.0.1:9"}, []),
    ],
)  # fmt: skip
async def test_readyz_names_what_is_emulated(settings: dict[str, str], emulated: list[str]) -> None:
    """The page tells it to its visitors."""
    chosen: dict[str, str] = {"transcriber": "none", "voice_detector": "none", **settings}
    async with (
        running(Settings(port=0, **chosen)) as server,  # type: ignore[arg-type]
        aiohttp.ClientSession(server.url) as http,
        http.get("/readyz") as answer,
    ):
        ready = await answer.json()
    assert ready["emulated"] == emulated
    assert ready["sandbox"] is bool(emulated)
