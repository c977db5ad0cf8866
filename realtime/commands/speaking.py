"""A short text in one request: its audio is written as it comes, then its subtitles are fetched, which costs nothing.

The platform does not keep the audio. So it is on the disk before the record says that it was answered. What a disk does
not take goes to another one (`kept`); if there is none that is said, and what was taken stays as `NAME.part`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from realtime.commands.answered import Answered
from realtime.commands.kept import FULL, other_places, told
from realtime.commands.platform import Platform
from realtime.commands.subtitle_files import subtitle_text
from realtime.commands.task_kinds import TaskKind
from realtime.errors import ProviderError, ProviderRejected, StorageError
from realtime.minimax.download import part_path, read, save_bytes
from realtime.minimax.file_source import MOST_BYTES, readable_size
from realtime.minimax.media_result import fixed_link
from realtime.minimax.narration_tar import ENDINGS
from realtime.minimax.sniff import Kind
from realtime.minimax.subtitle_lines import SubtitleLine, read_lines
from realtime.task_records import Record, TaskRecords, answer_came

_JSON: tuple[Kind, ...] = ("json",)
_LONGEST_S = 300.0  # of a request that answers with all of its audio


def audio_path(out: Path, voice: Mapping[str, Any]) -> Path:
    """The audio of a piece: its path without an ending, and that of its format."""
    format = str(voice["format"])
    return out.with_name(f"{out.name}.{ENDINGS.get(format, format)}")


def files_of(out: Path, voice: Mapping[str, Any], subtitles: str | None) -> tuple[Path, ...]:
    """All files of a piece: the audio, and its subtitles if they are asked for."""
    audio = audio_path(out, voice)
    return (audio,) if subtitles is None else (audio, audio.with_suffix(f".{subtitles}"))


def files_of_record(record: Record) -> tuple[Path, ...]:
    given = record.arguments
    return files_of(Path(given["out"]), given["voice"], given.get("subtitles"))


async def speak(
    platform: Platform, text: str, out: Path, voice: Mapping[str, Any], subtitles: bool
) -> Answered:
    """Buy the speech and write it. Raises ProviderError, and StorageError if the disk does not take all of it."""
    part = AudioPart(audio_path(out, voice), platform.records)
    if not platform.args.dry_run:
        await asyncio.to_thread(part.open)  # before anything is bought
    with part:
        if subtitles:
            await _whole(platform, text, voice, part)
        else:
            await _streamed(platform, text, voice, part)
    return Answered("")


async def _streamed(platform: Platform, text: str, voice: Mapping[str, Any], part: AudioPart) -> None:
    show, size = platform.progress.transfer(part.audio.stem), 0
    async with aclosing(platform.mm.speech.synthesize_stream(text, **voice)) as stream:
        async for data in stream:
            answer_came()
            size += part.write(data)
            show(size, None)
        answer_came(paths=[part.publish()])


async def _whole(platform: Platform, text: str, voice: Mapping[str, Any], part: AudioPart) -> None:
    speech = await platform.mm.speech.synthesize(text, subtitles="sentence", timeout_s=_LONGEST_S, **voice)
    links = [speech.subtitle_url] if speech.subtitle_url else []
    answer_came(links=links)
    part.write(await speech.read())
    answer_came(paths=[part.publish()])


class AudioPart:
    """`NAME.part` beside the audio, in a `with` block: gone at its end, unless the disk is why it is not whole.

    A disk that takes no more of it is left: the part, and what comes, goes to another place, and the user is told.
    """

    def __init__(self, audio: Path, records: TaskRecords | None = None) -> None:
        self.audio = audio
        self._records = records
        self._others = iter(()) if records is None else other_places(records, audio)
        self._path = part_path(audio)
        self._file: IO[bytes] | None = None
        self._keeps = False

    def open(self) -> None:
        """Make the folder and the part. Raises OSError."""
        self.audio.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("wb", buffering=0)  # so that each byte that fits is there

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        size = os.fstat(self._file.fileno()).st_size
        self._file.close()
        if not (self._keeps and size):
            self._path.unlink(missing_ok=True)

    def write(self, data: bytes) -> int:
        """Raises StorageError if no place takes it: then what fitted stays."""
        rest = memoryview(data)
        while rest:
            assert self._file is not None, "it is open"
            try:
                rest = rest[self._file.write(rest) :]
            except OSError as error:
                self._move(error)
        return len(data)

    def publish(self) -> Path:
        """Give it the name of the audio, which is returned: it is another one in another place. Raises StorageError."""
        while True:
            assert self._file is not None, "it is open"
            try:
                os.fsync(self._file.fileno())
                self._path.replace(self.audio)
                return self.audio
            except OSError as error:
                self._move(error)

    def _move(self, error: OSError) -> None:
        """Go on in another place with all that is here. Raises StorageError if there is none."""
        for other in self._others:
            part = part_path(other)
            try:
                file = part.open("xb", buffering=0)
            except OSError:
                continue
            try:
                with self._path.open("rb") as before:
                    shutil.copyfileobj(before, file)
                    whole = before.tell() == file.tell()
            except OSError:
                whole = False
            if not whole:
                file.close()
                part.unlink(missing_ok=True)
                continue
            if self._records is not None:
                self._records.warn(told(self.audio, error, other))
            self.__exit__(None, None, None)
            self._file, self._path, self.audio = file, part, other
            return
        raise self._not_whole(error) from error

    def _not_whole(self, error: OSError) -> StorageError:
        assert self._file is not None, "it is open"
        self._keeps = True
        size = os.fstat(self._file.fileno()).st_size
        full = "The disk is full: free some space" if error.errno in FULL else f"{error.strerror or error}"
        kept = (
            f"the first {readable_size(size)} are kept in {self._path}" if size else "nothing of it is kept"
        )
        return StorageError(
            f"{full}. {self.audio} is not whole: {kept}, and the platform does not send it again."
        )


async def save(platform: Platform, record: Record, result: None) -> Sequence[Path]:
    """The subtitles of speech that is saved already, if they were asked for. Raises ProviderError and StorageError."""
    arguments = record.arguments
    out, kind = Path(arguments["out"]), arguments.get("subtitles")
    # where it is, if its own place did not take it
    audio = Path(record.paths[0]) if record.paths else audio_path(out, arguments["voice"])
    if not await asyncio.to_thread(audio.exists):
        raise StorageError(
            f"{audio} is gone, and the platform does not keep it: realtime tasks forget {record.key}"
        )
    if kind is None:
        return [audio]
    try:
        lines = await _lines(platform, arguments.get("links") or ())
    except ProviderError:
        platform.progress.say(f"{audio} is saved: only its subtitles are missing.")
        raise
    return [audio, *await write_subtitles([(audio, lines)], kind)]


async def _lines(platform: Platform, links: Sequence[str]) -> tuple[SubtitleLine, ...]:
    if not links:
        raise ProviderRejected("MiniMax: this speech came without subtitles.")
    link = fixed_link(links[0])
    content = await read(link, http=platform.mm.door.http, most_bytes=MOST_BYTES, expect=_JSON)
    return await asyncio.to_thread(read_lines, content)


async def write_subtitles(files: Sequence[tuple[Path, Sequence[SubtitleLine]]], kind: str) -> list[Path]:
    """Subtitles beside their audio. Raises StorageError."""
    written = []
    for audio, lines in files:
        path = audio.with_suffix(f".{kind}")
        await save_bytes(subtitle_text(lines, kind).encode(), path, force=True)
        written.append(path)
    return written


SPEECH: TaskKind[None] = TaskKind(
    "speech", lambda mm, id: Answered(id), save, kept=False, files=files_of_record
)
