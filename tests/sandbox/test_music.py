"""`POST /v1/music_generation` by plain HTTP, as docs/minimax/music.md 1 prints it; every file is decoded."""

from __future__ import annotations

import base64
import io
import json
import wave
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import aiohttp
import numpy as np
import pytest

from tests.sandbox.platform_kit import Client, platform

av = pytest.importorskip("av")

PATH = "/v1/music_generation"
PREPARE = "/v1/music_cover_preprocess"
LYRICS = "[Verse]\nRain is falling on the town\n[Chorus]\nCome and dance with me"
SMALL = {"sample_rate": 16000, "bitrate": 32000, "format": "mp3"}
OLD_PROMPT = "a sad song about rain"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with platform() as running:
        yield running


@dataclass(frozen=True)
class Facts:
    """What is in a decoded file."""

    format: str
    seconds: float
    rate: int
    channels: int
    tags: dict[str, str]
    loud: bool


def decoded(data: bytes) -> Facts:
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        codec = container.streams.audio[0].codec_context
        width = codec.channels if frames[0].shape[0] == 1 else 1
        seconds = sum(frame.shape[1] for frame in frames) / width / codec.rate
        level = max(float(np.abs(frame.astype(float)).max()) for frame in frames)
        return Facts(
            container.format.name, seconds, codec.rate, codec.channels, dict(container.metadata), level > 0.1
        )


def body(**fields: Any) -> dict[str, Any]:
    return {"model": "music-2.6", "prompt": "a sad song", "lyrics": LYRICS, "audio_setting": SMALL, **fields}


def cover(**fields: Any) -> dict[str, Any]:
    return body(model="music-cover", prompt="make it a waltz", **fields)


