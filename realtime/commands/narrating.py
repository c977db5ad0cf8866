"""Chapters as audio files, each bought at most once: what was sent is waited for, what was saved is kept.

A short text is streamed at once; every other chapter is a task of the platform, several of them in flight. Knows the
records, not the books.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from realtime.commands.chapters import Chapter
from realtime.commands.platform import BUILT_IN, Platform
from realtime.commands.subtitle_files import subtitle_text
from realtime.commands.task_kinds import TaskKind, obtain
from realtime.errors import InvalidArgument
from realtime.minimax.job import Job
from realtime.minimax.narration import Narration
from realtime.minimax.narration_tar import ENDINGS
from realtime.minimax.subtitle_lines import SubtitleLine
from realtime.task_records import Record, RecordState

IN_FLIGHT = 4  # tasks at once: no limit is documented, and more of them would not be done sooner
SHORT_CHARACTERS = 3_000  # up to here a text is spoken in one request
SPOKEN = "speech"  # the kind of the records of texts that were streamed


@dataclass(frozen=True, slots=True)
class Piece:
    """One chapter to buy. `out` is its path without an ending, `voice` the named arguments of the request."""

    chapter: Chapter
    out: Path
    voice: Mapping[str, Any] = field(repr=False)
    subtitles: str | None = None
    short: bool = False

    @property
    def kind(self) -> str:
        return SPOKEN if self.short else NARRATION.name

    @property
    def audio(self) -> Path:
        format = str(self.voice["format"])
        return self.out.with_name(f"{self.out.name}.{ENDINGS.get(format, format)}")

    @property
    def arguments(self) -> dict[str, Any]:
        """What makes this piece of work the same as an earlier one; all that saving needs is in it."""
        digest = hashlib.sha256(self.chapter.text.encode()).hexdigest()
        return {"text": digest, "voice": dict(self.voice), "out": str(self.out), "subtitles": self.subtitles}


def earlier(platform: Platform, piece: Piece) -> Record | None:
    """The record of the same work, if it need not be bought (again)."""
    found = platform.records.same(piece.kind, piece.arguments, platform=platform.address)
    if found is None or (platform.address == BUILT_IN and found.state is not RecordState.DONE):
        return None
    if (
        piece.short
        and found.state is RecordState.DONE
        and not all(Path(path).exists() for path in found.paths)
    ):
        return None  # the platform keeps nothing of what it streamed
    return found


def at_once(platform: Platform, piece: Piece, wanted: bool) -> Piece:
    """A short text as one request if that is wanted; but as an earlier command sent it, if there was one."""
    spoken = replace(piece, short=True)
    if earlier(platform, piece) is not None:
        return piece
    return spoken if wanted or earlier(platform, spoken) is not None else piece


def check_names(platform: Platform, pieces: Sequence[Piece]) -> None:
    """Raises InvalidArgument for a name that is taken by something else, unless `--force`."""
    if platform.args.force:
        return
    for piece in pieces:
        if piece.audio.exists() and earlier(platform, piece) is None:
            raise InvalidArgument(
                f"{piece.audio} exists: choose another place with -o, or add --force.", param="out"
            )


def forget_lost(platform: Platform, pieces: Sequence[Piece]) -> None:
    """`--again`: what may have been charged without an answer is sent once more."""
    for piece in pieces:
        found = earlier(platform, piece)
        if found is not None and found.state is RecordState.UNKNOWN and not found.busy:
            platform.records.forget(found.key)


async def buy(platform: Platform, pieces: Sequence[Piece]) -> list[tuple[str, ...]]:
    """The files of each piece. After a failure nothing new is sent; what was sent is still waited for.

    Raises the first failure, after all the others have ended.
    """
    room = asyncio.Semaphore(IN_FLIGHT)
    failures: list[Exception] = []

    async def one(piece: Piece) -> tuple[str, ...]:
        async with room:
            if failures and earlier(platform, piece) is None:
                return ()
            try:
                return await _obtained(platform, piece)
            except Exception as error:
                failures.append(error)
                return ()

    results = await asyncio.gather(*(one(piece) for piece in pieces))
    if failures:
        raise failures[0]
    return list(results)


async def send(platform: Platform, pieces: Sequence[Piece]) -> list[str]:
    """The ids of the tasks; none is waited for."""
    ids = []
    for piece in pieces:
        found = earlier(platform, piece)
        if found is None:
            with platform.records.create(
                piece.kind, platform=platform.address, prompt=piece.chapter.title, arguments=piece.arguments
            ) as work:
                work.sent((await _created(platform, piece)).id)
                found = work.record
        elif found.state is RecordState.UNKNOWN:
            raise _lost(found)
        ids.append(found.name)
    return ids


async def _obtained(platform: Platform, piece: Piece) -> tuple[str, ...]:
    if piece.short:
        return await _spoken(platform, piece)
    return await obtain(
        platform,
        NARRATION,
        lambda: _created(platform, piece),
        prompt=piece.chapter.title,
        arguments=piece.arguments,
        label=piece.out.name,
    )


async def _created(platform: Platform, piece: Piece) -> Job[Narration]:
    return await platform.mm.narration.create(piece.chapter.text, **piece.voice)


async def _spoken(platform: Platform, piece: Piece) -> tuple[str, ...]:
    """A short text in one request. A kill in the middle of it leaves "maybe charged" in its record."""
    found = earlier(platform, piece)
    if found is not None and found.state is RecordState.DONE:
        return found.paths
    if found is not None:
        raise _lost(found)
    with platform.records.create(
        SPOKEN, platform=platform.address, prompt=piece.chapter.title, arguments=piece.arguments
    ) as work:
        work.done(await _speak(platform, piece))
    return work.record.paths


def _lost(record: Record) -> InvalidArgument:
    return InvalidArgument(
        "This text was sent before and its answer was lost, so it may have been charged. To send it again, add --again "
        f"(or: realtime tasks forget {record.key}).",
        param="task",
    )


async def _speak(platform: Platform, piece: Piece) -> list[Path]:
    await asyncio.to_thread(piece.out.parent.mkdir, parents=True, exist_ok=True)
    if piece.subtitles is not None:
        speech = await platform.mm.speech.synthesize(
            piece.chapter.text,
            subtitles="sentence",
            extra=platform.extra or None,
            timeout_s=300,
            **piece.voice,
        )
        await speech.save(piece.audio, force=True)
        lines = await speech.subtitles()
        return [piece.audio, *await _write_subtitles([(piece.audio, lines)], piece.subtitles)]
    show = platform.progress.transfer(piece.out.name)
    stream = platform.mm.speech.synthesize_stream(piece.chapter.text, **piece.voice)
    partial = piece.audio.with_name(f"{piece.audio.name}.part")
    size = 0
    try:
        with partial.open("wb") as file:
            async with aclosing(stream):
                async for part in stream:
                    size += file.write(part)
                    show(size, None)
        partial.replace(piece.audio)
    except BaseException:
        partial.unlink(missing_ok=True)  # it cannot go on in the middle
        raise
    return [piece.audio]


async def save(platform: Platform, record: Record, result: Narration) -> Sequence[Path]:
    """Fetch and unpack a result into the place of its record, with subtitles if they were asked for."""
    out, kind = Path(record.arguments["out"]), record.arguments.get("subtitles")
    show = platform.progress.transfer(f"fetching {out.name}")
    parts = await result.download(out.parent, name=out.name, on_progress=show, force=True)
    audio = [part.audio for part in parts]
    if kind is None:
        return audio
    return [*audio, *await _write_subtitles([(part.audio, part.subtitles) for part in parts], kind)]


async def _write_subtitles(files: Sequence[tuple[Path, tuple[SubtitleLine, ...]]], kind: str) -> list[Path]:
    def write() -> list[Path]:
        written = []
        for audio, lines in files:
            path = audio.with_suffix(f".{kind}")
            path.write_text(subtitle_text(lines, kind), encoding="utf-8")
            written.append(path)
        return written

    return await asyncio.to_thread(write)


NARRATION: TaskKind[Narration] = TaskKind("narration", lambda mm, id: mm.narration.task(id), save)
