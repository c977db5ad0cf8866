"""Downloads: a file from a link to the disk, into memory, or as a stream. Memory stays flat for any size.

Knows what becomes of the bytes. Links, ranges and refusals are in `fetching`, the disk is in `part_file`. Which links
there are and how long they live is docs/minimax/files.md 3 and 6.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from realtime.errors import InvalidArgument, ProviderError, ProviderUnavailable, RealtimeError, StorageError
from realtime.minimax.fetching import Fetching, Link, Mark, Opened
from realtime.minimax.file_source import in_thread, readable_size
from realtime.minimax.http import HttpClient
from realtime.minimax.part_file import Disk, PartFile, as_path, part_path
from realtime.minimax.sniff import Kind
from realtime.minimax.upload import OnProgress

__all__ = ["Disk", "Link", "Saved", "part_path", "read", "save", "save_bytes", "stream"]

WRITE_BYTES = 1024 * 1024  # a thread for each network fragment would cost more than the write


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that is whole and on the disk. `kind` is what its bytes are, whatever its name says."""

    path: Path
    size_bytes: int
    kind: Kind


async def save(
    link: Link,
    target: str | os.PathLike[str],
    *,
    http: HttpClient,
    on_progress: OnProgress | None = None,
    force: bool = False,
    expect: Collection[Kind] | None = None,
    size: int | None = None,
    tries: int = 5,
    backoff_s: float = 1.0,
    stall_timeout_s: float = 30.0,
    disk: Disk | None = None,
) -> Saved:
    """The file behind `link`, saved as `target`. What an earlier call left in `NAME.part` is continued.

    `link` is asked for an address at the start and again when that has died. `expect` names kinds that may be words
    (`json`, `html`, `text`): elsewhere JSON and HTML are a refusal and raise. Other kinds are only reported. `size` is
    the length in bytes, where the platform is sure of it. `tries` failures in a row without a new byte are the end.

    Raises InvalidArgument for a target that is taken (without `force`) or cannot be written; StorageError for a full
    disk (the part is removed) and for a target that another process saves; ProviderError for what cannot be had. A
    lost network and a cancelled call keep the part: the same call goes on there.
    """
    part = PartFile(as_path(target), force=force, disk=disk)
    sink = _Sink(part, on_progress)
    fetching = Fetching(http, link, part.size, part.mark, expect, size, tries, backoff_s, stall_timeout_s)
    try:
        async with aclosing(fetching.events()) as events:
            async for event in events:
                await sink.take(event)
        await sink.flush()
        kind = await in_thread(part.publish)
    except ProviderError as error:
        sink.keep()
        _say_how_to_go_on(error, part)
        raise
    except RealtimeError:
        raise
    except BaseException:
        sink.keep()
        part.take_back()
        raise
    finally:
        part.close()
    return Saved(part.target, part.size, kind)


async def save_bytes(
    data: bytes, target: str | os.PathLike[str], *, on_progress: OnProgress | None = None, force: bool = False
) -> Saved:
    """Bytes that are here already, as `target`, whole or not at all. Raises as `save` does about the target."""
    begun: list[PartFile] = []
    try:
        saved = await in_thread(_save_bytes, data, as_path(target), force, begun)
    except asyncio.CancelledError:
        for part in begun:
            part.take_back()
        raise
    finally:
        for part in begun:
            part.close()
    if on_progress is not None:
        on_progress(len(data), len(data))
    return saved


def _save_bytes(data: bytes, target: Path, force: bool, begun: list[PartFile]) -> Saved:
    part = PartFile(target, force=force)
    begun.append(part)
    part.restart(None)
    part.check_room(len(data))
    part.write(data, len(data))
    return Saved(part.target, part.size, part.publish())


