"""`realtime tasks`, and the way of every task: recorded, sent, waited for, saved; interrupted and resumed."""

import asyncio
import json
import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands import task_kinds
from realtime.commands.platform import run_on_platform
from realtime.commands.progress import NoProgress
from realtime.commands.task_kinds import run_task
from realtime.errors import AnswerLost, InvalidArgument, NotFinished, TaskFailed
from realtime.task_records import RecordState
from tests.commands.films import URL
from tests.commands.running import add_all, environment, parsed


def make(films, *words, task_id="77", create=None, environ=None) -> int:
    """What a command that makes one film does."""

    async def created():
        return films.open(None, task_id)

    async def command(platform):
        return await run_task(
            platform, films.kind, create or created, prompt="雪山", arguments={"name": "snow"}
        )

    environ = environ or environment(films.folder, MINIMAX_BASE_URL=URL)
    return run_on_platform(parsed(add_all, list(words), environ), command)


def sent(records, task_id, *, kind="film", platform=URL):
    with records.create(kind, platform=platform, prompt="a prompt\nof two lines") as work:
        work.sent(task_id)
    return work.record


def test_a_task_is_recorded_saved_and_shown(films, records, capsys):
    assert make(films) == 0
    path = films.folder / "snow-77.mp4"
    assert path.read_bytes() == b"a film"
    assert capsys.readouterr().out == f"{path}\n"
    found = records.find("77")
    assert (found.state, found.paths, found.prompt) == (RecordState.DONE, (str(path),), "雪山")


def test_json_has_the_whole_record(films, capsys):
    assert make(films, "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["task_id"], shown["state"], shown["paths"]) == (
        "77",
        "done",
        [str(films.folder / "snow-77.mp4")],
    )


def test_no_wait_prints_the_id_and_the_line_to_continue(films, records, capsys):
    assert make(films, "--no-wait") == 0
    shown = capsys.readouterr()
    assert shown.out == "77\n"
    assert "realtime tasks wait 77" in shown.err
    assert records.find("77").state is RecordState.SENT
    assert films.opened[0].waited == []


def test_no_wait_on_the_built_in_sandbox_is_refused_before_anything_is_sent(films, records):
    with pytest.raises(InvalidArgument, match="realtime sandbox"):
        make(films, "--no-wait", environ=environment(films.folder))
    assert films.opened == []
    assert records.recent().records == ()


def test_a_lost_answer_is_listed_as_maybe_charged(films, records, capsys):
    async def create():
        raise AnswerLost("no answer")

    with pytest.raises(AnswerLost):
        make(films, create=create)
    assert cli.main(["tasks"]) == 0
    assert "unknown, maybe charged" in capsys.readouterr().out
    key = records.recent().records[0].key
    assert cli.main(["tasks", "wait", key]) == 2
    assert f"realtime tasks forget {key}" in capsys.readouterr().err


@pytest.mark.parametrize("error", [asyncio.CancelledError(), OSError(28, "No space left on device")])
def test_an_interrupted_wait_says_how_to_go_on_and_another_process_does(films, records, capsys, error):
    films.outcomes["77"] = error
    with pytest.raises(type(error)):
        make(films)
    assert "realtime tasks wait 77" in capsys.readouterr().err
    films.outcomes.clear()
    assert cli.main(["tasks", "wait", "7", "--timeout", "5"]) == 0
    assert capsys.readouterr().out == f"{films.folder / 'snow-77.mp4'}\n"
    assert films.opened[-1].waited == [5.0]


def test_waiting_for_a_done_task_shows_its_paths_and_asks_nobody(films, capsys):
    make(films)
    capsys.readouterr()
    films.opened.clear()
    assert cli.main(["tasks", "wait", "77"]) == 0
    assert capsys.readouterr().out == f"{films.folder / 'snow-77.mp4'}\n"
    assert films.opened == []


def test_a_task_that_is_not_finished_is_status_3_and_stays(films, records, capsys):
    sent(records, "77")
    films.outcomes["77"] = NotFinished("It goes on.", task_id="77")
    assert cli.main(["tasks", "wait", "77"]) == 3
    shown = capsys.readouterr().err
    assert shown.count("realtime tasks wait 77") == 1
    assert records.find("77").state is RecordState.SENT


def test_a_failed_task_is_status_1_and_says_why_later_too(films, records, capsys):
    sent(records, "77")
    films.outcomes["77"] = TaskFailed("The prompt is sensitive.", task_id="77")
    assert cli.main(["tasks", "wait", "77"]) == 1
    assert "go on" not in capsys.readouterr().err
    assert cli.main(["tasks", "wait", "77"]) == 2
    assert "The prompt is sensitive." in capsys.readouterr().err


