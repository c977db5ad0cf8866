"""Speech over HTTP, and the lists of voices."""

from __future__ import annotations

import asyncio
import io
import json
import re
import wave
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import aiohttp
import pytest

from realtime.sandbox import speech_http, voices
from realtime.sandbox.speech_request import SENSITIVE_WORDS
from realtime.sandbox.speech_stream import AudioFrame
from realtime.sandbox.voice_table import SYSTEM_VOICES
from tests.sandbox.speech_kit import HTTP, Platform, begin, platform, send, start_event, until_final

TEXT = "Hello there, friend. How are you?"


def body(**fields: Any) -> dict[str, Any]:
    event = start_event(**{"text": TEXT, **fields})
    del event["event"]
    return event


async def events(sandbox: Platform, fault: str = "", **fields: Any) -> list[dict[str, Any]]:
    """The events of a stream, its frame checked byte for byte."""
    answer = await sandbox.post(HTTP, body(stream=True, **fields), fault=fault)
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    parts = (await answer.text()).split("\n\n")
    assert parts.pop() == ""
    assert all(part.startswith("data: {") and "\n" not in part for part in parts)
    return [json.loads(part[6:]) for part in parts]


async def test_whole_answer_is_the_documented_one() -> None:
    """Fields, order and totals of a non-streamed answer."""
    async with platform() as sandbox:
        answer = await sandbox.post(HTTP, body())
        assert (answer.status, answer.content_type) == (200, "application/json")
        found = await answer.json()
        audio = bytes.fromhex(found["data"]["audio"])
        assert len(audio) > 48 * 1000
        assert re.fullmatch("[0-9a-f]{32}", found["trace_id"])
        assert answer.headers["trace-id"] == found["trace_id"]
        assert found == {
            "data": {"audio": audio.hex(), "status": 2, "ced": ""},
            "extra_info": {
                "audio_length": round(len(audio) / 48), "audio_sample_rate": 24000, "audio_size": len(audio),
                "bitrate": 128000, "audio_format": "pcm", "audio_channel": 1, "invisible_character_ratio": 0,
                "usage_characters": len(TEXT), "word_count": len(TEXT),
            },
            "trace_id": found["trace_id"],
            "base_resp": {"status_code": 0, "status_msg": "success"},
        }  # fmt: skip
        assert [(r.text, r.transport) for r in sandbox.state.speech_requests] == [(TEXT, "http")]
        assert sandbox.state.requests[-1].body["text"] == TEXT


async def test_url_output_can_be_fetched_without_a_key() -> None:
    """A wav with its true length; another signature is refused as an object store does."""
    async with platform() as sandbox:
        answer = await sandbox.post(HTTP, body(output_format="url", audio_setting={"format": "wav"}))
        found = await answer.json()
        url = found["data"]["audio"]
        assert url.startswith(sandbox.url)
        assert url.partition("?")[0].endswith(".wav")
        with wave.open(io.BytesIO(await sandbox.get(url))) as file:
            assert file.getframerate() == 24000
            assert file.getnframes() / 24 == pytest.approx(found["extra_info"]["audio_length"], abs=1)
        async with aiohttp.ClientSession() as session, session.get(url[:-1] + "x") as wrong:
            assert wrong.status == 403
        sandbox.state.clock.forward(24 * 3600)
        async with aiohttp.ClientSession() as session, session.get(url) as late:
            assert late.status == 403


@pytest.mark.parametrize("kind", ["sentence", "word"])
async def test_subtitle_file(kind: str) -> None:
    """A JSON array with all documented fields; words match the text."""
    async with platform() as sandbox:
        answer = await sandbox.post(HTTP, body(subtitle_enable=True, subtitle_type=kind))
        found = await answer.json()
        file = json.loads(await sandbox.get(found["data"]["subtitle_file"]))
        assert [(s["text"], s["is_final_segment"]) for s in file] == [
            ("Hello there, friend.", False),
            ("How are you?", True),
        ]
        assert all(s["pronounce_text"] == s["text"] == TEXT[s["text_begin"] : s["text_end"]] for s in file)
        assert file[0]["time_end"] < file[1]["time_begin"] < found["extra_info"]["audio_length"]
        if kind == "sentence":
            assert [s["timestamped_words"] for s in file] == [None, None]
        else:
            words = [w for s in file for w in s["timestamped_words"]]
            assert [w["pronounce_word"] for w in words] == ["Hello", "there", "friend", "How", "are", "you"]
            assert all(TEXT[w["word_begin"] : w["word_end"]] == w["word"] for w in words)


