"""Downloads that meet bad days: on the network, at the host of the results, and in what it sends."""

from __future__ import annotations

import asyncio
import os
import threading
import traceback
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from realtime.errors import (
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    StorageError,
)
from realtime.minimax.download import Disk, Saved, part_path, save, save_bytes
from realtime.minimax.http import HttpClient
from tests.eventually import eventually
from tests.minimax.local_server import closed_port, serving
from tests.minimax.object_store import SIGNATURE, Store, a_date, a_film, open_store

MIB = 1024 * 1024
FILM = a_film(3 * MIB)


async def saving(store: Store, target: Path, **options: Any) -> Saved:
    async with open_store(store) as http:
        return await save(store.link, target, http=http, **{"backoff_s": 0, **options})


def ranges(store: Store) -> list[str | None]:
    return [seen["Range"] for seen in store.seen]


async def test_a_good_day(tmp_path: Path) -> None:
    store, target, seen = Store(FILM), tmp_path / "film.mp4", []
    saved = await saving(store, target, on_progress=lambda done, total: seen.append((done, total)))
    assert saved == Saved(target, len(FILM), "mp4")
    assert target.read_bytes() == FILM
    assert os.listdir(tmp_path) == ["film.mp4"]
    assert seen[0] == (0, len(FILM))
    assert seen[-1] == (len(FILM), len(FILM))
    assert store.seen == [
        {"Range": None, "If-Range": None, "Authorization": None, "Accept-Encoding": "identity"}
    ]


