"""Who gets in, and to what: hosts (DNS rebinding), the operator's addresses, origins, proxies that nobody named."""

from __future__ import annotations

import re

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from realtime.server.access import host_allowed
from realtime.server.announce import EVERY_PAGE, warnings_of
from realtime.server.app import _file, _page, _to_page
from realtime.settings.load import load_settings
from tests.adversarial.raw_http import UPGRADE, Answer, exchange, head
from tests.server.harness import Harness, open_harness

KEY = "sk-test-1234567890"
BEARER = b"Authorization: Bearer " + KEY.encode()
OURS = [
    b"127.0.0.1",
    b"127.0.0.1:8000",
    b"localhost:1",
    b"LOCALHOST",
    b"[::1]:8000",
    b"127.8.9.1",
    b"app.localhost",
]
FOREIGN = [
    b"evil.example", b"evil.example:8000", b"127.0.0.1.evil.example", b"localhost.evil.example", b"evillocalhost",
    b"evil.example@127.0.0.1", b"127.0.0.1@evil.example", b"localhost#evil.example", b"localhost/evil.example",
    b"localhost?x", b"evil.example,127.0.0.1", b"127.0.0.1:80:80", b"0.0.0.0", b"[::]", b"[::1", b"::1", b"10.0.0.1",
    b"localhost.", b"2130706433", b"0x7f.1", b"127.1", b"\xff", b"127.0.0.1\\evil", b"[localhost]", b"",
]  # fmt: skip


def routes(app: web.Application) -> list[tuple[bytes, bytes]]:
    """Method and path of every address but the page's files; a path that will be added is among them."""
    files = (_page, _to_page, _file)
    found = [
        (r.method, r.resource.canonical) for r in app.router.routes() if r.handler not in files and r.resource
    ]
    return [(method.encode(), re.sub(r"{\w+}", "x", path).encode()) for method, path in found]


async def test_without_keys_a_page_with_a_name_of_its_own_reaches_nothing_but_files():
    async with open_harness() as harness:
        url, addresses = harness.server.url, routes(harness.server.app)
        assert {b"/readyz", b"/metrics", b"/healthz", b"/v1/realtime/client_secrets"} <= {
            p for _, p in addresses
        }
        for method, path in addresses:
            every = path in (b"/v1/realtime", b"/readyz")  # the check is one and the same
            for host in FOREIGN if every else FOREIGN[:1]:
                answer = await exchange(url, head(*UPGRADE, method=method, path=path, host=host))
                assert answer.status in (400, 403), (method, path, host)
            for host in OURS if every else OURS[:1]:
                answer = await exchange(url, head(method=method, path=path, host=host))
                assert answer.status != 403, (method, path, host)
        for path in (b"/", b"/sdk/realtime.js"):
            assert (await exchange(url, head(path=path, host=b"evil.example"))).status == 200
        forwarded = (
            b"X-Forwarded-Host: 127.0.0.1",
            b"Forwarded: host=localhost",
            b"X-Forwarded-For: 127.0.0.1",
        )
        assert (await exchange(url, head(*forwarded, path=b"/readyz", host=b"evil.example"))).status == 403


@given(st.text(max_size=30), st.sampled_from(["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", ""]))
def test_only_names_of_this_machine_are_allowed(host, bound):
    """A host that holds anything else, in whichever place, is none of them."""
    for hosts in (
        host,
        f"{host}.example",
        f"127.0.0.1{host}.evil.example",
        f"{host}@localhost",
        f"localhost/{host}",
    ):
        if host_allowed(hosts, bound):
            name = hosts.rpartition(":")[0] if hosts.rpartition(":")[2].isdigit() else hosts
            bare = name.strip("[]").lower()
            assert bare == "localhost" or bare.endswith(".localhost") or bare[0].isdigit() or ":" in bare


def test_bound_to_all_addresses_a_foreign_name_is_still_foreign():
    for bound in ("0.0.0.0", "::", ""):
        assert host_allowed("localhost:8000", bound)
        assert not host_allowed("evil.example:8000", bound)


# -- what is for the operator


async def get(harness: Harness, path: bytes, *headers: bytes, host: bytes = b"127.0.0.1") -> Answer:
    return await exchange(harness.server.url, head(*headers, path=path, host=host))


