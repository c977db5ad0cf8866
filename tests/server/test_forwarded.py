"""A proxy in front with a Host of its own: believed where the operator named it, and nowhere else."""

from __future__ import annotations

import time

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ConfigError
from realtime.server import forwarded
from realtime.server.forwarded import MOST_PAIRS, browser_host, forwarded_host, is_trusted
from realtime.settings.load import load_settings
from tests.server.harness import open_harness

PAGE = "https://voice.example"


@pytest.mark.parametrize(
    ("headers", "host"),
    [
        ({}, None),
        ({"X-Forwarded-Host": "voice.example"}, "voice.example"),
        ({"X-Forwarded-Host": "Voice.Example"}, "voice.example"),
        ({"X-Forwarded-Host": "voice.example, inner.example"}, "voice.example"),
        ({"X-Forwarded-Host": "voice.example:443", "X-Forwarded-Proto": "https"}, "voice.example"),
        ({"X-Forwarded-Host": "voice.example:80", "X-Forwarded-Proto": "http"}, "voice.example"),
        ({"X-Forwarded-Host": "voice.example:80", "X-Forwarded-Proto": "https"}, "voice.example:80"),
        ({"X-Forwarded-Host": "voice.example:8443", "X-Forwarded-Proto": "https"}, "voice.example:8443"),
        ({"X-Forwarded-Host": "voice.example", "X-Forwarded-Port": "8443"}, "voice.example:8443"),
        ({"X-Forwarded-Host": "voice.example", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https"}, "voice.example"),
        ({"X-Forwarded-Proto": "https"}, None),
        ({"Forwarded": "for=192.0.2.1;host=voice.example;proto=https"}, "voice.example"),
        ({"Forwarded": 'For="[2001:db8::1]:4711"; Host="voice.example:443"; Proto=https, for=x;host=other'}, "voice.example"),
        ({"Forwarded": "for=192.0.2.1, host=other.example"}, None),
        ({"Forwarded": 'for="a,b";host=voice.example:8443'}, "voice.example:8443"),
        ({"Forwarded": "nonsense"}, None),
        ({"X-Forwarded-Host": ":"}, None),
        ({"X-Forwarded-Host": ":443", "X-Forwarded-Proto": "https"}, None),
        ({"Forwarded": 'for="a;host=other.example'}, None),
        ({"Forwarded": "a=b;" * (MOST_PAIRS - 1) + "host=voice.example"}, "voice.example"),
        ({"Forwarded": "a=b;" * MOST_PAIRS + "host=voice.example"}, None),
        ({"X-Forwarded-Host": "[2001:db8::1]:443", "X-Forwarded-Proto": "https"}, "[2001:db8::1]"),
    ],
)  # fmt: skip
def test_the_host_that_the_browser_used(headers, host):
    assert forwarded_host(headers) == host


@given(st.text(max_size=60))
def test_any_header_is_read(text):
    assert forwarded_host({"Forwarded": text, "X-Forwarded-Proto": text}) != ""
    assert forwarded_host({"X-Forwarded-Host": text, "X-Forwarded-Port": text}) != ""


@pytest.mark.parametrize("part", ["a=b;", 'a="b";', '"', '"",', " ", "a", "a ", 'x="', "for=x,"])
def test_each_character_of_a_long_header_is_read_once(part: str):
    """Twice as long takes twice as long, not four times: read anew for each pair, this would take minutes."""
    began_s = time.process_time()
    forwarded_host({"Forwarded": part * 50_000})
    assert time.process_time() - began_s < 5.0


def test_the_headers_of_a_request_are_read_once_however_many_parts_of_its_answer_ask(monkeypatch):
    read = []
    monkeypatch.setattr(forwarded, "forwarded_host", lambda headers: read.append(headers) or "voice.example")
    request = make_mocked_request("GET", "/", {"Host": "inner"})
    assert {browser_host(request, ("*",)) for _ in range(3)} == {"voice.example"}
    assert len(read) == 1


@pytest.mark.parametrize(
    ("peer", "trusted", "believed"),
    [
        (("127.0.0.1", 5), (), False),
        (("127.0.0.1", 5), ("127.0.0.1",), True),
        (("127.0.0.1", 5), ("10.0.0.0/8",), False),
        (("10.4.5.6", 5), ("127.0.0.1", "10.0.0.0/8"), True),
        (("::ffff:10.4.5.6", 5, 0, 0), ("10.0.0.0/8",), True),
        (("::1", 5, 0, 0), ("::1",), True),
        (("::1", 5, 0, 0), ("127.0.0.1",), False),
        (("fe80::1%eth0", 5, 0, 2), ("fe80::/10",), True),
        (("203.0.113.9", 5), ("*",), True),
        ("", ("127.0.0.1",), True),  # a Unix socket
        (None, (), False),
        (("what?", 5), ("127.0.0.1",), False),
    ],
)
def test_which_proxies_are_believed(peer, trusted, believed):
    assert is_trusted(peer, trusted) is believed


@pytest.mark.parametrize("value", ["somewhere", "10.0.0.0/99", "127.0.0.1:80", "proxy.example"])
def test_a_wrong_list_of_proxies_is_one_sentence(value):
    with pytest.raises(ConfigError, match="REALTIME_TRUSTED_PROXIES must be a list of addresses"):
        load_settings({}, {"REALTIME_TRUSTED_PROXIES": value})


async def handshake(harness, path: str = "/v1/realtime", **headers: str) -> tuple[int, str]:
    """Status and text of the answer to a page's handshake; 101 is success."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}  # fmt: skip
    async with (
        aiohttp.ClientSession() as http,
        http.get(harness.server.url + path, headers={**upgrade, **headers}) as answer,
    ):
        return answer.status, "" if answer.status == 101 else await answer.text()


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "voice.example", "X-Forwarded-Proto": "https"},
        {"X-Forwarded-Host": "voice.example:443", "X-Forwarded-Proto": "https"},
        {"Forwarded": "for=192.0.2.1;host=voice.example;proto=https"},
    ],
)
async def test_only_a_trusted_proxy_opens_the_door(headers):
    page = {"Origin": PAGE, **headers}
    async with open_harness(trusted_proxies=("127.0.0.1",)) as harness:
        assert (await handshake(harness, **page))[0] == 101
        assert (await handshake(harness, **{**page, "Origin": "https://evil.example"}))[0] == 403
    for trusted in ((), ("10.0.0.0/8",)):
        async with open_harness(trusted_proxies=trusted) as harness:
            status, text = await handshake(harness, **page)
            assert status == 403
            assert f"{PAGE} is not in REALTIME_ORIGINS" in text
            assert "REALTIME_TRUSTED_PROXIES" in text


async def test_the_origins_setting_does_it_too_and_a_plain_refusal_is_about_origins():
    async with open_harness(origins=(PAGE,)) as harness:
        assert (await handshake(harness, Origin=PAGE))[0] == 101
    async with open_harness() as harness:
        status, text = await handshake(harness, Origin=PAGE)
    assert status == 403
    assert "REALTIME_TRUSTED_PROXIES" not in text


async def test_client_secrets_follow_the_same_rule():
    headers = {"Origin": PAGE, "X-Forwarded-Host": "voice.example"}
    for trusted, status in ((("127.0.0.1",), 200), ((), 403)):
        async with (
            open_harness(trusted_proxies=trusted) as harness,
            aiohttp.ClientSession() as http,
            http.post(harness.server.url + "/v1/realtime/client_secrets", headers=headers) as answer,
        ):
            assert answer.status == status
