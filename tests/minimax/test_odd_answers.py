"""Answers with the wrong shape anywhere: whatever comes, a call gives a result of its types or raises a ProviderError."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import pytest

from realtime.errors import ProviderError
from realtime.minimax import MiniMax
from realtime.minimax.http import HttpClient
from tests.minimax.typed_results import misfits

ODD: tuple[Any, ...] = (
    None, True, False, [], {}, "", " ", "x", "²", "--5", "-", "1e999", "9" * 5000, "http://[bad", "http://h:99999/x",
    0, -1, 1.5, 1e300, 2**53 + 1, 10**30, 10**4000, [None], [[]], [{}], {"a": 1}, "zz", "ab", "data:x,", "\x00",
)  # fmt: skip
OK = {"status_code": 0, "status_msg": "success"}
RAW = (
    b"", b" ", b"null", b"[]", b"7", b'"x"', b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 100_000,
    b'{"base_resp":1e999}', b'{"x":"\\ud800"}', b"<html>gateway</html>", b"data: {}\n\n", b"data: [DONE]\n\n",
)  # fmt: skip


class _Content:
    def __init__(self, body: bytes) -> None:
        self._parts = [body] if body else []

    async def readany(self) -> bytes:
        return self._parts.pop() if self._parts else b""

    def at_eof(self) -> bool:
        return not self._parts


class _Response:
    def __init__(self, body: bytes, status: int) -> None:
        self.status, self._body, self.content = status, body, _Content(body)
        self.headers: dict[str, str] = {}
        self.content_length = len(body)

    async def read(self) -> bytes:
        return self._body


class OneAnswer(HttpClient):
    """Answers everything with the same bytes."""

    body, status = b"", 200

    @asynccontextmanager
    async def request(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        data = kwargs.get("data")
        if hasattr(data, "__aiter__"):
            async for _ in data:
                pass
        yield _Response(self.body, self.status)


def client(body: bytes, status: int = 200) -> MiniMax:
    mm = MiniMax("key", "http://127.0.0.1:9")
    http = OneAnswer("http://127.0.0.1:9", "key")
    http.body, http.status = body, status
    mm._http = mm.door.http = http
    mm.door._busy_s = mm.chat.door._busy_s = mm.speech.door._busy_s = 0.0
    mm.chat.door.http = http
    mm.speech._http = mm.speech.door.http = http
    mm.speech.hosts = ("http://127.0.0.1:9",)
    return mm


Call = Callable[[MiniMax], Awaitable[object]]


async def _all(items: Any) -> list[Any]:
    return [item async for item in items]


async def _look(job: Any) -> None:
    if trouble := (await job.look()).trouble:  # it would ask again
        raise ProviderError(trouble)
    if job.state.final:
        await job


async def _speech(mm: MiniMax) -> None:
    async for _ in mm.speech.synthesize_stream("hello"):
        pass


WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data"
FILE = {
    "file_id": 7,
    "bytes": 3,
    "created_at": 1,
    "filename": "a",
    "purpose": "p",
    "download_url": "http://h/x",
}
AUDIO = {"audio": "00ff", "status": 2, "subtitle_file": "http://h/s"}
CHAT = {
    "id": "1", "model": "m", "object": "chat.completion", "created": 1,
    "choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "hi", "reasoning_content": "why",
        "reasoning_details": [{"type": "t", "text": "why"}],
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}}],
    "usage": {"total_tokens": 3, "prompt_tokens": 1, "completion_tokens": 2,
              "prompt_tokens_details": {"cached_tokens": 1}, "completion_tokens_details": {"reasoning_tokens": 1}},
    "input_sensitive": False, "output_sensitive": False, "input_sensitive_type": 0, "output_sensitive_type": 0,
    "base_resp": OK,
}  # fmt: skip
MESSAGE = {
    "id": "1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
    "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "hi"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {"a": 1}}],
    "usage": {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 1}, "base_resp": OK,
}  # fmt: skip
BATCH = {
    "id": "b", "status": "completed", "endpoint": "/v1/x", "input_file_id": 1, "output_file_id": "", "error_file_id": "",
    "request_counts": {"total": 3, "completed": 2, "failed": 1}, "created_at": 1, "completed_at": 2,
    "errors": {"data": [{"code": "1", "message": "m", "line": 2}]}, "base_resp": OK,
}  # fmt: skip
CALLS: dict[str, tuple[Call, Any]] = {
    "files.list": (lambda mm: _all(mm.files.list()), {"files": [FILE], "base_resp": OK}),
    "files.get": (lambda mm: mm.files.get("7"), {"file": FILE, "base_resp": OK}),
    "files.upload": (
        lambda mm: mm.files.upload(b"hello", purpose="t2a_async_input", name="a.txt"), {"file": FILE, "base_resp": OK},
    ),
    "files.delete": (lambda mm: mm.files.delete("7"), {"file": FILE, "file_id": 7, "base_resp": OK}),
    "models": (lambda mm: mm.models(), {"data": [{"id": "m"}], "base_resp": OK}),
    "transcribe": (
        lambda mm: mm.transcribe(b"\0\0", rate=8000),
        {"text": "hi", "duration": 1.5, "trace_id": "t", "base_resp": OK},
    ),
    "voices.list": (lambda mm: _all(mm.voices.list()), {
        "system_voice": [{"voice_id": "a", "voice_name": "b", "description": ["c"], "created_time": "1970-01-01"}],
        "voice_cloning": [{"voice_id": "a", "description": [], "created_time": "2025-01-01"}], "base_resp": OK}),
    "voices.clone": (
        lambda mm: mm.voices.clone("captain-01", file_id="7"),
        {"input_sensitive": {"type": 0}, "demo_audio": "http://h/x", "extra_info": {"audio_length": 5},
         "trace_id": "t", "base_resp": OK}),
    "voices.design": (
        lambda mm: mm.voices.design("old", say="hi"), {"voice_id": "v", "trial_audio": "00ff", "base_resp": OK},
    ),
    "images.create": (
        lambda mm: mm.images.create("cat"),
        {"id": "1", "data": {"image_urls": ["http://h/1"], "image_base64": ["AAAA"]},
         "metadata": {"failed_count": "0", "success_count": "1"}, "base_resp": OK}),
    "music.create": (
        lambda mm: mm.music.create("jazz", lyrics="[Verse]\nla la la"),
        {"data": AUDIO, "extra_info": {"music_duration": 1, "music_sample_rate": 2, "bitrate": 3}, "base_resp": OK}),
    "music.write_lyrics": (
        lambda mm: mm.music.write_lyrics("sea"),
        {"song_title": "t", "style_tags": "a, b", "lyrics": "[Verse]", "base_resp": OK}),
    "music.prepare_cover": (
        lambda mm: mm.music.prepare_cover("https://h/old.mp3"),
        {"cover_feature_id": "f", "formatted_lyrics": "l", "audio_duration": 3.5, "base_resp": OK,
         "structure_result": json.dumps({"segments": [{"label": "verse", "start": 0, "end": 1}]})}),
    "batches.get": (lambda mm: mm.batches.get("b"), BATCH),
    "batches.task": (lambda mm: _look(mm.batches.task("b")), BATCH),
    "batches.list": (
        lambda mm: _all(mm.batches.list(limit=3)),
        {"data": [BATCH | {"error": {"code": 1, "message": "m"}}], "has_more": False, "base_resp": OK},
    ),
    "narration.create": (lambda mm: mm.narration.create("hi"), {"task_id": 7, "file_id": 8, "base_resp": OK}),
    "narration.upload": (
        lambda mm: mm.narration.create(file=b"hello"), {"task_id": 7, "file": FILE, "file_id": 8, "base_resp": OK},
    ),
    "narration.task": (
        lambda mm: _look(mm.narration.task(7)), {"task_id": 7, "status": "Success", "file_id": 8, "base_resp": OK}),
    "speech.synthesize": (
        lambda mm: mm.speech.synthesize("hi"),
        {"data": AUDIO, "extra_info": {"audio_length": 1, "audio_format": "mp3"}, "trace_id": "t", "base_resp": OK}),
    "speech.stream": (
        _speech, {"data": AUDIO, "extra_info": {"audio_length": 1, "audio_format": "mp3"}, "base_resp": OK}),
    "music.stream": (
        lambda mm: _all(mm.music.stream("jazz", lyrics="[Verse]\nla la la")), {"data": AUDIO, "base_resp": OK}),
    "chat.complete": (lambda mm: mm.chat.complete("hi"), CHAT),
    "chat.stream": (lambda mm: _all(mm.chat.stream("hi")), CHAT),
    "chat.parse": (
        lambda mm: mm.chat.parse("hi", dict),
        CHAT | {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"a": 1}'}}]},
    ),
    "anthropic.complete": (lambda mm: mm.chat.complete("hi", dialect="anthropic"), MESSAGE),
    "anthropic.stream": (lambda mm: _all(mm.chat.stream("hi", dialect="anthropic")), MESSAGE),
    "chat.count_tokens": (lambda mm: mm.chat.count_tokens("hi"), {"input_tokens": 3, "base_resp": OK}),
}  # fmt: skip
ENVELOPES: tuple[Any, ...] = (
    {"type": "error", "error": {"type": "rate_limit_error", "message": "no (1002)", "http_code": "429"}},
    {"error": {"message": "no", "code": 1004, "type": "x", "status": 400}, "request_id": "r"},
    {"base_resp": {"status_code": 2013, "status_msg": "invalid params: prompt"}, "trace_id": "t"},
)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = asyncio.sleep
    for module in ("door", "chat", "job", "fetching"):
        monkeypatch.setattr(f"realtime.minimax.{module}.asyncio.sleep", lambda _seconds: sleep(0))


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from paths(each, (*at, key))


def put(value: Any, at: tuple[Any, ...], odd: Any) -> Any:
    if not at:
        return odd
    changed = copy.copy(value)  # only what is on the way: there are thousands of such values
    changed[at[0]] = put(value[at[0]], at[1:], odd)
    return changed


def encoded(name: str, value: Any) -> bytes:
    body = msgspec.json.encode(value)
    # The others read a whole answer as well
    return b"data: " + body + b"\n\n" if name == "speech.stream" else body


async def ask(name: str, body: bytes, status: int = 200) -> None:
    mm = client(body, status)
    with suppress(ProviderError):
        result = await CALLS[name][0](mm)
        assert list(misfits(result)) == []


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Each reader knows what to do with what is odd: none of it is left to the net under all of them (`reading.py`)."""
    yield
    assert [record.exc_info for record in caplog.get_records("call") if record.exc_info] == []


