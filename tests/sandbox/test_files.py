"""The files endpoints, with plain requests as docs/minimax/files.md prints them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from realtime.sandbox import files
from realtime.sandbox.store import MEGABYTE
from tests.sandbox.platform_kit import Client, platform

OK = {"status_code": 0, "status_msg": "success"}


def result(client: Client, purpose: str = "video_generation") -> int:
    """The id of a file that the platform has made."""
    area = "video" if purpose == "video_generation" else "narration"
    kept = client.sandbox.state.store.add(
        b"result", "result.mp4", "video/mp4", life=f"life.{area}_h", purpose=purpose, link_life=f"life.{area}_link_h"
    )  # fmt: skip
    return kept.id


async def test_an_upload_answers_the_documented_object() -> None:
    async with platform() as client:
        answer = (await client.upload(b"some notes", "notes.txt", "retrieval", "text/plain")).json
        id, created = answer["file"]["file_id"], answer["file"]["created_at"]
        assert answer == {
            "file": {
                "file_id": id, "bytes": 10, "created_at": created, "filename": "notes.txt", "purpose": "retrieval",
            },
            "base_resp": OK,
        }  # fmt: skip
        assert isinstance(id, int)
        assert 2**53 < id < 2**63
        assert int(float(id)) != id
        assert created == pytest.approx(time.time(), abs=5)
        content = await client.call("GET", f"/v1/files/retrieve_content?file_id={id}")
        assert (content.status, content.raw, content.headers["Content-Type"]) == (
            200,
            b"some notes",
            "text/plain",
        )
        assert client.sandbox.state.requests[0].body == {
            "purpose": "retrieval", "filename": "notes.txt", "bytes": 10
        }  # fmt: skip


async def test_the_purpose_may_come_after_the_file() -> None:
    async with platform() as client:
        body = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{}\r\n'
            b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x--\r\n'
        )
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await client.json("POST", "/v1/files/upload", data=body, headers=kind)
        assert (answer["file"]["purpose"], answer["file"]["bytes"]) == ("batch", 2)


@pytest.mark.parametrize(
    ("filename", "purpose", "size_mb", "code"),
    [
        ("me.mp3", "voice_clone", 20, 0), ("me.mp3", "voice_clone", 20.1, 2013), ("ME.WAV", "prompt_audio", 1, 0),
        ("me.ogg", "voice_clone", 0.1, 2013), ("me", "voice_clone", 0.1, 2013), ("a.txt", "t2a_async_input", 1, 0),
        ("a.zip", "t2a_async_input", 1, 0), ("a.pdf", "t2a_async_input", 1, 2013), ("a.jsonl", "batch", 1, 0),
        ("a.json", "batch", 1, 2013), ("a.bin", "video_understanding", 65, 0), ("a.txt", "nothing", 0.1, 2013),
        ("a.mov", "video_generation_input", 40, 0), ("a.heic", "video_generation_input", 29, 0),
    ],
)  # fmt: skip
async def test_each_purpose_has_its_types_and_sizes(
    filename: str, purpose: str, size_mb: float, code: int
) -> None:
    async with platform() as client:
        answer = await client.upload(bytes(int(size_mb * MEGABYTE)), filename, purpose)
        assert (answer.status, answer.json["base_resp"]["status_code"]) == (200, code)
        left = list(client.sandbox.state.store.directory.iterdir())
        assert len(left) == (0 if code else 1)


@pytest.mark.parametrize(
    ("filename", "size_mb"), [("a.gif", 0.1), ("a.jpg", 30.1), ("a.mp4", 51), ("a.wav", 15.1)]
)
async def test_an_input_of_a_video_out_of_limits_is_http_400(filename: str, size_mb: float) -> None:
    async with platform() as client:
        answer = await client.upload(bytes(int(size_mb * MEGABYTE)), filename, "video_generation_input")
        assert (answer.status, answer.json["base_resp"]["status_code"]) == (400, 2013)
        assert list(client.sandbox.state.store.directory.iterdir()) == []


@pytest.mark.parametrize("body", [b"", b"--x\r\n", b"no form", b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x--\r\n'])  # fmt: skip
async def test_a_broken_form_is_refused(body: bytes) -> None:
    async with platform() as client:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        assert await client.code("POST", "/v1/files/upload", data=body, headers=kind) == 2013
        assert await client.code("POST", "/v1/files/upload", json={"purpose": "batch"}) == 2013
        assert list(client.sandbox.state.store.directory.iterdir()) == []


async def test_an_upload_that_breaks_off_leaves_nothing() -> None:
    async with platform() as client:
        store = client.sandbox.state.store
        host, port = client.sandbox.url.removeprefix("http://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            b"POST /v1/files/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\nContent-Length: 1000000\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' + bytes(100_000)
        )
        async with asyncio.timeout(60):
            while not list(store.directory.iterdir()):  # noqa: ASYNC110 - a directory has no event to wait for
                await asyncio.sleep(0.005)
            writer.close()
            while list(store.directory.iterdir()):  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        assert store.all() == []


async def test_an_empty_file_is_refused() -> None:
    async with platform() as client:
        answer = await client.upload(b"", "a.jsonl", "batch")
        assert (answer.status, answer.raw) == (404, b"404 page not found")
        assert list(client.sandbox.state.store.directory.iterdir()) == []


async def test_the_list_has_uploads_of_a_purpose_and_no_results() -> None:
    async with platform() as client:
        assert await client.json("GET", "/v1/files/list?purpose=batch") == {"files": [], "base_resp": OK}
        one = await client.uploaded(b"{}", "a.jsonl", "batch")
        two = await client.uploaded(b"x", "a.txt", "retrieval")
        result(client)
        result(client, purpose="")  # a picture or a song

        async def ids(query: str) -> list[int]:
            return [file["file_id"] for file in (await client.json("GET", f"/v1/files/list{query}"))["files"]]

        assert await ids("?purpose=batch") == [one]
        assert await ids("") == [one, two]
        assert await client.code("GET", "/v1/files/list?purpose=video_generation") == 2013


async def test_a_result_has_a_new_link_for_every_question_and_an_upload_has_none() -> None:
    async with platform() as client:
        upload, film = await client.uploaded(b"{}", "a.jsonl", "batch"), result(client)
        assert (
            "download_url" not in (await client.json("GET", f"/v1/files/retrieve?file_id={upload}"))["file"]
        )

        async def link() -> str:
            answer = await client.json("GET", f"/v1/files/retrieve?file_id={film}")
            assert answer["file"]["bytes"] == 6
            return str(answer["file"]["download_url"])

        first = await link()
        assert (await client.call("GET", first, key=None)).raw == b"result"
        client.sandbox.forward(hours=1)
        assert (await client.call("GET", first)).status == 403
        assert (await client.call("GET", await link())).raw == b"result"


async def test_a_long_text_says_no_size_and_is_lost_after_nine_hours() -> None:
    async with platform() as client:
        id = result(client, "t2a_async")
        file = (await client.json("GET", f"/v1/files/retrieve?file_id={id}"))["file"]
        assert file["bytes"] == 0
        client.sandbox.forward(hours=8, minutes=59)
        assert (await client.call("GET", file["download_url"])).status == 200
        client.sandbox.forward(minutes=1)
        assert (await client.call("GET", file["download_url"])).status == 403
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 2013


async def test_an_upload_lives_for_seven_days() -> None:
    async with platform() as client:
        id = await client.uploaded(b"{}", "a.jsonl", "batch")
        client.sandbox.forward(hours=167)
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 0
        client.sandbox.forward(hours=1)
        assert await client.code("GET", f"/v1/files/retrieve?file_id={id}") == 2013
        assert (await client.json("GET", "/v1/files/list"))["files"] == []


@pytest.mark.parametrize("purpose", ["batch", None])
async def test_a_deleted_file_is_gone(purpose: str | None) -> None:
    async with platform() as client:
        id = await client.uploaded(b"{}", "a.jsonl", "batch")
        body: dict[str, Any] = {"file_id": id} | ({"purpose": purpose} if purpose else {})
        assert await client.json("POST", "/v1/files/delete", json=body) == {"file_id": id, "base_resp": OK}
        assert await client.code("POST", "/v1/files/delete", json=body) == 2013
        assert list(client.sandbox.state.store.directory.iterdir()) == []


async def test_a_delete_with_another_purpose_deletes_nothing() -> None:
    async with platform() as client:
        id = await client.uploaded(b"{}", "a.jsonl", "batch")
        body = {"file_id": id, "purpose": "voice_clone"}
        assert await client.code("POST", "/v1/files/delete", json=body) == 2013
        film = (await client.upload(b"x", "a.png", "video_generation_input")).json["file"]["file_id"]
        body = {"file_id": film, "purpose": "video_generation_input"}
        assert await client.code("POST", "/v1/files/delete", json=body) == 2013
        assert len((await client.json("GET", "/v1/files/list"))["files"]) == 2


@pytest.mark.parametrize("id", ["", "abc", "7", "9" * 30, "-1", "²"])
async def test_an_unknown_id_is_2013(id: str) -> None:
    async with platform() as client:
        for path in ("retrieve", "retrieve_content"):
            assert await client.code("GET", f"/v1/files/{path}", params={"file_id": id}) == 2013


async def test_keys_faults_and_limits() -> None:
    async with platform("limit.files_rpm=1") as client:
        assert await client.code("GET", "/v1/files/list", key=None) == 1004
        assert await client.code("GET", "/v1/files/list", key="sk-bad") == 2049
        assert await client.code("GET", "/v1/files/list", fault="file.error=1008") == 1008
        gateway = await client.upload(b"{}", "a.jsonl", "batch", fault="upload.502")
        assert (gateway.status, gateway.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
        assert await client.code("GET", "/v1/files/list") == 0
        assert await client.code("GET", "/v1/files/list") == 1002


async def test_the_content_takes_ranges_and_the_faults_of_a_download() -> None:
    async with platform() as client:
        id = await client.uploaded(b"0123456789", "a.txt", "retrieval")
        path = f"/v1/files/retrieve_content?file_id={id}"
        part = await client.call("GET", path, headers={"Range": "bytes=4-"})
        assert (part.status, part.raw) == (206, b"456789")
        assert await client.code("GET", path, fault="file.gone") == 2013


@pytest.mark.parametrize("version", ["v1", "v3"])
async def test_the_older_paths_have_their_own_shape(version: str) -> None:
    async with platform() as client:
        id = result(client)
        answer = await client.json("GET", f"/{version}/files/{id}")
        assert set(answer) == {"file_id", "created_at", "download_url"}
        assert answer["file_id"] == str(id)
        assert (await client.call("GET", answer["download_url"], key=None)).raw == b"result"
        missing = await client.call("GET", f"/{version}/files/7")
        assert missing.status == 404
        assert "2013" in missing.json["error"]
        assert (await client.call("GET", f"/{version}/files/{id}", key=None)).status == 401


async def test_paths_that_the_platform_does_not_have() -> None:
    async with platform() as client:
        for method, path in (("GET", "/v1/files"), ("POST", "/v1/files"), ("DELETE", "/v1/files/7")):
            answer = await client.call(method, path)
            assert (answer.status, answer.raw) == (404, b"404 page not found")


def test_the_purposes_are_those_of_the_documents() -> None:
    assert set(files.PURPOSES) == {
        "voice_clone", "prompt_audio", "t2a_async_input", "video_understanding", "video_generation_input", "retrieval",
        "batch",
    }  # fmt: skip
