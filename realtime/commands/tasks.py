"""What the platform works on for you: list the tasks, wait for one, save the results of all, forget some.

Each task is recorded on this machine before it is sent, so nothing that was paid for is lost by Ctrl-C or a crash.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from realtime.commands.common import load
from realtime.commands.outcome import EXIT_FAILED, EXIT_NOT_FINISHED, outcome_of
from realtime.commands.platform import (
    BUILT_IN,
    Platform,
    add_platform,
    print_json,
    records_of,
    run_on_platform,
)
from realtime.commands.progress import spoken_s
from realtime.commands.table import table
from realtime.commands.task_kinds import follow, shown, task_kind
from realtime.errors import ConfigError, InvalidArgument, RealtimeError, as_typed
from realtime.task_records import Busy, Record, RecordState, TaskRecords, Work

DEFAULT_ACTION = "list"
_ABOUT = 60  # characters of a prompt or a reason on a terminal
_WORDS = {
    RecordState.WAITING: "waiting",
    RecordState.SENDING: "sending",
    RecordState.SENT: "not saved yet",
    RecordState.DONE: "done",
    RecordState.FAILED: "failed",
    RecordState.UNKNOWN: "unknown, maybe charged",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="the tasks of this machine, newest first (default)")
    listing.add_argument(
        "-n", type=_count, default=20, metavar="N", dest="limit", help="so many (default: 20)"
    )
    wait = actions.add_parser("wait", help="wait for one task and save its result")
    wait.add_argument("task", metavar="ID", help="id, or the beginning of one")
    wait.add_argument("--timeout", type=float, metavar="S", help="wait at most so many seconds")
    resume = actions.add_parser("resume", help="save the results of all tasks that are not saved yet")
    forget = actions.add_parser("forget", help="remove records; the platform's tasks are not touched")
    forget.add_argument("tasks", nargs="*", metavar="ID", help="ids, or the beginnings of some")
    forget.add_argument("--done", action="store_true", help="all that are done or failed")
    for action in (listing, wait, resume, forget):
        add_platform(action)


def run(args: argparse.Namespace) -> int:
    """Exit status 0 if all that was asked for is done. Raises RealtimeError and OSError."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "wait": lambda args: run_on_platform(args, _wait),
        "resume": _resume,
        "forget": _forget,
    }
    return actions[args.action](args)


def _list(args: argparse.Namespace) -> int:
    listing = _records(args).recent(args.limit)
    if args.json:
        print_json({"tasks": [shown(record) for record in listing.records], "broken": list(listing.broken)})
        return 0
    _print_rows(listing.records)
    _say_broken(args, listing.broken)
    if listing.more:
        print(as_typed(f"... and {listing.more} older: realtime tasks list -n {args.limit + listing.more}"))
    if not listing.records and not listing.broken:
        print("There are no tasks.")
    return 0


def _print_rows(records: Sequence[Record]) -> None:
    for line in table(
        ("ID", "KIND", "STATE", "MADE", "ABOUT"), [_row(each, time.time()) for each in records]
    ):
        print(line)


def _row(record: Record, now_s: float) -> Sequence[str]:
    """Like "106916112212032", "video", "not saved yet", "5 min ago", "雪山日出"."""
    about = record.paths[0] if record.paths else record.reason or record.prompt
    if len(about) > _ABOUT and sys.stdout.isatty() and not record.paths:
        about = f"{about[:_ABOUT]}…"
    return record.name, record.kind, _state(record), f"{spoken_s(now_s - record.created_s)} ago", about


def _state(record: Record) -> str:
    if record.busy:
        return "another process works on it"
    if record.state in (RecordState.SENT, RecordState.UNKNOWN) and record.platform == BUILT_IN:
        return "ended with its sandbox"
    if record.charged:
        return "charged, not saved"
    return _WORDS[record.state]


async def _wait(platform: Platform) -> int:
    with platform.records.work_on(platform.args.task) as work:
        paths = await _finish(platform, work, platform.args.timeout)
    platform.show(paths, shown(work.record))
    return 0


