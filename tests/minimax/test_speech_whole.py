"""Finished speech: answers as the documents print them, failures, streams of encoded audio, and the sandbox."""

from __future__ import annotations

import gc
import json
import os
import weakref
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from realtime.errors import (
    AnswerLost,
    InvalidArgument,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
)
from realtime.minimax import MiniMax
from realtime.minimax.speech import SpeechClient
from realtime.minimax.speech_whole import SpeechFile
from realtime.minimax.subtitle_lines import read_lines
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.minimax.scripted import Reply, scripted

EXTRA = {
    "audio_length": 2312, "audio_sample_rate": 32000, "audio_size": 37440, "bitrate": 128000, "word_count": 9,
    "invisible_character_ratio": 0, "usage_characters": 18, "audio_format": "mp3", "audio_channel": 1,
}  # fmt: skip
FINE = {"status_code": 0, "status_msg": "success"}
WHOLE = {
    "data": {"audio": "494433", "status": 2, "ced": ""},
    "extra_info": EXTRA,
    "trace_id": "06b2",
    "base_resp": FINE,
}


def reply(answer: dict[str, Any], **more: Any) -> Reply:
    return Reply(json.dumps(answer).encode(), content_type="application/json", **more)


def events(*answers: dict[str, Any], cut: bool = False) -> Reply:
    return Reply(b"".join(b"data: %s\n\n" % json.dumps(each).encode() for each in answers), cut=cut)


@asynccontextmanager
async def speaking(*replies: Reply) -> AsyncIterator[tuple[SpeechClient, Any]]:
    async with scripted(*replies) as server:
        client = SpeechClient((server.url,), "k", voice_id="v")
        try:
            yield client, server
        finally:
            await client.aclose()


@pytest.mark.operation("speech.synthesize")
async def test_the_documented_answer_is_decoded() -> None:
    async with speaking(reply(WHOLE)) as (client, _):
        speech = await client.synthesize("Hello.")
    assert speech.audio == b"ID3"
    assert (speech.format, speech.length_ms, speech.rate, speech.bitrate) == ("mp3", 2312, 32000, 128000)
    assert (speech.channels, speech.usage_characters, speech.words) == (1, 18, 9)
    assert (speech.trace_id, speech.raw["extra_info"]) == ("06b2", EXTRA)
    with pytest.raises(ProviderRejected):
        await speech.subtitles()


@pytest.mark.parametrize("data", [None, {"audio": ""}, {"audio": "4"}, {"audio": "zz"}, {}])
async def test_an_answer_without_sound_is_an_error(data: Any) -> None:
    async with speaking(reply({**WHOLE, "data": data})) as (client, _):
        with pytest.raises(ProviderUnavailable):
            await client.synthesize("Hello.")


async def test_a_lost_answer_is_not_bought_again() -> None:
    async with speaking(Reply(b"", cut=True)) as (client, server):
        with pytest.raises(AnswerLost):
            await client.synthesize("Hello.")
        assert len(server.requests) == 1


async def test_saving_keeps_taken_names(tmp_path: Path) -> None:
    async with speaking(reply(WHOLE)) as (client, _):
        speech = await client.synthesize("Hello.")
    saved = await speech.save(tmp_path / "a.mp3")
    assert (saved.path.read_bytes(), saved.kind) == (b"ID3", "mp3")
    with pytest.raises(InvalidArgument):
        await speech.save(tmp_path / "a.mp3")
    await speech.save(tmp_path / "a.mp3", force=True)
    assert os.listdir(tmp_path) == ["a.mp3"]


def part(audio: str, status: int = 1, **more: Any) -> dict[str, Any]:
    return {"data": {"audio": audio, "status": status, "ced": ""}, "trace_id": "t", "base_resp": FINE, **more}


@pytest.mark.parametrize("repeated", ["", "ffee00"])
async def test_a_stream_gives_each_part_once(repeated: str) -> None:
    async with speaking(events(part("ffee"), part("01"), part(repeated, 2, extra_info=EXTRA))) as (
        client,
        server,
    ):
        stream = client.synthesize_stream("Hello.", format="mp3")
        assert [each async for each in stream] == [b"\xff\xee", b"\x01"]
        assert stream.result is not None
        assert stream.result.usage_characters == 18
        sent = json.loads(server.requests[0][1])
        assert (sent["stream"], sent["stream_options"]) == (True, {"exclude_aggregated_audio": True})


async def test_audio_that_comes_only_at_the_end_is_kept() -> None:
    async with speaking(events(part("ffee", 2, extra_info=EXTRA))) as (client, _):
        assert [each async for each in client.synthesize_stream("Hello.")] == [b"\xff\xee"]


async def test_a_stream_without_its_end_may_have_been_charged() -> None:
    for broken in (events(part("ff")), events(part("ff"), cut=True), events(part("ff"), part("f"))):
        async with speaking(broken) as (client, server):
            stream = client.synthesize_stream("Hello.")
            assert await anext(stream) == b"\xff"
            with pytest.raises(AnswerLost):
                await anext(stream)
            assert len(server.requests) == 1


