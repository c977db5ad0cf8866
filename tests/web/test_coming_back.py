"""The SDK in Chromium over a line that breaks, with a real server: what it plays is what the server sent, each sample once."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from realtime.protocol.server_events import ResponseOutputAudioDelta
from realtime.server.run import running
from realtime.server.state import DRAIN, REGISTRY
from tests.eventually import eventually
from tests.proxy import Proxy, proxy_to
from tests.server.harness import Harness, open_harness

LONG = "Count to twenty."
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while

START = """async (binary) => {
  const { Realtime } = await import("/sdk/realtime.js");
  const voice = new Realtime({ url: `ws://${location.host}/v1/realtime`, binary });
  window.voice = voice; window.pcm = []; window.samples = 0; window.types = []; window.created = 0;
  voice.player.push = (key, pcm) => { window.pcm.push(pcm.slice()); window.samples += pcm.length; };
  voice.addEventListener("event", ({ detail }) => window.types.push(detail.type));
  voice.connect();
}"""
ERRORS = """() => {
  window.errors = [];
  voice.addEventListener("event", ({ detail }) => detail.type === "error" && window.errors.push(detail.error.code));
}"""
SOUND = """async () => {
  const all = new Int16Array(window.samples);
  let at = 0;
  for (const each of window.pcm) { all.set(each, at); at += each.length; }
  const hash = await crypto.subtle.digest("SHA-256", all);
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


def counted(kind: str) -> str:
    return f"() => window.types.filter((type) => type === {kind!r}).length"


@asynccontextmanager
async def speaking(
    open_page: Any, *, binary: bool = True
) -> AsyncIterator[tuple[Harness, Proxy, Any, bytearray]]:
    """A page in conversation over a proxy, and all audio that the server has sent it."""
    async with open_harness(*SLOW) as harness, proxy_to(urlsplit(harness.ws_url).port or 0) as proxy:
        page = await open_page(f"http://127.0.0.1:{proxy.port}/icon.svg")
        await page.evaluate(START, binary)
        await page.wait_for_function("() => voice.connection.state === 'open'")
        (live,) = harness.server.app[REGISTRY]
        sent, number = bytearray(), live._number

        def numbered(outgoing: Any) -> Any:
            if isinstance(outgoing.event, ResponseOutputAudioDelta):
                sent.extend(outgoing.event.delta)
            return number(outgoing)

        live._number = numbered  # type: ignore[method-assign]
        yield harness, proxy, page, sent
        await page.close()


async def at_least(page: Any, kind: str, count: int = 1) -> None:
    await page.wait_for_function(f"(count) => ({counted(kind)})() >= count", arg=count)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
async def test_the_answer_goes_on_at_its_sample(open_page: Any, binary: bool) -> None:
    """The line is cut twice while the answer comes."""
    async with speaking(open_page, binary=binary) as (_, proxy, page, sent):
        proxy.cuts = [100_000, 100_000]
        await page.evaluate("(text) => voice.say(text)", LONG)
        await at_least(page, "session.resumed", 2)
        await at_least(page, "response.done")
        assert await page.evaluate(SOUND) == hashlib.sha256(sent).hexdigest()
        assert await page.evaluate(counted("session.created")) == 1
        users = "() => voice.conversation.items.filter(({ role }) => role === 'user').map(({ text }) => text)"
        assert await page.evaluate(users) == [LONG]
        assert await page.evaluate("() => voice.conversation.problem") is None


async def test_the_address_says_what_is_playing_and_how_much_has_arrived(open_page: Any) -> None:
    async with speaking(open_page) as (_, __, page, ___):
        asked = """() => {
            const part = { heardMs: 400.6, receivedMs: 1500.4, outputMs: 500, done: true };
            voice.player.parts.set("0:item_0", { ...part, heardMs: 1500.4 });
            const idle = voice.connection.played();
            voice.player.parts.set("0:item_1", part);
            const playing = voice.connection.played();
            voice.audio.handle({ type: "session.created" });  // what still sounds belongs to the session before
            const before = voice.connection.played();
            voice.player.parts.set("0:item_2", part);
            return [idle, playing, before, voice.connection.played()?.item_id];
        }"""
        played = {"item_id": "item_1", "played_ms": 400.6, "received_ms": 1500.4}
        assert await page.evaluate(asked) == [None, played, None, "item_2"]
        query = """async (played) => {
            const { Resuming } = await import("/sdk/resuming.js"), log = new Resuming();
            log.begin({ id: "sess_1", extensions: ["resume"] });
            return [log.query(played), log.query()];
        }"""
        named = {"resume": "sess_1", "last_seq": 0}
        assert await page.evaluate(query, played) == [
            {**named, "item_id": "item_1", "played_ms": 400, "received_ms": 1500},
            named,
        ]


async def test_a_new_server_is_told_the_conversation_as_text(open_page: Any) -> None:
    async with speaking(open_page) as (harness, proxy, page, _):
        await page.evaluate("(text) => voice.say(text)", "My name is Ada.")
        await at_least(page, "response.done")
        async with running(harness.server.runtime.settings) as another:
            proxy.target_port = urlsplit(another.url).port or 0
            proxy.reset()
            await at_least(page, "session.created", 2)
            await page.wait_for_function("() => voice.conversation.items.length === 2")
            await at_least(page, "error")
            assert await page.evaluate("() => voice.conversation.problem") is None
            await page.evaluate("() => voice.say('What is two plus three?')")
            await at_least(page, "response.done", 2)
            await page.evaluate("() => voice.stop()")
            await eventually(lambda: not len(another.app[REGISTRY]))  # closed with 1000


async def test_a_server_that_stops_is_not_asked_for_the_session_again(open_page: Any) -> None:
    async with speaking(open_page) as (harness, proxy, page, _):
        await page.evaluate(ERRORS)
        await page.evaluate("(text) => voice.say(text)", "My name is Ada.")
        await at_least(page, "response.done")
        async with running(harness.server.runtime.settings) as another:
            proxy.target_port = urlsplit(another.url).port or 0
            harness.server.app[DRAIN].hurry()
            await harness.server.app[DRAIN].run(0.0)
            await at_least(page, "session.created", 2)
            await page.wait_for_function("() => voice.conversation.items.length === 2")
            await page.evaluate("() => voice.say('What is two plus three?')")
            await at_least(page, "response.done", 2)
            assert "session_not_resumable" not in await page.evaluate("() => window.errors")
            await page.evaluate("() => voice.stop()")
            await eventually(lambda: not len(another.app[REGISTRY]))  # closed with 1000
