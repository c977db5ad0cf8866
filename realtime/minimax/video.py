"""Films of the Hailuo models: from a text, a first frame, two frames or a subject (docs/minimax/video.md 1 and 2).

What each model makes is in `video_rules`, what a picture may be in `media_input`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime.errors import ProviderRejected
from realtime.minimax.callbacks import CallbackTarget, callback_url, watch
from realtime.minimax.door import Door
from realtime.minimax.errors import trace_of
from realtime.minimax.field_tables import VIDEO, VIDEO_V2_MODELS
from realtime.minimax.fields import build, refused
from realtime.minimax.file_source import FileSource
from realtime.minimax.files import Files
from realtime.minimax.film import Film
from realtime.minimax.job import Job, JobKind
from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import created_id
from realtime.minimax.media_input import media_url
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import text, whole
from realtime.minimax.video_rules import check_film, check_prompt, default_model, mode_of

TYPICAL_S = 180.0
LONGEST_S = 3600.0
INTERVAL_S = 10.0  # docs/minimax/video.md 2
QUERIES_PER_S = 5.0


class Video:
    """`mm.video`."""

    def __init__(self, door: Door, files: Files, *, schedule: Schedule | None = None) -> None:
        self._door = door
        self._files = files
        self._kind = JobKind(
            name="video",
            handle="mm.video.task",
            query=self._query,
            result=self._film,
            typical_s=TYPICAL_S,
            longest_s=LONGEST_S,
            interval_s=INTERVAL_S,
            pace=QueryPace(QUERIES_PER_S),
            schedule=schedule or Schedule(),
        )

    async def create(
        self,
        prompt: str | None = None,
        *,
        model: str | None = None,
        first: FileSource | None = None,
        last: FileSource | None = None,
        subject: FileSource | None = None,
        seconds: int | None = None,
        resolution: str | None = None,
        optimize_prompt: bool | None = None,
        fast_pretreatment: bool | None = None,
        callback: CallbackTarget | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> Job[Film]:
        """Order a film and return its task at once; `await` the task for the film.

        `prompt`: up to 2,000 characters, needed where there is no picture. It may hold camera commands in brackets,
        `[Push in]` or `[推进]` (`video_rules.CAMERA_MOVES`). `first` and `last` are the film's first and last frame,
        `subject` is one face that it shows; each an address, a data URL, a path, bytes or a binary stream of a JPEG,
        PNG or WebP below 20 MB, its short side over 300 px, its sides between 2:5 and 5:2. `model`: the newest that
        fits these. `seconds`: 6 or 10; `resolution`: 512P, 720P, 768P or 1080P (see `video_rules.CELLS`); without
        them 6 s in the model's own. `optimize_prompt`: False follows the prompt to the letter. `fast_pretreatment`
        makes that step shorter. `watermark` is for the mainland. `extra`: fields newer than this package.

        Raises InvalidArgument, AnswerLost (it may have been accepted) and ProviderError.
        """
        mode = mode_of(first=first is not None, last=last is not None, subject=subject is not None)
        check_prompt(mode, prompt if prompt is not None else (extra or {}).get("prompt"))
        chosen = default_model(mode) if model is None else model
        if chosen in VIDEO_V2_MODELS:
            raise refused("model", chosen, "its films are made by mm.video_v2")
        values = {
            "model": chosen,
            "prompt": prompt,
            "seconds": seconds,
            "resolution": resolution,
            "optimize_prompt": optimize_prompt,
            "fast_pretreatment": fast_pretreatment,
            "callback": callback_url(callback, "video"),
            "watermark": watermark,
        }
        build(VIDEO, values)  # each value by itself, before files are read
        check_film(mode, chosen, seconds=seconds, resolution=resolution, fast_pretreatment=fast_pretreatment)
        pictures = {
            "first": None if first is None else await media_url(first, "first"),
            "last": None if last is None else await media_url(last, "last"),
            "subject": None if subject is None else _subject(await media_url(subject, "subject")),
        }
        body = build(VIDEO, values | pictures, extra)
        answer = await self._door.call(OPERATIONS["video.create"], body=body)
        job = Job(self._kind, created_id(answer), age_s=0.0)
        watch(callback, job)
        return job

    def task(self, task_id: str | int, *, callback: CallbackTarget | None = None) -> Job[Film]:
        """The task of an id, from any process. Asks nobody before it is awaited.

        `callback`: the Callbacks that the film was ordered with. Raises InvalidArgument for an empty id.
        """
        job = Job(self._kind, task_id)
        watch(callback, job)
        return job

    async def _query(self, task_id: str) -> Mapping[str, Any]:
        answer = await self._door.call(OPERATIONS["video.task"], query={"task_id": task_id})
        return {"task_id": task_id} | answer  # the older wire's answer does not name it

    async def _film(self, answer: Mapping[str, Any]) -> Film:
        file_id = text(answer, "file_id")
        if not (file_id.isascii() and file_id.isdigit()):
            raise ProviderRejected("MiniMax: the film is done and its answer names no file.")
        return Film(
            task_id=text(answer, "task_id"),
            file_id=file_id,
            width=whole(answer, "video_width"),
            height=whole(answer, "video_height"),
            raw=answer,
            trace_id=trace_of(answer),
            _fresh=self._files.link(file_id),
            _http=self._door.http,
        )


def _subject(url: str) -> list[dict[str, Any]]:
    return [{"type": "character", "image": [url]}]