async def test_a_refusal_inside_a_stream_is_raised_as_such() -> None:
    refusal = {"data": None, "base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}
    for refused in (events(refusal), reply(refusal)):
        async with speaking(refused) as (client, _):
            with pytest.raises(ProviderError) as caught:
                await anext(client.synthesize_stream("Hello."))
            assert caught.value.upstream_code == 1008


async def test_a_refusal_behind_the_first_part_is_not_asked_for_again() -> None:
    busy = {"data": None, "base_resp": {"status_code": 1002, "status_msg": "RPM"}}
    async with speaking(events(part("ff"), busy)) as (client, server):
        stream = client.synthesize_stream("Hello.")
        assert await anext(stream) == b"\xff"
        with pytest.raises(ProviderRejected):
            await anext(stream)
        assert len(server.requests) == 1


def test_a_stream_that_nobody_holds_is_closed_without_a_garbage_collection() -> None:
    stream = SpeechClient(("http://h",), "k", voice_id="v").synthesize_stream("Hello.")
    parts = weakref.ref(stream._parts)
    gc.disable()
    try:
        del stream
        assert parts() is None
    finally:
        gc.enable()


def test_subtitle_files_in_all_their_forms() -> None:
    word = {"word": "Hi", "word_begin": 0, "word_end": 2, "time_begin": 10.5, "time_end": 90}
    entries = [
        {"text": "Hi.", "time_begin": 0, "time_end": 100.5, "timestamped_words": [word, {"word": ""}, 3]},
        {"text": "", "time_begin": 0, "time_end": 1},
        {"text": "Back.", "time_begin": 200, "time_end": 100, "timestamped_words": None},
        "nonsense",
    ]
    lines = read_lines(json.dumps(entries).encode())
    assert [(line.text, line.start_ms, line.end_ms) for line in lines] == [
        ("Hi.", 0, 100.5),
        ("Back.", 200, 200),
    ]
    assert [(each.text, each.start_ms, each.end_ms) for each in lines[0].words] == [("Hi", 10.5, 90)]
    assert read_lines(b"null") == ()
    with pytest.raises(ProviderUnavailable):
        read_lines(b"<html>")


@pytest.fixture
async def mm() -> AsyncIterator[MiniMax]:
    fast = SandboxOptions.parse(sets=("speech.first_ms=1", "speech.hd_first_ms=1", "speech.factor=1000"))
    async with Sandbox(fast) as sandbox, MiniMax("key", sandbox.url) as client:
        yield client


@pytest.mark.operation("speech.synthesize")
async def test_the_sandbox_sends_addresses_and_subtitles(mm: MiniMax, tmp_path: Path) -> None:
    text = "One little sentence. And another one."
    speech = await mm.speech.synthesize(text, output="url", subtitles="word", format="wav", rate=16000)
    assert speech.audio == b""
    assert "http" not in repr(speech)
    assert (await speech.read()).startswith(b"RIFF")
    assert (await speech.save(tmp_path / "a.wav")).kind == "wav"
    lines = await speech.subtitles()
    assert " ".join(line.text for line in lines) == text
    assert all(line.words for line in lines)
    assert 0 <= lines[0].start_ms < lines[-1].end_ms <= speech.length_ms + 1


@pytest.mark.operation("speech.synthesize")
@pytest.mark.parametrize("format", ["mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus"])
async def test_the_sandbox_makes_all_formats(mm: MiniMax, format: str) -> None:
    speech = await mm.speech.synthesize("Good morning.", format=format, rate=8000, volume=2, pitch=1)
    assert (speech.format, speech.rate) == (format, 8000)
    assert speech.length_ms > 300
    assert len(speech.audio) > 500


@pytest.mark.operation("speech.synthesize")
async def test_the_sandbox_streams_encoded_audio(mm: MiniMax) -> None:
    stream = mm.speech.synthesize_stream("Good morning to everybody in this room.", format="mp3", rate=16000)
    async with aclosing(stream):
        audio = b"".join([each async for each in stream])
    assert audio[:1] == b"\xff" or audio.startswith(b"ID3")
    assert stream.result is not None
    assert stream.result.length_ms > 1000


@pytest.mark.operation("speech.synthesize")
async def test_the_result_of_a_stream_has_its_subtitles_and_says_where_its_audio_is(mm: MiniMax) -> None:
    stream = mm.speech.synthesize_stream("Hello there. How are you?", subtitles="sentence")
    assert b"".join([part async for part in stream])
    assert stream.result is not None
    assert [line.text for line in await stream.result.subtitles()] == ["Hello there.", "How are you?"]
    with pytest.raises(ProviderRejected, match="its parts together are the file"):
        await stream.result.read()


async def test_subtitles_without_a_way_to_them_are_not_said_to_be_missing() -> None:
    with pytest.raises(ProviderRejected, match="they come where `subtitles` asks for them"):
        await SpeechFile().subtitles()
    with pytest.raises(ProviderRejected, match="no client to fetch its subtitles with"):
        await SpeechFile(subtitle_url="https://h/x").subtitles()


async def test_the_sandbox_refuses_an_unknown_voice(mm: MiniMax) -> None:
    with pytest.raises(ProviderRejected) as caught:
        await mm.speech.synthesize("Hello.", voice_id="nobody")
    assert caught.value.upstream_code == 2054
