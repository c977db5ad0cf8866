"""What each kind of task needs so that any process can go on with it: look it up by its id, save its result.

A command that makes tasks has `TASK_KINDS` in its module and a row in `KIND_MODULES`; `run_task` makes a task and
follows it, `obtain` does so unless it was made before (`before` says what an earlier record means), `follow` goes on
with one. Knows no endpoint.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.progress import TaskProgress
from realtime.errors import ConfigError, InvalidArgument, NotFinished, ProviderRejected, TaskFailed
from realtime.task_records import Record, RecordState, Work, is_busy

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
    "speech": "narrate",
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
    crash: it must not mind files of its own that are half-done. `kept` is whether the platform keeps the result: what
    it does not keep has to be bought again if its files are gone. `files` are the names that `save` replaces, where it
    does: a file of the user that came there meanwhile is refused.
    """

    name: str
    open: Callable[[MiniMax, str], Task[T]]
    save: Callable[[Platform, Record, T], Awaitable[Sequence[Path]]]
    kept: bool = True
    files: Callable[[Record], Sequence[Path]] | None = None


class Meaning(Enum):
    """What an earlier record of the same work means for the command that wants it now."""

    NEW = "nobody has bought it"
    BUSY = "another process works on it"
    SAVED = "all its files are there"
    SENT = "it is bought; what is left to do costs nothing"
    LOST = "its answer was lost: it may be charged"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What was done before, and the record that says so. NEW has none that matters."""

    meaning: Meaning
    record: Record | None = None

    @property
    def new(self) -> bool:
        return self.meaning is Meaning.NEW

    def going_on(self, again: str = "") -> Record | None:
        """The record to go on with, None for new work.

        Raises Busy; InvalidArgument if the answer was lost, with `again` as the way to send it once more.
        """
        if self.meaning is Meaning.BUSY:
            raise is_busy(self._found)
        if self.meaning is Meaning.LOST:
            raise lost_before(self._found, again)
        return None if self.new else self._found

    def under_way(self, again: str = "") -> Record | None:
        """As `going_on`, for who wants only the id: a task that another process waits for has one."""
        if self.meaning is Meaning.BUSY and self._found.state in (RecordState.SENT, RecordState.DONE):
            return self._found
        return self.going_on(again)

    @property
    def _found(self) -> Record:
        assert self.record is not None, "only new work has no record"
        return self.record


def before(platform: Platform, kind: str, arguments: Mapping[str, Any], *, kept: bool = True) -> Earlier:
    """What earlier commands have done for this work. `kept` is as in `TaskKind`.

    Raises InvalidArgument if a record cannot be read that may be of this work. What a built-in sandbox had in hand
    ended with it, and nothing there costs.
    """
    built_in = platform.address == BUILT_IN
    found = platform.records.same(kind, arguments, platform=platform.address, strict=not built_in)
    if found is None or (built_in and found.state is not RecordState.DONE):
        return Earlier(Meaning.NEW)
    if _is_saved(found):
        return Earlier(Meaning.SAVED, found)
    if found.busy:
        return Earlier(Meaning.BUSY, found)
    if found.task_id is None and found.state is not RecordState.DONE:
        return Earlier(Meaning.LOST, found)
    if not _are_there(found) and not (kept and found.task_id):
        return Earlier(Meaning.NEW)
    return Earlier(Meaning.SENT, found)


def task_kind(name: str, modules: Mapping[str, str] = KIND_MODULES) -> TaskKind[Any]:
    """The kind of this name. Raises ConfigError for one that another version of this program made."""
    if name not in modules:
        raise ConfigError(f"This version of realtime does not know tasks of the kind {name!r}: update it.")
    module = importlib.import_module(f"realtime.commands.{modules[name]}")
    kinds: Sequence[TaskKind[Any]] = module.TASK_KINDS
    return next(kind for kind in kinds if kind.name == name)


async def begin(
    platform: Platform,
    kind: str,
    arguments: Mapping[str, Any] | None,
    *,
    earlier: Callable[[], Record | None],
    prompt: str = "",
) -> Work | Record:
    """What `earlier` finds of this work, else a new record: two processes that begin at once never both get one.

    Raises Busy, OSError and what `earlier` raises.
    """
    async with platform.records.alone():
        found = earlier()
        if found is not None:
            return found
        return platform.records.create(kind, platform=platform.address, prompt=prompt, arguments=arguments)


def never_before() -> None:
    """For `earlier`: work that is new each time."""


async def run_task(
    platform: Platform,
    kind: TaskKind[T],
    create: Callable[[], Awaitable[Task[T]]],
    *,
    earlier: Callable[[], Record | None] = never_before,
    prompt: str = "",
    arguments: Mapping[str, Any] | None = None,
) -> int:
    """Record a task, send it with `create`, wait for it, save and show its result; the exit status.

    It goes on with the task that `earlier` finds, which is asked right before a new one is recorded. With `--no-wait`
    the id is printed instead. Raises what these functions and `save` raise, TaskFailed and NotFinished.
    """
    check_no_wait(platform)
    begun = await begin(platform, kind.name, arguments, earlier=earlier, prompt=prompt)
    if isinstance(begun, Record):
        return await go_on(platform, kind, begun)
    with begun as work:
        task = await create()
        work.sent(task.id)
        if _no_wait(platform):
            platform.progress.say(f"It goes on by itself. To get its result: realtime tasks wait {task.id}")
            return _show_sent(platform, work.record)
        paths = await follow(platform, kind, work, task)
    platform.show(paths, shown(work.record))
    return 0


async def go_on(platform: Platform, kind: TaskKind[T], found: Record) -> int:
    """Wait for a task that was sent before, save and show its result; the exit status. With `--no-wait` its id.

    Raises Busy if another process works on it, InvalidArgument if its answer was lost, and what `run_task` raises.
    """
    if _no_wait(platform) and found.task_id is not None:
        return _show_sent(platform, found)
    with platform.records.work_on(found.key) as work:
        paths = await follow_again(platform, kind, work)
    platform.show(paths, shown(work.record))
    return 0


async def follow_again(platform: Platform, kind: TaskKind[T], work: Work) -> tuple[str, ...]:
    """The files of a task that an earlier command sent. Raises as `go_on` does."""
    if work.record.state is RecordState.DONE:  # by a process that ended just now
        return work.record.paths
    if work.record.task_id is None:
        raise lost_before(work.record)
    platform.progress.say(f"Ordered before, as task {work.record.task_id}: going on with it.")
    _note_force(platform, work)
    try:
        return await follow(platform, kind, work)
    except TaskFailed:
        raise
    except ProviderRejected:
        key = work.record.key
        platform.progress.say(
            f"If it cannot be had any more, this lets it be bought again: realtime tasks forget {key}"
        )
        raise


def _no_wait(platform: Platform) -> bool:
    return bool(getattr(platform.args, "no_wait", False))


def _show_sent(platform: Platform, record: Record) -> int:
    platform.show([record.name], {"task_id": record.task_id, "kind": record.kind, "state": "sent"})
    return 0


async def obtain(
    platform: Platform,
    kind: TaskKind[T],
    create: Callable[[], Awaitable[Task[T]]],
    *,
    prompt: str = "",
    arguments: Mapping[str, Any],
    label: str = "",
    again: str = "",
) -> tuple[str, ...]:
    """The files of this work, bought at most once; `arguments` say what the work is. Shows nothing on stdout.

    `label` is what its progress is called; without one it is the kind. `again` is the flag of the command that sends
    once more what was lost.

    What an earlier command saved is not made again, and what it sent is waited for. Raises InvalidArgument if an
    earlier answer was lost (the user decides), Busy if another process works on it, and what `run_task` raises.
    """

    def earlier() -> Record | None:
        return before(platform, kind.name, arguments, kept=kind.kept).going_on(again)

    noted = with_force(platform, arguments)
    begun = await begin(platform, kind.name, noted, earlier=earlier, prompt=prompt)
    if isinstance(begun, Work):
        with begun as work:
            task = await create()
            work.sent(task.id)
            return await follow(platform, kind, work, task, label=label)
    if _is_saved(begun):
        return begun.paths
    with platform.records.work_on(begun.key) as work:
        if _is_saved(work.record):  # by a process that ended just now
            return work.record.paths
        _note_force(platform, work)
        return await follow(platform, kind, work, label=label)


def with_force(platform: Platform, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """For the record: whether the user allows to replace files, with the command that makes it or goes on with it."""
    return {**arguments, "force": platform.args.force} if hasattr(platform.args, "force") else arguments


def _note_force(platform: Platform, work: Work) -> None:
    """What an earlier command was allowed does not count for this one. `realtime tasks` has no such flag: it goes on as
    the last command that had it."""
    arguments = with_force(platform, work.record.arguments)
    if arguments != work.record.arguments:
        work.save(replace(work.record, arguments=arguments))


def not_its_own(record: Record, files: Sequence[Path]) -> list[Path]:
    """Those of these files that are there and that this task did not make."""
    if record.arguments.get("replaces"):
        return []
    return [path for path in files if os.path.lexists(path) and str(path) not in record.paths]


def _claim(platform: Platform, kind: TaskKind[Any], work: Work) -> None:
    """Raises InvalidArgument if saving would replace a file that came to its place meanwhile."""
    if kind.files is None:
        return
    taken = not_its_own(work.record, kind.files(work.record))
    if taken and not work.record.arguments.get("force"):
        raise InvalidArgument(f"{taken[0]} exists: move it away, so that nothing is lost.", param="out")
    if not taken:  # else a file of the user may still be there if this fails
        work.replaces()


def check_no_wait(platform: Platform) -> None:
    """Raises InvalidArgument for `--no-wait` where nothing would go on with the task."""
    if _no_wait(platform) and platform.address == BUILT_IN:
        raise InvalidArgument(
            "--no-wait makes no sense with the built-in sandbox, which ends with this command: start `realtime sandbox`"
            " and set MINIMAX_BASE_URL to its address.",
            param="no_wait",
        )


def lost_before(record: Record, again: str = "") -> InvalidArgument:
    """The refusal to send again what may have been charged: the user decides, with the flag `again` if there is one."""
    told = "This was sent before and its answer was lost, so it may have been charged. To send it again"
    if record.charged:
        told = f"This was sent before. It is {(record.reason or '').rstrip('.')}. To buy it again"
    forget = f"realtime tasks forget {record.key}"
    return InvalidArgument(
        f"{told}, add {again} (or: {forget})." if again else f"{told}: {forget}", param="task"
    )


def _is_saved(record: Record) -> bool:
    return record.state is RecordState.DONE and _are_there(record)


def _are_there(record: Record) -> bool:
    return all(Path(path).exists() for path in record.paths)


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
        _claim(platform, kind, work)
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
