"""Whatever the network and the platform do, one call buys at most once: in virtual time, for every billed call."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import AnswerLost, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax import MiniMax
from realtime.minimax.door import Pause
from realtime.minimax.http import HttpClient
from tests.virtual_time import run

OK: dict[str, Any] = {
    "base_resp": {"status_code": 0}, "task_id": "7", "id": "b1", "lyrics": "[Verse]", "cover_feature_id": "f",
    "voice_id": "v", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
    "data": {"audio": "http://h/x", "image_urls": ["http://h/x"]}, "file": {"file_id": 7}, "text": "hi",
    "input_tokens": 3,
}  # fmt: skip
GATEWAY = b"<html>gateway</html>"


def _coded(code: int) -> bytes:
    return json.dumps({"base_resp": {"status_code": code, "status_msg": "no"}}).encode()


def _event(audio: str, status: int) -> bytes:
    said = {"data": {"audio": audio, "status": status}, "base_resp": {"status_code": 0}}
    return b"data: %s\n\n" % json.dumps(said).encode()


# What happens to one request: whether the platform may have worked for it, and the status and body of the answer.
DAYS: dict[str, tuple[bool, Any]] = {
    "good": (True, (200, json.dumps(OK).encode())),
    "empty": (True, (200, b"")),
    "null": (True, (200, b"null")),
    "gateway 502": (True, (502, GATEWAY)),
    "gateway 504": (True, (504, GATEWAY)),
    "status 500": (True, (500, b"")),
    "broken off": (True, (200, b"data: {")),
    "breaks": (True, (200, ProviderUnavailable("the connection broke"))),
    "stands still": (True, (200, TimeoutError())),
    "no event": (True, (200, b"data: [DONE]\n\n")),
    "no sound": (True, (200, _event("", 2))),
    "timed out later": (True, (200, _event("ff", 1) + b"data: " + _coded(1001) + b"\n\n")),
    "failed inside": (True, (200, _coded(1000))),
    "timed out inside": (True, (200, _coded(1001))),
    "system 1013": (True, (200, _coded(1013))),
    "system 1024": (True, (200, _coded(1024))),
    "system 1033": (True, (200, _coded(1033))),
    "lost": (True, ProviderUnavailable("lost")),
    "late": (True, ProviderTimeout("late")),
    "no connection": (False, ProviderUnavailable("no connection", sent=False)),
    "limit": (False, (200, _coded(1002))),
    "limit by status": (False, (429, _coded(1002))),
    "tokens": (False, (200, _coded(1039))),
    "tasks": (False, (200, _coded(1041))),
    "growth": (False, (200, _coded(2045))),
    "overloaded": (False, (529, b"")),
    "overloaded inside": (False, (200, _coded(2064))),
    "refused": (False, (200, _coded(2013))),
    "sensitive": (False, (200, _coded(1026))),
    "no balance": (False, (200, _coded(1008))),
    "key": (False, (401, b"")),
}


class _Response:
    def __init__(self, status: int, body: bytes | Exception) -> None:
        self.status, self._left, self.headers, self.content = status, [body], {}, self

    async def read(self) -> bytes:
        return b"".join([self._next()])

    async def readany(self) -> bytes:
        return self._next()

    def _next(self) -> bytes:
        part = self._left.pop() if self._left else b""
        if isinstance(part, Exception):
            raise type(part)(*part.args)
        return part

    def at_eof(self) -> bool:
        return not self._left


class Script(HttpClient):
    """Plays the days, then only good ones. `bought` counts the requests for which the platform may have worked."""

    def __init__(self, days: list[str]) -> None:
        super().__init__("http://127.0.0.1", "key")
        self.days, self.bought, self.sent = list(days), 0, 0

    @asynccontextmanager
    async def request(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        works, day = DAYS[self.days.pop(0) if self.days else "good"]
        self.sent += 1
        self.bought += works
        if isinstance(day, ProviderError):
            raise type(day)(day.message, sent=day.sent)
        yield _Response(*day)


async def _stream(parts: AsyncIterator[bytes]) -> None:
    async for _ in parts:
        pass


LYRICS = "[Verse]\nla la la"
BILLED: dict[str, Callable[[MiniMax], Awaitable[object]]] = {
    "images.create": lambda mm: mm.images.create("a cat"),
    "music.create": lambda mm: mm.music.create("jazz", lyrics=LYRICS, output="url"),
    "music.stream": lambda mm: _stream(mm.music.stream("jazz", lyrics=LYRICS)),
    "music.write_lyrics": lambda mm: mm.music.write_lyrics("sea"),
    "music.prepare_cover": lambda mm: mm.music.prepare_cover("https://h/old.mp3"),
    "batches.create": lambda mm: mm.batches.create(file_id="7"),
    "narration.create": lambda mm: mm.narration.create("hello"),
    "voices.clone": lambda mm: mm.voices.clone("captain-01", file_id="7"),
    "speech.synthesize": lambda mm: mm.speech.synthesize("hello", output="url"),
    "speech.synthesize_stream": lambda mm: _stream(mm.speech.synthesize_stream("hello")),
    "chat.complete": lambda mm: mm.chat.complete("hello"),
    "transcribe": lambda mm: mm.transcribe(bytes(3200), rate=16_000),
}
STREAMS = ("music.stream", "speech.synthesize_stream")
FREE: dict[str, Callable[[MiniMax], Awaitable[object]]] = {
    "chat.count_tokens": lambda mm: mm.chat.count_tokens("hello"),
    "chat.get_model": lambda mm: mm.chat.get_model("MiniMax-M3"),
    "models": lambda mm: mm.models(),
    "files.get": lambda mm: mm.files.get(7),
}


async def play(
    name: str, days: list[str], on_pause: Callable[[Pause], None] | None = None
) -> tuple[Script, BaseException | None]:
    mm, script = MiniMax("key", "http://127.0.0.1", on_pause=on_pause), Script(days)
    mm.door.http = mm._http = mm.chat.door.http = mm.speech._http = mm.speech.door.http = script
    mm.speech.hosts = ("http://a", "http://b")
    try:
        await {**BILLED, **FREE}[name](mm)
    except ProviderError as error:
        return script, error
    return script, None


@pytest.mark.parametrize("name", BILLED)
@given(days=st.lists(st.sampled_from(sorted(DAYS)), max_size=12))
@settings(max_examples=50, deadline=None)  # of each of twelve operations
def test_nothing_is_bought_twice(name, days):
    script, error = run(play(name, days))
    assert script.bought <= 1, f"{script.sent} requests, {script.bought} of them maybe paid, {error!r}"
    if error is None:
        assert script.bought == 1


@pytest.mark.parametrize("name", BILLED)
@pytest.mark.parametrize("day", ["gateway 502", "gateway 504", "lost"])
def test_a_lost_answer_is_called_one(name, day):
    script, error = run(play(name, [day]))
    assert script.sent == 1
    assert isinstance(error, AnswerLost)
    assert "charged" in str(error)


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize(
    "day", ["empty", "broken off", "breaks", "stands still", "no event", "no sound", "timed out later"]
)
def test_a_stream_whose_answer_began_and_broke_off_is_lost(name, day):
    script, error = run(play(name, [day]))
    assert script.sent == 1
    assert isinstance(error, AnswerLost)
    assert "charged" in str(error)


USELESS = (
    b"{}",
    b'{"data": null}',
    b'{"data": {"audio": "", "status": 2}}',
    b'{"data": {"audio": "xyz", "status": 2}}',
)


@pytest.mark.parametrize("body", USELESS)
@pytest.mark.parametrize(
    "name",
    [
        "images.create", "music.create", "music.write_lyrics", "music.prepare_cover", "speech.synthesize",
        "batches.create", "narration.create", *STREAMS,
    ],
)  # fmt: skip
def test_a_whole_answer_that_cannot_be_used_may_be_charged(name, body, monkeypatch):
    body = b"data: " + body + b"\n\n" if name in STREAMS else body
    monkeypatch.setitem(DAYS, "useless", (True, (200, body)))
    script, error = run(play(name, ["useless"]))
    assert script.sent == 1
    assert isinstance(error, AnswerLost)
    assert str(error).count("charged") == 1


@pytest.mark.parametrize("name", [*BILLED, *FREE])
def test_every_call_waits_for_a_busy_platform_and_tells_each_wait(name):
    pauses: list[Pause] = []
    script, error = run(play(name, ["limit", "tokens", "limit by status", "growth"], pauses.append))
    assert error is None or name in STREAMS  # there the good day is an address, and no sound
    assert script.sent == 5
    assert [pause.reason for pause in pauses if pause.reason != "limit"] == ["busy"] * 4
    assert sum(pause.wait_s for pause in pauses) > 25


@pytest.mark.parametrize("name", STREAMS)
def test_a_busy_platform_is_not_waited_for_without_end(name):
    pauses: list[Pause] = []
    _, error = run(play(name, ["limit"] * 40, pauses.append))
    assert isinstance(error, ProviderRejected)
    assert 250 < sum(pause.wait_s for pause in pauses) <= 300
