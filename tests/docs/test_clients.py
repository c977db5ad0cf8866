"""The token backend of docs/clients.md runs as it is printed, in front of a server with keys."""

import json
import runpy

import aiohttp
import pytest
from aiohttp import web

from tests.docs.readme import blocks
from tests.server.harness import open_harness

PAGE = "docs/clients.md"
KEY = "sk-page-1"
APP = "https://shop.example"


@pytest.fixture
def program(tmp_path) -> str:
    (block,) = [block for block in blocks(PAGE) if block.language == "python"]
    assert len([line for line in block.text.splitlines() if line.strip() and line[0] != "#"]) <= 22
    (tmp_path / block.name).write_text(block.text, encoding="utf-8")
    return str(tmp_path / block.name)


async def answer_of(app: web.Application):
    """Status, headers and text of `POST /token` of this application."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
        async with aiohttp.ClientSession() as http, http.post(url) as answer:
            return answer.status, answer.headers, await answer.text()
    finally:
        await runner.cleanup()


async def test_the_backend_hands_out_a_secret_that_opens_a_session(program, monkeypatch):
    async with open_harness(api_keys=(KEY,), origins=(APP,)) as harness:
        monkeypatch.setenv("VOICE_SERVER", harness.server.url)
        monkeypatch.setenv("VOICE_KEY", KEY)
        app = runpy.run_path(program)["app"]
        status, headers, text = await answer_of(app)
        assert (status, headers["Cache-Control"]) == (200, "no-store")
        assert KEY not in text
        secret = json.loads(text)["value"]
        assert secret.startswith("ek_")
        protocols = ("realtime", f"openai-insecure-api-key.{secret}")
        async with harness.connect(protocols=protocols, headers={"Origin": APP}) as wire:
            created = await wire.until("session.created")
            assert created["session"]["instructions"] == "Be brief."


async def test_a_wrong_key_is_no_secret(program, monkeypatch):
    async with open_harness(api_keys=(KEY,)) as harness:
        monkeypatch.setenv("VOICE_SERVER", harness.server.url)
        monkeypatch.setenv("VOICE_KEY", "sk-wrong")
        status, _, text = await answer_of(runpy.run_path(program)["app"])
        assert (status, "ek_" in text, "sk-wrong" in text) == (502, False, False)


def test_the_two_directives_are_in_the_page():
    (policy,) = [block.text for block in blocks(PAGE) if "script-src" in block.text]
    directives = [part.split()[0] for part in policy.split(";")]
    assert directives == ["script-src", "connect-src"]
    assert "unsafe" not in policy
