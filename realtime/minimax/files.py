"""Files of the account: upload, list, look at, read, save, delete (docs/minimax/files.md).

A file that the platform made (a film, long speech) is fetched from another host by a link that dies; one that was
uploaded is read through the platform itself. What each purpose takes is in `file_purposes`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from realtime.errors import ProviderUnavailable
from realtime.minimax.audio_length import audio_seconds
from realtime.minimax.door import Door
from realtime.minimax.download import Link, Saved, read, save
from realtime.minimax.fields import Id, check_text, refused
from realtime.minimax.file_purposes import PURPOSES, check_file, check_seconds, kind_of
from realtime.minimax.file_source import MOST_BYTES, in_thread
from realtime.minimax.json_text import digits
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, items, mapping, text, whole
from realtime.minimax.sniff import Kind
from realtime.minimax.upload import FileSource, OnProgress, OpenFile, open_source, upload

_ID = Id()
_ANY: tuple[Kind, ...] = ("json", "html", "text")  # what an upload may be; a refusal is still told from it


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo(Result):
    """One file. `size_bytes` is 0 for what the platform made of long text; `created` in Unix seconds.

    `url` is a link that needs no key and dies after 1 h (video) or 9 h (long speech); None for uploads.
    """

    id: str
    name: str = ""
    purpose: str = ""
    size_bytes: int = 0
    created: int = 0
    url: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, entry: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> FileInfo:
        """From the object of an answer, today's or the older one (docs/minimax/video.md 2.1)."""
        return cls(
            id=text(entry, "file_id"),
            name=text(entry, "filename"),
            purpose=text(entry, "purpose"),
            size_bytes=whole(entry, "bytes"),
            created=whole(entry, "created_at"),
            url=text(entry, "download_url") or None,
            raw=entry if answer is None else answer,
        )


class Files:
    """`mm.files`."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def __deepcopy__(self, memo: object) -> Self:
        return self  # for a copy of a result that holds it

    async def upload(
        self,
        file: FileSource,
        *,
        purpose: str,
        name: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> FileInfo:
        """Upload a file: a path, bytes or a binary stream. It is streamed from the disk and sent again when the
        connection breaks. A name without the ending that its bytes ask for gets it. Raises InvalidArgument for a file
        that its purpose does not take (`file_purposes`), and ProviderError."""
        check_text("purpose", purpose)
        if name is not None:
            check_text("name", name)
        async with open_source(file, name=name) as opened:
            sent_name = check_file(purpose, opened.name, opened.first, opened.size)
            await _check_length(purpose, opened)
            answer = await upload(
                self._door,
                opened,
                fields={"purpose": purpose},
                name=sent_name,
                on_progress=on_progress,
            )
        info = FileInfo.read(mapping(answer, "file") or answer, answer)
        if digits(info.id) is None:
            raise ProviderUnavailable("MiniMax: the upload was answered without a file id.")
        return info

    async def list(self, purpose: str | None = None) -> AsyncIterator[FileInfo]:
        """The uploaded files of a purpose. Results (films, long speech) are in no list: keep their ids."""
        query = {"purpose": purpose} if purpose else None
        answer = await self._door.call(OPERATIONS["files.list"], query=query)
        for entry in items(answer, "files"):
            yield FileInfo.read(entry)

    async def get(self, file_id: str | int) -> FileInfo:
        """One file, for a result with a fresh `url`. Raises InvalidArgument for an unknown id."""
        answer = await self._door.call(OPERATIONS["files.get"], query={"file_id": _id(file_id)})
        return FileInfo.read(mapping(answer, "file") or answer, answer)

    async def open(self, file_id: str | int) -> bytes:
        """The content in memory, up to 512 MB; `save` has no bound. Raises ProviderError."""
        return await read(self.link(file_id), http=self._door.http, most_bytes=MOST_BYTES, expect=_ANY)

    async def save(
        self,
        file_id: str | int,
        target: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        force: bool = False,
        expect: Collection[Kind] | None = _ANY,
    ) -> Saved:
        """The content on the disk, as `download.save` does it: resumed, checked, renamed at the end."""
        return await save(
            self.link(file_id),
            target,
            http=self._door.http,
            on_progress=on_progress,
            force=force,
            expect=expect,
        )

    def link(self, file_id: str | int) -> Link:
        """What gives a fresh address of the content each time: the result's own link, or for an upload the platform."""
        number = _id(file_id)

        async def fresh() -> str:
            info = await self.get(number)
            return info.url or f"{OPERATIONS['files.open'].path}?file_id={number}"

        return fresh

    async def delete(self, file_id: str | int, *, purpose: str | None = None) -> None:
        """Delete a file. Without `purpose` it is looked up first, because the platform wants to be told."""
        if purpose is None:
            purpose = (await self.get(file_id)).purpose
        body = {"file_id": _id(file_id)} | ({"purpose": purpose} if purpose else {})
        await self._door.call(OPERATIONS["files.delete"], body=body)


async def _check_length(purpose: str, file: OpenFile) -> None:
    rules = PURPOSES.get(purpose)
    if rules is None or not rules.is_measured:
        return
    await in_thread(file.stream.seek, file.start)
    seconds = await in_thread(audio_seconds, file.stream)
    check_seconds(purpose, seconds, kind_of(file.name, file.first))


def _id(file_id: str | int) -> int:
    try:
        return _ID.check(file_id)
    except ValueError as error:
        raise refused("file_id", error, f"allowed is {_ID.allowed}") from None