@pytest.mark.parametrize("format", ["pcm", "mp3"])
async def test_stream_repeats_all_audio_at_the_end(format: str) -> None:
    """Events with status 1, then one event with status 2, the whole audio and the totals."""
    async with platform() as sandbox:
        *frames, last = await events(sandbox, audio_setting={"format": format})
        audio = b"".join(bytes.fromhex(frame["data"]["audio"]) for frame in frames)
        assert len(frames) > 5
        assert all(list(p) == ["data", "trace_id", "base_resp"] and p["data"]["status"] == 1 for p in frames)
        assert frames[0]["base_resp"] == {"status_code": 0, "status_msg": ""}
        assert last["data"]["status"] == 2
        assert last["extra_info"]["audio_size"] == len(audio)
        whole = bytes.fromhex(last["data"]["audio"])
        assert whole == audio if format == "pcm" else len(whole) == pytest.approx(len(audio), rel=0.1)


async def test_stream_without_the_aggregate() -> None:
    """`exclude_aggregated_audio` leaves the last event's audio empty."""
    async with platform() as sandbox:
        found = await events(sandbox, stream_options={"exclude_aggregated_audio": True})
        assert found[-1]["data"] == {"audio": "", "status": 2, "ced": ""}
        assert "extra_info" in found[-1]


async def test_stream_subtitles_grow() -> None:
    """`word_streaming` puts a subtitle into every event."""
    async with platform() as sandbox:
        *frames, _ = await events(sandbox, subtitle_enable=True, subtitle_type="word_streaming")
        assert all("subtitle" in frame["data"] for frame in frames)
        assert [w["word"] for w in frames[-1]["data"]["subtitle"]["timestamped_words"]] == [
            "How",
            "are",
            "you",
        ]


REFUSED = [
    ({"text": None}, 2013), ({"text": " "}, 2013), ({"text": "x" * 10_001}, 2013), ({"model": "nothing"}, 2013),
    ({"voice_setting": {"emotion": "bored"}}, 2013), ({"voice_setting": {"voice_id": "nobody"}}, 2054),
    ({"output_format": "base64"}, 2013), ({"stream": "yes"}, 2013), ({"stream_options": 1}, 2013),
    ({"subtitle_enable": True, "subtitle_type": "word_streaming"}, 2013), ({"text": SENSITIVE_WORDS[0]}, 1026),
    ({"text": "\u200b\u200ba"}, 1042),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "number"), REFUSED)
async def test_refusals_are_200_with_a_code(fields: dict[str, Any], number: int) -> None:
    """Bare JSON, `data` null, streamed or not."""
    async with platform() as sandbox:
        for stream in (
            (None, True) if fields.get("subtitle_type") is None and "stream" not in fields else (None,)
        ):
            answer = await sandbox.post(HTTP, body(**({"stream": stream} if stream else {}), **fields))
            found = await answer.json()
            assert answer.status == 200
            assert found["data"] is None
            assert found["base_resp"]["status_code"] == number


async def test_keys_limits_and_faults() -> None:
    """1004, 2049, 1002 and a fault's code, all HTTP 200."""
    async with platform("limit.speech_rpm=1") as sandbox:

        async def number(key: str = "any", fault: str = "") -> int:
            answer = await sandbox.post(HTTP, body(), key=key, fault=fault)
            return int((await answer.json())["base_resp"]["status_code"])

        assert await number(key="") == 1004
        assert await number(key="sk-bad") == 2049
        assert await number(fault="speech.error=1008") == 1008
        assert [await number(), await number()] == [0, 1002]
        assert [await number("another"), await number("another")] == [0, 1002], "each key is an account"


@pytest.mark.parametrize(
    "fault", ["speech.drop_after=2", "speech.drop_at=mid", "speech.drop_at=final", "speech.drop_at=text"]
)
async def test_a_cut_stream_fails_for_the_client(fault: str) -> None:
    """The client's read raises an error."""
    async with platform() as sandbox:
        with pytest.raises(aiohttp.ClientError):
            await events(sandbox, fault=fault)


async def test_faults_of_the_data() -> None:
    """Null data between frames; one frame that is not hex."""
    async with platform() as sandbox:
        assert any(event["data"] is None for event in await events(sandbox, fault="speech.empty_data"))
        found = await events(sandbox, fault="speech.bad_hex")
        assert sum(bool(re.search("[^0-9a-f]", event["data"]["audio"])) for event in found) == 1


