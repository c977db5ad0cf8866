"""Downloads that meet bad days on this machine: names taken, folders that cannot be written, a full disk."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest

from realtime.errors import InvalidArgument, StorageError
from realtime.minimax.download import Disk, part_path
from realtime.minimax.fetching import Mark
from realtime.minimax.part_file import PartFile
from tests.minimax.object_store import Store, a_film
from tests.minimax.test_download import MIB, ranges, saving

FILM = a_film(3 * MIB)


class SmallDisk:
    """A disk that takes `room` bytes, and says that it has `claimed`."""

    def __init__(self, room: int, claimed: int = 1 << 60) -> None:
        self.room, self.claimed = room, claimed

    def write(self, fd: int, data: memoryview) -> int:
        fits = min(self.room, len(data))
        if not fits:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= fits
        return os.write(fd, data[:fits])

    def disk(self) -> Disk:
        return Disk(write=self.write, free_bytes=lambda _: self.claimed)


async def test_a_taken_name_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    store = Store(FILM)
    with pytest.raises(InvalidArgument, match=r"a\.mp4 exists already.*force") as raised:
        await saving(store, target)
    assert raised.value.param == "target"
    assert (store.links, store.seen) == (0, [])
    assert target.read_bytes() == b"mine"
    assert os.listdir(tmp_path) == ["a.mp4"]


async def test_force_replaces_the_file_only_when_the_new_one_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    target.write_bytes(b"mine")
    store = Store(FILM)
    during = set()
    await saving(store, target, force=True, on_progress=lambda *_: during.add(target.read_bytes()))
    assert during == {b"mine"}
    assert target.read_bytes() == FILM


@pytest.mark.parametrize("hard_links", [True, False])
async def test_a_name_that_is_taken_meanwhile_is_left_alone(hard_links, tmp_path: Path) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    target = tmp_path / "a.mp4"
    disk = Disk() if hard_links else Disk(link=no_links)
    with pytest.raises(InvalidArgument, match=r"meanwhile. The whole file is in .*a\.mp4\.part"):
        await saving(Store(FILM), target, disk=disk, on_progress=lambda *_: target.write_bytes(b"theirs"))
    assert target.read_bytes() == b"theirs"
    assert part_path(target).read_bytes() == FILM
    store = Store(FILM)
    await saving(store, target, force=True)
    assert target.read_bytes() == FILM
    assert ranges(store) == [f"bytes={len(FILM)}-"]


async def test_without_hard_links_the_file_is_renamed(tmp_path: Path) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    await saving(Store(FILM), tmp_path / "a.mp4", disk=Disk(link=no_links))
    assert (tmp_path / "a.mp4").read_bytes() == FILM
    assert os.listdir(tmp_path) == ["a.mp4"]


async def test_targets_that_cannot_be_written_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link.mp4.part").symlink_to(tmp_path / "file")
    store = Store(FILM)
    for target, message in [
        (tmp_path, "is a folder"),
        (tmp_path / "none" / "a.mp4", "There is no folder"),
        (tmp_path / "file" / "a.mp4", "There is no folder"),
        (tmp_path / ("x" * 300), "cannot be written: File name too long"),
        (tmp_path / "link.mp4", "cannot be written"),
        (Path("/proc/a.mp4"), "cannot be written"),
    ]:
        with pytest.raises(InvalidArgument, match=message) as raised:
            await saving(store, target)
        assert raised.value.param == "target"
    assert store.links == 0
    assert (tmp_path / "file").read_bytes() == b"x"


async def test_a_full_disk_is_named_before_the_download_starts(tmp_path: Path) -> None:
    written = SmallDisk(room=1 << 60, claimed=MIB)
    with pytest.raises(StorageError, match=r"a\.mp4 has 3\.1 MB, and 2\.1 MB are missing"):
        await saving(Store(FILM), tmp_path / "a.mp4", disk=written.disk())
    assert written.room == 1 << 60
    assert os.listdir(tmp_path) == []


async def test_a_disk_that_fills_up_says_how_much_is_missing_and_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"full: 2\.0 MB of a\.mp4 fitted, 1\.1 MB are missing"):
        await saving(Store(FILM), tmp_path / "a.mp4", disk=SmallDisk(room=2_000_000).disk())
    assert os.listdir(tmp_path) == []
    with pytest.raises(StorageError, match="an unknown number of bytes are missing"):
        await saving(Store(FILM, every_day="no length"), tmp_path / "a.mp4", disk=SmallDisk(room=9).disk())
    assert os.listdir(tmp_path) == []


async def test_only_the_rest_must_fit_when_a_part_is_there(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    part_path(target).write_bytes(FILM[: 2 * MIB])
    sidecar(target).write_bytes(b'{"validator":"\\"v1\\"","total":%d,"place":"x"}' % len(FILM))
    await saving(Store(FILM), target, disk=SmallDisk(room=MIB, claimed=MIB).disk())
    assert target.read_bytes() == FILM


def sidecar(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"validator":7}', b'{"validator":"\\"v\\r\\nX: y\\"","total":null,"place":""}',
     b'{"validator":"\\"v1\\"","total":3,"place":""}'],
)  # fmt: skip
async def test_a_sidecar_that_makes_no_sense_means_the_start(content, tmp_path: Path) -> None:
    target, store = tmp_path / "a.mp4", Store(FILM)
    part_path(target).write_bytes(FILM[:MIB])
    sidecar(target).write_bytes(content)
    await saving(store, target)
    assert ranges(store) == [None]
    assert target.read_bytes() == FILM
    assert os.listdir(tmp_path) == ["a.mp4"]


async def test_the_sidecar_holds_no_address_and_no_signature(tmp_path: Path) -> None:
    target, held = tmp_path / "a.mp4", []
    await saving(Store(FILM), target, on_progress=lambda *_: held.append(sidecar(target).read_text()))
    assert '"v1' in held[0]
    assert "http" not in held[0]
    assert "gnature" not in held[0]


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
async def test_two_processes_never_write_one_part(tmp_path: Path) -> None:
    target = tmp_path / "a.mp4"
    other = PartFile(target)
    try:
        other.restart(Mark('"v1"', len(FILM), ""))
        other.write(FILM[:MIB])
        with pytest.raises(StorageError, match="Another process is saving"):
            await saving(Store(FILM), target)
    finally:
        other.close()
    store = Store(FILM)
    await saving(store, target)
    assert ranges(store) == [f"bytes={MIB}-"]
    assert target.read_bytes() == FILM
