"""What the platform answers at once with links (pictures, songs): recorded, bought once, saved, gone on with later.

The request itself waits for the result, so there is no task to look up. Its links are kept in the record, which only
this user can read: a download that was interrupted goes on with the same command, or with `realtime tasks`, until the
links die after 24 h.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets as random_names
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from realtime.commands.kept import keep, to_its_end
from realtime.commands.naming import absolute, ending, name_result
from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.same_file import without_copy
from realtime.commands.task_kinds import TaskKind, begin, follow, follow_again, lost_before
from realtime.errors import InvalidArgument, StorageError
from realtime.minimax.client import MiniMax
from realtime.minimax.download import save
from realtime.minimax.media_result import MediaResult, fixed_link
from realtime.minimax.sniff import SNIFF_BYTES
from realtime.task_records import Record, RecordState, answer_came, is_busy

T = TypeVar("T")
LINKS_LIVE_S = 24 * 3600  # docs/minimax/files.md 6: then there is nothing left to fetch


@dataclass(frozen=True, slots=True)
class Answer:
    """What came: an id that names it (may be empty), and the links of its files; or the files, if they came at once."""

    id: str
    links: tuple[str, ...] = ()
    data: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, files: Iterable[MediaResult], trace_id: str | None) -> Answer:
        """From the files of a result."""
        files = tuple(files)
        return cls(
            trace_id or "",
            tuple(file.url for file in files if file.url),
            tuple(file.data for file in files if file.data),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of one request go: `first` of `count` is the index of its first file among those of a command.

    `suffix` is the ending as it is expected; the bytes decide.
    """

    out: str | None
    force: bool
    suffix: str
    first: int = 0
    count: int = 1

    def arguments(self) -> dict[str, Any]:
        """For the record: everything that a later process needs."""
        return {
            "out": absolute(self.out), "force": self.force, "suffix": self.suffix, "first": self.first,
            "count": self.count,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """One request to buy: `asked` is everything that it says, so that the same one is known again.

    `run` is the mark of the requests of one command, and of those that went on with it.
    """

    kind: TaskKind[None]
    prompt: str
    place: Place
    asked: Mapping[str, Any]
    run: str | None = None

    def arguments(self) -> dict[str, Any]:
        """For the record."""
        said = json.dumps({"prompt": self.prompt, **self.asked}, sort_keys=True)
        return self.place.arguments() | {"asked": hashlib.sha256(said.encode()).hexdigest(), "run": self.run}


@dataclass(frozen=True, slots=True)
class Answered:
    """A task that is done already."""

    id: str

    async def wait(
        self, *, timeout_s: float | None = None, on_progress: Callable[[Any], None] | None = None
    ) -> None:
        return


@dataclass(frozen=True, slots=True)
class Waiting:
    """How long a request has been waiting for its answer."""

    elapsed_s: float
    typical_s: float | None
    state: str = "running"
    share: float | None = None
    trouble: str | None = None


def answered_kind(name: str, label: str) -> TaskKind[None]:
    """The kind of a request that answers with links. `label` is a file of it, for the progress of its download."""

    def open_answered(mm: MiniMax, task_id: str) -> Answered:
        return Answered(task_id)

    async def save_answered(platform: Platform, record: Record, result: None) -> Sequence[Path]:
        return await save_links(platform, record, label)

    return TaskKind(name, open_answered, save_answered)


def unfinished(platform: Platform, order: Order) -> Record | None:
    """The same order of an earlier command whose files are not saved yet: it is not bought again.

    Raises Busy if another process works on it, InvalidArgument if its answer was lost: the user decides. What is saved
    is bought again: each picture and song is another one.
    """
    if platform.address == BUILT_IN:
        return None
    found = platform.records.same(order.kind.name, order.arguments(), platform=platform.address)
    if found is None or found.state is RecordState.DONE:
        return None
    if found.busy:
        raise is_busy(found)
    if found.task_id is None:
        raise lost_before(found)
    return found if time.time() - found.created_s < LINKS_LIVE_S else None


def earlier(platform: Platform, orders: Sequence[Order]) -> list[tuple[Order, Record | None]]:
    """The orders of a command, which sends them one after the other, each with the record to go on with (None: new).

    What the newest run has saved counts as long as not all of that run is saved: the pictures before a refusal are not
    bought again with those after it. Raises as `unfinished` does.
    """
    found = [unfinished(platform, order) for order in orders]
    same = [None if platform.address == BUILT_IN else _same(platform, order) for order in orders]
    run = _newest_run([record for record in found if record] or [record for record in same if record])
    saved = [record if record and _was_saved(record, run) else None for record in same]
    if all(saved):  # that run is over: each picture and song is another one
        saved = [None] * len(orders)
    there = [record if record and _are_there(record) else None for record in saved]
    begun = [unsaved or record for unsaved, record in zip(found, there, strict=True)]
    if not any(begun):
        run = random_names.token_hex(8)
    return [(replace(order, run=run), record) for order, record in zip(orders, begun, strict=True)]


def _newest_run(records: Iterable[Record]) -> str | None:
    newest = max(records, key=lambda record: (record.created_s, record.key), default=None)
    return None if newest is None else newest.arguments.get("run")


def _was_saved(record: Record, run: str | None) -> bool:
    return record.state is RecordState.DONE and record.arguments.get("run") == run


def _are_there(record: Record) -> bool:
    return all(Path(path).exists() for path in record.paths)


def _same(platform: Platform, order: Order) -> Record | None:
    return platform.records.same(order.kind.name, order.arguments(), platform=platform.address)


async def buy(
    platform: Platform, order: Order, create: Callable[[], Awaitable[Answer]], found: Record | None = None
) -> tuple[str, ...]:
    """Record an order, send it, save the files it answered with; their paths. With `found` it goes on with that one.

    Raises what `create` and `unfinished` raise.
    """
    begun = found or await begin(
        platform,
        order.kind.name,
        order.arguments(),
        earlier=lambda: unfinished(platform, order),
        prompt=order.prompt,
    )
    if isinstance(begun, Record):
        with platform.records.work_on(begun.key) as work:
            return await follow_again(platform, order.kind, work)
    with begun as work:
        answer = await create()
        work.answered(answer.links)
        if answer.data:
            await to_its_end(_save_data(platform, work.record, answer.data), work.done)
            return work.record.paths
        work.sent(answer.id)
        return await follow(platform, order.kind, work)


async def waiting(platform: Platform, label: str, typical_s: float, request: Awaitable[T]) -> T:
    """Wait for an answer and show for how long."""
    ticking = asyncio.create_task(_tick(platform.progress.task(label), typical_s))
    try:
        return await request
    finally:
        ticking.cancel()
        await asyncio.wait([ticking])  # a second Ctrl-C still comes through


async def _tick(show: Callable[[Waiting], None], typical_s: float) -> None:
    started_s = time.monotonic()
    while True:
        show(Waiting(time.monotonic() - started_s, typical_s))
        await asyncio.sleep(1.0)


async def save_links(platform: Platform, record: Record, label: str) -> list[Path]:
    """Download the files of a record. Raises ProviderError for links that have died, StorageError and OSError."""
    links: Sequence[str] = record.arguments["links"]
    paths = []
    for index, link in enumerate(links):
        name = label if len(links) == 1 else f"{label} {index + 1} of {len(links)}"
        paths.append(await _save_link(platform, record, link, record.arguments["first"] + index, name))
    return paths


async def _save_link(platform: Platform, record: Record, link: str, index: int, label: str) -> Path:
    named = _namer(record, index)
    path = await asyncio.to_thread(_with_folder, named(record.arguments["suffix"]))
    show, force = platform.progress.transfer(label), bool(record.arguments["force"])
    await save(fixed_link(link), path, http=platform.mm.door.http, on_progress=show, force=force)
    path = await asyncio.to_thread(_end_in_what_it_is, path, named)
    wanted = _namer(record, index, True)(path.suffix)
    return await asyncio.to_thread(without_copy, path, wanted)


async def _save_data(platform: Platform, record: Record, files: Sequence[bytes]) -> list[Path]:
    """Save files that came with the answer. One that no disk takes costs none of the others."""
    paths: list[Path] = []
    lost: Exception | None = None
    for index, data in enumerate(files, record.arguments["first"]):
        path = _namer(record, index)(ending(data[:SNIFF_BYTES]))
        try:
            paths.append(await keep(platform, data, path, force=bool(record.arguments["force"])))
        except (OSError, StorageError, InvalidArgument) as error:
            lost = lost or error
        answer_came(paths=paths)
    if lost is not None:
        raise lost
    return paths


def _namer(record: Record, index: int, taken: bool = False) -> Callable[[str], Path]:
    """Gives the name of file `index` of a command with the ending it is given; `taken`: also one that is taken."""
    place = record.arguments

    def named(suffix: str) -> Path:
        return name_result(
            record.prompt,
            suffix,
            out=place["out"],
            index=index,
            count=place["count"],
            force=taken or bool(place["force"]),
        )

    return named


def _with_folder(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _end_in_what_it_is(path: Path, named: Callable[[str], Path]) -> Path:
    """Rename a file whose ending says something else than its bytes."""
    with path.open("rb") as file:
        suffix = ending(file.read(SNIFF_BYTES))
    if name_result("", suffix, out=path, exists=_never) == path:
        return path
    return path.rename(named(suffix))


def _never(path: Path) -> bool:
    return False