def wav(seconds: float, rate: int = 8000) -> bytes:
    """A recording of a tone, by the standard library."""
    tone = (np.sin(np.arange(round(seconds * rate)) / 6) * 9000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(tone.tobytes())
    return file.getvalue()


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def song(client: Client, asked: dict[str, Any]) -> bytes:
    answer = await client.json("POST", PATH, json=asked)
    assert answer["base_resp"] == {"status_code": 0, "status_msg": "success"}
    return bytes.fromhex(answer["data"]["audio"])


async def test_a_song_as_the_page_prints_it(client: Client) -> None:
    answer = await client.call("POST", PATH, json=body(audio_setting={}))
    found = answer.json
    assert set(found) == {"data", "trace_id", "extra_info", "analysis_info", "base_resp"}
    assert (found["data"]["status"], found["analysis_info"]) == (2, None)
    assert found["trace_id"] == answer.headers["trace-id"]
    assert found["data"]["audio"].startswith("494433")
    data = bytes.fromhex(found["data"]["audio"])
    info = found["extra_info"]
    assert info["music_size"] == len(data)
    assert (info["music_sample_rate"], info["music_channel"], info["bitrate"]) == (44100, 2, 256000)
    facts = decoded(data)
    assert (facts.format, facts.rate, facts.channels, facts.loud) == ("mp3", 44100, 2, True)
    assert facts.seconds == pytest.approx(info["music_duration"] / 1000, abs=0.2)
    assert facts.tags["comment"] == "a sad song"
    assert facts.tags["lyrics-eng"] == LYRICS


async def test_more_lyrics_make_a_longer_song(client: Client) -> None:
    short, long = decoded(await song(client, body())), decoded(await song(client, body(lyrics=LYRICS * 4)))
    assert long.seconds > short.seconds * 2


@pytest.mark.parametrize("rate", [16000, 24000, 32000, 44100])
@pytest.mark.parametrize("format", ["mp3", "wav"])
async def test_formats_and_rates(client: Client, format: str, rate: int) -> None:
    setting = {"format": format, "sample_rate": rate, "bitrate": 256000, "channel": 1}
    facts = decoded(await song(client, body(audio_setting=setting, aigc_watermark=True)))
    assert (facts.format, facts.rate, facts.channels) == (format, rate, 1)
    assert "AIGC" in (*facts.tags, *facts.tags.values())
    assert facts.tags["comment"] == "a sad song"


async def test_pcm_has_the_printed_length(client: Client) -> None:
    answer = await client.json("POST", PATH, json=body(audio_setting={**SMALL, "format": "pcm"}))
    samples = len(bytes.fromhex(answer["data"]["audio"])) / 2 / 2
    assert samples / 16000 == pytest.approx(answer["extra_info"]["music_duration"] / 1000, abs=0.01)


async def test_a_url_lives_a_day(client: Client) -> None:
    answer = await client.json("POST", PATH, json=body(output_format="url"))
    url = answer["data"]["audio"]
    file = await client.call("GET", url, key=None)
    assert len(file.raw) == answer["extra_info"]["music_size"]
    assert decoded(file.raw).loud
    client.sandbox.forward(hours=24.1)
    assert (await client.call("GET", url, key=None)).status == 403


def events_of(raw: bytes) -> list[dict[str, Any]]:
    parts = raw.decode().split("\n\n")
    assert parts.pop() == ""
    assert all(part.startswith("data: ") for part in parts)
    return [json.loads(part.removeprefix("data: ")) for part in parts]


@pytest.mark.parametrize("format", ["mp3", "pcm"])
async def test_a_stream_has_pieces_and_then_everything(client: Client, format: str) -> None:
    asked = body(stream=True, lyrics=LYRICS * 2, audio_setting={**SMALL, "format": format})
    answer = await client.call("POST", PATH, json=asked)
    assert answer.headers["Content-Type"] == "text/event-stream"
    *pieces, last = events_of(answer.raw)
    assert len(pieces) > 2
    assert {event["data"]["status"] for event in pieces} == {1}
    assert (last["data"]["status"], last["base_resp"]["status_code"]) == (2, 0)
    assert {event["trace_id"] for event in (*pieces, last)} == {answer.headers["trace-id"]}
    joined = b"".join(bytes.fromhex(event["data"]["audio"]) for event in pieces)
    whole = bytes.fromhex(last["data"]["audio"])
    assert last["extra_info"]["music_size"] == len(whole)
    if format == "pcm":
        assert joined == whole
    else:
        assert decoded(joined).seconds == pytest.approx(decoded(whole).seconds, abs=0.2)
        assert decoded(joined).tags["comment"] == "a sad song"


async def test_a_stream_that_breaks_and_one_that_is_refused(client: Client) -> None:
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", PATH, json=body(stream=True), fault="music.drop_mid")
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", PATH, json=body(stream=True), fault="music.lost")
    refused = await client.json("POST", PATH, json=body(stream=True, lyrics=""))
    assert refused["base_resp"]["status_code"] == 2013


@pytest.mark.parametrize("model", ["music-3.0", "music-2.6", "music-2.5+"])
async def test_instrumental_and_written_lyrics(client: Client, model: str) -> None:
    asked = body(model=model, is_instrumental=True)
    del asked["lyrics"]
    tags = decoded(await song(client, asked)).tags
    assert "lyrics-eng" not in tags
    asked = body(model=model, prompt="", lyrics_optimizer=True, lyrics="")
    assert "[Chorus]" in decoded(await song(client, asked)).tags["lyrics-eng"]


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "", "lyrics": "x"},
        {"prompt": "x" * 2000, "lyrics": "[Outro]\n" + "la " * 1164},
        {"model": "music-2.5", "lyrics": "x"},
        {"model": "music-1.5", "prompt": "x" * 10, "lyrics": "x" * 10},
        {"model": "music-2.0", "prompt": "x" * 300, "lyrics": "[Outro]\n" + "la " * 197},
    ],
)
async def test_the_longest_and_shortest_texts_pass(client: Client, fields: dict[str, Any]) -> None:
    assert decoded(await song(client, body(**fields))).seconds >= 6


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("model", {"model": "music-9"}),
        ("model", {"model": None}),
        ("prompt", {"prompt": "x" * 2001}),
        ("lyrics", {"lyrics": "x" * 3501}),
        ("lyrics", {"lyrics": ""}),
        ("lyrics", {"lyrics": None}),
        ("lyrics", {"is_instrumental": True}),
        ("prompt", {"is_instrumental": True, "lyrics": None, "prompt": ""}),
        ("is_instrumental", {"model": "music-2.5", "is_instrumental": True}),
        ("is_instrumental", {"model": "music-1.5", "prompt": OLD_PROMPT, "is_instrumental": True}),
        ("lyrics_optimizer", {"model": "music-2.0", "prompt": OLD_PROMPT, "lyrics_optimizer": True}),
        ("lyrics_optimizer", {"lyrics_optimizer": "yes"}),
        ("prompt", {"model": "music-1.5", "prompt": "x" * 9}),
        ("prompt", {"model": "music-1.5", "prompt": "x" * 301}),
        ("lyrics", {"model": "music-1.5", "prompt": OLD_PROMPT, "lyrics": "x" * 9}),
        ("lyrics", {"model": "music-2.0", "prompt": OLD_PROMPT, "lyrics": "x" * 601}),
        ("output_format", {"output_format": "base64"}),
        ("output_format", {"output_format": "url", "stream": True}),
        ("sample_rate", {"audio_setting": {"sample_rate": 48000}}),
        ("bitrate", {"audio_setting": {"bitrate": 320000}}),
        ("format", {"audio_setting": {"format": "flac"}}),
        ("channel", {"audio_setting": {"channel": 3}}),
        ("audio_setting", {"audio_setting": "mp3"}),
        ("seed", {"seed": 1}),
        ("audio_url", {"audio_url": "https://example.invalid/a.mp3"}),
        ("cover_feature_id", {"cover_feature_id": "a"}),
        ("aigc_watermark", {"aigc_watermark": 1}),
        ("exactly one", {"model": "music-cover", "prompt": OLD_PROMPT}),
        (
            "exactly one",
            {"model": "music-cover", "prompt": OLD_PROMPT, "audio_url": "a", "audio_base64": "b"},
        ),
        ("prompt", {"model": "music-cover", "prompt": "x" * 9, "audio_base64": "b"}),
        ("prompt", {"model": "music-cover", "prompt": "x" * 301, "audio_base64": "b"}),
        ("lyrics", {"model": "music-cover", "prompt": OLD_PROMPT, "audio_base64": "b", "lyrics": "x" * 9}),
        ("lyrics", {"model": "music-cover", "prompt": OLD_PROMPT, "audio_base64": "b", "lyrics": "x" * 1001}),
        ("lyrics", {"model": "music-cover", "prompt": OLD_PROMPT, "cover_feature_id": "b", "lyrics": ""}),
        ("seed", {"model": "music-cover", "prompt": OLD_PROMPT, "audio_base64": "b", "seed": 1_000_001}),
        ("audio_base64", {"model": "music-cover", "prompt": OLD_PROMPT, "audio_base64": "b"}),
        ("cover_feature_id", {"model": "music-cover", "prompt": OLD_PROMPT, "cover_feature_id": "b"}),
    ],
)
async def test_a_wrong_field_is_named(client: Client, name: str, fields: dict[str, Any]) -> None:
    found = await client.json("POST", PATH, json=body(**fields))
    assert found["base_resp"]["status_code"] == 2013
    assert name in found["base_resp"]["status_msg"]
    assert found["data"] is None


