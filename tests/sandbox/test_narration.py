"""`POST /v1/t2a_async_v2` and its query by plain HTTP, as docs/minimax/t2a-async.md prints them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from typing import Any

import pytest

from tests.sandbox.platform_kit import Client, platform

av = pytest.importorskip("av")

CREATE, QUERY = "/v1/t2a_async_v2", "/v1/query/t2a_async_query_v2"
TEXT = "The sea was calm. 老船长看着大海。 Nobody said a word!"
FAST = ("narration.least_s=0", "narration.process_s=0", "narration.queries_per_s=0")


def body(**fields: Any) -> dict[str, Any]:
    return {
        "model": "speech-2.8-hd", "language_boost": "auto",
        "voice_setting": {"voice_id": "male-qn-qingse", "speed": 1, "vol": 1, "pitch": 0},
        "audio_setting": {"audio_sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 2},
        **fields,
    }  # fmt: skip


def zipped(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


async def ended(client: Client, **fields: Any) -> dict[str, Any]:
    """The last answer of the query."""
    made = await client.json("POST", CREATE, json=body(**fields))
    assert made["base_resp"]["status_code"] == 0, made
    client.sandbox.forward(hours=0.1)
    while True:
        found = await client.json("GET", f"{QUERY}?task_id={made['task_id']}")
        if found["status"] != "Processing":
            return found


async def members(client: Client, file_id: int) -> dict[str, bytes]:
    """The members of the tar, in their order."""
    file = (await client.json("GET", f"/v1/files/retrieve?file_id={file_id}"))["file"]
    assert (file["bytes"], file["purpose"]) == (0, "t2a_async")
    data = (await client.call("GET", file["download_url"], key=None)).raw
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]


def decoded(data: bytes) -> tuple[int, int, float]:
    """Rate, channels and length in ms of an audio file."""
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        return stream.rate, stream.codec_context.channels, samples * 1000 / stream.rate


async def test_a_text_becomes_a_tar_with_audio_titles_and_extra() -> None:
    async with platform("narration.least_s=60") as client:
        made = await client.json("POST", CREATE, json=body(text=TEXT))
        assert isinstance(made["task_id"], int)
        assert made["usage_characters"] == len(TEXT) + 7
        asked = f"{QUERY}?task_id={made['task_id']}"
        assert (await client.json("GET", asked))["status"] == "Processing"
        client.sandbox.forward(seconds=61)
        found = await client.json("GET", asked)
        assert found["status"] == "Success"
        assert found["file_id"] == made["file_id"]
        inside = await members(client, found["file_id"])
        (folder,) = {name.partition("/")[0] for name in inside}
        assert [name.rpartition(".")[2] for name in inside] == ["mp3", "titles", "extra"]
        assert all(name.startswith(f"{folder}/content-") for name in inside)
        audio, titles, extra = inside.values()
        entries, facts = json.loads(titles), json.loads(extra)
        rate, channels, length_ms = decoded(audio)
        assert (rate, channels) == (32000, 2)
        assert facts["audio_length"] == pytest.approx(length_ms, abs=150)
        assert (facts["audio_size"], facts["word_count"], facts["vol"]) == (len(audio), len(TEXT), 1)
        assert [e["text"] for e in entries] == [
            "The sea was calm.",
            "老船长看着大海。",
            "Nobody said a word!",
        ]
        times = [time for e in entries for time in (e["time_begin"], e["time_end"])]
        assert times == sorted(times)
        assert times[-1] <= length_ms
        assert [e["is_final_segment"] for e in entries] == [False, False, True]
        client.sandbox.forward(hours=9.1)
        gone = await client.json("GET", f"/v1/files/retrieve?file_id={found['file_id']}")
        assert gone["base_resp"]["status_code"] == 2013


@pytest.mark.parametrize(
    ("format", "rate", "channel"),
    [("wav", 8000, 1), ("flac", 44100, 2), ("opus", 12000, 1), ("opus", 48000, 2), ("pcmu_wav", 8000, 1)],
)
async def test_formats_that_say_what_they_are(format: str, rate: int, channel: int) -> None:
    """opus is always decoded at 48000 Hz."""
    async with platform(*FAST) as client:
        setting = {"format": format, "audio_sample_rate": rate, "channel": channel}
        found = await ended(client, text=TEXT, audio_setting=setting)
        inside = await members(client, found["file_id"])
        audio, _, extra = inside.values()
        heard_rate, channels, length_ms = decoded(audio)
        assert (heard_rate, channels) == (48000 if format == "opus" else rate, channel)
        assert json.loads(extra)["audio_length"] == pytest.approx(length_ms, abs=150)


@pytest.mark.parametrize("format", ["pcm", "pcmu_raw"])
async def test_raw_formats_have_the_length_of_their_facts(format: str) -> None:
    async with platform(*FAST) as client:
        setting = {"format": format, "audio_sample_rate": 16000}
        found = await ended(client, text=TEXT, audio_setting=setting)
        audio, _, extra = (await members(client, found["file_id"])).values()
        width = 2 if format == "pcm" else 1
        assert len(audio) / width / 2 / 16 == pytest.approx(json.loads(extra)["audio_length"], abs=1)


async def test_files_of_text_and_zips() -> None:
    async with platform(*FAST) as client:

        async def says(data: bytes, filename: str) -> list[str]:
            file_id = await client.uploaded(data, filename, "t2a_async_input")
            found = await ended(client, text_file_id=file_id)
            assert found["status"] == "Success", found
            inside = await members(client, found["file_id"])
            return [f"{name.partition('/')[2].partition('-')[0]}: {json.loads(data)[0]['text']}"
                    for name, data in inside.items() if name.endswith(".titles")]  # fmt: skip

        assert await says(b"\xef\xbb\xbfHello there.", "a.txt") == ["content: Hello there."]
        texts = zipped(**{"b.txt": "Second.", "a.txt": "First."})
        assert await says(texts, "a.zip") == ["content: Second.", "content: First."]
        chapters = zipped(**{
            "2.json": json.dumps({"content": "Two."}),
            "1.json": json.dumps({"title": "One.", "content": "It begins.", "extra": "More."}),
        })  # fmt: skip
        found = await says(chapters, "c.zip")
        assert found == ["title: One.", "content: It begins.", "extra: More.", "content: Two."]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (zipped(**{"1.json": "{}", "a.txt": "Hello."}), "check file in zip error"),
        (zipped(**{"one.json": '{"content":"Hello."}'}), "check file in zip error"),
        (zipped(**{"1.json": '{"content":"a"}', "3.json": '{"content":"b"}'}), "check file in zip error"),
        (zipped(**{"1.json": "{"}), "check file in zip error"),
        (zipped(), "check file in zip error"),
        (b"no zip", "check file in zip error"),
        (zipped(**{"a.txt": "a" * 1_000_000}), "fewer than 1000000"),
        (zipped(**{"a.txt": "a" * 50_001}), "narration.max_spoken"),
        (zipped(**{"a.txt": "  "}), "no text"),
    ],
)
async def test_a_wrong_file_fails_the_task(data: bytes, reason: str) -> None:
    async with platform(*FAST) as client:
        file_id = await client.uploaded(data, "a.zip", "t2a_async_input")
        found = await ended(client, text_file_id=file_id)
        assert found["status"] == "Failed"
        assert reason in found["base_resp"]["status_msg"]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("text", {}),
        ("text", {"text": "a", "text_file_id": 1}),
        ("text", {"text": "a" * 50_001}),
        ("text_file_id", {"text_file_id": "123"}),
        ("file_id", {"text_file_id": 123}),
        ("model", {"text": "a", "model": "speech-2.5-hd-preview"}),
        ("audio_sample_rate", {"text": "a", "audio_setting": {"audio_sample_rate": 48000}}),
        ("audio_sample_rate", {"text": "a", "audio_setting": {"audio_sample_rate": 44100, "format": "opus"}}),
        ("channel", {"text": "a", "audio_setting": {"channel": 3}}),
        ("bitrate", {"text": "a", "audio_setting": {"bitrate": 1}}),
        ("voice_modify", {"text": "a", "audio_setting": {"format": "pcm"}, "voice_modify": {"pitch": 1}}),
        ("voice_id", {"text": "a", "voice_setting": {"speed": 1}}),
    ],
)
async def test_a_wrong_field_is_named(name: str, fields: dict[str, Any]) -> None:
    async with platform() as client:
        found = (await client.json("POST", CREATE, json=body(**fields)))["base_resp"]
        assert found["status_code"] == 2013
        assert name in found["status_msg"]


async def test_failures_limits_and_unknown_tasks() -> None:
    async with platform("narration.least_s=0") as client:
        made = await client.json("POST", CREATE, json=body(text=TEXT), fault="narration.fail=1026")
        asked = f"{QUERY}?task_id={made['task_id']}"
        client.sandbox.forward(seconds=5)
        found = await client.json("GET", asked)
        assert (found["status"], found["base_resp"]["status_code"]) == ("Failed", 1026)
        assert [await client.code("GET", asked) for _ in range(10)] == [1026] * 9 + [1002]
        client.sandbox.forward(seconds=1)
        assert await client.code("GET", f"{QUERY}?task_id=1") == 2013
        assert await client.code("POST", CREATE, json=body(text="a sandbox-forbidden word")) == 1026