async def _finish(platform: Platform, work: Work, timeout_s: float | None = None) -> Sequence[str]:
    """The paths of this task's result, saved now or earlier. Raises InvalidArgument if there will be none."""
    record = work.record
    match record.state:
        case RecordState.DONE:
            return record.paths
        case RecordState.SENT:
            _check_platform(platform, record)
            return await follow(platform, task_kind(record.kind), work, timeout_s=timeout_s)
        case RecordState.FAILED:
            raise InvalidArgument(f"Task {record.name} failed: {record.reason}", param="task")
        case _ if record.charged:
            raise InvalidArgument(
                f"Task {record.name} cannot go on: {record.reason} `realtime tasks forget {record.key}` removes the "
                "record.",
                param="task",
            )
        case _:
            raise InvalidArgument(
                f"The answer to task {record.name} was lost, so it has no id: it may have been charged. Look at your "
                f"account; `realtime tasks forget {record.key}` removes the record.",
                param="task",
            )


def _check_platform(platform: Platform, record: Record) -> None:
    if record.platform == BUILT_IN:
        raise InvalidArgument(
            f"Task {record.name} belonged to a built-in sandbox, which ended with its command: forget it.",
            param="task",
        )
    if record.platform != platform.address:
        raise ConfigError(
            f"Task {record.name} was made at {record.platform}, and the settings name {platform.address}: "
            "set MINIMAX_BASE_URL and the key of that platform, or name its account with --account."
        )


def _resume(args: argparse.Namespace) -> int:
    listing = _records(args).all(states=(RecordState.SENT, RecordState.UNKNOWN))
    found = [record for record in listing.records if record.platform != BUILT_IN]
    waiting = [record for record in found if record.state is RecordState.SENT and not record.busy]
    lost = [record for record in found if record.state is RecordState.UNKNOWN]
    _say_broken(args, listing.broken)
    if not waiting:
        _show_resumed(args, [], lost)
        return 0
    return run_on_platform(args, _resumer(waiting, lost))


def _resumer(waiting: Sequence[Record], lost: Sequence[Record]) -> Callable[[Platform], Awaitable[int]]:
    async def resume(platform: Platform) -> int:
        results, status = [], 0
        for record in reversed(waiting):  # the oldest first: its links end first
            ended = await _resume_one(platform, record)
            results.append(ended)
            status = _worse(status, ended.get("status", 0))
        platform.progress.clear()
        _show_resumed(platform.args, results, lost)
        return status

    return resume


async def _resume_one(platform: Platform, record: Record) -> dict[str, Any]:
    """What became of one task; what goes wrong with it does not stop the others."""
    try:
        with platform.records.work_on(record.key) as work:
            await _finish(platform, work)
    except Busy as error:
        platform.progress.say(str(error))
        return shown(record) | {"busy": True}
    except RealtimeError as error:
        outcome = outcome_of(error)
        platform.progress.say(f"{record.name}: {outcome.message}")
        return shown(record) | outcome.document()
    return shown(work.record)


def _show_resumed(
    args: argparse.Namespace, results: Sequence[dict[str, Any]], lost: Sequence[Record]
) -> None:
    if args.json:
        print_json({"tasks": results, "unknown": [shown(record) for record in lost]})
        return
    for result in results:
        if "error" not in result:
            print(*result["paths"], sep="\n", end="\n" if result["paths"] else "")
    _print_rows(lost)
    if not results and not lost:
        print("There is nothing to resume.")


def _worse(one: int, other: int) -> int:
    """The status of both together: a failure, else what is not finished, else any other."""
    for status in (EXIT_FAILED, EXIT_NOT_FINISHED):
        if status in (one, other):
            return status
    return max(one, other)


def _forget(args: argparse.Namespace) -> int:
    records = _records(args)
    if not args.tasks and not args.done:
        raise InvalidArgument("Which task? Name some, or use --done.", param="tasks")
    names = list(args.tasks)
    if args.done:
        listing = records.all(states=(RecordState.DONE, RecordState.FAILED))
        names += [record.key for record in listing.records if not record.busy]
        _say_broken(args, listing.broken)
    forgotten = [records.forget(name) for name in dict.fromkeys(names)]
    if args.json:
        print_json({"forgotten": [record.name for record in forgotten]})
    elif not args.quiet:
        print(f"Forgotten: {', '.join(record.name for record in forgotten) or 'none'}.")
    return 0


def _say_broken(args: argparse.Namespace, sentences: Sequence[str]) -> None:
    if not args.json:
        print(*(f"! {sentence}" for sentence in sentences), sep="\n", end="\n" if sentences else "")


def _records(args: argparse.Namespace) -> TaskRecords:
    return records_of(args, load(args).settings)


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 100_000:
        raise argparse.ArgumentTypeError("it must be from 1 to 100000")
    return number