async def test_other_refusals() -> None:
    async with platform("limit.music_rpm=3") as client:
        assert await client.code("POST", PATH, json=body(model="music-2.6-free")) == 2044
        assert await client.code("POST", PATH, json=body(prompt="sandbox-forbidden")) == 1026
        assert await client.code("POST", PATH, json=body(), fault="music.error=1008") == 1008
        assert await client.code("POST", PATH, json=body(lyrics="la sandbox-forbidden la")) == 1026
        assert await client.code("POST", PATH, json=body()) == 1002
        assert await client.code("POST", PATH, json=body(), key=None) == 1004
        client.sandbox.forward(minutes=1)
        with pytest.raises(aiohttp.ClientError):
            await client.call("POST", PATH, json=body(), fault="music.lost")


async def test_a_cover_is_as_long_as_its_recording_and_repeats(client: Client) -> None:
    asked = cover(audio_base64=coded(wav(12)), seed=7)
    first = decoded(await song(client, asked))
    assert first.seconds == pytest.approx(12, abs=0.3)
    other = decoded(await song(client, cover(audio_base64=coded(wav(20)), lyrics="")))
    assert other.seconds == pytest.approx(20, abs=0.3)
    assert other.tags["lyrics-eng"]


async def test_a_cover_hears_the_lyrics_of_a_song_of_the_sandbox(client: Client) -> None:
    original = await client.json("POST", PATH, json=body(output_format="url"))
    url = original["data"]["audio"]
    made = decoded(await song(client, cover(audio_url=url, lyrics=None)))
    assert made.tags["lyrics-eng"] == LYRICS
    prepared = await client.json("POST", PREPARE, json={"model": "music-cover", "audio_url": url})
    assert prepared["formatted_lyrics"] == LYRICS
    labels = [part["label"] for part in json.loads(prepared["structure_result"])["segments"]]
    assert [label for label in labels if label != "silence"] == ["verse", "chorus"]


