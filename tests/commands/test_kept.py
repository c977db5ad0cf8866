"""What came with its answer and does not fit where it was asked for: it is somewhere else, and the command says where."""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands import kept
from realtime.errors import StorageError
from realtime.minimax.download import save_bytes
from realtime.task_records import RecordState, TaskRecords
from tests.commands.answering import MP3, WORDS, served
from tests.commands.running import at_home

HEX = ["music", "jazz", "--instrumental", "--set", "output_format=hex", "-o", "songs/a.mp3", "-q"]


@pytest.fixture
def platform():
    with served() as fake:
        fake.file = MP3
        yield fake


@pytest.fixture
def folder(tmp_path, monkeypatch, platform):
    at_home(monkeypatch, tmp_path, platform.url)
    return tmp_path


def kept_files(state: Path) -> list[Path]:
    return [path for path in (state / "kept").rglob("*") if path.is_file()]


@pytest.fixture
def full(folder, monkeypatch) -> list[Path]:
    """Folders whose disk is full."""
    folders = [folder / "songs"]

    async def save(data, target, **options):
        if any(target.is_relative_to(each) for each in folders):
            raise StorageError("full") from OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return await save_bytes(data, target, **options)

    monkeypatch.setattr(kept, "save_bytes", save)
    return folders


def test_a_song_for_a_full_disk_is_kept_beside_the_records(folder, full, capsys):
    assert cli.main(HEX) == 0
    shown = capsys.readouterr()
    (path,) = kept_files(folder / "minimax-realtime")
    assert path.name == "a.mp3"
    assert path.parent.stat().st_mode & 0o077 == 0
    assert shown.out == f"{path}\n"
    assert (
        shown.err.count(
            f"{folder / 'songs' / 'a.mp3'} cannot be written (the disk is full). It is kept in {path}"
        )
        == 1
    )
    assert path.read_bytes() == MP3
    assert cli.main(HEX) == 0
    (other,) = {*kept_files(folder / "minimax-realtime")} - {path}
    assert capsys.readouterr().out == f"{other}\n", "nothing there is replaced"


def test_lyrics_for_a_full_disk_are_kept_and_sung(folder, full, platform, capsys):
    assert cli.main(["music", "jazz", "--write-lyrics", "-o", "songs/a.mp3"]) == 0
    (path,) = kept_files(folder / "minimax-realtime")
    assert path.name == "a.txt"
    assert path.read_text() == f"{WORDS}\n"
    assert capsys.readouterr().out.splitlines() == [str(path), str(folder / "songs" / "a.mp3")]


def test_what_no_disk_takes_is_charged_and_not_bought_again_by_itself(folder, full, platform, capsys):
    full.append(Path("/"))
    assert cli.main(HEX) == 1
    assert "no other folder takes it" in capsys.readouterr().err
    (record,) = TaskRecords(folder / "minimax-realtime" / "tasks").recent().records
    assert (record.state, record.charged) == (RecordState.UNKNOWN, True)
    assert cli.main(HEX) == 2
    assert f"realtime tasks forget {record.key}" in capsys.readouterr().err
    assert len(platform.asked) == 1


async def test_a_folder_that_cannot_be_made_costs_nothing_that_came(folder, platform):
    (folder / "songs").write_text("a file by now")

    class Here:
        records = TaskRecords(folder / "state" / "tasks")

    path = await kept.keep(Here(), MP3, folder / "songs" / "a.mp3")  # type: ignore[arg-type]
    assert [path] == kept_files(folder / "state")
    assert (path.name, path.read_bytes()) == ("a.mp3", MP3)


def test_what_goes_to_the_folder_for_temporary_files_is_private(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir(mode=0o777)
    (tmp_path / "kept").write_text("no folder")
    (place,) = kept.other_places(TaskRecords(tmp_path / "tasks"), Path("a.mp3"))
    assert place.parent.parent == tmp_path / "tmp"
    assert not place.parent.exists(), "nothing was kept there"
    places = kept.other_places(TaskRecords(tmp_path / "tasks"), Path("a.mp3"))
    assert next(places).parent.stat().st_mode & 0o077 == 0


async def test_ctrl_c_waits_until_what_came_is_saved_and_noted(folder):
    records, going = TaskRecords(folder / "state" / "tasks"), asyncio.Event()

    async def save() -> list[Path]:
        going.set()
        await asyncio.sleep(0.05)
        return [folder / "a.mp3"]

    async def command() -> None:
        with records.create("music", platform="http://h") as work:
            work.answered()
            await kept.to_its_end(save(), work.done)

    task = asyncio.create_task(command())
    await going.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (record,) = records.recent().records
    assert (record.state, record.paths) == (RecordState.DONE, (str(folder / "a.mp3"),))
