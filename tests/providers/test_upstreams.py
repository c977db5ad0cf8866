"""What is known of proxies before the first turn: the services of the settings, and settings that cannot be used."""

from __future__ import annotations

import pytest

from realtime.commands.checks import Verdict, run_checks
from realtime.errors import ConfigError
from realtime.minimax import proxies
from realtime.providers.upstreams import proxies_of, upstreams
from realtime.server.runtime import open_runtime
from realtime.settings import Settings

WITH_KEY = {"api_key": "key", "transcriber": "none", "voice_detector": "none", "end_of_turn_model": "none"}


@pytest.fixture(autouse=True)
def _no_proxies_of_this_machine(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "socks_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        ({}, ()),
        ({"api_key": "k"}, ("https://api.minimaxi.com", "https://api-bj.minimaxi.com")),
        ({"api_key": "k", "base_url": "http://127.0.0.1:8100"}, ("http://127.0.0.1:8100",)),
        ({"api_key": "k", "base_url": "https://a.example", "speech_urls": ("https://b.example",)},
         ("https://a.example", "https://b.example")),
        ({"chat_base_url": "https://c.example/v1", "chat_model": "m"}, ("https://c.example/v1",)),
        ({"transcriber": "openai:https://t.example/v1?model=m"}, ("https://t.example/v1?model=m",)),
    ],
)  # fmt: skip
def test_the_services_of_the_settings(settings, urls):
    assert upstreams(Settings(**settings)) == urls


def test_each_host_has_its_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://u:s3cr3t@proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "api-bj.minimaxi.com")
    found = proxies_of(Settings(api_key="key"))
    assert {host: proxy.address for host, proxy in found.items()} == {
        "api.minimaxi.com": "http://proxy.example:3128"
    }


async def test_the_sandbox_needs_no_proxy_that_works(monkeypatch):
    monkeypatch.setenv("ALL_PROXY", "no proxy at all")
    assert proxies_of(Settings()) == {}


async def test_a_proxy_that_cannot_be_used_stops_the_start(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://u:s3cr3t@:3128")
    with pytest.raises(ConfigError, match="HTTPS_PROXY is not the address of a proxy") as caught:
        async with open_runtime(Settings(**WITH_KEY)):
            pytest.fail("started")
    assert "s3cr3t" not in str(caught.value)


async def test_a_missing_package_stops_the_start(monkeypatch):
    monkeypatch.setattr(proxies, "_SOCKS_PACKAGE", "no_such_package")
    monkeypatch.setenv("ALL_PROXY", "socks5://u:s3cr3t@proxy.example")
    with pytest.raises(ConfigError, match="pip install aiohttp-socks"):
        async with open_runtime(Settings(**WITH_KEY)):
            pytest.fail("started")


@pytest.mark.parametrize(
    ("value", "verdict", "says"),
    [
        ("http://u:s3cr3t@:3128", Verdict.BAD, "HTTPS_PROXY is not the address"),
        ("gopher://u:s3cr3t@proxy.example", Verdict.BAD, "of the kind gopher://"),
        (
            "http://u:s3cr3t@127.0.0.1:9",
            Verdict.GOOD,
            "http://127.0.0.1:9 (HTTPS_PROXY), to api.minimaxi.com",
        ),
    ],
)
async def test_the_doctor_tells(value, verdict, says, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", value)
    findings = {finding.part: finding for finding in await run_checks(Settings(**WITH_KEY))}
    assert findings["proxy"].verdict is verdict
    assert says in f"{findings['proxy'].text} {findings['proxy'].advice}"
    assert findings["chat"].verdict is Verdict.BAD
    assert "HTTPS_PROXY" in findings["chat"].text
    assert "s3cr3t" not in repr(findings)
