"""Music, covers and lyrics over plain HTTP, exactly as docs/minimax/music.md prints them.

Written from that page alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

import pytest

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.voice_kit import recording

av = pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")

OK = {"status_code": 0, "status_msg": "success"}
LYRICS = "[Verse]\nHello my friend\n[Pre-Chorus]\nSoon\n[Chorus]\nWe sing again"
SONG = {"model": "music-2.6", "prompt": "jazz, late night", "lyrics": LYRICS}
STYLE = "jazz, late night, slow"


def probe(data: bytes) -> tuple[int, int, float]:
    """Sample rate, channels and seconds, measured by decoding."""
    with av.open(io.BytesIO(data)) as box:
        stream = box.streams.audio[0]
        return (
            stream.rate,
            stream.layout.nb_channels,
            sum(f.samples for f in box.decode(stream)) / stream.rate,
        )


def reference(seconds: float) -> str:
    return base64.b64encode(recording(seconds)).decode()


async def song(client: Client, **change: Any) -> dict[str, Any]:
    body = {k: v for k, v in (SONG | change).items() if v is not None}
    return await client.json("POST", "/v1/music_generation", json=body)


async def test_music_1_the_printed_answer():
    async with platform() as client:
        found = await song(client)
    assert found["base_resp"] == OK
    assert re.fullmatch("[0-9a-f]{32}", found["trace_id"])
    assert found["analysis_info"] is None
    assert found["data"]["status"] == 2
    extra = found["extra_info"]
    assert set(extra) == {"music_duration", "music_sample_rate", "music_channel", "bitrate", "music_size"}
    data = bytes.fromhex(found["data"]["audio"])
    rate, channels, seconds = probe(data)
    assert (rate, channels) == (extra["music_sample_rate"], extra["music_channel"])
    assert extra["music_size"] == len(data)
    assert abs(extra["music_duration"] / 1000 - seconds) < 0.2


async def test_music_1_url_lives_24_hours():
    async with platform() as client:
        url = (await song(client, output_format="url"))["data"]["audio"]
        assert probe((await client.call("GET", url, key=None)).raw)[2] > 1
        client.sandbox.forward(hours=24.1)
        assert (await client.call("GET", url, key=None)).status == 403


@pytest.mark.parametrize("rate", [16000, 24000, 32000, 44100])
async def test_music_1_audio_setting(rate: int):
    setting = {"sample_rate": rate, "bitrate": 64000, "format": "wav"}
    async with platform() as client:
        found = await song(client, audio_setting=setting)
    assert probe(bytes.fromhex(found["data"]["audio"]))[0] == rate


async def test_music_1_a_stream_of_hex():
    async with platform() as client:
        answer = await client.call(
            "POST", "/v1/music_generation", json=SONG | {"stream": True, "output_format": "hex"}
        )
        wrong = await song(client, stream=True, output_format="url")
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    found = [json.loads(line[6:]) for line in answer.raw.decode().split("\n") if line.startswith("data: {")]
    assert [event["data"]["status"] for event in found] == [1] * (len(found) - 1) + [2]
    parts = "".join(event["data"]["audio"] for event in found if event["data"]["status"] == 1)
    assert probe(bytes.fromhex(parts))[2] > 1
    assert wrong["base_resp"]["status_code"] == 2013


@pytest.mark.parametrize(
    ("change", "code"),
    [({"lyrics": None}, 2013), ({"lyrics": None, "lyrics_optimizer": True}, 0), ({"lyrics": "a" * 3501}, 2013),
     ({"prompt": "a" * 2001}, 2013), ({"prompt": None}, 0), ({"prompt": ""}, 0), ({"model": "music-9"}, 2013),
     ({"lyrics": None, "is_instrumental": True}, 0), ({"lyrics": None, "prompt": None, "is_instrumental": True}, 2013),
     ({"model": "music-1.5", "prompt": STYLE}, 0), ({"model": "music-1.5", "prompt": "short"}, 2013),
     ({"model": "music-2.0", "prompt": "a" * 301}, 2013), ({"model": "music-1.5", "prompt": STYLE, "lyrics": "a" * 601}, 2013),
     ({"model": "music-1.5", "prompt": STYLE, "lyrics": "short"}, 2013), ({"audio_setting": {"sample_rate": 8000}}, 2013),
     ({"audio_setting": {"bitrate": 1}}, 2013), ({"audio_setting": {"format": "flac"}}, 2013), ({"output_format": "x"}, 2013),
     ({"audio_setting": {"channel": 1}}, 0)],
)  # fmt: skip
async def test_music_1_lengths_of_each_kind(change: dict[str, Any], code: int):
    async with platform() as client:
        found = await song(client, **change)
    assert found["base_resp"]["status_code"] == code, found["base_resp"]


async def test_music_1_a_cover_has_exactly_one_source():
    async with platform() as client:
        body = {"model": "music-cover", "prompt": STYLE, "lyrics": None}
        assert (await song(client, **body))["base_resp"]["status_code"] == 2013
        found = await song(client, **body, audio_base64=reference(10))
        assert found["base_resp"] == OK
        both = await song(client, **body, audio_base64=reference(10), cover_feature_id="x")
        assert both["base_resp"]["status_code"] == 2013
        short = await song(client, **body, audio_base64=reference(5))
        assert short["base_resp"]["status_code"] == 2013
        assert (await song(client, **body | {"prompt": "short"}, audio_base64=reference(10)))["base_resp"][
            "status_code"
        ] == 2013


async def test_music_2_preprocess_and_its_24_hours():
    async with platform() as client:
        body = {"model": "music-cover", "audio_base64": reference(12)}
        found = await client.json("POST", "/v1/music_cover_preprocess", json=body)
        assert set(found) == {
            "cover_feature_id", "formatted_lyrics", "structure_result", "audio_duration", "trace_id", "base_resp",
        }  # fmt: skip
        structure = json.loads(found["structure_result"])
        assert structure["num_segments"] == len(structure["segments"])
        labels = {"intro", "verse", "chorus", "bridge", "outro", "inst", "silence"}
        assert all(
            set(part) >= {"start", "end", "label"} and part["label"] in labels
            for part in structure["segments"]
        )
        assert found["audio_duration"] == pytest.approx(12, abs=0.1)
        again = await client.json("POST", "/v1/music_cover_preprocess", json=body)
        assert again["cover_feature_id"] == found["cover_feature_id"]
        assert await client.code("POST", "/v1/music_cover_preprocess", json={"model": "music-cover"}) == 2013
        cover = {"model": "music-cover", "prompt": STYLE, "cover_feature_id": found["cover_feature_id"]}
        assert (await song(client, **cover))["base_resp"] == OK
        assert (await song(client, **cover, lyrics=None))["base_resp"]["status_code"] == 2013
        client.sandbox.forward(hours=24.1)
        assert (await song(client, **cover))["base_resp"]["status_code"] == 2013


async def test_music_3_lyrics():
    async with platform() as client:
        path = "/v1/lyrics_generation"
        found = await client.json(
            "POST", path, json={"mode": "write_full_song", "prompt": "the sea", "title": "Blue"}
        )
        assert set(found) == {"song_title", "style_tags", "lyrics", "base_resp"}
        assert found["song_title"] == "Blue"
        assert re.match(r"\[[\w -]+\]\n", found["lyrics"])
        assert (await client.json("POST", path, json={"mode": "write_full_song", "prompt": ""}))[
            "base_resp"
        ] == OK
        edited = await client.json("POST", path, json={"mode": "edit", "prompt": "sadder", "lyrics": LYRICS})
        assert edited["base_resp"] == OK
        for wrong in ({"mode": "x"}, {"prompt": "a"}, {"mode": "write_full_song", "prompt": "a" * 2001},
                      {"mode": "edit", "prompt": "a", "lyrics": "a" * 3501}):  # fmt: skip
            assert await client.code("POST", path, json=wrong) == 2013, wrong