async def test_the_synthesis_ends_when_its_client_disconnects(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends long before its thirty seconds."""
    ended = asyncio.Event()

    class Watched(speech_http.Synthesis):
        async def frames(self) -> AsyncGenerator[AudioFrame, None]:
            try:
                async with aclosing(super().frames()) as frames:
                    async for frame in frames:
                        yield frame
            finally:
                ended.set()

    monkeypatch.setattr(speech_http, "Synthesis", Watched)
    async with platform("speech.factor=1") as sandbox:
        request = body(stream=True, text=TEXT * 20)
        async with (
            aiohttp.ClientSession(headers={"Authorization": "Bearer x"}) as session,
            session.post(sandbox.url + HTTP, json=request) as answer,
        ):
            await answer.content.readline()
            assert not ended.is_set()
        async with asyncio.timeout(60):
            await ended.wait()


# Voices


async def listed(sandbox: Platform, kind: str) -> dict[str, Any]:
    return dict(await (await sandbox.post("/v1/get_voice", {"voice_type": kind})).json())


async def test_system_voices_are_listed() -> None:
    """All of them, with name and date; `all` also gives the other lists."""
    async with platform() as sandbox:
        found = await listed(sandbox, "system")
        assert list(found) == ["system_voice", "base_resp"]
        assert {v["voice_id"] for v in found["system_voice"]} == set(SYSTEM_VOICES)
        executive = next(v for v in found["system_voice"] if v["voice_id"].endswith("Reliable_Executive"))
        assert executive["voice_name"] == "沉稳高管"
        assert executive["created_time"] == "1970-01-01"
        assert list(await listed(sandbox, "all")) == [
            "system_voice",
            "voice_cloning",
            "voice_generation",
            "base_resp",
        ]
        assert (await listed(sandbox, "nothing"))["base_resp"]["status_code"] == 2013


async def test_a_created_voice_can_be_used_is_listed_after_use_and_deleted_permanently() -> None:
    """2054 before, usable at once, listed after its first use; after deletion 2054 again, and the id stays taken."""
    async with platform() as sandbox:
        voice = {"voice_setting": {"voice_id": "MyVoice_001"}}

        async def speak() -> int:
            return int((await (await sandbox.post(HTTP, body(**voice))).json())["base_resp"]["status_code"])

        assert await speak() == 2054
        voices.create_voice(sandbox.state, "MyVoice_001", "voice_cloning", [])
        assert (await listed(sandbox, "voice_cloning"))["voice_cloning"] == []
        async with sandbox.connect() as ws:
            await begin(ws, **voice)
            await send(ws, "task_continue", text="Hi.")
            await until_final(ws)
        (entry,) = (await listed(sandbox, "all"))["voice_cloning"]
        assert entry["voice_id"] == "MyVoice_001"
        wrong = await sandbox.post(
            "/v1/delete_voice", {"voice_type": "voice_generation", "voice_id": "MyVoice_001"}
        )
        assert (await wrong.json())["base_resp"]["status_code"] == 2013
        gone = await sandbox.post(
            "/v1/delete_voice", {"voice_type": "voice_cloning", "voice_id": "MyVoice_001"}
        )
        found = await gone.json()
        assert (found["voice_id"], found["base_resp"]["status_code"]) == ("MyVoice_001", 0)
        assert re.fullmatch(r"\d{10}", found["created_time"])
        assert await speak() == 2054
        assert voices.is_taken(sandbox.state, "MyVoice_001")
        assert (await listed(sandbox, "all"))["voice_cloning"] == []


async def test_system_voices_cannot_be_deleted_and_keys_are_checked() -> None:
    async with platform() as sandbox:
        request = {"voice_type": "voice_cloning", "voice_id": "Arnold"}
        answer = await sandbox.post("/v1/delete_voice", request)
        assert (await answer.json())["base_resp"]["status_code"] == 2013
        answer = await sandbox.post("/v1/get_voice", {"voice_type": "all"}, fault="voice.error=1008")
        assert (await answer.json())["base_resp"]["status_code"] == 1008
        answer = await sandbox.post("/v1/get_voice", {"voice_type": "all"}, key="sk-bad")
        assert (await answer.json())["base_resp"]["status_code"] == 2049


async def test_an_unused_voice_expires_after_seven_days() -> None:
    """168 hours on the sandbox's clock; use makes a voice permanent."""
    async with platform() as sandbox:
        for name in ("Unused_1", "Used_1"):
            voices.create_voice(sandbox.state, name, "voice_generation", ["a voice"])
        voices.use_voice(sandbox.state, "Used_1")
        sandbox.state.clock.forward(168 * 3600 - 60)
        assert voices.is_voice(sandbox.state, "Unused_1")
        sandbox.state.clock.forward(61)
        assert not voices.is_voice(sandbox.state, "Unused_1")
        assert voices.is_voice(sandbox.state, "Used_1")
