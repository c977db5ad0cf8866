"""The store of artefacts: bounds, lifetimes, its directory; and the links to them as an object store answers."""

from __future__ import annotations

import shutil

import aiohttp
import pytest

from realtime.sandbox.clock import Clock
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.store import MEGABYTE, Artefact, Store
from tests.sandbox.platform_kit import Client, platform

DATA = bytes(range(256)) * 40


def store(*sets: str, clock: Clock | None = None) -> Store:
    ids = iter(range(1, 10_000))
    return Store(SandboxOptions.parse(sets=sets), clock or Clock(), lambda: next(ids))


async def test_the_oldest_artefacts_go_first() -> None:
    kept = store("store.max_mb=1")
    try:
        added = [kept.add(bytes(MEGABYTE // 4), f"{n}.bin", "a/b") for n in range(6)]
        assert [a.id for a in kept.all()] == [a.id for a in added[2:]]
        assert kept.size == MEGABYTE
        assert [a.path.exists() for a in added] == [False, False, True, True, True, True]
        large = kept.add(bytes(2 * MEGABYTE), "large.bin", "a/b")
        assert kept.all() == [large]
    finally:
        kept.close()


async def test_the_number_of_artefacts_is_bounded() -> None:
    kept = store("store.max_files=3")
    try:
        added = [kept.add(b"x", f"{n}.txt", "text/plain") for n in range(5)]
        assert kept.all() == added[2:]
    finally:
        kept.close()


async def test_an_artefact_ends_with_its_life_and_its_file_goes() -> None:
    clock = Clock()
    kept = store(clock=clock)
    try:
        artefact = kept.add(b"film", "a.mp4", "video/mp4", life="life.narration_h")
        clock.forward(9 * 3600 - 60)
        assert kept.get(artefact.id) == artefact
        clock.forward(60)
        assert kept.get(artefact.id) is None
        assert not artefact.path.exists()
    finally:
        kept.close()


async def test_a_cleaner_of_temporary_files_costs_what_was_there_and_nothing_later() -> None:
    kept = store()
    try:
        one, other = (kept.add(b"x", f"{name}.txt", "text/plain") for name in "ab")
        one.path.unlink()
        assert (kept.get(one.id), kept.all()) == (None, [other])
        shutil.rmtree(kept.directory)
        later = kept.add(b"y", "c.txt", "text/plain")
        assert (kept.get(later.id), kept.all(), kept.size) == (later, [later], 1)
        assert later.read() == b"y"
    finally:
        kept.close()
    assert not later.path.parent.exists()


async def test_close_removes_the_directory() -> None:
    kept = store()
    directory = kept.add(b"x", "a.txt", "text/plain").path.parent
    file = kept.open_new()
    file.write(b"half")
    file.close()
    kept.close()
    assert not directory.exists()
    assert kept.all() == []
    assert not kept.size


def link(client: Client, life: str = "life.result_h") -> tuple[Artefact, str]:
    kept = client.sandbox.state.store
    artefact = kept.add(DATA, "雪 山.mp4", "video/mp4", life="life.upload_h")
    return artefact, client.sandbox.url + kept.link(artefact, life)


async def test_a_link_needs_no_key_and_gives_type_length_and_validator() -> None:
    async with platform() as client:
        artefact, url = link(client)
        answer = await client.call("GET", url, key=None)
        assert (answer.status, answer.raw) == (200, DATA)
        assert answer.headers["Content-Type"] == "video/mp4"
        assert answer.headers["Content-Length"] == str(len(DATA))
        assert answer.headers["ETag"] == f'"{artefact.etag}"'
        assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("range", "start", "end"),
    [("bytes=100-199", 100, 200), ("bytes=10000-", 10_000, 10_240), ("bytes=-40", 10_200, 10_240),
     ("bytes=0-99999", 0, 10_240), ("bytes=-99999", 0, 10_240)],
)  # fmt: skip
async def test_a_range_is_sent_alone(range: str, start: int, end: int) -> None:
    async with platform() as client:
        answer = await client.call("GET", link(client)[1], headers={"Range": range})
        assert (answer.status, answer.raw) == (206, DATA[start:end])
        assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(DATA)}"


@pytest.mark.parametrize("range", ["bytes=10240-", "bytes=20000-30000", "bytes=-0", "bytes=9-3"])
async def test_a_range_outside_is_416(range: str) -> None:
    async with platform() as client:
        answer = await client.call("GET", link(client)[1], headers={"Range": range})
        assert answer.status == 416
        assert answer.headers["Content-Range"] == f"bytes */{len(DATA)}"


@pytest.mark.parametrize("range", ["", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,4-5"])
async def test_a_range_that_cannot_be_read_is_ignored(range: str) -> None:
    async with platform() as client:
        answer = await client.call("GET", link(client)[1], headers={"Range": range})
        assert (answer.status, answer.raw) == (200, DATA)


async def test_if_range_decides_between_the_rest_and_the_whole() -> None:
    async with platform() as client:
        artefact, url = link(client)
        wanted = {"Range": "bytes=10-"}
        same = await client.call("GET", url, headers=wanted | {"If-Range": f'"{artefact.etag}"'})
        other = await client.call("GET", url, headers=wanted | {"If-Range": '"other"'})
        assert (same.status, same.raw) == (206, DATA[10:])
        assert (other.status, other.raw) == (200, DATA)


async def test_a_link_dies_with_its_own_life_and_a_fresh_one_works() -> None:
    async with platform() as client:
        artefact, url = link(client, "life.video_link_h")
        client.sandbox.forward(minutes=59)
        assert (await client.call("GET", url)).status == 200
        client.sandbox.forward(minutes=1)
        answer = await client.call("GET", url)
        assert (answer.status, answer.headers["Content-Type"]) == (403, "application/xml; charset=utf-8")
        assert b"<Code>AccessDenied</Code>" in answer.raw
        fresh = client.sandbox.url + client.sandbox.state.store.link(artefact)
        assert (await client.call("GET", fresh)).status == 200


async def test_a_changed_link_is_refused() -> None:
    async with platform() as client:
        _, url = link(client)
        for wrong in (url[:-1], url.replace("Expires=1", "Expires=2"), url.partition("?")[0], url + "é"):
            answer = await client.call("GET", wrong)
            assert answer.status == 403, wrong
            assert b"SignatureDoesNotMatch" in answer.raw


async def test_faults_of_a_link() -> None:
    async with platform() as client:
        artefact, url = link(client)
        assert (await client.call("GET", url, fault="link.dead")).status == 403
        assert (await client.call("GET", url, fault="file.gone")).status == 404
        page = await client.call("GET", url, fault="download.html")
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        plain = await client.call("GET", url, fault="download.no_range", headers={"Range": "bytes=5-"})
        assert (plain.status, plain.raw) == (200, DATA)
        assert "ETag" not in plain.headers
        assert "Accept-Ranges" not in plain.headers
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.call("GET", url, fault="download.wrong_length")
        client.sandbox.state.store.remove(artefact.id)
        assert (await client.call("GET", url)).status == 404


async def test_a_cut_download_goes_on_with_ranges() -> None:
    async with platform(faults=("download.cut=4000",)) as client:
        _, url = link(client)
        got = b""
        for _ in range(3):
            async with client.session.get(url, headers={"Range": f"bytes={len(got)}-"}) as answer:
                try:
                    while block := await answer.content.readany():
                        got += block
                except aiohttp.ClientError:
                    continue
        assert got == DATA


async def test_an_injected_fault_applies_so_often_and_then_no_more() -> None:
    async with platform() as client:
        _, url = link(client)
        client.sandbox.inject("link.dead", times=2)
        assert [(await client.call("GET", url)).status for _ in range(3)] == [403, 403, 200]
        client.sandbox.inject("link.dead")
        assert [(await client.call("GET", url)).status for _ in range(3)] == [403] * 3
        client.sandbox.inject()
        assert (await client.call("GET", url)).status == 200


async def test_stopping_removes_every_file() -> None:
    async with platform() as client:
        directory = link(client)[0].path.parent
        assert directory.exists()
    assert not directory.exists()
