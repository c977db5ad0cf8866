"""Files, speech and voices over plain HTTP, exactly as docs/minimax/files.md, t2a-http.md, t2a-async.md and
voices.md print them. Written from those pages alone, without a look at the sandbox's code.
"""

from __future__ import annotations

import io
import json
import re
import tarfile
import zipfile
from typing import Any

import aiohttp
import pytest

from tests.sandbox.platform_kit import Client, platform
from tests.sandbox.voice_kit import recording

pytest.importorskip("av", reason="pip install 'minimax-realtime[sandbox]'")


OK = {"status_code": 0, "status_msg": "success"}
SPEECH = {
    "model": "speech-2.6-turbo", "text": "你好，<#0.5#>今天天气不错。", "stream": False, "output_format": "hex",
    "voice_setting": {"voice_id": "male-qn-qingse", "speed": 1, "vol": 1, "pitch": 0, "emotion": "happy"},
    "audio_setting": {"sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 1},
    "subtitle_enable": False,
}  # fmt: skip
NARRATION = {
    "model": "speech-2.8-hd", "text": "很长的文本……", "language_boost": "auto",
    "voice_setting": {"voice_id": "audiobook_male_1", "speed": 1, "vol": 10, "pitch": 1},
    "audio_setting": {"audio_sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 2},
    "voice_modify": {"pitch": 0, "intensity": 0, "timbre": 0, "sound_effects": "spacious_echo"},
}  # fmt: skip


def probe(data: bytes) -> tuple[int, int, float]:
    """Sample rate, channels and seconds of a recording, measured by decoding it."""
    import av

    with av.open(io.BytesIO(data)) as box:
        stream = box.streams.audio[0]
        samples = sum(frame.samples for frame in box.decode(stream))
        return stream.rate, stream.layout.nb_channels, samples / stream.rate


async def events(client: Client, path: str, body: Any) -> list[dict[str, Any]]:
    answer = await client.call("POST", path, json=body)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    lines = [line for line in answer.raw.decode().split("\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    return [json.loads(line[6:]) for line in lines if line != "data: [DONE]"]


# --- files.md -----------------------------------------------------------------------------------------


async def test_files_1_upload_answers_the_printed_object():
    async with platform() as client:
        found = (await client.upload(b"x" * 69, "test.txt", "retrieval")).json
    assert found == {"file": found["file"], "base_resp": OK}
    assert set(found["file"]) == {"file_id", "bytes", "created_at", "filename", "purpose"}
    assert type(found["file"]["file_id"]) is int
    assert type(found["file"]["created_at"]) is int
    assert (found["file"]["bytes"], found["file"]["filename"], found["file"]["purpose"]) == (
        69,
        "test.txt",
        "retrieval",
    )


async def test_files_2_list_with_and_without_purpose():
    async with platform() as client:
        assert (await client.json("GET", "/v1/files/list?purpose=voice_clone"))["files"] == []
        one = await client.uploaded(b"x" * 69, "test.txt", "retrieval")
        two = await client.uploaded(b"text", "a.txt", "t2a_async_input")
        every = await client.json("GET", "/v1/files/list")
        some = await client.json("GET", "/v1/files/list?purpose=retrieval&GroupId=1")
    assert every["base_resp"] == OK
    assert {item["file_id"] for item in every["files"]} == {one, two}
    assert [item["file_id"] for item in some["files"]] == [one]
    assert set(some["files"][0]) == {"file_id", "bytes", "created_at", "filename", "purpose"}


async def test_files_3_retrieve_an_upload_has_no_download_url():
    async with platform() as client:
        id = await client.uploaded(b"x" * 69, "test.txt", "retrieval")
        found = await client.json("GET", f"/v1/files/retrieve?file_id={id}")
    assert found["base_resp"] == OK
    assert found["file"]["file_id"] == id
    assert not found["file"].get("download_url")


async def test_files_4_content_is_raw_bytes_and_an_error_is_json():
    async with platform() as client:
        id = await client.uploaded(b"raw \x00 bytes", "test.txt", "retrieval")
        good = await client.call("GET", f"/v1/files/retrieve_content?file_id={id}")
        assert good.raw == b"raw \x00 bytes"
        assert await client.code("GET", "/v1/files/retrieve_content?file_id=1") == 2013
        assert await client.code("GET", "/v1/files/retrieve_content?file_id=nonsense") == 2013
        assert await client.code("GET", "/v1/files/retrieve_content") == 2013


@pytest.mark.parametrize("purpose", ["voice_clone", None])
async def test_files_5_delete_as_printed_and_by_id_alone(purpose):
    async with platform() as client:
        id = await client.uploaded(recording(12), "a.wav", "voice_clone")
        body = {"file_id": id} | ({"purpose": purpose} if purpose else {})
        assert await client.json("POST", "/v1/files/delete", json=body) == {"file_id": id, "base_resp": OK}
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 2013
        assert await client.code("POST", "/v1/files/delete", json=body) == 2013


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/files"), ("POST", "/v1/files"), ("DELETE", "/v1/files?file_id=1"), ("DELETE", "/v1/files/1"),
     ("POST", "/v1/audio/speech"), ("POST", "/v1/tts"), ("POST", "/v1/t2v_v2"), ("POST", "/v1/image/generation"),
     ("POST", "/v1/vision"), ("POST", "/v1/messages"), ("POST", "/anthropic/v1/messages/batches"),
     ("POST", "/anthropic/v1/files")],
)  # fmt: skip
async def test_readme_3_3_paths_that_do_not_exist(method, path):
    async with platform() as client:
        answer = await client.call(method, path)
    assert (answer.status, answer.raw) == (404, b"404 page not found")


async def test_files_1_an_upload_dies_after_seven_days():
    async with platform() as client:
        id = await client.uploaded(b"x", "test.txt", "retrieval")
        client.sandbox.forward(hours=167)
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 0
        assert (await client.call("POST", "/sandbox/clock", json={"forward_s": 7200})).status == 200
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 2013
        assert (await client.json("GET", "/v1/files/list"))["files"] == []


async def test_files_1_a_generation_input_out_of_its_limits_is_http_400():
    async with platform() as client:
        answer = await client.upload(b"GIF89a", "a.gif", "video_generation_input")
        assert answer.status == 400
        assert (await client.json("GET", "/v1/files/list"))["files"] == []


async def test_files_1_and_client_an_empty_file_is_404():
    async with platform() as client:
        assert (await client.upload(b"", "a.txt", "retrieval")).status == 404


async def test_files_1_unknown_purpose_or_no_purpose_is_2013():
    async with platform() as client:
        assert (await client.upload(b"x", "a.txt", "nonsense")).json["base_resp"]["status_code"] == 2013
        form = aiohttp.FormData()
        form.add_field("file", io.BytesIO(b"x"), filename="a.txt")
        assert await client.code("POST", "/v1/files/upload", data=form) == 2013


# --- t2a-http.md --------------------------------------------------------------------------------------


async def test_t2a_2_the_printed_request_and_answer():
    async with platform() as client:
        found = await client.json("POST", "/v1/t2a_v2?GroupId=7", json=SPEECH)
    assert found["base_resp"] == OK
    assert re.fullmatch("[0-9a-f]{32}", found["trace_id"])
    assert (found["data"]["status"], found["data"]["ced"]) == (2, "")
    extra = found["extra_info"]
    assert set(extra) == {
        "audio_length", "audio_sample_rate", "audio_size", "bitrate", "word_count", "invisible_character_ratio",
        "usage_characters", "audio_format", "audio_channel",
    }  # fmt: skip
    data = bytes.fromhex(found["data"]["audio"])
    rate, channels, seconds = probe(data)
    assert (rate, channels) == (32000, 1) == (extra["audio_sample_rate"], extra["audio_channel"])
    assert extra["audio_size"] == len(data)
    assert abs(extra["audio_length"] / 1000 - seconds) < 0.15
    assert (extra["bitrate"], extra["audio_format"]) == (128000, "mp3")


async def test_t2a_1_output_format_url_puts_an_address_into_audio_for_24_hours():
    async with platform() as client:
        found = await client.json("POST", "/v1/t2a_v2", json=SPEECH | {"output_format": "url"})
        url = found["data"]["audio"]
        got = await client.call("GET", url, key=None)
        assert probe(got.raw)[0] == 32000
        client.sandbox.forward(hours=25)
        assert (await client.call("GET", url, key=None)).status == 403


async def test_t2a_2_subtitle_file_has_the_printed_fields():
    async with platform() as client:
        found = await client.json(
            "POST", "/v1/t2a_v2", json=SPEECH | {"subtitle_enable": True, "subtitle_type": "word"}
        )
        titles = (await client.call("GET", found["data"]["subtitle_file"], key=None)).json
    assert set(titles[0]) == {
        "text", "pronounce_text", "time_begin", "time_end", "text_begin", "text_end", "pronounce_text_begin",
        "pronounce_text_end", "is_final_segment", "timestamped_words",
    }  # fmt: skip
    assert set(titles[0]["timestamped_words"][0]) == {
        "word", "word_begin", "word_end", "pronounce_word", "pronounce_word_begin", "pronounce_word_end",
        "time_begin", "time_end",
    }  # fmt: skip
    assert titles[-1]["time_end"] <= found["extra_info"]["audio_length"] + 50


@pytest.mark.parametrize("without", [False, True])
async def test_t2a_3_the_stream_repeats_the_audio_unless_told_not_to(without):
    body = SPEECH | {"stream": True, "stream_options": {"exclude_aggregated_audio": without}}
    async with platform() as client:
        found = await events(client, "/v1/t2a_v2", body)
    *parts, last = found
    assert parts
    assert all(part["data"]["status"] == 1 and part["data"]["ced"] == "" for part in parts)
    assert all(part["base_resp"]["status_code"] == 0 and part["trace_id"] for part in found)
    assert last["data"]["status"] == 2
    assert bool(last["data"].get("audio")) is not without
    assert probe(bytes.fromhex("".join(part["data"]["audio"] for part in parts)))[0] == 32000
    assert last["extra_info"]["audio_format"] == "mp3"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("format", ["mp3", "pcm", "flac", "wav", "pcmu_raw", "pcmu_wav", "opus"])
async def test_t2a_1_every_format(format, stream):
    rate = {"pcmu_raw": 8000, "pcmu_wav": 8000}.get(format, 24000)
    audio = {"format": format, "sample_rate": rate, "channel": 1}
    async with platform() as client:
        body = SPEECH | {"audio_setting": audio, "stream": stream}
        if stream:
            data = "".join(
                e["data"].get("audio", "")
                for e in await events(client, "/v1/t2a_v2", body)
                if e["data"]["status"] == 1
            )
        else:
            data = (await client.json("POST", "/v1/t2a_v2", json=body))["data"]["audio"]
    raw = bytes.fromhex(data)
    heads = {"flac": b"fLaC", "wav": b"RIFF", "pcmu_wav": b"RIFF", "opus": b"OggS"}
    assert raw.startswith(heads.get(format, b""))
    assert len(raw) > 4000


@pytest.mark.parametrize(
    ("change", "code"),
    [({"text": ""}, 2013), ({"text": "a" * 10_001}, 2013), ({"model": "nope"}, 2013),
     ({"voice_setting": {"voice_id": "nobody"}}, 2054), ({"text": "a\u0001\u0002"}, 1042),
     ({"voice_setting": {"voice_id": "male-qn-qingse", "emotion": "bored"}}, 2013),
     ({"voice_setting": {"voice_id": "male-qn-qingse", "speed": 3}}, 2013),
     ({"audio_setting": {"format": "ogg"}}, 2013), ({"audio_setting": {"sample_rate": 12345}}, 2013),
     ({"output_format": "base64"}, 2013),
     ({"subtitle_enable": True, "subtitle_type": "word_streaming"}, 2013),
     ({"voice_modify": {"pitch": 500}}, 2013),
     ({"timbre_weights": [{"voice_id": "male-qn-qingse", "weight": 101}]}, 2013),
     ({"timbre_weights": [{"voice_id": "male-qn-qingse", "weight": 1}] * 5}, 2013),
     ({"audio_setting": {"format": "pcm"}, "voice_modify": {"pitch": 5}}, 2013)],
)  # fmt: skip
async def test_t2a_4_refusals_stay_http_200_with_a_code(change, code):
    async with platform() as client:
        found = await client.json("POST", "/v1/t2a_v2", json=SPEECH | change)
    assert found["base_resp"]["status_code"] == code, found["base_resp"]


async def test_t2a_1_timbre_weights_stand_for_the_voice():
    mix = [{"voice_id": "male-qn-qingse", "weight": 30}, {"voice_id": "female-shaonv", "weight": 70}]
    async with platform() as client:
        body = {"model": "speech-2.8-hd", "text": "你好", "timbre_weights": mix}
        assert await client.code("POST", "/v1/t2a_v2", json=body) == 0


async def test_t2a_6_what_the_mcp_client_sends():
    body = {
        "model": "speech-2.8-hd", "text": "Hello there.", "language_boost": "auto",
        "voice_setting": {"voice_id": "female-shaonv", "speed": 1.0, "vol": 1.0, "pitch": 0, "emotion": "happy"},
        "audio_setting": {"sample_rate": 32000, "bitrate": 128000, "format": "mp3", "channel": 1},
    }  # fmt: skip
    async with platform() as client:
        found = await client.json("POST", "/v1/t2a_v2", json=body, headers={"MM-API-Source": "Minimax-MCP"})
    assert found["base_resp"] == OK


# --- t2a-async.md -------------------------------------------------------------------------------------


async def narrate(client: Client, body: dict[str, Any]) -> dict[str, Any]:
    made = await client.json("POST", "/v1/t2a_async_v2", json=body)
    assert made["base_resp"] == OK, made
    client.sandbox.forward(minutes=5)
    for _ in range(400):
        found = await client.json("GET", f"/v1/query/t2a_async_query_v2?task_id={made['task_id']}")
        if found["status"].lower() != "processing":
            return found
    raise AssertionError(found)


def members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {item.name: tar.extractfile(item).read() for item in tar if item.isfile()}  # type: ignore[union-attr]


async def test_async_1_and_2_the_printed_request_answer_and_query():
    async with platform("narration.queries_per_s=0", "narration.least_s=60") as client:
        made = await client.json("POST", "/v1/t2a_async_v2", json=NARRATION)
        assert set(made) == {"task_id", "task_token", "file_id", "usage_characters", "base_resp"}
        assert type(made["file_id"]) is int
        assert int(made["task_id"])
        assert made["task_token"]
        now = await client.json("GET", f"/v1/query/t2a_async_query_v2?task_id={made['task_id']}")
        assert set(now) == {"task_id", "status", "file_id", "base_resp"}
        assert now["status"] == "Processing"
        assert await client.code("GET", "/v1/query/t2a_async_query_v2?task_id=1") == 2013
        assert await client.code("GET", "/v1/query/t2a_async_query_v2") == 2013


async def test_async_3_the_tar_and_its_nine_hours():
    async with platform("narration.queries_per_s=0") as client:
        done = await narrate(client, NARRATION)
        assert done["status"] == "Success"
        found = (await client.json("GET", f"/v1/files/retrieve?file_id={done['file_id']}"))["file"]
        assert found["filename"].endswith(".tar")
        assert (found["purpose"], found["bytes"]) == ("t2a_async", 0)
        tar = (await client.call("GET", found["download_url"], key=None)).raw
        same = (await client.call("GET", f"/v1/files/retrieve_content?file_id={done['file_id']}")).raw
        client.sandbox.forward(hours=9.1)
        assert (await client.call("GET", found["download_url"], key=None)).status == 403
        assert await client.code("GET", f"/v1/files/retrieve?file_id={done['file_id']}") == 2013
    assert tar == same
    by_end = {name.rsplit(".", 1)[1]: data for name, data in members(tar).items()}
    assert set(by_end) == {"mp3", "titles", "extra"}
    assert all(re.fullmatch(r"[^/]+/content-\d+\.\w+", name) for name in members(tar))
    rate, channels, seconds = probe(by_end["mp3"])
    assert (rate, channels) == (32000, 2)
    extra = json.loads(by_end["extra"])
    assert set(extra) == {"audio_length", "audio_sample_rate", "audio_size", "bitrate", "vol", "word_count"}
    assert abs(extra["audio_length"] / 1000 - seconds) < 0.2
    titles = json.loads(by_end["titles"])
    assert "".join(title["text"] for title in titles) == NARRATION["text"]
    assert titles[-1]["time_end"] / 1000 <= seconds + 0.1


async def test_async_1_1_a_zip_of_json_gives_up_to_nine_files():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as box:
        box.writestr("1.json", json.dumps({"title": "标题", "content": "正文。", "extra": "附加。"}))
    async with platform("narration.queries_per_s=0") as client:
        id = await client.uploaded(sink.getvalue(), "book.zip", "t2a_async_input")
        body = {k: v for k, v in NARRATION.items() if k != "text"} | {"text_file_id": id}
        done = await narrate(client, body)
        assert done["status"] == "Success"
        tar = (await client.call("GET", f"/v1/files/retrieve_content?file_id={done['file_id']}")).raw
        assert await client.code("POST", "/v1/t2a_async_v2", json=body | {"text_file_id": str(id)}) == 2013
        assert await client.code("POST", "/v1/t2a_async_v2", json=body | {"text": "both"}) == 2013
        assert await client.code("POST", "/v1/t2a_async_v2", json=NARRATION | {"text": ""}) == 2013
    kinds = {re.sub(r".*/(\w+)-.*\.(\w+)$", r"\1.\2", name) for name in members(tar)}
    assert kinds == {f"{a}.{b}" for a in ("title", "content", "extra") for b in ("mp3", "titles", "extra")}


async def test_async_1_1_a_wrongly_named_member_fails_the_task():
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as box:
        box.writestr("one.json", json.dumps({"content": "正文。"}))
    async with platform("narration.queries_per_s=0") as client:
        id = await client.uploaded(sink.getvalue(), "book.zip", "t2a_async_input")
        body = {k: v for k, v in NARRATION.items() if k != "text"} | {"text_file_id": id}
        done = await narrate(client, body)
    assert done["status"] == "Failed"
    assert "check file in zip error" in json.dumps(done)


@pytest.mark.parametrize(
    "change",
    [{"text": "字" * 50_001}, {"model": "speech-9"}, {"voice_setting": {}}, {"voice_setting": None},
     {"audio_setting": {"format": "opus", "audio_sample_rate": 32000}},
     {"audio_setting": {"format": "pcm"}, "voice_modify": {"pitch": 3}}],
)  # fmt: skip
async def test_async_1_refusals(change):
    async with platform() as client:
        assert await client.code("POST", "/v1/t2a_async_v2", json=NARRATION | change) == 2013


async def test_async_2_at_most_ten_queries_a_second():
    async with platform() as client:
        made = await client.json("POST", "/v1/t2a_async_v2", json=NARRATION)
        path = f"/v1/query/t2a_async_query_v2?task_id={made['task_id']}"
        assert 1002 in [await client.code("GET", path) for _ in range(30)]
