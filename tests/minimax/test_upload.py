"""Uploads against a local server: good days, broken connections, gateway pages and files with surprises."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from aiohttp import BodyPartReader, web

from realtime.errors import InvalidArgument, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.door import Door
from realtime.minimax.file_source import PART_BYTES
from realtime.minimax.http import HttpClient
from realtime.minimax.upload import open_source, upload
from tests.minimax.local_server import closed_port, serving

MIB = 1024 * 1024


class Service:
    """Takes uploads. `bad_days` is a list of what happens to the first tries."""

    def __init__(self, *bad_days: str) -> None:
        self.bad_days = list(bad_days)
        self.tries = 0
        self.taken: list[dict[str, Any]] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.tries += 1
        match self.bad_days.pop(0) if self.bad_days else "":
            case "502":
                await request.read()
                return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
            case "cut":
                await request.content.read(1000)
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            case "busy":
                await request.read()
                return web.json_response({"base_resp": {"status_code": 1002, "status_msg": "RPM"}})
            case "refuse":
                await request.read()
                return web.json_response(
                    {"base_resp": {"status_code": 2013, "status_msg": "invalid purpose"}}
                )
        taken: dict[str, Any] = {
            "fields": {},
            "length": request.headers.get("Content-Length"),
            "query": dict(request.query),
        }
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            content = bytes(await part.read())
            if part.name == "file":
                taken |= {"name": part.filename, "type": part.headers["Content-Type"], "content": content}
            else:
                taken["fields"][part.name] = content.decode()
        self.taken.append(taken)
        return web.json_response({"file": {"file_id": 1}, "base_resp": {"status_code": 0}})


def door_of(http: HttpClient, **options: Any) -> Door:
    """A door whose waits after a failure are over at once."""
    return Door(http, jitter=lambda: -0.5, **options)


async def send(service: Any, source: Any, **options: Any) -> dict[str, Any]:
    async with serving(service) as url:
        http = HttpClient(url, "key", group_id="g1")
        try:
            return await upload(door_of(http), source, fields={"purpose": "voice_clone"}, **options)
        finally:
            await http.aclose()


async def test_a_path_is_sent_with_its_name_type_length_and_fields(tmp_path: Path) -> None:
    content = b"ID3\x04" + os.urandom(3 * PART_BYTES)
    path = tmp_path / 'my "voice" 声音.mp3'
    path.write_bytes(content)
    service, seen = Service(), []
    answer = await send(service, path, on_progress=lambda done, total: seen.append((done, total)))
    assert answer["file"] == {"file_id": 1}
    [taken] = service.taken
    assert taken["content"] == content
    assert taken["name"] == "my %22voice%22 声音.mp3"
    assert taken["type"] == "audio/mpeg"
    assert taken["fields"] == {"purpose": "voice_clone"}
    assert taken["query"] == {"GroupId": "g1"}
    assert int(taken["length"]) > len(content)
    assert seen[0] == (0, len(content))
    assert seen[-1] == (len(content), len(content))
    assert seen == sorted(seen)


@pytest.mark.parametrize("bad_days", [("cut",), ("502",), ("502", "cut")])
async def test_a_broken_upload_starts_again_from_the_beginning(bad_days) -> None:
    content = os.urandom(4 * MIB)
    service, seen = Service(*bad_days), []
    await send(service, content, name="a.bin", on_progress=lambda done, _: seen.append(done))
    assert service.taken[0]["content"] == content
    assert service.tries == len(bad_days) + 1
    assert seen.count(0) == len(bad_days) + 1


async def test_four_gateway_pages_are_enough() -> None:
    service = Service("502", "502", "502", "502", "502")
    with pytest.raises(ProviderUnavailable, match=r"502.*Bad Gateway"):
        await send(service, b"x")
    assert service.tries == 4


async def test_an_upload_waits_for_a_busy_platform_and_tells_it() -> None:
    service, pauses = Service(*["busy"] * 6), []
    async with serving(service) as url:
        http = HttpClient(url, "key")
        door = door_of(http)
        door.on_pause = pauses.append
        await upload(door, b"x")
        await http.aclose()
    assert service.tries == 7
    assert [(pause.operation.name, pause.reason) for pause in pauses] == [("files.upload", "busy")] * 6


async def test_a_refusal_is_not_sent_again() -> None:
    service = Service("refuse")
    with pytest.raises(ProviderRejected, match="invalid purpose"):
        await send(service, b"x")
    assert service.tries == 1


async def test_nobody_there_is_said_after_its_tries() -> None:
    async with closed_port() as url:
        http = HttpClient(url, "key")
        with pytest.raises(ProviderUnavailable) as raised:
            await upload(door_of(http), b"x")
        await http.aclose()
    assert raised.value.sent is False


async def test_a_service_that_stops_reading_ends_in_a_timeout() -> None:
    over = asyncio.Event()

    async def deaf(_: web.Request) -> web.Response:
        await over.wait()
        return web.Response()

    async with serving(deaf) as url:
        http = HttpClient(url, "key")
        with pytest.raises(ProviderTimeout, match="stands still"):
            await upload(door_of(http), bytes(32 * MIB), stall_timeout_s=0.2)
        over.set()
        await http.aclose()


async def test_a_stream_is_read_from_where_it_is_and_stays_open() -> None:
    stream = io.BytesIO(b"skipped" + b"kept" * 100)
    stream.seek(7)
    service = Service("cut")
    await send(service, stream, name="a.txt")
    assert service.taken[0]["content"] == b"kept" * 100
    assert service.taken[0]["type"] == "text/plain"
    assert not stream.closed


async def test_a_pipe_is_copied_first_so_that_it_can_be_sent_again() -> None:
    content = os.urandom(MIB)
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as end:
            end.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    service = Service("cut")
    with os.fdopen(reading, "rb") as stream:
        await send(service, stream)
    writer.join()
    assert service.taken[0]["content"] == content
    assert service.taken[0]["name"] == "file"


class Endless(io.RawIOBase):
    """A stream that cannot seek and never ends."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return bytes(size)