@pytest.mark.parametrize("name", CALLS)
async def test_the_seeds_are_good(name):
    """Else what is changed below was refused before it is read."""
    await CALLS[name][0](client(encoded(name, CALLS[name][1])))


@pytest.mark.parametrize("name", CALLS)
async def test_one_odd_value_anywhere(name):
    good = CALLS[name][1]
    for at in paths(good):
        for odd in ODD:
            value = put(good, at, odd)
            try:
                await ask(name, encoded(name, value))
            except Exception as error:
                raise AssertionError(
                    f"{at} is {str(odd)[:40]!r}: {type(error).__name__}: {error}"[:300]
                ) from error


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("status", [200, 400, 529])
async def test_what_is_no_answer_at_all(name, status):
    for raw in RAW:
        try:
            await ask(name, raw, status)
        except Exception as error:
            raise AssertionError(f"{raw[:80]!r}: {type(error).__name__}: {error}"[:300]) from error


@pytest.mark.parametrize("name", ["files.get", "images.create", "chat.complete", "music.stream"])
async def test_one_odd_value_anywhere_in_a_refusal(name):
    for envelope in ENVELOPES:
        for at in paths(envelope):
            for odd in ODD:
                value = put(envelope, at, odd)
                try:
                    await ask(name, encoded(name, value))
                except Exception as error:
                    raise AssertionError(f"{str(value)[:200]}: {type(error).__name__}: {error}") from error
