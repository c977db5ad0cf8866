"""Batches: many chat requests in one file, answered within a day at half the price (docs/minimax/batch.md).

Only the user's documents describe them. What a file may hold is in `batch_lines`, how answers are joined to requests in
`batch_answers`.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from realtime.errors import AnswerLost, InvalidArgument, NotFinished, ProviderRejected, TaskFailed
from realtime.minimax.batch_answers import BatchFiles, BatchResult, joined
from realtime.minimax.batch_lines import (
    CHAT_PATH,
    MOST_BYTES,
    Checked,
    Requests,
    check_lines,
    write_lines,
)
from realtime.minimax.callbacks import CallbackTarget, callback_url, watch
from realtime.minimax.chat_call import ChatOptions
from realtime.minimax.door import Door
from realtime.minimax.errors import trace_of
from realtime.minimax.field_tables import BATCH
from realtime.minimax.fields import Whole, build, refused
from realtime.minimax.file_source import FileSource, in_thread, open_source
from realtime.minimax.files import Files
from realtime.minimax.job import Job
from realtime.minimax.job_kind import JobKind
from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import State, created_id, state_of
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, items, mapping, text, whole
from realtime.minimax.upload import OnProgress

TYPICAL_S = 3600.0
LONGEST_S = 25 * 3600.0  # the window is 24 h; its end is noticed later
INTERVAL_S = 30.0
_PAGE = Whole(1, 100)
_ENDS = {
    State.DONE: "is completed",
    State.EXPIRED: "expired before it was done",
    State.CANCELLED: "was cancelled",
}


@dataclass(frozen=True, slots=True)
class BatchProblem:
    """Why the platform refused an input file. `line` counts from 1; None: it names no line."""

    message: str
    code: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch(Result):
    """One batch. `status` is the platform's word, `state` its meaning; times in Unix seconds, 0: not yet.

    `total`, `completed` and `failed` count requests. File ids are "" where there is no such file.
    """

    id: str
    status: str = ""
    state: State = State.RUNNING
    endpoint: str = ""
    window: str = ""
    input_file_id: str = ""
    output_file_id: str = ""
    error_file_id: str = ""
    total: int = 0
    completed: int = 0
    failed: int = 0
    created: int = 0
    expires: int = 0
    ended: int = 0
    problems: tuple[BatchProblem, ...] = ()
    _files: Files | None = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, answer: Mapping[str, Any], files: Files | None = None) -> Batch:
        """From an answer, or from an entry of a list."""
        counts = mapping(answer, "request_counts")
        ends = ("completed_at", "failed_at", "expired_at", "cancelled_at")
        return cls(
            id=text(answer, "id"),
            status=text(answer, "status"),
            state=state_of(answer.get("status")),
            endpoint=text(answer, "endpoint"),
            window=text(answer, "completion_window"),
            input_file_id=_file_id(answer, "input_file_id"),
            output_file_id=_file_id(answer, "output_file_id"),
            error_file_id=_file_id(answer, "error_file_id"),
            total=whole(counts, "total"),
            completed=whole(counts, "completed"),
            failed=whole(counts, "failed"),
            created=whole(answer, "created_at"),
            expires=whole(answer, "expires_at"),
            ended=max(whole(answer, name) for name in ends),
            problems=tuple(_problem(entry) for entry in items(mapping(answer, "errors"), "data")),
            raw=answer,
            trace_id=trace_of(answer),
            _files=files,
        )

    def results(self) -> AsyncGenerator[BatchResult, None]:
        """Every request with its answer, in the order of the input; requests without an answer are reported as lost.

        The files are downloaded to a temporary folder first. Raises NotFinished while the batch is under way,
        TaskFailed if its input was refused, and ProviderError.
        """
        return self._joined(())

    async def _joined(self, known_ids: tuple[str, ...]) -> AsyncGenerator[BatchResult, None]:
        if not self.state.final:
            message = (
                f"MiniMax: batch {self.id} is not finished; wait for it with mm.batches.task({self.id!r})."
            )
            raise NotFinished(message, task_id=self.id)
        if self._files is None:
            raise ProviderRejected(
                "MiniMax: this batch has no client, because it was made in another process: ask for it with "
                f"`await mm.batches.task({self.id!r})`."
            )
        if self.state is State.FAILED:
            why = self.problems[0].message if self.problems else "the platform gave no reason"
            raise TaskFailed(f"MiniMax: batch {self.id} failed: {why}.", task_id=self.id)
        batch = BatchFiles(self.input_file_id, self.output_file_id, self.error_file_id, _ENDS[self.state])
        async with aclosing(joined(self._files, batch, known_ids)) as results:
            async for result in results:
                yield result


class BatchJob(Job[Batch]):
    """A batch that is under way. `await job` gives the Batch, also one that expired or was cancelled."""

    known_ids: tuple[str, ...] = ()

    async def results(self) -> AsyncGenerator[BatchResult, None]:
        """Wait for the batch, then give every request with its answer, as `Batch.results` does."""
        batch = await self
        async with aclosing(batch._joined(self.known_ids)) as results:
            async for result in results:
                yield result


class Batches:
    """`mm.batches`. `model` answers requests that name none."""

    def __init__(self, door: Door, files: Files, *, model: str, schedule: Schedule | None = None) -> None:
        self._door = door
        self._files = files
        self._model = model
        self._kind = JobKind(
            name="batch",
            handle="mm.batches.task",
            query=self._query,
            result=self._result,
            typical_s=TYPICAL_S,
            longest_s=LONGEST_S,
            interval_s=INTERVAL_S,
            pace=QueryPace(2.0),
            schedule=schedule or Schedule(),
            cancel=self._cancel,
            with_result=frozenset({State.DONE, State.EXPIRED, State.CANCELLED}),
            failure_codes=frozenset(),
        )

    async def create(
        self,
        requests: Requests | None = None,
        *,
        file: FileSource | None = None,
        file_id: str | int | None = None,
        options: ChatOptions | None = None,
        endpoint: str | None = None,
        window: str = "24h",
        callback: CallbackTarget | None = None,
        on_progress: OnProgress | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> BatchJob:
        """Start a batch: from `requests`, from a .jsonl `file` (path, bytes, stream), or from one that was uploaded.

        `requests` are messages by custom_id, BatchRequests, or whole lines; `options` (as in `mm.chat.complete`) hold
        for all of them. `endpoint` is the path of all requests, by default that of the file, else the native chat path.
        Everything is checked before anything is sent, in a thread. `on_progress` tells of the upload.

        Raises InvalidArgument, with the line; ProviderError; AnswerLost if the batch may have been made.
        """
        if sum(source is not None for source in (requests, file, file_id)) != 1:
            raise InvalidArgument("Give exactly one of requests, file and file_id.", param="requests")
        if options is not None and requests is None:
            raise InvalidArgument(
                "options are for requests; the lines of a file have their own.", param="options"
            )
        values = {
            "file_id": 1,
            "endpoint": endpoint or CHAT_PATH,
            "window": window,
            "callback": callback_url(callback, "batch"),
        }
        build(BATCH, values, extra)  # refuses before an upload what it would refuse after it
        ids: tuple[str, ...] = ()
        if file_id is None:
            file_id, checked = await self._upload(requests, file, options, endpoint, on_progress)
            ids, values["endpoint"] = checked.ids, checked.endpoint
        body = build(BATCH, values | {"file_id": file_id}, extra)
        job = BatchJob(self._kind, await self._created(body, str(file_id)), age_s=0.0)
        job.known_ids = ids
        watch(callback, job)
        return job

    def task(self, batch_id: str, *, callback: CallbackTarget | None = None) -> BatchJob:
        """The job of a batch that was started before, perhaps by another process. Asks nobody yet.

        `callback`: the Callbacks that the batch was started with. Raises InvalidArgument for an empty id.
        """
        job = BatchJob(self._kind, batch_id)
        watch(callback, job)
        return job

    async def get(self, batch_id: str) -> Batch:
        """One batch as it is now. Raises InvalidArgument for an unknown id, and ProviderError."""
        return Batch.read(await self._query(batch_id), self._files)

    async def list(self, *, limit: int | None = None, after: str | None = None) -> AsyncIterator[Batch]:
        """The batches of the account in the platform's order; pages are fetched as needed.

        `limit`: at most so many. `after`: only what follows this id. Raises ProviderError.
        """
        if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
            raise refused("limit", limit, "allowed is a whole number of 1 or more, or None")
        left, seen = limit, {after}
        while left is None or left > 0:
            size = _PAGE.high if left is None else min(left, _PAGE.high)
            query = {"limit": str(size)} | ({"after": after} if after else {})
            answer = await self._door.call(OPERATIONS["batches.list"], query=query)
            page = items(answer, "data")[:size]
            for entry in page:
                yield Batch.read(entry, self._files)
            left = None if left is None else left - len(page)
            after = text(page[-1], "id") if page else None
            more = answer.get("has_more")
            if not page or more is False or (more is None and len(page) < size) or after in seen:
                return
            seen.add(after)

    async def _upload(
        self,
        requests: Requests | None,
        file: FileSource | None,
        options: ChatOptions | None,
        endpoint: str | None,
        on_progress: OnProgress | None,
    ) -> tuple[str, Checked]:
        """Check the requests and upload them; the file's id."""
        async with AsyncExitStack() as stack:
            param, name, source = "file", None, file
            if requests is not None:
                made = await stack.enter_async_context(_temporary())
                path, model = endpoint or CHAT_PATH, self._model
                await in_thread(_write, requests, made, model, options, path)
                param, name, source = "requests", "requests", made
            assert source is not None
            opened = await stack.enter_async_context(
                open_source(source, name=name, most_bytes=MOST_BYTES, param=param)
            )
            await in_thread(opened.stream.seek, opened.start)
            checked = await in_thread(check_lines, opened.stream, opened.name, param)
            if endpoint not in (None, checked.endpoint):
                raise refused(
                    "endpoint", repr(endpoint), f"the requests of {opened.name} have {checked.endpoint!r}"
                )
            await in_thread(opened.stream.seek, opened.start)
            name = opened.name if opened.name.endswith(".jsonl") else f"{opened.name}.jsonl"
            info = await self._files.upload(
                opened.stream, purpose="batch", name=name, on_progress=on_progress
            )
            return info.id, checked

    async def _created(self, body: Mapping[str, Any], file_id: str) -> str:
        try:
            answer = await self._door.call(OPERATIONS["batches.create"], body=body)
            return created_id(answer, "id", "batch_id")
        except AnswerLost as error:
            error.message += f" Its input file is {file_id}: look for it in mm.batches.list()."
            error.args = (error.message,)
            raise

    async def _query(self, batch_id: str) -> dict[str, Any]:
        return await self._door.call(OPERATIONS["batches.task"], path_values={"batch_id": batch_id})

    async def _cancel(self, batch_id: str) -> object:
        return await self._door.call(OPERATIONS["batches.cancel"], path_values={"batch_id": batch_id})

    async def _result(self, answer: Mapping[str, Any]) -> Batch:
        return Batch.read(answer, self._files)


@asynccontextmanager
async def _temporary() -> AsyncIterator[BinaryIO]:
    stream = cast("BinaryIO", await in_thread(tempfile.TemporaryFile))
    try:
        yield stream
    finally:
        await in_thread(stream.close)


def _write(
    requests: Requests, stream: BinaryIO, model: str, options: ChatOptions | None, endpoint: str
) -> None:
    write_lines(requests, stream, model=model, options=options, endpoint=endpoint)
    if stream.tell() == 0:
        raise InvalidArgument("requests is empty: a batch has one request or more.", param="requests")
    stream.seek(0)


def _file_id(answer: Mapping[str, Any], name: str) -> str:
    """A file's id; a 0 means that there is none, as "" does."""
    found = text(answer, name).strip()
    return "" if found == "0" else found


def _problem(entry: Mapping[str, Any]) -> BatchProblem:
    line = whole(entry, "line", -1)
    return BatchProblem(text(entry, "message"), text(entry, "code"), line if line >= 0 else None)
