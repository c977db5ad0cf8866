"""Broken and repeated headers over raw sockets: no log, no answer and no error page shows a header or a key."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from realtime import realtime_app
from realtime.providers import FakeChat, FakeSpeech
from realtime.settings import Settings
from tests.adversarial.raw_http import UPGRADE, Answer, everything_logged, exchange, head
from tests.server.harness import open_harness

KEY = b"sk-Ab1Cd2Ef3Gh4Ij5Kl6Mn7Op8"
AUTHORIZATION = b"Authorization: Bearer " + KEY
PROTOCOL = b"Sec-WebSocket-Protocol: realtime, openai-insecure-api-key." + KEY
WINDOW = 8  # so many characters of a key in a row are a leak
PIECES = [KEY[at : at + WINDOW].decode() for at in range(len(KEY) - WINDOW + 1)]

BROKEN = {
    "a CR at the end": head(*UPGRADE, AUTHORIZATION + b"\r"),
    "a NUL": head(*UPGRADE, AUTHORIZATION + b"\0"),
    "over 8 kB": head(*UPGRADE, AUTHORIZATION + b"x" * 9_000),
    "a long name": head(*UPGRADE, b"X" * 9_000 + AUTHORIZATION),
    "a space in the name": head(*UPGRADE, b"Author ization: Bearer " + KEY),
    "a space before the colon": head(*UPGRADE, b"Authorization : Bearer " + KEY),
    "no colon": head(*UPGRADE, b"Authorization Bearer " + KEY),
    "a folded line": head(*UPGRADE, b"Authorization: Bearer\r\n " + KEY),
    "two protocols headers": head(*UPGRADE, b"Sec-WebSocket-Protocol: openai-insecure-api-key." + KEY,
                                  b"Sec-WebSocket-Protocol: realtime"),
    "two protocols headers, the other way": head(*UPGRADE, b"Sec-WebSocket-Protocol: realtime",
                                                 b"Sec-WebSocket-Protocol: openai-insecure-api-key." + KEY),
    "two keys": head(*UPGRADE, AUTHORIZATION, b"Authorization: Bearer x"),
    "two hosts": head(*UPGRADE, AUTHORIZATION, b"Host: evil.example"),
    "two origins": head(*UPGRADE, AUTHORIZATION, b"Origin: http://127.0.0.1", b"Origin: https://evil.example"),
    "300 headers": head(*UPGRADE, *(b"X-%d: Bearer " % n + KEY for n in range(300))),
    "two lengths": head(AUTHORIZATION, b"Content-Length: 1", b"Content-Length: 2", method=b"POST"),
    "a length and chunks": head(AUTHORIZATION, b"Content-Length: 3", b"Transfer-Encoding: chunked", method=b"POST"),
    "a wrong WebSocket key": head(*UPGRADE[:3], b"Sec-WebSocket-Key: " + KEY, AUTHORIZATION),
    "a wrong version": head(*UPGRADE[:2], b"Sec-WebSocket-Version: " + KEY, UPGRADE[3]),
    "a key as the method": head(*UPGRADE, method=KEY + b"\x01"),
    "a key as the path": head(*UPGRADE, path=b"/\x01" + KEY),
    "a key as the version": b"GET / HTTP/" + KEY + b"\r\n\r\n",
    "chunks that are none": head(AUTHORIZATION, b"Transfer-Encoding: chunked", method=b"POST",
                                 path=b"/v1/realtime/client_secrets") + KEY + b"\r\n",
}  # fmt: skip


def no_leak(text: str) -> None:
    assert not [piece for piece in PIECES if piece in text], text[-2_000:]


def well_dressed(answer: Answer) -> None:
    """An answer with the security headers, and without a version of anything."""
    assert answer.headers["server"] == "minimax-realtime"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_a_broken_request_is_400_and_neither_answer_nor_log_quote_it():
    async with open_harness() as harness:
        for name, data in BROKEN.items():
            with everything_logged() as told:
                answer = await exchange(harness.server.url, data)
            assert harness.sessions == 0, name
            assert answer.status == 400, (name, answer.raw)
            well_dressed(answer)
            assert answer.error["message"]
            no_leak(answer.raw.decode("latin-1"))
            no_leak(told.text)
            assert not any(record.exc_info for record in told.records), (
                "a stranger's bytes are no error of ours"
            )
            assert len(told.records) <= 1, "one line"


async def test_what_a_request_expects_is_not_quoted_either():
    """aiohttp answers an unknown `Expect` before any middleware."""
    async with open_harness() as harness:
        for path in (b"/v1/realtime", b"/", b"/nothing"):
            with everything_logged() as told:
                answer = await exchange(harness.server.url, head(b"Expect: " + KEY, path=path))
            assert answer.status == 417
            well_dressed(answer)
            assert answer.error["message"]
            no_leak(answer.raw.decode("latin-1"))
            no_leak(told.text)


@asynccontextmanager
async def embedded() -> AsyncIterator[str]:
    """The address of the application in a runner of somebody else."""
    own = {
        "transcriber": None,
        "vad": None,
        "end_of_turn": None,
        "chat": FakeChat([]),
        "speech": FakeSpeech(),
    }
    runner = web.AppRunner(realtime_app(Settings(), providers=own), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_in_an_application_of_somebody_else_aiohttp_logs_no_header_either():
    async with embedded() as url:
        for data in BROKEN.values():
            with everything_logged() as told:
                assert (await exchange(url, data)).status == 400
            no_leak(told.text)
            assert not any(record.exc_info for record in told.records)


async def test_a_port_scanner_costs_a_line_and_a_thousand_of_them_few():
    probes = [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-scan\r\n\r\n", b"\0\0\0\0\r\n\r\n",
              b"OPTIONS sip:nm SIP/2.0\r\n\r\n", b"*1\r\n$4\r\nINFO\r\n\r\n", b"EHLO me\r\n\r\n"]  # fmt: skip
    async with open_harness() as harness:
        with everything_logged() as told:
            for _ in range(40):
                for probe in probes:
                    assert (await exchange(harness.server.url, probe)).status in (0, 400)
        assert len(told.records) <= 20
        assert not any(record.exc_info for record in told.records)


async def test_a_header_that_decides_something_comes_once():
    async with open_harness() as harness:
        for path in (b"/v1/realtime", b"/readyz", b"/", b"/v1/realtime/client_secrets", b"/nowhere"):
            for name in ("Authorization", "Origin", "Sec-WebSocket-Protocol", "Upgrade"):
                line = name.encode() + b": realtime"
                answer = await exchange(harness.server.url, head(line, line, path=path))
                assert answer.status == 400, (path, name)
                assert answer.error["message"].startswith(f"The header {name} came more than once")


def mutated(random_: random.Random) -> bytes:
    """A handshake with a key, changed at one to three places."""
    lines = [
        b"User-Agent: tester/1.0",
        *UPGRADE,
        AUTHORIZATION,
        PROTOCOL,
        b"X-Api-Key: " + KEY,
        b"Accept: */*",
    ]
    data = bytearray(head(*lines))
    odd = [
        b"\r",
        b"\n",
        b"\0",
        b" ",
        b"\t",
        b":",
        b"\x80",
        b"\xff",
        b"\r\n",
        b"\r\n\r\n",
        b",",
        b'"',
        b"\x7f",
    ]
    for _ in range(random_.randint(1, 3)):
        at = random_.randrange(len(data))
        match random_.randrange(4):
            case 0:
                data[at:at] = random_.choice(odd)
            case 1:
                data[at : at + 1] = random_.choice(odd)
            case 2:
                data[at:at] = random_.choice(lines) + b"\r\n"
            case 3:
                data[at:at] = b"a" * random_.choice([1, 8_191, 70_000])
    return bytes(data) + b"\r\n\r\n"  # so that the server never waits for the end of the head


@pytest.mark.parametrize("seed", range(4))
async def test_no_mutated_handshake_leaks_or_stops_the_server(seed: int):
    random_ = random.Random(seed)
    async with open_harness() as harness:
        for _ in range(100):
            data = mutated(random_)
            with everything_logged() as told:
                answer = await exchange(harness.server.url, data)
            no_leak(told.text)
            no_leak(answer.raw.decode("latin-1"))
            assert answer.status in (0, 101, 400, 403, 404, 405, 426), (data, answer.raw)
            if answer.status > 101:
                well_dressed(answer)
            assert not any(record.levelname in ("ERROR", "CRITICAL") for record in told.records), told.text
        assert (await exchange(harness.server.url, head(path=b"/healthz"))).status == 200
        await harness.no_sessions()


async def test_a_credential_of_any_bytes_is_only_a_wrong_credential():
    """Also without keys, where every credential is accepted, and the session remembers a hash of it."""
    for keys, status in (((), 101), (("sk-right-one",), 401)):
        async with open_harness(api_keys=keys) as harness:
            with everything_logged() as told:
                for odd in (b"\xff", b"\xed\xa0\x80", b"\xc3\x28", "ключ".encode(), b"\x80" * 100):
                    bearer = b"Authorization: Bearer " + odd
                    assert (await exchange(harness.server.url, head(*UPGRADE, bearer))).status == status
                await harness.no_sessions()
            assert not any(record.exc_info for record in told.records), told.text


async def test_plain_http_on_the_https_port_costs_few_lines(tls_files):
    cert, key = tls_files
    async with open_harness(tls_cert=cert, tls_key=key) as harness:
        with everything_logged() as told:
            for _ in range(5):
                await exchange(harness.server.url, head(*UPGRADE, AUTHORIZATION))
        no_leak(told.text)
        assert not any(record.exc_info for record in told.records), told.text
