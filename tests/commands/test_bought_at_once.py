"""Two processes that begin the same purchase in the same moment, and one that ended in the middle of it: bought once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from realtime import cli
from realtime.commands import task_kinds
from realtime.file_lock import FileLock
from realtime.task_records import Busy, RecordState, TaskRecords
from tests.commands.answering import JPEG, MP3, served
from tests.commands.running import at_home

IMAGES, SONGS = "/v1/image_generation", "/v1/music_generation"
PICTURE, SONG = ["image", "a cat", "-o", "cats/"], ["music", "jazz", "--instrumental"]
PICTURE_HERE = ["image", "a cat", "-o", "cat.jpeg"]
WRITTEN = ["music", "jazz", "--write-lyrics"]


@pytest.fixture
def platform():
    with served() as fake:
        yield fake


@pytest.fixture
def folder(tmp_path, monkeypatch, platform):
    at_home(monkeypatch, tmp_path, platform.url)
    return tmp_path


@pytest.fixture
def records(folder):
    return TaskRecords(folder / "minimax-realtime" / "tasks")


def test_of_two_processes_that_find_nothing_only_one_gets_a_new_record(tmp_path):
    class Here:
        address = "http://h"
        records = TaskRecords(tmp_path)

    begun: list[object] = []

    def one() -> None:
        here: Any = Here()
        here.records = TaskRecords(tmp_path)  # of another process

        def earlier() -> Any:
            return task_kinds.before(here, "film", {"a": 1}).going_on()

        try:
            begun.append(asyncio.run(task_kinds.begin(here, "film", {"a": 1}, earlier=earlier)))
        except Busy as error:
            begun.append(error)

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    (key,) = (path.stem for path in tmp_path.glob("*.json"))
    refused = [each for each in begun if isinstance(each, Busy)]
    assert len(refused) == 7
    assert all(key in str(each) for each in refused), "they name the task"


async def test_who_holds_up_all_others_is_named_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr("realtime.task_records._BEGINS_S", 0.1)
    lock = FileLock.take(tmp_path / ".begins.lock")
    assert lock is not None
    with pytest.raises(Busy):
        async with TaskRecords(tmp_path).alone():
            pass
    lock.release()  # as the system does for a process that was killed
    async with TaskRecords(tmp_path).alone():
        pass


async def test_ctrl_c_comes_through_while_another_process_begins(tmp_path):
    lock = FileLock.take(tmp_path / ".begins.lock")
    assert lock is not None

    async def begin() -> None:
        async with TaskRecords(tmp_path).alone():
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(begin(), 0.05)
    lock.release()
    await asyncio.wait_for(begin(), 5)


@pytest.mark.parametrize("words", [PICTURE, SONG, WRITTEN])
def test_what_another_command_is_buying_is_not_bought_again(platform, folder, records, capsys, words):
    platform.file = MP3
    platform.go.clear()
    ended: list[int] = []
    other = threading.Thread(target=lambda: ended.append(cli.main(words)))
    other.start()
    deadline_s = time.monotonic() + 20
    while not platform.asked and time.monotonic() < deadline_s:
        time.sleep(0.01)
    (record,) = records.recent().records
    assert cli.main(words) == 1
    assert f"Another process works on task {record.key}" in capsys.readouterr().err
    platform.go.set()
    other.join(20)
    assert ended == [0]
    assert len(platform.asked) == (2 if words == WRITTEN else 1)


@pytest.mark.parametrize(
    ("words", "path"), [([*PICTURE, "-n", "2"], IMAGES), (SONG, SONGS), (WRITTEN, SONGS)]
)
def test_the_same_line_goes_on_with_what_was_bought_and_not_fetched(
    platform, folder, records, capsys, words, path
):
    platform.dead = True
    assert cli.main(words) == 1
    assert cli.main(words) == 1
    assert "realtime tasks forget" in capsys.readouterr().err
    platform.dead = False
    assert cli.main([*words, "--force", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["paths"]) == (2 if path == IMAGES else 1)
    assert len(platform.bodies(path)) == 1
    assert cli.main(words) == 0, "the next one is another picture"
    assert len(platform.bodies(path)) == 2


@pytest.mark.parametrize(("again", "replaced"), [(PICTURE_HERE, False), (["tasks", "resume"], True)])
def test_leave_to_replace_a_file_is_that_of_the_command_that_goes_on(
    platform, folder, records, again, replaced
):
    (folder / "cat.jpeg").write_bytes(b"of the user")
    platform.dead = True
    assert cli.main([*PICTURE_HERE, "--force"]) == 1
    platform.dead = False
    assert cli.main(again) == 0
    assert ((folder / "cat.jpeg").read_bytes() == JPEG) is replaced
    assert len(platform.asked) == 1


def test_of_several_requests_those_before_the_unfinished_one_are_done(platform, folder, records, capsys):
    words = ["image", "a cat", "-n", "12", "-o", "cats/"]
    assert cli.main(words) == 0
    with records.work_on(records.recent().records[0].key) as work:
        work.save(replace(work.record, state=RecordState.SENT, paths=()))
    capsys.readouterr()
    assert cli.main([*words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["paths"]) == 12
    assert len(platform.bodies(IMAGES)) == 2


def test_the_pictures_before_a_refusal_are_not_bought_again_with_those_after_it(platform, folder, capsys):
    words = ["image", "a cat", "-n", "20", "-o", "cats/"]
    for refused in (1, 3):
        platform.refuse = {refused: 1008}
        assert cli.main(words) == 1
    capsys.readouterr()
    assert cli.main([*words, "--json"]) == 0
    shown = capsys.readouterr()
    assert [body["n"] for body in platform.bodies(IMAGES)] == [9, 9, 9, 2, 2]
    assert "18 of them were saved before" in shown.err
    paths = json.loads(shown.out)["paths"]
    assert paths == [str(folder / "cats" / f"a-cat-{number:02d}.jpeg") for number in range(1, 21)]
    assert cli.main(words) == 0
    assert [body["n"] for body in platform.bodies(IMAGES)][5:] == [9, 9, 2], (
        "the next ones are other pictures"
    )


def test_pictures_that_were_taken_away_are_bought_again(platform, folder):
    words = ["image", "a cat", "-n", "12", "-o", "cats/"]
    platform.refuse = {1: 1008}
    assert cli.main(words) == 1
    (folder / "cats").rename(folder / "mine")
    assert cli.main(words) == 0
    assert [body["n"] for body in platform.bodies(IMAGES)] == [9, 3, 9, 3]
    (folder / "cats" / "a-cat-01.jpeg").unlink()
    assert cli.main(words) == 0
    assert [body["n"] for body in platform.bodies(IMAGES)][4:] == [9, 3], "that run was over"


@pytest.mark.parametrize("words", [PICTURE, SONG, WRITTEN])
def test_what_may_have_been_charged_is_sent_again_only_when_the_user_says_so(
    platform, folder, records, capsys, words
):
    platform.file, platform.lose = MP3, {0}
    assert cli.main(words) == 1
    assert cli.main(words) == 2
    (record,) = records.recent().records
    assert f"realtime tasks forget {record.key}" in capsys.readouterr().err
    assert len(platform.asked) == 1
    assert cli.main(["tasks", "forget", record.key]) == 0
    assert cli.main(words) == 0


def test_links_that_have_died_are_no_reason_to_buy_nothing(platform, folder, records, monkeypatch):
    platform.dead = True
    assert cli.main(PICTURE) == 1
    platform.dead = False
    monkeypatch.setattr("realtime.commands.answered.LINKS_LIVE_S", 0)
    assert cli.main(PICTURE) == 0
    assert len(platform.asked) == 2
