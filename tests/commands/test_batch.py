"""`realtime batch`: questions of every form, answers in their order, list, cancel, and nothing bought twice."""

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from realtime.commands import batch, tasks
from realtime.commands.batch_questions import Asking, open_questions
from realtime.errors import InvalidArgument, TaskFailed
from realtime.task_records import RecordState, TaskRecords
from tests import programs
from tests.commands.running import environment, parsed
from tests.minimax.batch_fake import FakePlatform, answered, batch_platform, failed, jsonl, line

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fake():
    """The platform in a thread of its own: commands have their own event loop."""
    ready, loop = threading.Event(), asyncio.new_event_loop()
    running: list[FakePlatform] = []
    stop = asyncio.Event()

    async def serve():
        async with batch_platform() as (platform, _):
            running.append(platform)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(10)
    yield running[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(10)
    loop.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(fake, *words, command=batch) -> int:
    environ = environment(Path.cwd(), MINIMAX_BASE_URL=fake.url)
    return command.run(parsed(command.add_arguments, list(words), environ))


def records(folder) -> TaskRecords:
    return TaskRecords(folder / "minimax-realtime" / "tasks")


def lines_of(path) -> list[dict]:
    return [json.loads(each) for each in Path(path).read_text().splitlines()]


def test_text_questions_come_back_with_their_answers_in_their_order(fake, folder, capsys):
    (folder / "questions.txt").write_text("Why is the sky blue?\n\n雪是什么颜色?\n")
    fake.files["2"] = jsonl([answered("line-3", "白色"), answered("line-1", "Because.")])
    fake.batch = {"output_file_id": "2"}
    words = ["run", "questions.txt", "--model", "MiniMax-Text-01", "--system", "Be short.", "--quiet"]
    assert run(fake, *words) == 0
    path = folder / "questions-answers.jsonl"
    assert capsys.readouterr().out == f"{path}\n"
    first, second = lines_of(path)
    assert (first["custom_id"], first["question"], first["answer"]) == (
        "line-1",
        "Why is the sky blue?",
        "Because.",
    )
    assert (second["question"], second["answer"], second["error"]) == ("雪是什么颜色?", "白色", None)
    name, content = fake.uploads[0]
    assert name == "questions.jsonl"
    body = json.loads(content.splitlines()[0])["body"]
    assert (body["model"], body["messages"][0]["content"]) == ("MiniMax-Text-01", "Be short.")


def test_requests_are_sent_as_they_are_and_failures_are_counted(fake, folder, capsys):
    content = jsonl([line("b"), line("a"), line("c")])
    (folder / "questions.jsonl").write_bytes(content)
    fake.files["2"], fake.files["3"] = (
        jsonl([answered("a", "one")]),
        jsonl([failed("b", "1026", "sensitive")]),
    )
    fake.batch = {"output_file_id": "2", "error_file_id": "3"}
    assert run(fake, "run", "questions.jsonl", "-o", "out/answers.jsonl", "--json", "--quiet") == 1
    assert fake.uploads == [("questions.jsonl", content)]
    document = json.loads(capsys.readouterr().out)
    assert (document["questions"], document["unanswered"]) == (3, 2)
    b, a, c = lines_of(folder / "out" / "answers.jsonl")
    assert (a["answer"], b["answer"], b["error"]["code"], b["error"]["lost"]) == ("one", None, 1026, False)
    assert c["error"]["lost"] is True


@pytest.mark.parametrize(
    ("out", "name"),
    [
        ("Dr. Who", "Dr. Who.jsonl"),
        ("v1.5 answers", "v1.5 answers.jsonl"),
        ("a.JSONL", "a.JSONL"),
        ("b.CSV", "b.CSV"),
    ],
)
def test_answers_end_in_what_they_are(fake, folder, capsys, out, name):
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    (folder / "q.txt").write_text("one?\n")
    assert run(fake, "run", "q.txt", "-o", out, "--quiet") == 0
    assert capsys.readouterr().out == f"{folder / name}\n"
    assert (folder / name).is_file()


def test_a_table_goes_in_and_out(fake, folder):
    (folder / "q.csv").write_text('id,question\n7,"Red, or blue?"\n8,Why?\n9,\n', encoding="utf-8-sig")
    fake.files["2"] = jsonl([answered("8", "So."), answered("7", "Red,\nI think.")])
    fake.batch = {"output_file_id": "2"}
    assert run(fake, "run", "q.csv", "-o", "a.csv", "--quiet") == 0
    with (folder / "a.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["custom_id"], row["question"], row["answer"], row["error"]) for row in rows] == [
        ("7", "Red, or blue?", "Red,\nI think.", ""),
        ("8", "Why?", "So.", ""),
    ]


def test_the_same_questions_are_bought_once(fake, folder, capsys):
    (folder / "q.txt").write_text("Why?\n")
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    for _ in range(2):
        assert run(fake, "run", "q.txt", "--quiet") == 0
        assert capsys.readouterr().out == f"{folder / 'q-answers.jsonl'}\n"
    (folder / "q-answers.jsonl").unlink()
    assert run(fake, "run", "q.txt", "--quiet") == 0
    assert lines_of(folder / "q-answers.jsonl")[0]["answer"] == "So."
    assert (len(fake.created), len(fake.uploads)) == (1, 1)
    (folder / "q.txt").write_text("Why not?\n")
    with pytest.raises(InvalidArgument, match="exists"):
        run(fake, "run", "q.txt", "--quiet")
    assert run(fake, "run", "q.txt", "--quiet", "--force") == 0
    assert len(fake.created) == 2


def test_no_wait_prints_the_id_and_tasks_saves_the_answers(fake, folder, capsys):
    (folder / "q.txt").write_text("Why?\n")
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    for _ in range(2):
        assert run(fake, "run", "q.txt", "--no-wait", "--quiet") == 0
        assert capsys.readouterr().out == "batch_Ab12\n"
    assert (len(fake.created), fake.queries) == (1, [])
    assert run(fake, "resume", "--quiet", command=tasks) == 0
    assert capsys.readouterr().out == f"{folder / 'q-answers.jsonl'}\n"
    assert records(folder).find("batch_Ab12").state is RecordState.DONE


def test_tasks_replaces_the_answers_if_the_command_was_allowed_to(fake, folder, capsys):
    (folder / "q.txt").write_text("Why?\n")
    (folder / "q-answers.jsonl").write_text("old")
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    assert run(fake, "run", "q.txt", "--out", "q-answers.jsonl", "--force", "--no-wait", "--quiet") == 0
    capsys.readouterr()
    assert run(fake, "resume", "--quiet", command=tasks) == 0
    assert capsys.readouterr().out == f"{folder / 'q-answers.jsonl'}\n"
    assert "So." in (folder / "q-answers.jsonl").read_text()


def test_a_batch_that_fails_may_be_bought_again(fake, folder):
    (folder / "q.txt").write_text("Why?\n")
    fake.words = ["failed"]
    with pytest.raises(TaskFailed):
        run(fake, "run", "q.txt", "--quiet")
    fake.words = ["completed"]
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    assert run(fake, "run", "q.txt", "--quiet") == 0
    assert len(fake.created) == 2


def test_a_dry_run_prints_the_request(fake, folder, capsys):
    (folder / "q.txt").write_text("Why?\n")
    assert run(fake, "run", "q.txt", "--dry-run", "--set", "callback_url=https://my.host") == 0
    request = json.loads(capsys.readouterr().out)
    assert request["url"].endswith("/v1/batches")
    assert request["uploads"][0]["purpose"] == "batch"
    assert request["body"]["callback_url"] == "https://my.host"
    assert (fake.created, fake.uploads, list(folder.glob("minimax-realtime/*"))) == ([], [], [])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("q.jsonl", jsonl([line("a"), b"{no\n"]), "line 2"),
        ("q.jsonl", jsonl([line("a"), line("a")]), "line 1 already"),
        ("q.txt", b"\n \n", "no requests"),
        ("q.txt", b"a\xff\n", "UTF-8"),
        ("q.txt", b"a\0b\n", "no text"),
        ("q.csv", b"name,age\nx,1\n", "'name', 'age'"),
        ("q.csv", b"id,question\n1,a\n1,b\n", "line 3: id '1' stands in line 2 already"),
        ("q.csv", b"id,question\n,a\n", "line 2: no id"),
        ("q.txt", b"", "is empty"),
    ],
)
def test_questions_that_are_none_are_refused_before_anything_is_sent(fake, folder, name, content, said):
    (folder / name).write_bytes(content)
    with pytest.raises(InvalidArgument, match=said) as caught:
        run(fake, "run", name)
    assert caught.value.param == "questions"
    assert (fake.created, fake.uploads, list(folder.glob("minimax-realtime/*"))) == ([], [], [])


