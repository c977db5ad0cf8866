"""Many questions in one batch: answered within a day at half the price, joined in the order of the questions.

QUESTIONS is a .jsonl file of requests, a .csv file with a column `question`, or a text file with one question a line.
The same command goes on where it was interrupted: a batch is never bought twice.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from realtime.commands.batch_files import count_unanswered, write_answers
from realtime.commands.batch_questions import Asking, Questions, open_questions
from realtime.commands.naming import absolute, check_out, name_result
from realtime.commands.outcome import EXIT_FAILED
from realtime.commands.platform import Platform, add_platform, run_on_platform
from realtime.commands.progress import spoken_s
from realtime.commands.table import table
from realtime.commands.task_kinds import TaskKind, before, obtain, run_task, with_force
from realtime.errors import InvalidArgument
from realtime.minimax.file_source import in_thread
from realtime.task_records import Record

if TYPE_CHECKING:
    from realtime.minimax.batches import Batch, BatchJob

_KIND_NAME = "batch"
_ENDINGS = (".jsonl", ".ndjson", ".json", ".csv", ".txt")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    run_ = actions.add_parser("run", help="send questions, wait for the answers and save them")
    run_.add_argument("questions", metavar="QUESTIONS", help=".jsonl, .csv or text file, or - for stdin")
    run_.add_argument("--model", metavar="ID", help="model for plain questions (default: the chat model)")
    run_.add_argument("--system", metavar="TEXT", help="system message for plain questions")
    add_platform(run_, buys=True, waits=True, writes=True)
    listing = actions.add_parser("list", help="the batches of the account")
    listing.add_argument("-n", type=int, default=20, metavar="N", dest="limit", help="so many (default: 20)")
    add_platform(listing)
    cancel = actions.add_parser("cancel", help="cancel a batch; what it has answered can still be saved")
    cancel.add_argument("task", metavar="ID", help="id of the batch, or the beginning of one of this machine")
    add_platform(cancel)


def run(args: argparse.Namespace) -> int:
    """Exit status 0, or 1 if a question has no answer. Raises RealtimeError and OSError."""
    actions = {"run": _run, "list": _list, "cancel": _cancel}
    return run_on_platform(args, actions[args.action])


async def _run(platform: Platform) -> int:
    args = platform.args
    asking = Asking(args.model, args.system)
    async with open_questions(args.questions, asking, platform.mm.chat.model) as questions:
        out = _out(args.out, questions.stem)
        work = {"sha256": questions.sha256, "out": absolute(out)}
        found = before(platform, _KIND_NAME, work).record
        if found is None:
            check_out(out, force=args.force)
            await platform.confirm_cost(f"{questions.count:,} questions in a batch, at half the price")
        elif args.no_wait and found.task_id is not None:
            platform.show([found.task_id], {"task_id": found.task_id, "kind": _KIND_NAME, "state": "sent"})
            return 0
        # The upload costs nothing: it is done before the record says that something is being bought.
        file_id = await _upload(platform, questions) if found is None else ""
        endpoint = questions.endpoint

    async def create() -> BatchJob:
        return await platform.mm.batches.create(file_id=file_id, endpoint=endpoint, extra=platform.extra)

    if found is None and args.no_wait:
        return await run_task(
            platform,
            _TASK_KIND,
            create,
            earlier=lambda: before(platform, _KIND_NAME, work).under_way(),
            prompt=args.questions,
            arguments=with_force(platform, work),
        )
    paths = await obtain(platform, _TASK_KIND, create, prompt=args.questions, arguments=work)
    unanswered = await in_thread(count_unanswered, Path(paths[0]))
    platform.show(
        paths,
        {"kind": _KIND_NAME, "paths": list(paths), "questions": questions.count, "unanswered": unanswered},
    )
    if unanswered:
        platform.progress.say(
            f"{unanswered} of {questions.count} questions have no answer: see `error` in {paths[0]}"
        )
    return EXIT_FAILED if unanswered else 0


async def _upload(platform: Platform, questions: Questions) -> str:
    name = f"{questions.stem or 'questions'}.jsonl"
    show = platform.progress.transfer(f"uploading {name}")
    info = await platform.mm.files.upload(questions.stream, purpose="batch", name=name, on_progress=show)
    return info.id


def _out(out: str | None, stem: str) -> str:
    """The file of the answers: what the user asked for, or a name made from that of the questions."""
    name = f"{stem}-answers.jsonl" if stem else "answers.jsonl"
    if out is None:
        return name
    if absolute(out).endswith("/"):
        return str(Path(out) / name)
    return out if Path(out).suffix.lower() in _ENDINGS else f"{out}.jsonl"


def _open(mm: Any, task_id: str) -> BatchJob:
    job: BatchJob = mm.batches.task(task_id)
    return job


async def _save(platform: Platform, record: Record, batch: Batch) -> Sequence[Path]:
    """Write the answers to what the command was asked for; a name that was taken meanwhile gets a number."""
    out = Path(str(record.arguments["out"]))
    force = bool(record.arguments.get("force"))
    path = name_result("", out.suffix.lower(), out=out, force=force)
    await write_answers(path, batch.results())
    return [path]


_TASK_KIND: TaskKind[Batch] = TaskKind(_KIND_NAME, _open, _save)
TASK_KINDS = (_TASK_KIND,)


async def _list(platform: Platform) -> int:
    batches = [batch async for batch in platform.mm.batches.list(limit=platform.args.limit)]
    lines = table(("ID", "STATE", "ANSWERS", "MADE"), [_row(batch, time.time()) for batch in batches])
    if not batches:
        platform.progress.say("There are no batches.")
    platform.show(lines, {"batches": [_document(batch) for batch in batches]})
    return 0


def _row(batch: Batch, now_s: float) -> Sequence[str]:
    """Like "batch_Ab12", "in_progress", "1/2 answered, 0 failed", "5 min ago"."""
    counts = f"{batch.completed}/{batch.total} answered, {batch.failed} failed"
    age = f"{spoken_s(max(0.0, now_s - batch.created))} ago" if batch.created else ""
    return batch.id, batch.status, counts, age


def _document(batch: Batch) -> dict[str, Any]:
    names = ("id", "status", "total", "completed", "failed", "created", "expires", "ended")
    files = ("input_file_id", "output_file_id", "error_file_id")
    return {name: getattr(batch, name) for name in (*names, *files)}


async def _cancel(platform: Platform) -> int:
    batch_id = _batch_id(platform)
    job = platform.mm.batches.task(batch_id)
    progress = await job.cancel()
    state = str(progress.state)
    platform.show([f"{batch_id}: {state}"], {"task_id": batch_id, "state": state})
    return 0


def _batch_id(platform: Platform) -> str:
    """The batch that the user named: one of this machine's records, or an id as it is."""
    name: str = platform.args.task
    try:
        record = platform.records.find(name)
    except InvalidArgument:
        return name
    return record.task_id if record.kind == _KIND_NAME and record.task_id else name