async def test_a_stream_that_never_ends_is_refused() -> None:
    service = Service()
    with pytest.raises(InvalidArgument, match=r"more than 2\.0 MB") as raised:
        await send(service, Endless(), most_bytes=2_000_000)
    assert raised.value.param == "file"
    assert service.tries == 0


async def test_files_that_cannot_be_sent_are_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    (tmp_path / "large.mp3").write_bytes(b"x" * 2001)
    closed = io.BytesIO(b"x")
    closed.close()
    cases: list[tuple[Any, str]] = [
        (tmp_path / "none.mp3", "There is no file .*none.mp3"),
        (str(tmp_path), "is a folder"),
        (tmp_path / "empty.mp3", "empty.mp3 is empty"),
        (b"", "is empty"),
        (tmp_path / "large.mp3", "has 2001 bytes; at most 2000 bytes"),
        (tmp_path / "large.mp3" / "x", "cannot be read"),
        ("a\0b", "cannot be read"),
        (closed, "cannot be read"),
        (io.StringIO("text"), "stream in binary mode"),
        (7, "stream in binary mode, and not int"),
    ]
    service = Service()
    for source, message in cases:
        with pytest.raises(InvalidArgument, match=message) as raised:
            await send(service, source, most_bytes=2000, param="audio")
        assert raised.value.param == "audio"
    assert service.tries == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the superuser may read everything")
async def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(InvalidArgument, match="may not be read"):
        await send(Service(), path)


@pytest.mark.parametrize("change", ["grows", "shrinks", "is rewritten"])
async def test_a_file_that_changes_while_it_is_sent_is_never_whole(change, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(os.urandom(8 * PART_BYTES))

    def alter(done: int, _: int | None) -> None:
        if not done:
            return
        with path.open("r+b") as file:
            if change == "shrinks":
                file.truncate(6 * PART_BYTES)
            else:
                file.seek(0, io.SEEK_END if change == "grows" else io.SEEK_SET)
                file.write(b"more")
        os.utime(path, ns=(1, done))

    service = Service()
    with pytest.raises(InvalidArgument, match=r"a.wav changed while it was being sent"):
        await send(service, path, on_progress=alter)
    assert service.taken == []
    assert service.tries <= 1


class Zeros(io.RawIOBase):
    """A large file of zeros that takes no memory."""

    def __init__(self, size: int) -> None:
        self.size, self.at = size, 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = offset + (self.size if whence == os.SEEK_END else 0)
        return self.at

    def read(self, size: int = -1) -> bytes:
        size = min(size, self.size - self.at)
        self.at += size
        return bytes(size)


async def test_the_memory_of_a_large_upload_is_flat() -> None:
    size, arrived = 200 * MIB, 0

    async def count(request: web.Request) -> web.Response:
        nonlocal arrived
        async for part in request.content.iter_any():
            arrived += len(part)
        return web.json_response({})

    tracemalloc.start()
    try:
        await send(count, Zeros(size))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert arrived > size
    assert peak < 16 * MIB


async def test_an_open_file_can_be_looked_at_before_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"\x00\x00\x00\x18ftypisom1234")
    service = Service()
    async with open_source(path) as file:
        assert (file.name, file.size, file.first) == ("a.mp4", 16, path.read_bytes())
        await send(service, file)
    assert service.taken[0]["type"] == "video/mp4"


@pytest.mark.parametrize("error", [LookupError("mine"), OSError("mine"), TimeoutError("mine")])
async def test_what_the_progress_callback_raises_comes_out_and_nothing_is_sent_again(error) -> None:
    def no(done: int, total: int | None) -> None:
        if done:
            raise error from KeyError("its root")

    service = Service()
    async with serving(service) as url:
        http = HttpClient(url, "key")
        with pytest.raises(type(error), match="mine") as caught:
            await upload(door_of(http), b"x" * MIB, on_progress=no)
        await http.aclose()
    assert isinstance(caught.value.__cause__, KeyError)
    assert service.tries <= 1


if sys.platform != "win32":

    async def test_a_named_pipe_is_read_like_any_stream(tmp_path: Path) -> None:
        path = tmp_path / "pipe"
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(b"through the pipe",))
        writer.start()
        service = Service()
        await send(service, path)
        writer.join()
        assert service.taken[0]["content"] == b"through the pipe"
        assert service.taken[0]["name"] == "pipe"
