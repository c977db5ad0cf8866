"""Long texts as speech: a task from a text or a file, and its result as files (docs/minimax/t2a-async.md).

The rules between the fields are in `speech_rules`, what a file may be in `narration_source`, the tar in
`narration_tar`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.errors import InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax.door import Door
from realtime.minimax.download import Saved, part_path
from realtime.minimax.field_tables import NARRATION
from realtime.minimax.fields import build, refused, shown
from realtime.minimax.file_source import in_thread, open_source
from realtime.minimax.files import Files
from realtime.minimax.job import Job, JobKind
from realtime.minimax.job_schedule import QueryPace, Schedule
from realtime.minimax.job_states import created_id
from realtime.minimax.narration_source import MOST_CHARACTERS, check_source
from realtime.minimax.narration_tar import ENDINGS, NarrationPart, unpack
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, text
from realtime.minimax.speech_rules import Pronunciation, check_voice, language_name, pronunciations
from realtime.minimax.upload import FileSource, OnProgress

MOST_IN_REQUEST = 50_000  # characters; a longer text goes up as a file
PURPOSE = "t2a_async_input"
_QUERIES_PER_S = 5.0  # the documents allow 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Narration(Result):
    """The result of a task on the platform. `file_id` can be fetched for 9 h after the task was done."""

    task_id: str
    file_id: str
    _files: Files | None = field(default=None, repr=False, compare=False)

    async def download(
        self,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        on_progress: OnProgress | None = None,
        force: bool = False,
    ) -> tuple[NarrationPart, ...]:
        """Fetch and unpack it, as `mm.narration.download` does."""
        return await _download(self._client(), self.file_id, Path(folder), name, on_progress, force)

    async def save(
        self, target: str | os.PathLike[str], *, on_progress: OnProgress | None = None, force: bool = False
    ) -> Saved:
        """The platform's own file, a tar, as it is. Raises as `mm.files.save` does."""
        files = self._client()
        return await files.save(self.file_id, target, on_progress=on_progress, force=force, expect=None)

    def _client(self) -> Files:
        if self._files is None:
            raise ProviderRejected(
                "MiniMax: this result has no client, because it was made in another process: fetch it with "
                f"`mm.narration.download({self.file_id!r}, folder)`."
            )
        return self._files


