"""Short texts as speech: what is on the disk when it fills, and what stays there."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path
from typing import IO, Any

import pytest

from realtime.commands.speaking import AudioPart, write_subtitles
from realtime.errors import StorageError
from realtime.task_records import TaskRecords


class Disk:
    """A file on a disk that takes `room` bytes more."""

    def __init__(self, file: IO[bytes], room: int) -> None:
        self.file, self.room = file, room

    def write(self, data: memoryview) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.file.write(data[: self.room])
        self.room -= written
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


def part_with(audio: Path, room: int, records: TaskRecords | None = None) -> AudioPart:
    part = AudioPart(audio, records)
    part.open()
    assert part._file is not None
    part._file = Disk(part._file, room)  # type: ignore[assignment]
    return part


def test_what_fits_on_a_full_disk_stays_and_is_named(tmp_path: Path) -> None:
    part = part_with(tmp_path / "new" / "x.mp3", 5)
    with pytest.raises(StorageError, match=r"free some space.*5 bytes are kept in .*x\.mp3\.part"), part:
        part.write(b"abcdefg")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.mp3.part"]
    assert (tmp_path / "new" / "x.mp3.part").read_bytes() == b"abcde"


def test_an_empty_part_does_not_stay(tmp_path: Path) -> None:
    part = part_with(tmp_path / "x.mp3", 0)
    with pytest.raises(StorageError, match="nothing of it is kept"), part:
        part.write(b"abc")
    assert list(tmp_path.iterdir()) == []


def test_a_whole_part_becomes_the_audio(tmp_path: Path) -> None:
    with AudioPart(tmp_path / "x.mp3") as part:
        part.open()
        part.write(b"abc")
        part.publish()
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x.mp3", b"abc")]


def test_an_interrupted_part_does_not_stay(tmp_path: Path) -> None:
    part = part_with(tmp_path / "x.mp3", 5)
    part.write(b"abc")
    with pytest.raises(KeyboardInterrupt), part:
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_what_a_full_disk_does_not_take_goes_on_in_another_place_and_is_told(tmp_path: Path) -> None:
    older = tmp_path / "state" / "kept" / "x.srt"
    older.parent.mkdir(parents=True)
    older.write_text("of other speech")
    told: list[str] = []
    records = TaskRecords(tmp_path / "state" / "tasks", warn=told.append)
    with part_with(tmp_path / "x.mp3", 5, records) as part:
        part.write(b"abc")
        part.write(b"defgh")
        part.write(b"ij")
        kept = part.publish()
    assert kept.parent.parent == tmp_path / "state" / "kept"
    assert (kept.name, kept.read_bytes()) == ("x.mp3", b"abcdefghij")
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["x.mp3", "x.srt"]
    asyncio.run(write_subtitles([(kept, ())], "srt"))
    assert older.read_text() == "of other speech"
    assert told == [f"{tmp_path / 'x.mp3'} cannot be written (the disk is full). It is kept in {kept}"]
