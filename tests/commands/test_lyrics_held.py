"""Lyrics and the song that is made of them: which command may sing them, and what a lost record costs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from realtime.commands import music
from realtime.task_records import Busy, TaskRecords
from tests.commands.running import parsed


@pytest.fixture
def platform(tmp_path: Path) -> Any:
    return SimpleNamespace(
        records=TaskRecords(tmp_path / "tasks"),
        address="http://h",
        args=parsed(music.add_arguments, ["rain", "--write-lyrics"], {}),
        extra={},
        progress=SimpleNamespace(say=lambda sentence: None),
    )


@pytest.fixture
def lyrics(platform: Any, tmp_path: Path) -> music.Written:
    path = tmp_path / "rain.txt"
    path.write_text("la la la")
    made = music._of_lyrics(platform.args)
    with platform.records.create("lyrics", platform=platform.address, arguments=made) as work:
        work.done([path])
    return music.Written("la la la", path, work.record.key)


def sing(monkeypatch: pytest.MonkeyPatch, platform: Any, lyrics: music.Written, meanwhile: Any) -> object:
    async def song(*_: Any) -> tuple[str, ...]:
        meanwhile()
        return ("rain.mp3",)

    monkeypatch.setattr(music, "_sing", song)
    return asyncio.run(music._sing_written(platform, lyrics))


def test_lyrics_whose_song_is_being_made_are_left_to_the_command_that_makes_it(platform, lyrics, monkeypatch):
    found = []
    assert music._not_sung(platform) == lyrics
    sing(monkeypatch, platform, lyrics, lambda: found.append(music._not_sung(platform)))
    assert found == [None]
    platform.records = TaskRecords(platform.records.folder)  # another command
    assert music._not_sung(platform) is None


def test_a_second_command_that_had_found_them_before_buys_nothing(platform, lyrics, monkeypatch):
    sung = []
    with platform.records.work_on(lyrics.key), pytest.raises(Busy):
        sing(monkeypatch, platform, lyrics, lambda: sung.append(1))
    assert sung == []


def test_a_record_that_is_forgotten_fails_no_song(platform, lyrics, monkeypatch):
    def removed() -> None:  # by hand: `tasks forget` refuses a record that is held
        with pytest.raises(Busy):
            platform.records.forget(lyrics.key)
        for path in platform.records.folder.iterdir():
            path.unlink()

    assert sing(monkeypatch, platform, lyrics, removed) == ("rain.mp3",)
    platform.records.forget(lyrics.key)
    assert sing(monkeypatch, platform, lyrics, lambda: None) == ("rain.mp3",)
