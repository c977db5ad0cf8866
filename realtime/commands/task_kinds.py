"""What each kind of task needs so that any process can go on with it: look it up by its id, save its result.

A command that makes tasks has `TASK_KINDS` in its module and a row in `KIND_MODULES`; `run_task` makes a task and
follows it, `obtain` does so unless it was made before, `follow` goes on with one. Knows no endpoint.
"""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.progress import TaskProgress
from realtime.errors import ConfigError, InvalidArgument, NotFinished, TaskFailed
from realtime.task_records import Record, RecordState, Work

if TYPE_CHECKING:
    from realtime.minimax.client import MiniMax

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

# kind of a record → the module in `realtime/commands/` whose TASK_KINDS has it
KIND_MODULES: dict[str, str] = {
    "batch": "batch",
    "image": "image",
    "music": "music",
    "video": "video",
    "template": "video",
    "video_v2": "video",
    "narration": "narrate",
}


class Task(Protocol[T_co]):
    """A task of the platform, as the client gives it."""

    @property
    def id(self) -> str: ...
    async def wait(
        self,
        *,
        timeout_s: float | None = None,
        on_progress: Callable[[Any], None] | None = None,  # it gets a TaskProgress
    ) -> T_co: ...


@dataclass(frozen=True, slots=True)
class TaskKind(Generic[T]):
    """One kind of task. `open` makes no request; `save` writes the result's files and returns their paths.

    `save` gets the record, whose `prompt` and `arguments` are what the command stored. It may be called again after a
    crash: it must not mind files of its own that are half-done.
    """

    name: str
    open: Callable[[MiniMax, str], Task[T]]
    save: Callable[[Platform, Record, T], Awaitable[Sequence[Path]]]


def task_kind(name: str, modules: Mapping[str, str] = KIND_MODULES) -> TaskKind[Any]:
    """The kind of this name. Raises ConfigError for one that another version of this program made."""
    if name not in modules:
        raise ConfigError(f"This version of realtime does not know tasks of the kind {name!r}: update it.")
    module = importlib.import_module(f"realtime.commands.{modules[name]}")
    kinds: Sequence[TaskKind[Any]] = module.TASK_KINDS
    return next(kind for kind in kinds if kind.name == name)


async def run_task(
    platform: Platform,
    kind: TaskKind[T],
    create: Callable[[], Awaitable[Task[T]]],
    *,
    prompt: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> int:
    """Record a task, send it with `create`, wait for it, save and show its result; the exit status.

    With `--no-wait` the id is printed instead. Raises what `create` and `save` raise, TaskFailed and NotFinished.
    """
    no_wait = getattr(platform.args, "no_wait", False)
    check_no_wait(platform)
    records = platform.records
    with records.create(kind.name, platform=platform.address, prompt=prompt, arguments=arguments) as work:
        task = await create()
        work.sent(task.id)
        if no_wait:
            platform.progress.say(f"It goes on by itself. To get its result: realtime tasks wait {task.id}")
            platform.show([task.id], {"task_id": task.id, "kind": kind.name, "state": "sent"})
            return 0
        paths = await follow(platform, kind, work, task)
    platform.show(paths, shown(work.record))
    return 0


async def obtain(
    platform: Platform,
    kind: TaskKind[T],
    create: Callable[[], Awaitable[Task[T]]],
    *,
    prompt: str = "",
    arguments: Mapping[str, Any],
    label: str = "",
) -> tuple[str, ...]:
    """The files of this work, bought at most once; `arguments` say what the work is. Shows nothing on stdout.

    `label` is what its progress is called; without one it is the kind.

    What an earlier command saved is not made again, and what it sent is waited for. Raises InvalidArgument if an
    earlier answer was lost (the user decides), Busy if another process works on it, and what `run_task` raises.
    """
    records, address = platform.records, platform.address
    found = records.same(kind.name, arguments, platform=address)
    if found is None or (address == BUILT_IN and found.state is not RecordState.DONE):
        with records.create(kind.name, platform=address, prompt=prompt, arguments=arguments) as work:
            task = await create()
            work.sent(task.id)
            return await follow(platform, kind, work, task, label=label)
    with records.work_on(found.key) as work:
        record = work.record
        if _is_saved(record):
            return record.paths
        if record.task_id is None:
            raise lost_before(record)
        return await follow(platform, kind, work, label=label)


def check_no_wait(platform: Platform) -> None:
    """Raises InvalidArgument for `--no-wait` where nothing would go on with the task."""
    if getattr(platform.args, "no_wait", False) and platform.address == BUILT_IN:
        raise InvalidArgument(
            "--no-wait makes no sense with the built-in sandbox, which ends with this command: start `realtime sandbox`"
            " and set MINIMAX_BASE_URL to its address.",
            param="no_wait",
        )


def lost_before(record: Record) -> InvalidArgument:
    """The refusal to send again what may have been charged: the user decides."""
    return InvalidArgument(
        f"This was sent before and its answer was lost, so it may have been charged. To send it again: "
        f"realtime tasks forget {record.key}",
        param="task",
    )


def _is_saved(record: Record) -> bool:
    return record.state is RecordState.DONE and all(Path(path).exists() for path in record.paths)


async def follow(
    platform: Platform,
    kind: TaskKind[T],
    work: Work,
    task: Task[T] | None = None,
    *,
    timeout_s: float | None = None,
    label: str = "",
) -> tuple[str, ...]:
    """Wait for a task that was sent and save its result; the paths. Says how to go on when it is interrupted.

    Raises TaskFailed, NotFinished, ProviderError, and OSError if the result cannot be saved.
    """
    assert work.record.task_id is not None
    task = task or kind.open(platform.mm, work.record.task_id)
    show: Callable[[TaskProgress], None] = platform.progress.task(label or kind.name)
    try:
        result = await task.wait(timeout_s=timeout_s, on_progress=show)
        work.done(await kind.save(platform, work.record, result))
    except (NotFinished, TaskFailed):
        raise  # each says itself what comes next
    except BaseException:
        if work.record.state is RecordState.SENT and platform.address != BUILT_IN:
            platform.progress.say(f"Nothing is lost. To go on: realtime tasks wait {work.record.task_id}")
        raise
    return work.record.paths


def shown(record: Record) -> dict[str, Any]:
    """A record for `--json`."""
    return {
        "task_id": record.task_id,
        "key": record.key,
        "kind": record.kind,
        "state": record.state.value,
        "busy": record.busy,
        "created_s": round(record.created_s),
        "platform": record.platform,
        "prompt": record.prompt,
        "paths": list(record.paths),
        "reason": record.reason,
    }