class Narrations:
    """`mm.narration`. `model` and `voice_id` are used where a call names none."""

    def __init__(
        self, door: Door, files: Files, *, model: str, voice_id: str, schedule: Schedule | None = None
    ) -> None:
        self._door = door
        self._files = files
        self._model = model
        self._voice_id = voice_id
        self._kind: JobKind[Narration] = JobKind(
            name="narration",
            handle="mm.narration.task",
            query=self._query,
            result=self._result,
            typical_s=60.0,
            longest_s=24 * 3600.0,
            interval_s=5.0,
            pace=QueryPace(_QUERIES_PER_S),
            schedule=schedule or Schedule(),
        )

    async def create(
        self,
        text: str | None = None,
        *,
        file: FileSource | None = None,
        file_id: str | int | None = None,
        voice_id: str | None = None,
        model: str | None = None,
        format: str = "mp3",
        rate: int | None = None,
        bitrate: int | None = None,
        channels: int | None = None,
        speed: float | None = None,
        volume: float | None = None,
        pitch: int | None = None,
        emotion: str | None = None,
        language: str | None = "auto",
        english_normalization: bool | None = None,
        pronunciation: Pronunciation | None = None,
        modify_pitch: int | None = None,
        modify_intensity: int | None = None,
        modify_timbre: int | None = None,
        sound_effect: str | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        on_progress: OnProgress | None = None,
    ) -> Job[Narration]:
        """A task that reads out exactly one of `text`, `file` and `file_id` (docs/minimax/t2a-async.md 1).

        A text of more than 50,000 characters is uploaded as a file first; it has less than 1,000,000. `file` is a text
        in UTF-8 or a zip of .txt, or of 1.json, 2.json … with title, content and extra. The voice's arguments and their
        units are those of `mm.speech.synthesize`; opus has the rates 8000, 12000, 16000, 24000 and 48000. Subtitles
        always come. `on_progress` tells of the upload.

        Raises InvalidArgument before anything is sent, AnswerLost, ProviderError.
        """
        given = dict(locals())
        values = {each.name: given.get(each.name) for each in NARRATION}
        values["model"] = model or self._model
        values["voice_id"] = voice_id or self._voice_id
        values["pronunciation"] = pronunciations(pronunciation)
        values["language"] = language_name(language)
        _check_one_source(text, file, file_id)
        body = _body(values, text, extra)
        if (source := _as_file(text, file)) is not None:
            body["text_file_id"] = int(await self._upload(source, on_progress))
        answer = await self._door.call(OPERATIONS["narration.create"], body=body)
        return Job(self._kind, created_id(answer), age_s=0.0)

    def task(self, task_id: str | int) -> Job[Narration]:
        """The task of this id, from any process. Makes no request."""
        return Job(self._kind, task_id)

    async def download(
        self,
        file_id: str | int,
        folder: str | os.PathLike[str],
        *,
        name: str | None = None,
        on_progress: OnProgress | None = None,
        force: bool = False,
    ) -> tuple[NarrationPart, ...]:
        """The audio of a result as files in `folder`, with subtitles and facts. A download that broke goes on.

        The files are called `name` (numbered, if there are several) or as the platform calls them. Raises
        InvalidArgument for a taken name without `force`, StorageError, ProviderError for a file that is gone or that
        cannot be unpacked safely.
        """
        return await _download(self._files, file_id, Path(folder), name, on_progress, force)

    async def _upload(self, source: FileSource, on_progress: OnProgress | None) -> str:
        async with open_source(source, name="text" if isinstance(source, bytes) else None) as file:
            await in_thread(file.stream.seek, file.start)
            ending = await in_thread(check_source, file.stream, file.size, file.name)
            await in_thread(file.stream.seek, file.start)
            name = file.name if file.name.lower().endswith(f".{ending}") else f"{file.name}.{ending}"
            info = await self._files.upload(file.stream, purpose=PURPOSE, name=name, on_progress=on_progress)
        return info.id

    async def _query(self, task_id: str) -> dict[str, Any]:
        if not task_id.isdigit():
            raise refused("task_id", shown(task_id), "allowed is a text of digits")
        return await self._door.call(OPERATIONS["narration.task"], query={"task_id": task_id})

    async def _result(self, answer: Mapping[str, Any]) -> Narration:
        file_id = text(answer, "file_id")
        if not file_id:
            raise ProviderUnavailable(
                "MiniMax: the long speech is done, and its file has no id.", retryable=False
            )
        return Narration(task_id=text(answer, "task_id"), file_id=file_id, raw=answer, _files=self._files)


def _check_one_source(text: str | None, file: FileSource | None, file_id: str | int | None) -> None:
    given = [
        name for name, value in (("text", text), ("file", file), ("file_id", file_id)) if value is not None
    ]
    if len(given) != 1:
        said = " and ".join(given) if given else "none of text, file and file_id"
        raise InvalidArgument(
            f"{said} given: exactly one of them is needed.", param=given[1] if given else "text"
        )


def _body(values: dict[str, Any], text: str | None, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    long = isinstance(text, str) and len(text) > MOST_IN_REQUEST
    if long and len(text or "") > MOST_CHARACTERS:
        raise refused("text", f"{len(text or ''):,} characters", "it must have less than 1,000,000; split it")
    body = build(NARRATION, {**values, "text": None} if long else values, extra)
    check_voice(values)
    return body


def _as_file(text: str | None, file: FileSource | None) -> FileSource | None:
    return text.encode() if text is not None and len(text) > MOST_IN_REQUEST else file


async def _download(
    files: Files,
    file_id: str | int,
    folder: Path,
    name: str | None,
    on_progress: OnProgress | None,
    force: bool,
) -> tuple[NarrationPart, ...]:
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    tar = folder / f".narration-{file_id}.tar"
    saved = await files.save(file_id, tar, on_progress=on_progress, force=True, expect=None)
    try:
        return await in_thread(_unpacked, saved, folder, name, force)
    finally:
        await in_thread(_remove, tar)


def _unpacked(saved: Saved, folder: Path, name: str | None, force: bool) -> tuple[NarrationPart, ...]:
    if saved.kind not in ("mp3", "wav", "flac", "ogg"):
        return unpack(saved.path, folder, name, force=force)
    target = folder / f"{name or 'content'}.{ENDINGS.get(saved.kind, saved.kind)}"
    if target.exists() and not force:
        raise InvalidArgument(f"{target} exists already. Choose another name, or force.", param="folder")
    return (NarrationPart(target.stem, saved.path.replace(target), saved.kind),)


def _remove(tar: Path) -> None:
    for path in (tar, part_path(tar)):
        path.unlink(missing_ok=True)
