"""Songs, lyrics and covers: the requests, the answers a page shows (recorded shapes), and streams that break."""

from __future__ import annotations

import base64
import inspect
import io
import json
import wave
from contextlib import asynccontextmanager

import pytest

from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderRejected, ProviderUnavailable
from realtime.minimax import MiniMax, SongSection
from realtime.minimax.field_tables import TABLES
from realtime.minimax.music import Music
from realtime.minimax.operations import OPERATIONS
from tests.minimax.scripted import Reply, scripted

MP3 = b"ID3" + b"a song " * 20_000
OK = {"status_code": 0, "status_msg": "success"}
# docs/minimax/music.md: the example, with whole audio
SONG = {
    "data": {"audio": MP3.hex(), "status": 2},
    "trace_id": "0e5a",
    "extra_info": {
        "music_duration": 25364,
        "music_sample_rate": 44100,
        "music_channel": 2,
        "bitrate": 256000,
        "music_size": 813651,
    },
    "analysis_info": None,
    "base_resp": OK,
}
FEATURES = {
    "cover_feature_id": "f-1",
    "formatted_lyrics": "[Verse]\nla la",
    "structure_result": json.dumps(
        {
            "num_segments": 2,
            "segments": [
                {"start": 0, "end": 7.5, "label": "intro"},
                {"start": 7.5, "end": 20, "label": "verse"},
            ],
        }
    ),
    "audio_duration": 20.5,
    "trace_id": "0e5b",
    "base_resp": OK,
}
LYRICS = {"song_title": "Rain", "style_tags": "Pop, Upbeat", "lyrics": "[Verse]\nRain again", "base_resp": OK}
BOTH_SPELLINGS = "[Intro]\n[Pre Chorus]\nla\n[Pre-Chorus]\nlo\n[Build Up]\n[Build-up]\n[Drop]\n[Instrumental]"


def answer(value: dict) -> Reply:
    return Reply(json.dumps(value).encode(), content_type="application/json")


def event(audio: bytes, status: int = 1, **more) -> bytes:
    value = {"data": {"audio": audio.hex(), "status": status}, "trace_id": "0e5a", "base_resp": OK, **more}
    return f"data: {json.dumps(value)}\n\n".encode()


@asynccontextmanager
async def platform(*replies: dict | Reply):
    """A client, and the script of what it was asked."""
    answers = [reply if isinstance(reply, Reply) else answer(reply) for reply in replies or (SONG,)]
    async with scripted(*answers) as script, MiniMax("key", script.url) as mm:
        yield mm, script


def bodies(script) -> list[dict]:
    return [json.loads(body) for _, body in script.requests]


async def heard(mm: MiniMax, **arguments) -> tuple[list[bytes], Exception | None]:
    """What a stream gave, and how it ended."""
    parts: list[bytes] = []
    try:
        async for part in mm.music.stream("jazz", lyrics="la", **arguments):
            parts.append(part)
    except ProviderError as error:
        return parts, error
    return parts, None


@pytest.mark.operation("music.create")
async def test_the_example_of_the_page_is_read(tmp_path):
    async with platform() as (mm, script):
        song = await mm.music.create("jazz, late night", lyrics=BOTH_SPELLINGS)
        saved = await song.save(tmp_path / "song.mp3")
    assert script.requests[0][0] == "/v1/music_generation"
    assert bodies(script) == [{"model": "music-3.0", "prompt": "jazz, late night", "lyrics": BOTH_SPELLINGS}]
    assert song.audio == await song.read() == saved.path.read_bytes() == MP3
    assert saved.kind == "mp3"
    assert (song.length_ms, song.rate, song.channels, song.bitrate, song.size_bytes) == (
        25364,
        44100,
        2,
        256000,
        813651,
    )
    assert (song.trace_id, song.url) == ("0e5a", None)
    assert MP3.hex()[:40] not in repr(song)


@pytest.mark.operation("music.create")
async def test_every_argument_has_its_place():
    async with platform() as (mm, script):
        await mm.music.create(
            "jazz", model="music-2.6", optimize_lyrics=True, instrumental=False, format="wav", rate=16000,
            bitrate=32000, channels=1, output="hex", watermark=True, extra={"audio_setting": {"new": 1}},
        )  # fmt: skip
        await mm.music.create("calm piano", instrumental=True)
        await mm.music.create(
            "jazz, late night", cover="https://host/old.mp3", seed=1_000_000, lyrics="x" * 10
        )
        await mm.music.create("jazz, late night", cover_feature_id="f-1", lyrics="[Verse]\nla la")
    assert bodies(script) == [
        {
            "model": "music-2.6", "prompt": "jazz", "lyrics_optimizer": True, "is_instrumental": False,
            "output_format": "hex", "aigc_watermark": True,
            "audio_setting": {"format": "wav", "sample_rate": 16000, "bitrate": 32000, "channel": 1, "new": 1},
        },
        {"model": "music-3.0", "prompt": "calm piano", "is_instrumental": True},
        {"model": "music-cover", "prompt": "jazz, late night", "lyrics": "x" * 10, "seed": 1_000_000,
         "audio_url": "https://host/old.mp3"},
        {"model": "music-cover", "prompt": "jazz, late night", "lyrics": "[Verse]\nla la", "cover_feature_id": "f-1"},
    ]  # fmt: skip


