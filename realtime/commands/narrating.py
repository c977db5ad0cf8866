"""Chapters as audio files, each bought at most once: what was sent is waited for, what was saved is kept.

A short text is streamed at once; every other chapter is a task of the platform, several of them in flight. Knows the
records, not the books.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from realtime.commands.chapters import Chapter
from realtime.commands.naming import check_length
from realtime.commands.platform import Platform
from realtime.commands.speaking import SPEECH, files_of, files_of_record, speak, write_subtitles
from realtime.commands.task_kinds import (
    Earlier,
    Meaning,
    TaskKind,
    before,
    begin,
    not_its_own,
    obtain,
    with_force,
)
from realtime.errors import InvalidArgument
from realtime.minimax.job import Job
from realtime.minimax.narration import Narration
from realtime.task_records import Record

IN_FLIGHT = 4  # tasks at once: no limit is documented, and more of them would not be done sooner
SHORT_CHARACTERS = 3_000  # up to here a text is spoken in one request
_AGAIN = "--again"


@dataclass(frozen=True, slots=True)
class Piece:
    """One chapter to buy. `out` is its path without an ending, `voice` the named arguments of the request."""

    chapter: Chapter
    out: Path
    voice: Mapping[str, Any] = field(repr=False)
    subtitles: str | None = None
    short: bool = False

    @property
    def kind(self) -> TaskKind[Any]:
        return SPEECH if self.short else NARRATION

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that it becomes: the audio, and its subtitles if they are asked for."""
        return files_of(self.out, self.voice, self.subtitles)

    @property
    def arguments(self) -> dict[str, Any]:
        """What makes this piece of work the same as an earlier one; all that saving needs is in it."""
        digest = hashlib.sha256(self.chapter.text.encode()).hexdigest()
        return {"text": digest, "voice": dict(self.voice), "out": str(self.out), "subtitles": self.subtitles}


def earlier(platform: Platform, piece: Piece) -> Earlier:
    """What earlier commands have done for this piece. Raises InvalidArgument if a record cannot be read."""
    return before(platform, piece.kind.name, piece.arguments, kept=piece.kind.kept)


def at_once(platform: Platform, piece: Piece, wanted: bool) -> Piece:
    """A short text as one request if that is wanted; but as an earlier command sent it, if there was one."""
    spoken = replace(piece, short=True)
    if not earlier(platform, piece).new:
        return piece
    return spoken if wanted or not earlier(platform, spoken).new else piece


def check_names(platform: Platform, pieces: Sequence[Piece], others: Sequence[Path] = ()) -> None:
    """Raises InvalidArgument for a name that is too long, or taken by something else, unless `--force`.

    `others` are files beside those of the pieces.
    """
    taken = [path for path in others if os.path.lexists(path)]
    for piece in pieces:
        for path in piece.files:
            check_length(path)
        if any(os.path.lexists(path) for path in piece.files):
            taken += _taken(earlier(platform, piece), piece)
    for path in taken:
        if path.is_dir():
            raise InvalidArgument(f"{path} is a folder: choose another place with -o.", param="out")
        if not platform.args.force:
            raise InvalidArgument(
                f"{path} exists: choose another place with -o, or add --force.", param="out"
            )


def _taken(found: Earlier, piece: Piece) -> list[Path]:
    if found.meaning is Meaning.SENT and found.record is not None:
        return not_its_own(found.record, piece.files)
    return [path for path in piece.files if os.path.lexists(path)] if found.new else []


def forget_lost(platform: Platform, pieces: Sequence[Piece]) -> None:
    """`--again`: what may have been charged without an answer is sent once more."""
    for piece in pieces:
        found = earlier(platform, piece)
        if found.meaning is Meaning.LOST and found.record is not None:
            platform.records.forget(found.record.key)


async def buy(platform: Platform, pieces: Sequence[Piece]) -> list[tuple[str, ...]]:
    """The files of each piece. After a failure nothing new is sent; what was sent is still waited for.

    Raises the first failure, after all the others have ended.
    """
    room = asyncio.Semaphore(IN_FLIGHT)
    failures: list[Exception] = []

    async def one(piece: Piece) -> tuple[str, ...]:
        async with room:
            if failures and earlier(platform, piece).new:
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
    return [await _sent(platform, piece) for piece in pieces]


async def _sent(platform: Platform, piece: Piece) -> str:
    begun = await begin(
        platform,
        NARRATION.name,
        with_force(platform, piece.arguments),
        earlier=lambda: earlier(platform, piece).under_way(_AGAIN),
        prompt=piece.chapter.title,
    )
    if isinstance(begun, Record):
        return begun.name
    with begun as work:
        work.sent((await _created(platform, piece)).id)
    return work.record.name


async def _obtained(platform: Platform, piece: Piece) -> tuple[str, ...]:
    async def create() -> Any:
        if piece.short:
            return await speak(
                platform, piece.chapter.text, piece.out, piece.voice, piece.subtitles is not None
            )
        return await _created(platform, piece)

    return await obtain(
        platform,
        piece.kind,
        create,
        prompt=piece.chapter.title,
        arguments=piece.arguments,
        label=piece.out.name,
        again=_AGAIN,
    )


async def _created(platform: Platform, piece: Piece) -> Job[Narration]:
    return await platform.mm.narration.create(piece.chapter.text, **piece.voice)


async def save(platform: Platform, record: Record, result: Narration) -> Sequence[Path]:
    """Fetch and unpack a result into the place of its record, with subtitles if they were asked for."""
    out, kind = Path(record.arguments["out"]), record.arguments.get("subtitles")
    show = platform.progress.transfer(f"fetching {out.name}")
    parts = await result.download(out.parent, name=out.name, on_progress=show, force=True)
    audio = [part.audio for part in parts]
    if kind is None:
        return audio
    return [*audio, *await write_subtitles([(part.audio, part.subtitles) for part in parts], kind)]


NARRATION: TaskKind[Narration] = TaskKind(
    "narration", lambda mm, id: mm.narration.task(id), save, files=files_of_record
)
