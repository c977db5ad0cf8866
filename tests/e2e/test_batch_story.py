"""The long story of a batch: commands as processes, one after the other, killed in between and resumed."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.interrupting import Work, survives
from tests.e2e.shell import Terminal, forward, sandbox_process

AT_ONCE = ("chat.first_ms=0", "chat.tps=100000", "chat.plain_tps=100000")
BATCH_AT_ONCE = (*AT_ONCE, "batch.validate_s=0", "batch.run_s=0", "batch.finalize_s=0")
QUESTIONS = ("What is the weather like?", "雪是什么颜色?", "Tell me a short story.")


def ask(folder: Path) -> Path:
    """A file with a question on each line."""
    folder.mkdir(exist_ok=True)
    path = folder / "questions.txt"
    path.write_text("\n".join(QUESTIONS) + "\n", encoding="utf-8")
    return path


def check_answers(folder: Path) -> None:
    """Every question has an answer, in the order of the questions."""
    lines = (folder / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert [entry["question"] for entry in found] == list(QUESTIONS)
    assert all(entry["answer"] and not entry["error"] for entry in found)


async def test_a_batch_is_answered_after_the_laptop_was_closed(tmp_path: Path) -> None:
    """Sent with `--no-wait`, not ready, ready after its hour, joined to the questions, and not bought again."""
    async with sandbox_process(*BATCH_AT_ONCE, "batch.run_s=3600") as url:
        user = Terminal(tmp_path, url)
        command = ("batch", "run", ask(tmp_path).name, "-o", "answers.jsonl")
        sent = await user.run(*command, "--no-wait")
        task_id = sent.out.strip()
        assert sent.status == 0, sent.err
        assert "3 questions" in sent.err  # what it costs is said once
        early = await user.run("tasks", "wait", task_id, "--timeout", "2")
        assert early.status == 3
        assert f"realtime tasks wait {task_id}" in early.err
        await forward(url, hours=2)
        assert await user.out("tasks", "resume") == str(tmp_path / "answers.jsonl")
        check_answers(tmp_path)
        again = json.loads(await user.out(*command, "--json"))
        assert (again["questions"], again["unanswered"]) == (3, 0)
        listed = json.loads(await user.out("batch", "list", "--json"))
        assert [batch["id"] for batch in listed["batches"]] == [task_id]


async def test_a_batch_survives_an_end_after_every_request(tmp_path: Path) -> None:
    work = Work(
        ("batch", "run", "questions.txt", "-o", "answers.jsonl"),
        buys="/v1/batches",
        prepare=ask,
        check=check_answers,
        leaves=frozenset({"questions.txt", "answers.jsonl"}),
    )
    assert await survives(work, BATCH_AT_ONCE, tmp_path) >= 4  # upload, create, ask, and at least one file
