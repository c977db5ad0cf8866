"""Turns through a proxy: a reply that is spoken, and a reply that fails with the proxy's reason; the session goes on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from realtime_client import connect

from realtime import Settings, running
from realtime.sandbox.server import Sandbox
from tests.minimax.small_proxies import SmallProxy, proxying


@asynccontextmanager
async def talking(monkeypatch, **options):
    """A conversation with a server whose platform only a proxy reaches."""
    for name in ("no_proxy", "NO_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with Sandbox() as sandbox, proxying("http", urlsplit(sandbox.url).port or 0, **options) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:s3cr3t@127.0.0.1:{proxy.port}")
        settings = Settings(
            api_key="key",
            base_url="http://api.voice.example",
            port=0,
            transcriber="none",
            voice_detector="none",
            end_of_turn_model="none",
            silent_turn_timeout_s=60,
        )
        async with running(settings) as server, connect(server.url) as talk:
            yield proxy, talk


async def reply(talk) -> tuple[dict, int]:
    """The response of one turn, and its bytes of audio."""
    await talk.say("Say hello.")
    heard = 0
    async for event in talk:
        heard += len(event.get("pcm") or b"")
        if event["type"] == "response.done":
            return event["response"], heard
    raise AssertionError("the conversation ended")


async def test_a_reply_is_spoken_through_the_proxy(monkeypatch):
    async with talking(monkeypatch, user="me", password="s3cr3t") as (proxy, talk):
        response, heard = await reply(talk)
    assert response["status"] == "completed"
    assert heard > 10_000
    assert "api.voice.example" in proxy.asked  # chat, forwarded
    assert "api.voice.example:80" in proxy.asked  # speech, by CONNECT


@pytest.mark.parametrize("options", [{"refuse": 403}, {"user": "somebody else"}])
async def test_a_refusal_fails_the_reply_and_not_the_session(monkeypatch, options):
    proxy: SmallProxy
    async with talking(monkeypatch, **options) as (proxy, talk):
        response, _ = await reply(talk)
        assert response["status"] == "failed"
        error = response["status_details"]["error"]
        assert error["code"] != "internal_error"
        assert "s3cr3t" not in str(response)
        proxy.refuse, proxy.user, proxy.password = None, "me", "s3cr3t"
        response, _ = await reply(talk)
    assert response["status"] == "completed"
