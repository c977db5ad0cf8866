"""OpenAI's addresses: every spelling of those of this server, and one sentence at those that are not here."""

from __future__ import annotations

import aiohttp
import openai
import pytest

from realtime.server.openai_addresses import NO_CALLS, spellings
from tests.server.door_kit import rejection
from tests.server.harness import Harness, open_harness

PAGE = "https://app.example"
CALLS = ["/calls", "/calls/", "/calls?model=gpt-realtime", "/calls/rtc_1", "/calls/rtc_1/accept", "/calls/rtc_1/hangup",
         "/calls/rtc_1/refer/"]  # fmt: skip
OTHERS = {
    "/sessions": "client_secrets",
    "/transcription_sessions": "client_secrets",
    "/translations": "translate",
    "/translations/client_secrets": "translate",
    "/translations/calls": "translate",
}


@pytest.fixture
async def http():
    async with open_harness(origins=(PAGE,)) as harness, aiohttp.ClientSession(harness.server.url) as session:
        yield session


async def refusal(http: aiohttp.ClientSession, method: str, path: str, **headers: str) -> str:
    """The sentence of a 404 that says what is not here."""
    sdp = {"Content-Type": "application/sdp", **headers}
    async with http.request(method, path, data=b"v=0\r\n", headers=sdp) as answer:
        error = (await answer.json())["error"]
        assert (answer.status, error["code"]) == (404, "unknown_url"), (method, path)
        if "Origin" in headers:
            assert answer.headers["Access-Control-Allow-Origin"] == headers["Origin"], path
        return str(error["message"])


async def test_webrtc_and_sip_are_refused_in_one_sentence(http: aiohttp.ClientSession):
    for base in ("/v1/realtime", "/realtime"):
        for path in CALLS:
            assert await refusal(http, "POST", base + path) == NO_CALLS
        for below, word in OTHERS.items():
            assert word in await refusal(http, "POST", base + below)
    for path in spellings():
        assert await refusal(http, "POST", path) == NO_CALLS
    for method in ("GET", "PUT", "DELETE"):
        assert await refusal(http, method, "/v1/realtime/calls/rtc_1") == NO_CALLS


async def test_a_page_learns_the_reason_and_not_only_that_it_failed(http: aiohttp.ClientSession):
    asks = {
        "Origin": PAGE,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-openai-agents-sdk",
    }
    for path in ("/v1/realtime/calls", "/v1/realtime?model=gpt-realtime", "/v1/realtime/translations/calls"):
        async with http.options(path, headers=asks) as answer:
            assert answer.status == 204
            assert answer.headers["Access-Control-Allow-Origin"] == PAGE
            assert "POST" in answer.headers["Access-Control-Allow-Methods"]
            allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
            assert {"authorization", "*"} <= set(allowed)
        await refusal(http, "POST", path, Origin=PAGE)
        async with http.post(path, headers={"Origin": "https://evil.example"}) as answer:
            assert answer.status == 403


async def test_a_socket_for_a_call_is_refused_too(harness: Harness):
    answer = await rejection(harness, "?call_id=rtc_1")
    assert answer.status_code == 404
    assert NO_CALLS in answer.body.decode()


async def test_openais_own_client_says_why(harness: Harness):
    async with openai.AsyncOpenAI(
        api_key="any", base_url=f"{harness.server.url}/v1", max_retries=0
    ) as client:
        with pytest.raises(openai.NotFoundError, match="no WebRTC and no SIP"):
            await client.realtime.calls.create(sdp="v=0")
        with pytest.raises(openai.NotFoundError, match="no WebRTC and no SIP"):
            await client.realtime.calls.hangup("rtc_1")


async def test_client_secrets_have_the_same_spellings_as_the_socket(http: aiohttp.ClientSession):
    for path in spellings("/client_secrets"):
        async with http.post(path, json={}) as answer:
            assert (answer.status, (await answer.json())["value"][:3]) == (200, "ek_")
        async with http.options(path, headers={"Origin": PAGE}) as answer:
            assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, PAGE)


async def test_an_address_that_nobody_knows_is_404_for_every_method(http: aiohttp.ClientSession):
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        for path in (
            "/nowhere",
            "/v1/audio/speech",
            "/v1/realtime/nowhere",
            "/sdk",
            "/sdk/nothing.js",
            "/%00",
            "/a%2fb",
        ):
            async with http.request(method, path) as answer:
                assert answer.status == 404, (method, path)
    for method in ("POST", "PUT", "DELETE"):
        for path in ("/", "/sdk/realtime.js", "/healthz", "/v1/capabilities"):
            async with http.request(method, path) as answer:
                assert answer.status == 405, (method, path)
                assert "GET" in answer.headers["Allow"]