def test_whole_requests_take_no_model(fake, folder):
    (folder / "q.jsonl").write_bytes(jsonl([line("a")]))
    with pytest.raises(InvalidArgument, match="--model"):
        run(fake, "run", "q.jsonl", "--model", "MiniMax-M3")
    with pytest.raises(InvalidArgument, match="There is no file"):
        run(fake, "run", "none.jsonl")


@pytest.mark.parametrize(
    ("text", "ids"),
    [(b"One?\r\nTwo?", ["line-1", "line-2"]), (jsonl([line("x")]), ["x"])],
    ids=["questions", "requests"],
)
async def test_standard_input_holds_questions_or_requests(monkeypatch, text, ids):
    reading, writing = os.pipe()
    os.write(writing, text)
    os.close(writing)
    with os.fdopen(reading) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        async with open_questions("-", Asking(), "MiniMax-M3") as questions:
            lines = [json.loads(each) for each in questions.stream]
    assert [each["custom_id"] for each in lines] == ids
    assert (questions.count, questions.stem) == (len(ids), "")


def test_lines_that_are_no_requests_are_told_what_a_request_is(fake, folder):
    Path("questions.jsonl").write_text('{"custom_id": "a", "question": "Hi?"}\n')
    with pytest.raises(InvalidArgument, match=r"line 1: method is missing.*whole request.*\.txt file"):
        run(fake, "run", "questions.jsonl")