def test_resume_saves_everything_that_can_be_saved(films, records, capsys):
    for task_id in ("1", "2", "3"):
        sent(records, task_id)
    sent(records, "4", platform="the built-in sandbox")
    films.outcomes["2"] = TaskFailed("sensitive", task_id="2")
    assert cli.main(["tasks", "resume"]) == 1
    assert sorted(path.name for path in films.folder.glob("*.mp4")) == ["film-1.mp4", "film-3.mp4"]
    assert sorted(Path(line).name for line in capsys.readouterr().out.split()) == ["film-1.mp4", "film-3.mp4"]
    films.opened.clear()
    assert cli.main(["tasks", "resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"tasks": [], "unknown": []}
    assert films.opened == [], "nothing is fetched twice"


def test_resume_takes_the_bars_away_before_it_prints(films, records, capsys, monkeypatch):
    class Bars(NoProgress):
        def clear(self) -> None:
            print("cleared")

    monkeypatch.setattr("realtime.commands.platform.open_progress", lambda **ignored: nullcontext(Bars()))
    sent(records, "1")
    assert cli.main(["tasks", "resume"]) == 0
    assert capsys.readouterr().out.splitlines() == ["cleared", str(films.folder / "film-1.mp4")]


def test_a_task_of_a_built_in_sandbox_is_shown_as_ended(films, records, capsys):
    sent(records, "4", platform="the built-in sandbox")
    with pytest.raises(AnswerLost), records.create("film", platform="the built-in sandbox"):
        raise AnswerLost("no answer")
    assert cli.main(["tasks"]) == 0
    assert capsys.readouterr().out.count("ended with its sandbox") == 2
    assert cli.main(["tasks", "resume"]) == 0
    assert capsys.readouterr().out == "There is nothing to resume.\n"


def test_an_interrupted_request_says_that_it_may_be_charged(films, records, capsys):
    async def create():
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        make(films, create=create)
    assert "may be charged" in capsys.readouterr().err
    (lost,) = records.recent().records
    assert (lost.state, lost.reason) == (
        RecordState.UNKNOWN,
        "interrupted before the answer came: maybe charged",
    )


def test_resume_leaves_a_task_that_another_process_works_on(films, records, capsys):
    sent(records, "1")
    with records.work_on("1"):
        assert cli.main(["tasks"]) == 0
        assert "another process" in capsys.readouterr().out
        assert cli.main(["tasks", "resume"]) == 0
        assert cli.main(["tasks", "wait", "1"]) == 1
    assert films.opened == []


def test_a_task_of_another_platform_is_not_asked_for_here(films, records, capsys):
    sent(records, "1", platform="https://api.minimax.io")
    assert cli.main(["tasks", "wait", "1"]) == 2
    assert "MINIMAX_BASE_URL" in capsys.readouterr().err
    assert films.opened == []


def test_a_kind_of_a_newer_version_is_named(films, records, capsys):
    sent(records, "1", kind="hologram")
    assert cli.main(["tasks", "wait", "1"]) == 2
    assert "hologram" in capsys.readouterr().err


def test_the_list_shows_one_line_a_task_and_reports_broken_files(films, records, capsys):
    sent(records, "106916112212032")
    (records.folder / "x.json").write_text("{")
    assert cli.main(["tasks", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("106916112212032\t")
    assert "a prompt of two lines" in lines[0]
    assert "x.json cannot be read" in lines[1]
    assert cli.main(["tasks", "--json", "-n", "1"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["tasks"], len(document["broken"])) == ([], 1), "the broken one is the newest by its name"


def test_the_list_says_how_many_it_leaves_out(films, records, capsys):
    for task_id in "123":
        sent(records, task_id)
    assert cli.main(["tasks", "-n", "2"]) == 0
    assert re.search("1 older: .*realtime tasks list -n 3", capsys.readouterr().out)
    assert cli.main(["tasks", "list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["tasks"]) == 3


def test_forget_removes_records_by_name_or_all_that_ended(films, records, capsys):
    make(films)
    for task_id in ("1", "2"):
        sent(records, task_id)
    assert cli.main(["tasks", "forget"]) == 2
    assert cli.main(["tasks", "forget", "1"]) == 0
    assert cli.main(["tasks", "forget", "--done"]) == 0
    assert [record.task_id for record in records.recent().records] == ["2"]
    capsys.readouterr()
    assert cli.main(["tasks", "forget", "99"]) == 2


def test_every_kind_is_in_the_module_that_the_table_names():
    for name in task_kinds.KIND_MODULES:
        assert task_kinds.task_kind(name).name == name
