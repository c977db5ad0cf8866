"""Long text: requests, files, the archive and its times, as docs/minimax/t2a-async.md prints them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from typing import Any

import av
import pytest

from tests.sandbox.platform_kit import Client, platform

FAST = ("narration.least_s=0", "narration.process_s=0")
PATH, QUERY = "/v1/t2a_async_v2", "/v1/query/t2a_async_query_v2"
TEXT = "The first sentence is short. The second one is a little longer than that."


def request(**more: Any) -> dict[str, Any]:
    return {"model": "speech-2.8-hd", "voice_setting": {"voice_id": "audiobook_male_1"}, **more}


async def finished(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    for _ in range(50):
        state = await client.json("GET", QUERY, params={"task_id": made["task_id"]})
        if state["status"] != "Processing":
            return state
    raise AssertionError("never finished")


async def members(client: Client, state: dict[str, Any]) -> dict[str, bytes]:
    file = (await client.json("GET", "/v1/files/retrieve", params={"file_id": state["file_id"]}))["file"]
    assert (file["bytes"], file["purpose"], file["filename"]) == (0, "t2a_async", f"{state['task_id']}.tar")
    answer = await client.call("GET", file["download_url"], key=None)
    with tarfile.open(fileobj=io.BytesIO(answer.raw)) as archive:
        return {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]


def seconds(data: bytes) -> float:
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
        return sum(frame.samples / frame.sample_rate for frame in frames)


def zipped(**contents: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


async def test_the_printed_request_gives_an_archive_with_sound_titles_and_figures():
    async with platform(*FAST) as client:
        body = {
            "model": "speech-2.8-hd", "text": TEXT, "language_boost": "auto",
            "voice_setting": {"voice_id": "audiobook_male_1", "speed": 1, "vol": 10, "pitch": 1},
            "audio_setting": {"audio_sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 2},
            "voice_modify": {"pitch": 0, "intensity": 0, "timbre": 0, "sound_effects": "spacious_echo"},
        }  # fmt: skip
        made = await client.json("POST", PATH, json=body)
        assert isinstance(made["task_id"], int)
        assert isinstance(made["file_id"], int)
        assert made["task_token"]
        assert made["usage_characters"] == len(TEXT)
        state = await finished(client, made)
        assert (state["status"], state["file_id"]) == ("Success", made["file_id"])
        found = await members(client, state)
    task = made["task_id"]
    assert sorted(found) == [f"{task}/content-{task}.{e}" for e in ("extra", "mp3", "titles")]
    titles = json.loads(found[f"{task}/content-{task}.titles"])
    figures = json.loads(found[f"{task}/content-{task}.extra"])
    assert "".join(entry["text"] for entry in titles).replace(" ", "") == TEXT.replace(" ", "")
    assert [entry["is_final_segment"] for entry in titles] == [False, True]
    assert figures["audio_sample_rate"] == 32000
    assert figures["audio_size"] == len(found[f"{task}/content-{task}.mp3"])
    length_s = seconds(found[f"{task}/content-{task}.mp3"])
    assert length_s == pytest.approx(figures["audio_length"] / 1000, abs=0.2)
    assert titles[-1]["time_end"] <= figures["audio_length"]
    assert titles[0]["time_end"] < titles[1]["time_begin"] + 1


@pytest.mark.parametrize("format", ["mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus"])
async def test_every_format_with_two_channels_as_default(format: str):
    async with platform(*FAST) as client:
        rate = 48000 if format == "opus" else 16000
        body = request(text=TEXT, audio_setting={"format": format, "audio_sample_rate": rate})
        found = await members(client, await finished(client, await client.json("POST", PATH, json=body)))
    sound = next(data for name, data in found.items() if not name.endswith((".titles", ".extra")))
    figures = json.loads(next(data for name, data in found.items() if name.endswith(".extra")))
    if format == "pcm":
        assert len(sound) / 2 / 2 / rate == pytest.approx(figures["audio_length"] / 1000, abs=0.01)
    elif format != "pcmu_raw":
        assert seconds(sound) == pytest.approx(figures["audio_length"] / 1000, abs=0.2)


async def test_a_text_file_and_its_id_as_an_integer():
    async with platform(*FAST) as client:
        file_id = await client.uploaded(TEXT.encode(), "book.txt", "t2a_async_input")
        assert await client.code("POST", PATH, json=request(text_file_id=str(file_id))) == 2013
        made = await client.json("POST", PATH, json=request(text_file_id=file_id))
        assert len(await members(client, await finished(client, made))) == 3


async def test_a_zip_of_texts_and_one_of_json():
    async with platform(*FAST) as client:
        texts = await client.uploaded(zipped(a_txt="Alpha.", b_txt="Beta."), "b.zip", "t2a_async_input")
        made = await client.json("POST", PATH, json=request(text_file_id=texts))
        found = await members(client, await finished(client, made))
        task = made["task_id"]
        assert f"{task}/content-{task}-a.mp3" in found
        assert f"{task}/content-{task}-b.titles" in found
        content = json.dumps({"title": "A book", "content": TEXT, "extra": "The end."})
        three = await client.uploaded(zipped(**{"1_json": content}), "c.zip", "t2a_async_input")
        made = await client.json("POST", PATH, json=request(text_file_id=three))
        names = {
            name.rpartition("/")[2].partition("-")[0]
            for name in await members(client, await finished(client, made))
        }
        assert names == {"title", "content", "extra"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("mixed.zip", zipped(a_txt="Alpha.", **{"1_json": "{}"})),
        ("named.zip", zipped(book_json='{"content": "Alpha."}')),
        ("broken.zip", b"PK not a zip"),
        ("empty.zip", zipped()),
        ("words.zip", zipped(a_doc="Alpha.")),
    ],
)
async def test_a_wrong_zip_fails_the_task_with_the_platforms_words(name: str, data: bytes):
    async with platform(*FAST) as client:
        file_id = await client.uploaded(data, name, "t2a_async_input")
        state = await finished(client, await client.json("POST", PATH, json=request(text_file_id=file_id)))
        assert state["status"] == "Failed"
        assert "check file in zip error" in state["base_resp"]["status_msg"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({}, 2013),
        ({"text": TEXT, "text_file_id": 7}, 2013),
        ({"text": "x" * 50_001}, 2013),
        ({"text": " "}, 2013),
        ({"text": TEXT, "model": "speech-9"}, 2013),
        ({"text": TEXT, "voice_setting": {"voice_id": "nobody"}}, 2054),
        ({"text": TEXT, "audio_setting": {"audio_sample_rate": 12000}}, 2013),
        ({"text": TEXT, "audio_setting": {"format": "opus", "audio_sample_rate": 32000}}, 2013),
        ({"text": TEXT, "audio_setting": {"format": "pcm"}, "voice_modify": {"pitch": 1}}, 2013),
        ({"text": "sandbox-forbidden"}, 1026),
        ({"text_file_id": 123456789}, 2013),
    ],
)
async def test_refusals(more: dict[str, Any], code: int):
    async with platform(*FAST) as client:
        assert await client.code("POST", PATH, json=request() | more) == code


async def test_an_unknown_task_a_gone_result_and_a_text_that_is_too_long_to_speak():
    async with platform(*FAST, "narration.most_spoken=20") as client:
        assert await client.code("GET", QUERY, params={"task_id": "12"}) == 2013
        state = await finished(client, await client.json("POST", PATH, json=request(text=TEXT)))
        assert "narration.most_spoken" in state["base_resp"]["status_msg"]
        made = await client.json("POST", PATH, json=request(text="Short enough."))
        state = await finished(client, made)
        client.sandbox.forward(hours=9.1)
        assert await client.code("GET", "/v1/files/retrieve", params={"file_id": state["file_id"]}) == 2013