async def read(
    link: Link,
    *,
    http: HttpClient,
    most_bytes: int,
    on_progress: OnProgress | None = None,
    expect: Collection[Kind] | None = None,
    size: int | None = None,
    tries: int = 5,
    backoff_s: float = 1.0,
    stall_timeout_s: float = 30.0,
) -> bytes:
    """The file in memory. Raises InvalidArgument for more than `most_bytes`, ProviderError as `save` does."""
    found, total = bytearray(), None
    fetching = Fetching(http, link, 0, None, expect, size, tries, backoff_s, stall_timeout_s)
    async with aclosing(fetching.events()) as events:
        async for event in events:
            if isinstance(event, Opened):
                total = event.total
                del found[event.position :]
            else:
                found += event
            if max(len(found), total or 0) > most_bytes:
                raise InvalidArgument(
                    f"The file has more than {readable_size(most_bytes)}. Save it to the disk, or allow more.",
                    param="most_bytes",
                )
            if on_progress is not None:
                on_progress(len(found), total)
    return bytes(found)


async def stream(
    link: Link,
    *,
    http: HttpClient,
    on_progress: OnProgress | None = None,
    expect: Collection[Kind] | None = None,
    size: int | None = None,
    tries: int = 5,
    backoff_s: float = 1.0,
    stall_timeout_s: float = 30.0,
) -> AsyncGenerator[bytes, None]:
    """The file's bytes as they come. A connection that breaks is continued, where the file is still the same.

    Raises ProviderError as `save` does. Close it (`contextlib.aclosing`) if you stop before the end.
    """
    given, at = 0, 0
    first: Opened | None = None
    fetching = Fetching(http, link, 0, None, expect, size, tries, backoff_s, stall_timeout_s)
    async with aclosing(fetching.events()) as events:
        async for event in events:
            if isinstance(event, Opened):
                first, at = first or event, event.position
                if given and at == 0 and not _same_file(first, event):
                    raise ProviderUnavailable(f"{http.service}: the file changed while it was being read.")
                continue
            new = event[max(0, given - at) :]
            at += len(event)
            if new:
                given += len(new)
                yield new
                if on_progress is not None:
                    on_progress(given, fetching.total)


def _same_file(first: Opened, again: Opened) -> bool:
    """Whether a file that begins again is the same, so that its known beginning can be skipped."""
    marks: tuple[Mark | None, Mark | None] = (first.mark, again.mark)
    if marks[0] is not None and marks[1] is not None:
        return marks[0].validator == marks[1].validator
    return first.total is not None and first.total == again.total


@dataclass(slots=True)
class _Sink:
    """Gathers fragments and writes them to the part in a thread."""

    part: PartFile
    on_progress: OnProgress | None
    total: int | None = None
    waiting: list[bytes] = field(default_factory=list)
    waiting_bytes: int = 0

    async def take(self, event: Opened | bytes) -> None:
        if isinstance(event, bytes):
            self.waiting.append(event)
            self.waiting_bytes += len(event)
            if self.waiting_bytes >= WRITE_BYTES:
                await self.flush()
            return
        await self.flush()
        if event.position == 0:
            await in_thread(self.part.restart, event.mark)
        self.total = event.total
        await in_thread(self.part.check_room, event.total)
        self._tell()

    async def flush(self) -> None:
        if data := self._taken():
            await in_thread(self.part.write, data, self.total)
            self._tell()

    def keep(self) -> None:
        """Write what is left, at most WRITE_BYTES, without waiting: the call is over."""
        with suppress(StorageError):  # why the call is over is the greater news
            if data := self._taken():
                self.part.write(data, self.total)

    def _taken(self) -> bytes:
        data = b"".join(self.waiting)
        self.waiting.clear()
        self.waiting_bytes = 0
        return data

    def _tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(self.part.size, self.total)


def _say_how_to_go_on(error: ProviderError, part: PartFile) -> None:
    if not part.size:
        return
    how = (
        "save it again to go on from there"
        if part.mark
        else "the server lets nobody go on: save it again from the start"
    )
    error.message += f" The first {readable_size(part.size)} are kept in {part.path}; {how}."
    error.args = (error.message,)
