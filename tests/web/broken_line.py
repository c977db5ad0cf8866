"""The talk page or the SDK in Chromium, with a real server behind a line that can be cut: what both ends of it had."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from realtime.core.audio import Samples
from realtime.listening.user_input import UserInput
from realtime.protocol.server_events import ResponseOutputAudioDelta
from realtime.providers import FakeTranscriber
from realtime.providers.base import Transcript
from realtime.server.audio_streams import AudioStreams
from realtime.server.run import RunningServer, running
from tests.proxy import Proxy, proxy_to
from tests.server.harness import open_harness

MANUAL = {"audio": {"input": {"turn_detection": None}}}
SLOW = ("speech.factor=8", "chat.tps=200", "chat.plain_tps=200")  # so that a reply takes a while

# What the microphone gave; every event of the server; every text that the page shows beside the captions.
_FOLLOW = """() => {
    const voice = window.realtimeDebug?.voice ?? window.voice;
    Object.assign(window, { voice, spoken: [], types: [], received: [], shown: new Set() });
    voice.microphone.addEventListener("frame", ({ detail }) => spoken.push(detail.pcm.slice()));
    voice.addEventListener("event", ({ detail }) => { types.push(detail.type); received.push(detail); });
    for (const id of ["state", "notices"]) {
        const element = document.getElementById(id);
        if (!element) continue;
        shown.add(element.textContent);
        new MutationObserver(() => shown.add(element.textContent)).observe(element, { childList: true, subtree: true, characterData: true });
    }
}"""
_SPOKEN = """() => {
    const all = new Int16Array(spoken.reduce((sum, each) => sum + each.length, 0)), pieces = [];
    spoken.reduce((at, each) => (all.set(each, at), at + each.length), 0);
    const bytes = new Uint8Array(all.buffer);
    for (let at = 0; at < bytes.length; at += 0x2000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x2000)));
    return btoa(pieces.join(""));
}"""


class Listener(FakeTranscriber):
    """A transcriber that hears one text, however often it is asked: a broken line makes pauses, and each is read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        self.texts = [self.text]
        return await super().transcribe(samples, language=language, final=final)


@dataclass
class Wiretap:
    """The audio that servers took in, by the part that took it, and all that they sent."""

    taken: dict[int, bytearray] = field(default_factory=dict)
    sent: bytearray = field(default_factory=bytearray)

    @property
    def sessions(self) -> list[bytes]:
        """Of each session that got audio, in the order in which they began."""
        return [bytes(pcm) for pcm in self.taken.values()]

    def attach(self, monkeypatch: Any) -> Wiretap:
        """Listen to all servers of this process, until `monkeypatch` ends it."""
        append, messages = UserInput.append, AudioStreams.messages

        async def taking(user: UserInput, data: Any) -> float:
            self.taken.setdefault(id(user), bytearray()).extend(bytes(data))
            return await append(user, data)

        def sending(streams: AudioStreams, event: Any, next_seq: Any) -> Any:
            if isinstance(event, ResponseOutputAudioDelta):
                self.sent.extend(event.delta)
            return messages(streams, event, next_seq)

        monkeypatch.setattr(UserInput, "append", taking)
        monkeypatch.setattr(AudioStreams, "messages", sending)
        return self


@dataclass
class BrokenLine:
    """A page in front of `proxy`, behind which stands `server`."""

    server: RunningServer
    proxy: Proxy
    page: Any

    async def cut(self) -> None:
        """The line breaks, and nothing opens a new one before `mend`."""
        self.proxy.refusing = True
        self.proxy.reset()
        await self.page.wait_for_function("() => voice.connection.state !== 'open'")

    def mend(self, server: RunningServer | None = None) -> None:
        """New connections go through, to another server if one is given."""
        if server is not None:
            self.proxy.target_port = urlsplit(server.url).port or 0
        self.proxy.refusing = False

    async def at_least(self, kind: str, count: int = 1) -> None:
        """Wait until the page has received so many events of this kind."""
        look = "([kind, count]) => types.filter((each) => each === kind).length >= count"
        await self.page.wait_for_function(look, arg=[kind, count])

    async def count(self, kind: str) -> int:
        return int(await self.page.evaluate("(kind) => types.filter((each) => each === kind).length", kind))

    async def spoken(self) -> bytes:
        """All that the microphone gave so far, as the page sends it."""
        return base64.b64decode(await self.page.evaluate(_SPOKEN))

    async def arrived(self) -> None:
        """Wait until the server has all that was sent so far."""
        mark = await self.page.evaluate("""() => {
            window.marks = (window.marks ?? 0) + 1;
            voice.send({ type: "conversation.item.retrieve", item_id: `mark_${marks}`, event_id: `mark_${marks}` });
            return `mark_${marks}`;
        }""")
        look = "(mark) => received.some(({ error }) => error?.event_id === mark)"
        await self.page.wait_for_function(look, arg=mark)

    async def captions(self) -> list[str]:
        return list(await self.page.locator(".caption .text").all_inner_texts())

    async def ask(self, text: str) -> None:
        """Type, and wait for the whole answer."""
        seen = await self.count("response.done")
        await self.page.evaluate("(text) => { voice.say(text); }", text)
        await self.at_least("response.done", seen + 1)


@asynccontextmanager
async def broken_line(
    open_page: Any, *sets: str, path: str = "/", transcriber: Listener | None = None, **settings: Any
) -> AsyncIterator[BrokenLine]:
    """The page at `path`, and `voice` in it. Without a path of its own it is the talk page; `/icon.svg` has only the SDK."""
    providers: Any = {} if transcriber is None else {"transcriber": transcriber}
    async with (
        open_harness(*sets) as harness,
        running(replace(harness.server.runtime.settings, **settings), providers=providers) as server,
        proxy_to(urlsplit(server.url).port or 0) as proxy,
    ):
        page = await open_page(f"http://127.0.0.1:{proxy.port}{path}", bypass_csp=True)
        if path != "/":
            await page.evaluate("""async () => {
                const { Realtime } = await import("/sdk/realtime.js");
                window.voice = new Realtime({ url: `ws://${location.host}/v1/realtime` });
            }""")
        await page.evaluate(_FOLLOW)
        yield BrokenLine(server, proxy, page)
        await page.close()
