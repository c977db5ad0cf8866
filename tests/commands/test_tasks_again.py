"""What a command does that is started again: nothing is bought twice, whatever became of the work before it."""

import asyncio
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands.platform import run_on_platform
from realtime.commands.task_kinds import obtain
from realtime.errors import AnswerLost, InvalidArgument, TaskFailed
from realtime.task_records import Busy, TaskRecords
from tests.commands.films import URL
from tests.commands.running import add_all, environment, parsed
from tests.commands.test_tasks import make


def chapter(films, created: list[str], name="one", error=None, environ=None) -> list[str]:
    """What a command does that makes several results and is started again after it was killed."""

    async def create():
        created.append(name)
        if error:
            raise error
        return films.open(None, f"task-{name}-{len(created)}")

    async def command(platform):
        paths.extend(await obtain(platform, films.kind, create, arguments={"name": name}))
        return 0

    paths: list[str] = []
    run_on_platform(parsed(add_all, [], environ or environment(films.folder, MINIMAX_BASE_URL=URL)), command)
    return [Path(path).name for path in paths]


def test_the_same_work_is_bought_once(films):
    created: list[str] = []
    assert chapter(films, created) == ["one-task-one-1.mp4"]
    assert chapter(films, created) == ["one-task-one-1.mp4"]
    assert created == ["one"]
    chapter(films, created, name="two")
    assert created == ["one", "two"], "other work is other work"


def test_work_that_was_sent_is_waited_for_by_the_next_command(films):
    created: list[str] = []
    films.outcomes["task-one-1"] = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        chapter(films, created)
    films.outcomes.clear()
    assert chapter(films, created) == ["one-task-one-1.mp4"]
    assert created == ["one"]


def test_a_result_that_was_deleted_is_fetched_again_and_not_bought_again(films):
    created: list[str] = []
    chapter(films, created)
    (films.folder / "one-task-one-1.mp4").unlink()
    assert chapter(films, created) == ["one-task-one-1.mp4"]
    assert (films.folder / "one-task-one-1.mp4").exists()
    assert created == ["one"]


def test_work_whose_answer_was_lost_is_not_sent_again_by_itself(films, records):
    created: list[str] = []
    with pytest.raises(AnswerLost):
        chapter(films, created, error=AnswerLost("no answer"))
    with pytest.raises(InvalidArgument, match="realtime tasks forget"):
        chapter(films, created)
    assert created == ["one"]
    records.forget(records.recent().records[0].key)
    assert chapter(films, created) == ["one-task-one-2.mp4"]


def test_work_that_failed_is_made_again(films):
    created: list[str] = []
    films.outcomes["task-one-1"] = TaskFailed("sensitive", task_id="task-one-1")
    with pytest.raises(TaskFailed):
        chapter(films, created)
    assert chapter(films, created) == ["one-task-one-2.mp4"]


def test_a_task_of_a_built_in_sandbox_that_is_gone_is_made_again(films):
    created: list[str] = []
    alone = environment(films.folder)
    films.outcomes["task-one-1"] = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        chapter(films, created, environ=alone)
    assert chapter(films, created, environ=alone) == ["one-task-one-2.mp4"]


def test_work_that_another_process_sends_now_is_not_called_lost(films, records):
    created: list[str] = []
    with records.create("film", platform=URL, arguments={"name": "one"}), pytest.raises(Busy):
        chapter(films, created)
    assert created == []


def test_work_is_fetched_though_its_record_can_no_longer_be_written(films, records, monkeypatch, capsys):
    monkeypatch.setattr(TaskRecords, "write", _once(TaskRecords.write))
    assert make(films, "--quiet") == 0
    shown = capsys.readouterr()
    assert shown.out == f"{films.folder / 'snow-77.mp4'}\n"
    assert "Write down its id: 77" in shown.err, "also with --quiet: it is about what was paid for"


def _once(write):
    """A disk that takes one record."""
    taken = []

    def full(self, record):
        if taken:
            raise OSError(28, "No space left on device")
        taken.append(record)
        write(self, record)

    return full


def test_a_damaged_record_stops_the_work_until_it_is_forgotten(films, records, capsys):
    created: list[str] = []
    records.folder.mkdir(parents=True)
    (records.folder / "20260101-x.json").write_text("{")
    with pytest.raises(InvalidArgument, match="realtime tasks forget 20260101-x"):
        chapter(films, created)
    assert chapter(films, created, environ=environment(films.folder)), (
        "with the built-in sandbox nothing costs"
    )
    assert cli.main(["tasks", "forget", "--done"]) == 0
    assert "! " in capsys.readouterr().out, "it may be of something paid for"
    assert cli.main(["tasks", "forget", "20260101-x"]) == 0
    assert "Forgotten: 20260101-x" in capsys.readouterr().out
    assert chapter(films, created)
