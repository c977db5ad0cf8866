"""Films of the V2 models (MiniMax-H3): order, look up, list, delete, regenerate (docs/minimax/video.md 4).

What a content may hold is in `video_v2_content`, what each model makes in `video_v2_rules`. The account's number of
unfinished tasks is kept here (`in_flight`): a new order waits until one of this client's tasks has ended.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from realtime.errors import InvalidArgument, ProviderRejected
from realtime.minimax.callbacks import CallbackTarget, callback_url, watch
from realtime.minimax.door import Door, Pause
from realtime.minimax.errors import trace_of
from realtime.minimax.field_tables import CONTEXT, REGENERATION, VIDEO_V2
from realtime.minimax.fields import build
from realtime.minimax.file_source import OpenFile
from realtime.minimax.in_flight import InFlight
from realtime.minimax.job import Job, JobKind, State
from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import created_id
from realtime.minimax.media_result import asked_link
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import items, mapping, text, whole
from realtime.minimax.sniff import content_type, sniff
from realtime.minimax.upload import upload
from realtime.minimax.video_v2_content import LONGEST_BASE_TEXT, Content, content_items, looked_at
from realtime.minimax.video_v2_results import DeletedTask, FilmV2, VideoPrompt, VideoTask
from realtime.minimax.video_v2_rules import check_context, check_film, check_regeneration

TYPICAL_S = 420.0  # the documentation's example took 417 s
LONGEST_S = 7200.0
INTERVAL_S = 10.0
PURPOSE = "video_generation_input"
UNKNOWN_TYPE = "application/octet-stream"  # of a name without a known ending: the platform looks at endings

T = TypeVar("T")


class VideoV2:
    """`mm.video_v2`."""

    def __init__(self, door: Door, *, schedule: Schedule | None = None) -> None:
        self._door = door
        self._in_flight = InFlight(door.limit("video_v2").in_flight, self._tell_full)
        self._pace = QueryPace(5.0)
        self._schedule = schedule or Schedule()
        self._films = self._kind("V2 video", "mm.video_v2.task", self._film)
        self._prompts = self._kind("V2 context", "mm.video_v2.context_task", _prompt)

    async def create(
        self,
        content: Content,
        *,
        model: str = "MiniMax-H3",
        resolution: str = "768P",
        seconds: int = 5,
        ratio: str | None = None,
        expand_prompt: str | None = None,
        callback: CallbackTarget | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job[FilmV2]:
        """Order a film and return its task; `await` the task for the film.

        `content`: a text of 1 to 7,000 characters, or a list with one text and up to 12 media, which are either
        `first_frame(file)` and `last_frame(file)` or `reference_image`, `reference_video` and `reference_audio`.
        `resolution`: 480P, 768P or 2K, `seconds`: 4 to 15, by model (`video_v2_rules.MODELS`). `ratio`: adaptive,
        21:9, 16:9, 4:3, 1:1, 3:4 or 9:16; a text alone needs a named one. `expand_prompt` (MiniMax-H3-Max): disabled,
        balanced or quality. Waits while this client has as many unfinished tasks as the account allows.

        Raises InvalidArgument, AnswerLost (it may have been accepted) and ProviderError.
        """
        parts = looked_at(content)
        values = {
            "model": model,
            "resolution": resolution,
            "seconds": seconds,
            "ratio": ratio,
            "expand_prompt": expand_prompt,
            "callback": callback_url(callback, "video-v2"),
            "watermark": watermark,
        }
        build(VIDEO_V2, values | {"content": []})  # each value by itself, before files are read
        check_film(model, parts, resolution=resolution, seconds=seconds, ratio=ratio)
        made = await content_items(parts, self._upload)
        body = build(VIDEO_V2, values | {"content": made}, extra)
        return await self._order("video_v2.create", body, self._films, callback)

    async def regenerate(
        self,
        content: Content | None = None,
        *,
        source_task_id: str | None = None,
        model: str | None = None,
        resolution: str = "2K",
        callback: CallbackTarget | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job[FilmV2]:
        """Order a larger film from a film: an earlier task's (chosen accounts), or `[base_video(file), text]`.

        The text has up to 40,000 characters; the film has sound, 24 frames a second, 107 to 362 frames in steps of 17,
        sides divisible by 32 and an area of 589,824 to 1,032,192 px (the platform checks those). Raises as `create`.
        """
        parts = (
            None if content is None else looked_at(content, longest_text=LONGEST_BASE_TEXT, text_needed=False)
        )
        check_regeneration(source_task_id, parts)
        values = {
            "model": model,
            "source_task_id": source_task_id,
            "resolution": resolution,
            "callback": callback_url(callback, "video-v2"),
            "watermark": watermark,
        }
        build(REGENERATION, values)
        made = None if parts is None else await content_items(parts, self._upload)
        body = build(REGENERATION, values | {"content": made}, extra)
        return await self._order("video_v2.regenerate", body, self._films, callback)

    async def context(
        self,
        content: Content,
        *,
        model: str = "MiniMax-H3",
        seconds: int | None = None,
        ratio: str | None = None,
        callback: CallbackTarget | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job[VideoPrompt]:
        """Order a prompt that is written from a content, for a film of `seconds` and `ratio`. Raises as `create`."""
        parts = looked_at(content)
        check_context(parts)
        values = {
            "model": model,
            "seconds": seconds,
            "ratio": ratio,
            "callback": callback_url(callback, "video-v2"),
        }
        build(CONTEXT, values | {"content": []})
        made = await content_items(parts, self._upload)
        body = build(CONTEXT, values | {"content": made}, extra)
        return await self._order("video_v2.context", body, self._prompts, callback)

    def task(self, task_id: str | int, *, callback: CallbackTarget | None = None) -> Job[FilmV2]:
        """The film task of an id, from any process, for 7 days. Asks nobody before it is awaited."""
        job = Job(self._films, task_id)
        watch(callback, job)
        return job

    def context_task(self, task_id: str | int, *, callback: CallbackTarget | None = None) -> Job[VideoPrompt]:
        """The context task of an id, from any process, for 7 days. Asks nobody before it is awaited."""
        job = Job(self._prompts, task_id)
        watch(callback, job)
        return job

    async def list(
        self,
        *,
        status: str | None = None,
        task_ids: Sequence[str] = (),
        model: str | None = None,
        task_type: str | None = None,
        page_size: int = 20,
    ) -> AsyncIterator[VideoTask]:
        """The account's tasks of the last 7 days, page by page as they are needed.

        `status`: queued, running, succeeded, failed or cancelled; `task_type`: generation or regeneration. Raises
        InvalidArgument for a page of less than one task, and ProviderError.
        """
        if page_size < 1:
            raise InvalidArgument(
                f"page_size is {page_size}: a page has at least one task.", param="page_size"
            )
        filters = {"status": status, "task_ids": list(task_ids), "model": model, "task_type": task_type}
        query = {f"filter.{name}": value for name, value in filters.items() if value}
        seen, page = 0, 1
        while True:
            pages = {"page_num": page, "page_size": page_size}
            answer = await self._door.call(OPERATIONS["video_v2.list"], query={**pages, **query})
            entries = items(answer, "items")
            for entry in entries:
                yield VideoTask.read(entry)
            seen, page = seen + len(entries), page + 1
            if not entries or seen >= whole(answer, "total"):
                return

    async def delete(self, task_id: str | int) -> DeletedTask:
        """Cancel a queued task, or delete one that has ended. Raises ProviderRejected for one that runs."""
        name = str(task_id).strip()
        if not name:
            raise InvalidArgument("task_id is empty.", param="task_id")
        answer = await self._door.call(OPERATIONS["video_v2.delete"], path_values={"task_id": name})
        return DeletedTask.read(name, answer)

    def _kind(
        self, name: str, handle: str, result: Callable[[Mapping[str, Any]], Awaitable[T]]
    ) -> JobKind[T]:
        return JobKind(
            name=name,
            handle=handle,
            query=self._query,
            result=result,
            typical_s=TYPICAL_S,
            longest_s=LONGEST_S,
            interval_s=INTERVAL_S,
            pace=self._pace,
            schedule=self._schedule,
            cancel=self.delete,
            cancellable=frozenset({State.QUEUED}),
        )

    async def _order(
        self, name: str, body: Mapping[str, Any], kind: JobKind[T], callback: CallbackTarget | None
    ) -> Job[T]:
        async with self._in_flight.room() as made:
            answer = await self._door.call(OPERATIONS[name], body=body)
            job = Job(kind, created_id(answer), age_s=0.0)
            made(job)
        watch(callback, job)
        return job

    async def _upload(self, file: OpenFile) -> str:
        """Not through `files`: a stream that cannot be read again is open here already."""
        kind = sniff(file.first)
        name = file.name if content_type(file.name, b"") != UNKNOWN_TYPE else f"{file.name}.{kind}"
        answer = await upload(self._door, file, fields={"purpose": PURPOSE}, name=name)
        file_id = text(mapping(answer, "file") or answer, "file_id")
        if not file_id:
            raise ProviderRejected("MiniMax: the upload was answered without a file id.")
        return file_id

    async def _query(self, task_id: str) -> Mapping[str, Any]:
        return await self._door.call(OPERATIONS["video_v2.task"], path_values={"task_id": task_id})

    async def _film(self, answer: Mapping[str, Any]) -> FilmV2:
        task = VideoTask.read(mapping(answer, "task") or answer)

        async def ask() -> str:
            again = await self._query(task.id)
            return VideoTask.read(mapping(again, "task") or again).url

        return FilmV2(
            task_id=task.id,
            model=task.model,
            resolution=task.resolution,
            seconds=task.seconds,
            ratio=task.ratio,
            usage=task.usage,
            raw=answer,
            trace_id=trace_of(answer),
            _fresh=asked_link(task.url, ask, f"the film of the V2 task {task.id}"),
            _http=self._door.http,
        )

    def _tell_full(self, jobs: Sequence[Job[Any]]) -> None:
        if self._door.on_pause is not None:
            left_s = min((TYPICAL_S - job.progress.elapsed_s for job in jobs), default=INTERVAL_S)
            wait_s = max(left_s, INTERVAL_S)
            self._door.on_pause(Pause(OPERATIONS["video_v2.create"], wait_s, "in_flight"))


async def _prompt(answer: Mapping[str, Any]) -> VideoPrompt:
    task = VideoTask.read(mapping(answer, "task") or answer)
    return VideoPrompt(task_id=task.id, prompt=task.prompt, raw=answer, trace_id=trace_of(answer))
