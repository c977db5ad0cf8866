"""`realtime video`: films of Hailuo, of templates and of V2, against a sandbox; killed, and gone on with."""

import asyncio
import json
import random
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from realtime import cli
from realtime.task_records import RecordState, TaskRecords

pytest.importorskip("PIL")
pytest.importorskip("av")
from realtime.sandbox.pictures import make_picture
from realtime.sandbox.server import Sandbox
from tests import programs

ROOT = Path(__file__).parents[2]


class Running:
    """A sandbox in a thread of its own: commands have their own event loop."""

    def __init__(self) -> None:
        self.loop, self.stop = asyncio.new_event_loop(), asyncio.Event()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self._serve(),))
        self.thread.start()
        assert self.ready.wait(20)

    async def _serve(self) -> None:
        async with Sandbox() as self.sandbox:
            self.ready.set()
            await self.stop.wait()

    def call(self, function, *args, **kwargs):
        """`function(...)` in the sandbox's own thread."""

        async def work():
            return function(*args, **kwargs)

        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(20)

    def orders(self) -> int:
        """How many films were ordered."""
        jobs = self.sandbox.state.jobs
        return self.call(lambda: len(list(jobs.all("video", "template", "video_v2"))))

    def end(self) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(20)
        self.loop.close()


@pytest.fixture
def running():
    running = Running()
    yield running
    running.end()


@pytest.fixture
def folder(tmp_path, monkeypatch, running):
    """An empty current directory and home, with the sandbox in the environment."""
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "HOME": tmp_path,
        "XDG_STATE_HOME": tmp_path / "state",
        "MINIMAX_BASE_URL": running.sandbox.url,
    }.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.delenv("MINIMAX_API_KEY", raising=False)
    (tmp_path / "me.jpg").write_bytes(make_picture("a face", 640, 480))
    return tmp_path


@pytest.fixture
def records(folder):
    return TaskRecords(folder / "state" / "minimax-realtime" / "tasks")


def test_a_film_is_named_by_its_prompt_and_saved(folder, capsys, records):
    assert cli.main(["video", "雪山日出 [推进]", "--seconds", "6", "--resolution", "768P", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["paths"] == [str(folder / "雪山日出.mp4")]
    assert (folder / "雪山日出.mp4").read_bytes()[4:8] == b"ftyp"
    (record,) = records.recent().records
    assert (record.kind, record.state) == ("video", RecordState.DONE)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["she turns", "--first", "me.jpg", "--last", "me.jpg"], "video"),
        (["--subject", "me.jpg"], "video"),
        (["template", "跳水", "me.jpg"], "template"),
        (["a cat", "--model", "MiniMax-H3", "--ratio", "16:9", "--seconds", "4"], "video_v2"),
        (["she runs", "--model", "MiniMax-H3", "--reference", "me.jpg", "--seconds", "4"], "video_v2"),
    ],
)
def test_every_way_of_ordering_goes_on_with_tasks(folder, running, records, words, kind, capsys):
    assert cli.main(["video", *words, "--no-wait"]) == 0
    task_id = capsys.readouterr().out.strip()
    (record,) = records.recent().records
    assert (record.kind, record.state, record.task_id) == (kind, RecordState.SENT, task_id)
    running.call(running.sandbox.forward, hours=1)
    assert cli.main(["tasks", "wait", task_id]) == 0
    path = Path(capsys.readouterr().out.strip())
    assert path.parent == folder
    assert path.read_bytes()[4:8] == b"ftyp"
    assert running.orders() == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "prompt"),
        (["a cat", "--seconds", "10", "--resolution", "1080P"], "1080P of 6 s"),
        (["a cat", "--ratio", "16:9"], "--model MiniMax-H3"),
        (["a cat", "--model", "MiniMax-H3"], "ratio"),
        (["a cat", "--model", "MiniMax-H3", "--ratio", "16:9", "--subject", "me.jpg"], "--subject"),
        (["a cat", "--first", "none.jpg"], "none.jpg"),
        (["template", "diving", "none.jpg"], "none.jpg"),
        (["template", "divin", "me.jpg"], "diving"),
        (["template", "diving"], "wants 1"),
    ],
)
def test_mistakes_are_refused_and_nothing_is_ordered(folder, running, records, capsys, words, said):
    assert cli.main(["video", *words]) == 2
    assert said in capsys.readouterr().err
    assert running.orders() == 0
    assert records.recent().records == ()


def test_a_lost_answer_is_not_sent_again_before_the_user_says_so(folder, running, records, capsys):
    running.call(running.sandbox.inject, "video.lost", times=1)
    assert cli.main(["video", "a cat"]) == 1
    (record,) = records.recent().records
    assert record.state is RecordState.UNKNOWN
    assert cli.main(["video", "a cat"]) == 2
    assert f"realtime tasks forget {record.key}" in capsys.readouterr().err
    assert running.orders() == 1


def test_a_failed_film_says_why_and_may_be_ordered_again(folder, running, capsys):
    running.call(running.sandbox.inject, "video.fail=1027", times=1)
    assert cli.main(["video", "a cat"]) == 1
    assert "1027" in capsys.readouterr().err
    assert cli.main(["video", "a cat"]) == 0
    assert running.orders() == 2


def test_the_list_of_templates(folder, running, capsys):
    assert cli.main(["video", "template", "--json"]) == 0
    templates = json.loads(capsys.readouterr().out)["templates"]
    assert len(templates) == 11
    assert {"id", "name", "name_zh", "wants"} <= set(templates[0])


def test_a_dry_run_sends_nothing(folder, running, capsys):
    assert cli.main(["video", "a cat", "--dry-run", "--set", "seed=7"]) == 0
    request = json.loads(capsys.readouterr().out)
    assert request["body"] == {"model": "MiniMax-Hailuo-2.3", "prompt": "a cat", "seed": 7}
    assert running.orders() == 0


@pytest.mark.parametrize("seed", range(2))
def test_killed_at_any_moment_the_same_command_goes_on_and_buys_once(folder, running, records, seed):
    command = ["video", "a cat", "-q"]
    process = programs.Popen(command)
    deadline = time.monotonic() + 30
    while not any(record.task_id for record in records.recent().records) and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(random.Random(seed).uniform(0.0, 3.0))
    process.kill()
    process.wait(20)
    done = programs.run(*command)
    assert done.returncode == 0, done.stderr
    finished = process.returncode == 0  # killed too late: the second command orders another film
    assert Path(done.stdout.strip()).parent == folder
    assert running.orders() == 1 + finished
    assert not list(folder.glob("*.part*"))


def test_a_process_that_ended_before_it_noted_its_film_leaves_one_film(folder, running, records):
    """The same command goes on with the task and finds the film that is there already."""
    command = ["video", "a cat", "-o", "film.mp4"]
    assert cli.main(command) == 0
    (record,) = records.recent().records
    with records.work_on(record.key) as work:
        work.save(replace(work.record, state=RecordState.SENT, paths=()))
    assert cli.main(command) == 0
    assert [path.name for path in folder.glob("film*")] == ["film.mp4"]
    assert records.find(record.key).paths == (str(folder / "film.mp4"),)
    assert running.orders() == 1
