"""`realtime tasks`, and the way of every task: recorded, sent, waited for, saved; interrupted and resumed."""

import asyncio
import json
import sys
import types
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from realtime import cli
from realtime.commands import task_kinds
from realtime.commands.platform import run_on_platform
from realtime.commands.progress import NoProgress
from realtime.commands.task_kinds import KIND_MODULES, TaskKind, obtain, run_task
from realtime.errors import AnswerLost, InvalidArgument, NotFinished, TaskFailed
from realtime.task_records import Busy, RecordState, TaskRecords
from tests.commands.running import add_all, environment, parsed

URL = "http://127.0.0.1:9"  # nobody listens: these tasks are fakes


@dataclass
class FakeTask:
    """A task whose `wait` returns or raises what it was told."""

    id: str
    outcomes: dict[str, object]
    waited: list[float | None] = field(default_factory=list)

    async def wait(self, *, timeout_s=None, on_progress=None):
        self.waited.append(timeout_s)
        outcome = self.outcomes.get(self.id, b"a film")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


class Films:
    """A kind of task, `film`: what its tasks end with, which were opened, and where films are saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outcomes: dict[str, object] = {}
        self.opened: list[FakeTask] = []
        self.kind = TaskKind("film", self.open, self.save)

    def open(self, mm, task_id):
        self.opened.append(FakeTask(task_id, self.outcomes))
        return self.opened[-1]

    async def save(self, platform, record, result):
        path = self.folder / f"{record.arguments.get('name', 'film')}-{record.task_id}.mp4"
        path.write_bytes(result)
        return [path]


@pytest.fixture
def films(tmp_path, monkeypatch):
    films = Films(tmp_path)
    module = types.ModuleType("realtime.commands.films_of_a_test")
    module.TASK_KINDS = (films.kind,)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(KIND_MODULES, "film", "films_of_a_test")
    monkeypatch.chdir(tmp_path)
    for name, value in environment(tmp_path, MINIMAX_BASE_URL=URL).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
    return films


@pytest.fixture
def records(films, tmp_path):
    return TaskRecords(tmp_path / "minimax-realtime" / "tasks")


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
    assert "1 older: realtime tasks list -n 3" in capsys.readouterr().out
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


def test_every_kind_is_in_the_module_that_the_table_names():
    for name in task_kinds.KIND_MODULES:
        assert task_kinds.task_kind(name).name == name