def test_every_field_of_the_tables_is_an_argument():
    parts_of_cover = {"cover_url", "cover_base64"}  # both are `cover`
    for name, method, others in (
        ("music.create", Music.create, parts_of_cover | {"stream"}),  # `stream` is a method of its own
        (
            "music.create",
            Music.stream,
            parts_of_cover | {"stream", "output", "watermark"},
        ),  # not for a stream
        ("music.write_lyrics", Music.write_lyrics, set()),
        ("music.prepare_cover", Music.prepare_cover, parts_of_cover),
    ):
        fields = {field.name for field in TABLES[name]}
        assert fields - others <= set(inspect.signature(method).parameters)
        assert others <= fields


async def test_a_cover_comes_as_a_path_bytes_or_a_stream_and_is_sent_in_base64(tmp_path):
    (tmp_path / "old.mp3").write_bytes(MP3)
    sources = [tmp_path / "old.mp3", str(tmp_path / "old.mp3"), MP3, io.BytesIO(MP3)]
    async with platform() as (mm, script):
        for source in sources:
            await mm.music.create("jazz, late night", cover=source)
    assert [body["audio_base64"] for body in bodies(script)] == [base64.b64encode(MP3).decode()] * 4
    assert all("audio_url" not in body for body in bodies(script))


async def test_a_song_by_url_is_fetched_without_the_key(tmp_path):
    async with platform(SONG, Reply(MP3, content_type="audio/mpeg")) as (mm, script):
        url = f"{script.url}/files/song.mp3?sig=abc"
        script.replies[0] = answer({**SONG, "data": {"audio": url, "status": 2}})
        song = await mm.music.create("jazz", lyrics="la", output="url")
        assert (song.url, song.audio) == (url, b"")
        assert (await song.save(tmp_path / "song.mp3")).path.read_bytes() == MP3
    assert "Authorization" not in script.headers[1]
    assert "sig=" not in repr(song)


@pytest.mark.parametrize(
    "data", [None, {"audio": "", "status": 2}, {"audio": "abc"}, {"audio": "zz"}, {"audio": "00 11"}]
)
async def test_an_answer_without_a_whole_song_is_an_error_that_is_not_tried_again(data):
    async with platform({**SONG, "data": data}) as (mm, script):
        with pytest.raises(ProviderUnavailable) as caught:
            await mm.music.create("jazz", lyrics="la")
    assert caught.value.retryable is False
    assert len(script.requests) == 1


@pytest.mark.parametrize("method", ["create", "write_lyrics", "prepare_cover"])
async def test_a_lost_answer_is_never_asked_for_again(method):
    calls = {"create": {"lyrics": "la"}, "prepare_cover": {"cover": MP3}}
    async with platform(Reply(cut=True)) as (mm, script):
        with pytest.raises(AnswerLost, match="may have been accepted"):
            await getattr(mm.music, method)(**calls.get(method, {"prompt": "rain"}))
    assert len(script.requests) == 1


def test_a_song_gets_the_time_it_needs():
    assert OPERATIONS["music.create"].timeout_s >= 300
    assert inspect.signature(Music.stream).parameters["stall_timeout_s"].default >= 300


async def test_the_platforms_refusal_of_the_recording_names_our_argument():
    refused = {
        "base_resp": {"status_code": 2013, "status_msg": "invalid params, invalid params: audio_base64"}
    }
    async with platform(refused) as (mm, _):
        for call in (mm.music.create("jazz, late night", cover=MP3), mm.music.prepare_cover(MP3)):
            with pytest.raises(InvalidArgument) as caught:
                await call
            assert caught.value.param == "cover"
            assert caught.value.__cause__ is not caught.value


@pytest.mark.operation("music.create")
async def test_a_stream_gives_its_parts_and_not_the_repetition():
    body = (
        event(b"one ") + event(b"two ") + event(b"one two again", 2, extra_info={}) + event(b"after the end")
    )
    async with platform(Reply(body)) as (mm, script):
        assert await heard(mm, format="mp3") == ([b"one ", b"two "], None)
    assert bodies(script) == [
        {
            "model": "music-3.0",
            "prompt": "jazz",
            "lyrics": "la",
            "stream": True,
            "audio_setting": {"format": "mp3"},
        }
    ]