PROXIES = (b"X-Forwarded-For: 9.9.9.9", b"Forwarded: for=9.9.9.9", b"Via: 1.1 x", b"X-Real-IP: 9.9.9.9",
           b"X-Forwarded-Host: voice.example", b"X-Forwarded-Proto: https")  # fmt: skip


async def test_with_keys_metrics_and_details_are_for_this_machine_and_for_a_key():
    async with open_harness(api_keys=(KEY,)) as harness:
        secret = await exchange(
            harness.server.url, head(BEARER, path=b"/v1/realtime/client_secrets", method=b"POST")
        )
        ephemeral = b"Authorization: Bearer ek_" + secret.body.split(b'"ek_')[1].split(b'"')[0]
        wrong = b"Authorization: Bearer sk-wrong"
        shown = [((), b"127.0.0.1"), ((BEARER,), b"voice.example"), ((BEARER, PROXIES[0]), b"voice.example")]
        hidden = [
            *(((proxy,), b"127.0.0.1") for proxy in PROXIES),
            ((), b"voice.example"),
            ((wrong,), b"voice.example"),
            ((ephemeral,), b"voice.example"),
        ]
        for headers, host in shown:
            assert (await get(harness, b"/metrics", *headers, host=host)).status == 200, (headers, host)
            assert b"chat_model" in (await get(harness, b"/readyz", *headers, host=host)).body
        for headers, host in hidden:
            answer = await get(harness, b"/metrics", *headers, host=host)
            assert (answer.status, answer.error["code"]) == (401, "invalid_api_key"), (headers, host)
            ready = await get(harness, b"/readyz", *headers, host=host)
            assert ready.status == 200
            for detail in (b"MiniMax", b"chat_model", b"voice", b"missing", b"transcriber", b"sandbox"):
                assert detail not in ready.body, (headers, host)


async def test_an_admin_address_needs_no_key_but_a_proxy_there_is_nobody():
    async with open_harness(api_keys=(KEY,), admin_addresses=("127.0.0.0/8",)) as harness:
        assert (await get(harness, b"/metrics", host=b"realtime.monitoring:8000")).status == 200
        for proxy in PROXIES:
            assert (await get(harness, b"/metrics", proxy, host=b"realtime.monitoring")).status == 401
    async with open_harness(api_keys=(KEY,), admin_addresses=("10.0.0.0/8",)) as harness:
        assert (await get(harness, b"/metrics", host=b"realtime.monitoring")).status == 401


# -- origins


@pytest.mark.parametrize("keys", [(), (KEY,)])
async def test_no_foreign_origin_connects_or_mints_whatever_it_adds(keys):
    evil = [b"https://evil.example", b"null", b"", b"file://", b"http://127.0.0.1.evil.example", b"http://[::1",
            b"https://evil.example:443@127.0.0.1", b"http://localhost@evil.example", b"//127.0.0.1", b"\xff"]  # fmt: skip
    async with open_harness(api_keys=keys, origins=("https://app.example",)) as harness:
        url = harness.server.url
        for origin in evil:
            line = b"Origin: " + origin
            for more in (
                (),
                (b"X-Forwarded-Host: evil.example",),
                (b"Forwarded: host=evil.example;proto=https",),
            ):
                handshake = await exchange(url, head(*UPGRADE, BEARER, line, *more))
                assert handshake.status in (400, 403), (origin, more)
                mint = head(BEARER, line, *more, path=b"/v1/realtime/client_secrets", method=b"POST")
                answer = await exchange(url, mint)
                assert answer.status in (400, 403), (origin, more)
                assert "access-control-allow-origin" not in answer.headers


async def test_all_origins_works_and_warns():
    origins = load_settings({}, {"REALTIME_ORIGINS": "*"}).settings.origins
    assert origins == ("*",)
    async with open_harness(origins=origins) as harness:
        assert EVERY_PAGE in warnings_of(harness.server.runtime)
        answer = await exchange(harness.server.url, head(*UPGRADE, b"Origin: https://any.example"))
        assert answer.status == 101
        rebound = head(*UPGRADE, b"Origin: http://evil.example", host=b"evil.example")
        assert (await exchange(harness.server.url, rebound)).status == 403
        await harness.no_sessions()
    async with open_harness(origins=("https://app.example",)) as harness:
        assert EVERY_PAGE not in warnings_of(harness.server.runtime)