def test_the_list_and_the_cancelling(fake, folder, capsys):
    assert run(fake, "list") == 0
    shown = capsys.readouterr()
    assert (shown.out, "There are no batches." in shown.err) == ("", True)
    fake.listed = ["batch_1", "batch_2"]
    fake.batch = {"request_counts": {"total": 2, "completed": 1, "failed": 1}, "created_at": 1_790_000_000}
    assert run(fake, "list", "--json") == 0
    shown = json.loads(capsys.readouterr().out)["batches"]
    assert [(each["id"], each["failed"]) for each in shown] == [("batch_1", 1), ("batch_2", 1)]
    assert run(fake, "list", "-n", "1") == 0
    assert "1/2 answered, 1 failed" in capsys.readouterr().out
    fake.words = ["in_progress"]
    assert run(fake, "cancel", "batch_2") == 0
    assert capsys.readouterr().out == "batch_2: running\n"
    assert "/v1/batches/batch_2/cancel" in fake.queries


def start(fake, folder, *words) -> subprocess.Popen:
    environ = {
        **environment(folder, MINIMAX_BASE_URL=fake.url),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT / 'clients'}{os.pathsep}{ROOT}",
    }
    pipe = subprocess.PIPE
    return programs.Popen(("batch", *words), cwd=folder, env=environ, stdout=pipe, stderr=pipe, text=True)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_command_that_was_killed_goes_on_and_buys_nothing_twice(fake, folder, end):
    (folder / "q.txt").write_text("Why?\n")
    fake.words = ["in_progress"]
    process = start(fake, folder, "run", "q.txt")
    deadline = time.monotonic() + 60
    while not fake.queries and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(end)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if end is signal.SIGINT else -end)
    if end is signal.SIGINT:
        assert "realtime tasks wait batch_Ab12" in said
    fake.words = ["completed"]
    fake.files["2"] = jsonl([answered("line-1", "So.")])
    fake.batch = {"output_file_id": "2"}
    process = start(fake, folder, "run", "q.txt")
    out, said = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, f"{folder / 'q-answers.jsonl'}\n"), said
    assert len(fake.created) == 1
    assert not list(folder.glob("*.part"))


def test_a_lost_answer_is_not_sent_again(fake, folder):
    (folder / "q.txt").write_text("Why?\n")
    fake.lose_create = True
    for said in ("may have been accepted", "realtime tasks forget"):
        process = start(fake, folder, "run", "q.txt")
        _, errors = process.communicate(timeout=60)
        assert process.returncode in (1, 2)
        assert said in errors
    assert len(fake.created) == 1
    assert records(folder).recent().records[0].state is RecordState.UNKNOWN