async def test_a_prepared_cover(client: Client) -> None:
    audio = {"model": "music-cover", "audio_base64": coded(wav(9))}
    answer = await client.call("POST", PREPARE, json=audio)
    prepared = answer.json
    assert set(prepared) == {
        "cover_feature_id", "formatted_lyrics", "structure_result", "audio_duration", "trace_id", "base_resp",
    }  # fmt: skip
    assert prepared["trace_id"] == answer.headers["trace-id"]
    assert prepared["audio_duration"] == pytest.approx(9, abs=0.05)
    structure = json.loads(prepared["structure_result"])
    segments = structure["segments"]
    assert structure["num_segments"] == len(segments) > 1
    assert (segments[0]["start"], segments[-1]["end"]) == (0, pytest.approx(9, abs=0.05))
    assert all(a["end"] == b["start"] for a, b in pairwise(segments))
    allowed = {"intro", "verse", "chorus", "bridge", "outro", "inst", "silence"}
    assert {part["label"] for part in segments} <= allowed

    again = await client.json("POST", PREPARE, json=audio)
    other = await client.json("POST", PREPARE, json={**audio, "audio_base64": coded(wav(10))})
    id = prepared["cover_feature_id"]
    assert again["cover_feature_id"] == id != other["cover_feature_id"]
    assert again["formatted_lyrics"] == prepared["formatted_lyrics"]
    asked = cover(cover_feature_id=id)
    assert decoded(await song(client, asked)).seconds == pytest.approx(9, abs=0.3)
    client.sandbox.forward(hours=24.1)
    assert await client.code("POST", PATH, json=asked) == 2013


async def test_silence_around_a_recording_is_found(client: Client) -> None:
    tone = wav(8)
    quiet = b"\0" * 8000 * 2 * 2  # two seconds
    data = tone[:44] + quiet + tone[44:] + quiet
    size = len(data) - 44
    data = data[:4] + (size + 36).to_bytes(4, "little") + data[8:40] + size.to_bytes(4, "little") + data[44:]
    answer = await client.json("POST", PREPARE, json={"model": "music-cover", "audio_base64": coded(data)})
    segments = json.loads(answer["structure_result"])["segments"]
    assert segments[0] == {"start": 0, "end": 2, "label": "silence"}
    assert segments[-1] == {"start": 10, "end": 12, "label": "silence"}


# Six seconds to six minutes
@pytest.mark.parametrize(("seconds", "code"), [(5.5, 2013), (6, 0), (360, 0), (361, 2013)])
async def test_the_length_of_a_recording(client: Client, seconds: float, code: int) -> None:
    audio = {"model": "music-cover", "audio_base64": coded(wav(seconds, 1000))}
    assert await client.code("POST", PREPARE, json=audio) == code


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("model", {"model": "music-2.6"}),
        ("model", {"model": None}),
        ("exactly one", {"audio_base64": None}),
        ("exactly one", {"audio_url": "https://example.invalid"}),
        ("audio_base64", {"audio_base64": "%%%"}),
        ("audio_base64", {"audio_base64": coded(b"no audio at all")}),
        ("audio_url", {"audio_base64": None, "audio_url": "ftp://example.invalid"}),
    ],
)
async def test_a_wrong_field_of_a_preparation(client: Client, name: str, fields: dict[str, Any]) -> None:
    audio = {"model": "music-cover", "audio_base64": coded(wav(6))}
    found = await client.json("POST", PREPARE, json={**audio, **fields})
    assert found["base_resp"]["status_code"] == 2013
    assert name in found["base_resp"]["status_msg"]


async def test_a_recording_over_50_megabytes(client: Client) -> None:
    id = await client.uploaded(b"0" * (50 * 2**20 + 1), "big.bin", "retrieval")
    audio = {"model": "music-cover", "audio_url": f"mm_file://{id}"}
    found = await client.json("POST", PREPARE, json=audio)
    assert "larger than 50 MB" in found["base_resp"]["status_msg"]


async def test_faults_of_a_preparation(client: Client) -> None:
    audio = {"model": "music-cover", "audio_base64": coded(wav(6))}
    assert await client.code("POST", PREPARE, json=audio, fault="cover.error=1008") == 1008
    with pytest.raises(aiohttp.ClientError):
        await client.call("POST", PREPARE, json=audio, fault="cover.lost")