@pytest.mark.parametrize("last", [event(b"all of it", 2), event(b"", 1) + event(b"all of it", 2)])
async def test_the_last_event_counts_if_nothing_came_before(last):
    async with platform(Reply(last)) as (mm, _):
        assert await heard(mm) == ([b"all of it"], None)
    async with platform(Reply(event(b"one") + b'data: {"data":{"status":2}}\n\n')) as (mm, _):
        assert await heard(mm) == ([b"one"], None)
    async with platform({**SONG, "data": {"audio": "00ff", "status": 2}}) as (mm, _):  # no stream after all
        assert await heard(mm) == ([b"\x00\xff"], None)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(event(b"one")),
        Reply(event(b"one"), cut=True),
        Reply(event(b"one") + event(b"all", 2)[:-30]),
        Reply(event(b"one") + b"data: {broken\n\n"),
        Reply(event(b"one"), hold=True),
    ],
    ids=["no last event", "cut", "half an event", "broken JSON", "silence"],
)
async def test_a_stream_without_its_last_event_is_an_error_after_what_came(reply):
    async with platform(reply) as (mm, script):
        parts, error = await heard(mm, **({"stall_timeout_s": 2.0} if reply.hold else {}))
    assert parts == [b"one"]
    assert isinstance(error, AnswerLost)
    assert "not whole" in error.message
    assert len(script.requests) == 1


@pytest.mark.parametrize("before", [b"", event(b"one")])
async def test_a_refusal_in_a_stream_is_what_it_says(before):
    refused = {"data": None, "base_resp": {"status_code": 1027, "status_msg": "output sensitive"}}
    body = before + f"data: {json.dumps(refused)}\n\n".encode()
    async with platform(Reply(body)) as (mm, _):
        parts, error = await heard(mm)
    assert parts == ([b"one"] if before else [])
    assert isinstance(error, ProviderRejected)
    assert error.upstream_code == 1027
    async with platform({"base_resp": {"status_code": 1008, "status_msg": "no balance"}}) as (mm, _):
        assert getattr((await heard(mm))[1], "upstream_code", None) == 1008


@pytest.mark.operation("music.write_lyrics")
async def test_lyrics_are_written_and_edited():
    async with platform(LYRICS) as (mm, script):
        lyrics = await mm.music.write_lyrics("rain", title="Rain")
        await mm.music.write_lyrics()
        await mm.music.write_lyrics("happier", lyrics="[Verse]\nRain")
    assert script.requests[0][0] == "/v1/lyrics_generation"
    assert bodies(script) == [
        {"mode": "write_full_song", "prompt": "rain", "title": "Rain"},
        {"mode": "write_full_song"},
        {"mode": "edit", "prompt": "happier", "lyrics": "[Verse]\nRain"},
    ]
    assert (lyrics.text, lyrics.title, lyrics.style_tags) == (
        "[Verse]\nRain again",
        "Rain",
        ("Pop", "Upbeat"),
    )


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"prompt": "x" * 2001}, "prompt"),
        ({"lyrics": "x" * 3501}, "lyrics"),
        ({"lyrics": "la", "mode": "write_full_song"}, "lyrics"),
        ({"mode": "edit"}, "lyrics"),
        ({"mode": "compose"}, "mode"),
    ],
)
async def test_wrong_lyrics_are_refused_before_anything_is_sent(arguments, param):
    async with platform(LYRICS) as (mm, script):
        with pytest.raises(InvalidArgument) as caught:
            await mm.music.write_lyrics(**arguments)
    assert caught.value.param == param
    assert script.requests == []


@pytest.mark.operation("music.prepare_cover")
async def test_the_features_of_a_recording_are_read():
    async with platform(FEATURES) as (mm, script):
        features = await mm.music.prepare_cover("https://host/old.mp3")
    assert script.requests[0][0] == "/v1/music_cover_preprocess"
    assert bodies(script) == [{"model": "music-cover", "audio_url": "https://host/old.mp3"}]
    assert (features.id, features.lyrics, features.length_s) == ("f-1", "[Verse]\nla la", 20.5)
    assert features.sections == (SongSection("intro", 0, 7.5), SongSection("verse", 7.5, 20))
    assert features.expires > 1_700_000_000


@pytest.mark.parametrize("structure", ["{broken", None, "[]", '{"segments": null}', 7])
async def test_a_structure_that_cannot_be_read_loses_nothing_else(structure):
    async with platform({**FEATURES, "structure_result": structure}) as (mm, _):
        features = await mm.music.prepare_cover(MP3)
    assert (features.id, features.sections) == ("f-1", ())


def recording(seconds: float) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(int(8000 * seconds)))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "cover",
    [
        recording(5.9),
        recording(360.1),
        b"\xff\xd8\xff a picture",
        b"{}",
        b"",
        "no file.mp3",
        "ftp://host/a.mp3",
    ],
    ids=["5.9 s", "360.1 s", "picture", "json", "empty", "missing", "ftp"],
)
async def test_a_recording_that_cannot_be_covered_is_refused_before_anything_is_sent(cover):
    async with platform(FEATURES) as (mm, script):
        for call in (mm.music.prepare_cover(cover), mm.music.create("jazz, late night", cover=cover)):
            with pytest.raises(InvalidArgument) as caught:
                await call
            assert caught.value.param == "cover"
    assert script.requests == []


async def test_a_recording_over_50_mb_is_refused(tmp_path):
    path = tmp_path / "long.wav"
    with path.open("wb") as file:
        file.write(b"RIFF....WAVE")
        file.truncate(50 * 1024 * 1024 + 1)
    async with platform(FEATURES) as (mm, script):
        with pytest.raises(InvalidArgument, match="MB"):
            await mm.music.prepare_cover(path)
    assert script.requests == []