async def test_a_broken_download_goes_on_where_it_was(tmp_path: Path) -> None:
    store = Store(FILM, days=["cut", "hang up", "500", "cut"], cut_at=MIB)
    await saving(store, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert ranges(store) == [None, *[f"bytes={MIB}-"] * 3, f"bytes={2 * MIB}-"]
    assert store.links == 1


async def test_every_new_byte_starts_the_count_of_tries_again(tmp_path: Path) -> None:
    store = Store(FILM, every_day="cut", cut_at=MIB // 4)
    await saving(store, tmp_path / "a.mp4", tries=2)
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert len(store.seen) == 12


async def test_without_progress_the_tries_end_and_the_error_says_how_to_go_on(tmp_path: Path) -> None:
    store = Store(FILM, days=["cut"], every_day="500", cut_at=MIB)
    with pytest.raises(ProviderUnavailable, match=r"first 1\.0 MB are kept in .*a\.mp4\.part; save it again"):
        await saving(store, tmp_path / "a.mp4", tries=3)
    assert ranges(store) == [None, f"bytes={MIB}-", f"bytes={MIB}-"]
    assert part_path(tmp_path / "a.mp4").read_bytes() == FILM[:MIB]
    assert not (tmp_path / "a.mp4").exists()


async def test_a_later_call_goes_on_with_what_an_earlier_one_left(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    with pytest.raises(ProviderUnavailable):
        await saving(Store(FILM, every_day="cut", cut_at=MIB), target, tries=1)
    later = Store(FILM)
    await saving(later, target)
    assert target.read_bytes() == FILM
    assert ranges(later) == [f"bytes={MIB}-"]
    assert later.seen[0]["If-Range"] == '"v1"'
    assert os.listdir(tmp_path) == ["a.mp4"]


async def test_a_part_of_another_file_is_not_continued(tmp_path: Path) -> None:
    target, other = tmp_path / "a.mp4", a_film(2 * MIB)
    with pytest.raises(ProviderUnavailable):
        await saving(Store(FILM, every_day="cut", cut_at=MIB), target, tries=1)
    await saving(Store(other, etag='"v2"'), target)
    assert target.read_bytes() == other


async def test_a_server_that_ignores_if_range_does_not_mix_two_files(tmp_path: Path) -> None:
    class Careless(Store):
        def _start(self, request: web.Request) -> int:
            asked = request.headers.get("Range")
            return int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0

    target, other = tmp_path / "a.mp4", a_film(3 * MIB)
    with pytest.raises(ProviderUnavailable):
        await saving(Store(FILM, every_day="cut", cut_at=MIB), target, tries=1)
    store = Careless(other, etag='"v2"')
    await saving(store, target)
    assert target.read_bytes() == other
    assert ranges(store) == [f"bytes={MIB}-", None]


@pytest.mark.parametrize(
    "store",
    [
        Store(FILM, days=["cut"], ranges=False, cut_at=MIB),
        Store(FILM, days=["cut"], etag=None, cut_at=MIB),
        Store(FILM, days=["cut"], etag='W/"weak"', cut_at=MIB),
    ],
    ids=["no ranges", "no validator", "weak validator"],
)
async def test_a_server_that_cannot_go_on_starts_over(store: Store, tmp_path: Path) -> None:
    await saving(store, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert len(store.seen) == 2


async def test_a_server_without_ranges_that_always_cuts_comes_to_an_end(tmp_path: Path) -> None:
    store = Store(FILM, every_day="cut", ranges=False, cut_at=MIB)
    with pytest.raises(ProviderUnavailable):
        await saving(store, tmp_path / "a.mp4", tries=3)
    assert ranges(store) == [None, f"bytes={MIB}-", f"bytes={MIB}-"]


async def test_a_date_is_a_validator_too(tmp_path: Path) -> None:
    store = Store(FILM, days=["cut"], etag=None, modified=a_date(0), cut_at=MIB)
    await saving(store, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert store.seen[1]["If-Range"] == a_date(0)


@pytest.mark.parametrize("dead", ["403", "404", "410"])
async def test_a_dead_link_is_replaced_before_and_during_the_download(dead, tmp_path: Path) -> None:
    store = Store(FILM, days=[dead, "cut", dead], cut_at=MIB)
    await saving(store, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert store.links == 3
    assert ranges(store) == [None, None, f"bytes={MIB}-", f"bytes={MIB}-"]


async def test_a_file_that_is_gone_is_said_after_two_fresh_links(tmp_path: Path) -> None:
    store = Store(FILM, every_day="404")
    with pytest.raises(ProviderRejected, match=r"HTTP 404.*gone.*Request has expired"):
        await saving(store, tmp_path / "a.mp4")
    assert store.links == 3
    assert os.listdir(tmp_path) == []


async def test_a_link_that_dies_after_the_last_byte_does_no_harm(tmp_path: Path) -> None:
    """The whole file came, and the process died before the rename: nothing is loaded again."""
    target = tmp_path / "a.mp4"
    with pytest.raises(ProviderUnavailable):
        await saving(Store(FILM, every_day="cut", cut_at=MIB), target, tries=1)
    part_path(target).write_bytes(FILM)
    store = Store(FILM, days=["403"])
    await saving(store, target)
    assert target.read_bytes() == FILM
    assert ranges(store) == [f"bytes={len(FILM)}-"] * 2


async def test_a_refused_link_ends_the_call_at_once(tmp_path: Path) -> None:
    async def no_link() -> str:
        raise ProviderRejected("no such task")

    http = HttpClient("http://127.0.0.1:1", None)
    with pytest.raises(ProviderRejected, match="no such task"):
        await save(no_link, tmp_path / "a.mp4", http=http)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("day", "error", "message", "tries"),
    [
        ("html", ProviderUnavailable, "web page instead of the file. It said: Please log in", 5),
        ("json", ProviderRejected, "1004.*login fail", 1),
        ("other json", ProviderRejected, "sent JSON instead of the file.*no such file", 1),
        ("empty", ProviderUnavailable, "sent nothing", 5),
        ("400", ProviderRejected, r"HTTP 400.*Request has expired", 1),
        ("500", ProviderUnavailable, r"HTTP 500", 5),
        ("wrong length", ProviderUnavailable, "failed", 5),
    ],
)
async def test_what_is_no_file_never_becomes_one(day, error, message, tries, tmp_path: Path) -> None:
    store = Store(a_film(1000), every_day=day)
    with pytest.raises(error, match=message) as raised:
        await saving(store, tmp_path / "a.mp4")
    assert len(store.seen) == tries
    assert not (tmp_path / "a.mp4").exists()
    assert SIGNATURE not in str(raised.value)


async def test_one_bad_answer_is_waited_out(tmp_path: Path) -> None:
    store = Store(FILM, days=["html", "500", "empty", "hang up"])
    await saving(store, tmp_path / "a.mp4")
    assert (tmp_path / "a.mp4").read_bytes() == FILM


async def test_json_is_a_file_where_it_is_expected_and_a_refusal_still_is_none(tmp_path: Path) -> None:
    lines = b'{"custom_id":"1","error":{"message":"x"}}\n'
    saved = await saving(Store(lines), tmp_path / "a.jsonl", expect={"json", "text"})
    assert saved.kind == "json"
    with pytest.raises(ProviderRejected, match="login fail"):
        await saving(Store(lines, every_day="json"), tmp_path / "b.jsonl", expect={"json", "text"})
    empty = await saving(Store(b""), tmp_path / "c.jsonl", expect={"json", "text"})
    assert (empty.size_bytes, (tmp_path / "c.jsonl").read_bytes()) == (0, b"")


async def test_the_length_is_compared_with_what_the_platform_knows(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnavailable, match=f"announces {len(FILM)} bytes, the file has 7"):
        await saving(Store(FILM), tmp_path / "a.mp4", size=7)
    store = Store(FILM, every_day="no length")
    with pytest.raises(ProviderUnavailable, match=f"sent {len(FILM)} of {len(FILM) + 1} bytes"):
        await saving(store, tmp_path / "b.mp4", size=len(FILM) + 1, tries=1)
    await saving(store, tmp_path / "c.mp4")  # nobody knows the length
    assert (tmp_path / "c.mp4").read_bytes() == FILM


async def test_a_host_that_falls_silent_is_left(tmp_path: Path) -> None:
    store = Store(FILM, days=["stall"], cut_at=MIB)
    await saving(store, tmp_path / "a.mp4", stall_timeout_s=0.3)
    assert ranges(store) == [None, f"bytes={MIB}-"]
    with pytest.raises(ProviderTimeout, match=r"nothing came from 127\.0\.0\.1"):
        await saving(Store(FILM, every_day="stall"), tmp_path / "b.mp4", stall_timeout_s=0.1, tries=1)


async def goes_on(store: Store, target: Path, http: HttpClient) -> None:
    """What is there of the file is right, and the next save asks for the rest alone."""
    kept = part_path(target).read_bytes()
    assert kept == FILM[: len(kept)]
    assert len(kept) >= MIB
    saved = await save(store.link, target, http=http)
    assert saved.path == target
    assert ranges(store) == [None, f"bytes={len(kept)}-"]


async def test_a_cancelled_download_keeps_its_part(tmp_path: Path) -> None:
    store, target, half = Store(FILM, days=["stall"], cut_at=MIB + 100), tmp_path / "a.mp4", asyncio.Event()
    async with open_store(store) as http:
        running = asyncio.create_task(
            save(store.link, target, http=http, on_progress=lambda done, _: done and half.set())
        )
        await half.wait()
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await goes_on(store, target, http)
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("cancels", [1, 3])
async def test_a_download_that_is_cancelled_while_the_disk_is_slow_gives_its_part_back_afterwards(
    cancels, tmp_path: Path
) -> None:
    """Earlier, the thread would write into whatever file has the number of the closed one."""
    store, target = Store(FILM, days=["stall"], cut_at=MIB + 100), tmp_path / "a.mp4"
    writing, go_on = threading.Event(), threading.Event()

    def slow(fd: int, data: memoryview) -> int:
        writing.set()
        go_on.wait()
        return os.write(fd, data[: MIB // 2])  # and the rest in a second call

    async with open_store(store) as http:
        running = asyncio.create_task(save(store.link, target, http=http, disk=Disk(write=slow)))
        try:
            await eventually(writing.is_set)
            for _ in range(cancels):
                running.cancel()
                for _ in range(10):
                    await asyncio.sleep(0)
            assert not running.done(), "the thread still writes"
            with pytest.raises(StorageError, match="Another process is saving"):
                await save(store.link, target, http=http)
        finally:
            go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        await goes_on(store, target, http)
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("of_bytes", [False, True])
async def test_a_call_that_is_cancelled_while_the_file_gets_its_name_can_be_repeated(
    force, of_bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, target = Store(FILM), tmp_path / "a.mp4"
    naming, go_on, fsync = threading.Event(), threading.Event(), os.fsync

    def slow(fd: int) -> None:
        naming.set()
        go_on.wait()
        fsync(fd)

    monkeypatch.setattr(os, "fsync", slow)
    async with open_store(store) as http:

        async def call() -> Saved:
            if of_bytes:
                return await save_bytes(FILM, target, force=force)
            return await save(store.link, target, http=http, force=force)

        running = asyncio.create_task(call())
        try:
            await eventually(naming.is_set)
            running.cancel()
            await asyncio.sleep(0)
        finally:
            go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert target.exists() is force
        await call()
    assert target.read_bytes() == FILM
    assert os.listdir(tmp_path) == ["a.mp4"]


async def test_no_error_and_no_repr_shows_the_signature(tmp_path: Path) -> None:
    for day in ("403", "400", "500", "html", "other json", "hang up", "cut"):
        store = Store(FILM, every_day=day)
        with pytest.raises(ProviderError) as raised:
            await saving(store, tmp_path / "a.mp4", tries=1)
        shown = "".join(traceback.format_exception(raised.value))
        assert SIGNATURE not in shown
        assert "s1gnature" not in shown
    async with closed_port() as url:
        nobody = Store(FILM, url=url)
        http = HttpClient(url, None)
        with pytest.raises(ProviderUnavailable) as lost:
            await save(nobody.link, tmp_path / "a.mp4", http=http, tries=1)
        await http.aclose()
    assert "s1gnature" not in "".join(traceback.format_exception(lost.value))


async def test_a_path_of_the_service_itself_is_fetched_with_the_key(tmp_path: Path) -> None:
    store = Store(FILM)

    async def content() -> str:
        return "/v1/files/retrieve_content?file_id=5"

    async with open_store(store) as http:
        await save(content, tmp_path / "a.mp4", http=http)
    assert store.seen[0]["Authorization"] == "Bearer sk-secret"


async def test_the_memory_of_a_large_download_is_flat(tmp_path: Path) -> None:
    size, part = 200 * MIB, bytes(MIB)

    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(size)})
        await response.prepare(request)
        for _ in range(0, size, MIB):
            await response.write(part)
        return response

    async with serving(large) as url:
        store = Store(b"", url=url)
        http = HttpClient(url, None)
        tracemalloc.start()
        try:
            saved = await save(store.link, tmp_path / "large.bin", http=http)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await http.aclose()
    assert saved.size_bytes == size
    assert peak < 24 * MIB


@pytest.mark.parametrize(
    "address", ["http://[bad", "http://host:99999/x", "http://host:abc/x", "http://ho st/x", "", "x"]
)
async def test_an_address_that_is_none_is_an_error_of_the_platform(address: str, tmp_path: Path) -> None:
    async def link() -> str:
        return address

    async with open_store(Store(FILM)) as http:
        with pytest.raises(ProviderError):
            await save(link, tmp_path / "film.mp4", http=http, backoff_s=0)
    assert os.listdir(tmp_path) == []
