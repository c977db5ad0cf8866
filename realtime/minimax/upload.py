"""Uploads: a file and fields as a form, streamed from the disk.

An upload costs nothing and can be repeated (docs/minimax/files.md 1), so the door sends it again from the first byte
after a broken connection or a gateway's page. Knows no purpose: `files` checks what each of them takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from realtime import deadlines
from realtime.errors import ProviderError, ProviderTimeout
from realtime.minimax.door import Door
from realtime.minimax.file_source import MOST_BYTES, FileSource, OpenFile, open_source
from realtime.minimax.http import HttpClient, Query
from realtime.minimax.multipart import Multipart
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.sniff import content_type

__all__ = ["FileSource", "OnProgress", "OpenFile", "open_source", "upload"]

_UPLOAD = OPERATIONS["files.upload"]

OnProgress = Callable[[int, int | None], None]
"""Called with the bytes that are done and the bytes in all (None: not known). It must return at once."""


async def upload(
    door: Door,
    source: FileSource | OpenFile,
    *,
    fields: Mapping[str, str] | None = None,
    file_field: str = "file",
    name: str | None = None,
    file_type: str | None = None,
    query: Query | None = None,
    headers: Mapping[str, str] | None = None,
    on_progress: OnProgress | None = None,
    most_bytes: int = MOST_BYTES,
    param: str = "file",
    stall_timeout_s: float = 30.0,
    answer_timeout_s: float = 120.0,
) -> dict[str, Any]:
    """Upload the file with the fields: the decoded JSON object of the answer.

    `name` and `file_type` (a content type) are found from the source where they are not given. `on_progress` gets bytes
    of the file; it begins at 0 with each try. `stall_timeout_s` is the longest time without any byte accepted,
    `answer_timeout_s` the longest wait for the answer after the last one. A stream is read from where it is, is not
    closed, and is copied to a temporary file first if it cannot seek.

    Raises InvalidArgument, naming `param`, for a file that is missing, a folder, unreadable, empty, larger than
    `most_bytes`, or changed while it was sent; ProviderError when the door gives up or the service refuses.
    """
    async with _opened(source, name, most_bytes, param) as file:
        form = Multipart(
            fields or {},
            file_field,
            name or file.name,
            file_type or content_type(name or file.name, file.first),
        )

        async def once(host: str) -> dict[str, Any]:
            feed = _Feed(file, form, on_progress, stall_timeout_s, answer_timeout_s)
            return await _send(door.http, host, feed, query, headers)

        return await door.attempts(_UPLOAD, once)


@dataclass(slots=True)
class _Feed:
    """The form's parts for one try. Moves the deadline with each accepted part, and keeps what went wrong here."""

    file: OpenFile
    form: Multipart
    on_progress: OnProgress | None
    stall_timeout_s: float
    answer_timeout_s: float
    deadline: deadlines.Deadline = field(init=False)
    trouble: Exception | None = None

    async def parts(self) -> AsyncIterator[bytes]:
        done = 0
        try:
            self._moved_on(done, self.stall_timeout_s)
            yield self.form.head
            async for part in self.file.parts():
                yield part
                done += len(part)
                self._moved_on(done, self.stall_timeout_s)
        except Exception as error:  # of the file or of `on_progress`: the request breaks, and hides it
            self.trouble = error
            raise
        self._moved_on(done, self.answer_timeout_s, tell=False)
        yield self.form.tail

    def _moved_on(self, done: int, next_s: float, *, tell: bool = True) -> None:
        with suppress(RuntimeError):  # the answer came before the last part
            self.deadline.reschedule(asyncio.get_running_loop().time() + next_s)
        if tell and self.on_progress is not None:
            self.on_progress(done, self.file.size)


@asynccontextmanager
async def _opened(
    source: FileSource | OpenFile, name: str | None, most_bytes: int, param: str
) -> AsyncIterator[OpenFile]:
    if isinstance(source, OpenFile):
        yield source
        return
    async with open_source(source, name=name, most_bytes=most_bytes, param=param) as file:
        yield file


async def _send(
    http: HttpClient, host: str, feed: _Feed, query: Query | None, headers: Mapping[str, str] | None
) -> dict[str, Any]:
    """One try. Raises what went wrong with the file or `on_progress`, not the broken connection that it leads to."""
    path = _UPLOAD.path
    sent = {
        **(headers or {}),
        "Content-Type": feed.form.content_type,
        "Content-Length": str(feed.form.length(feed.file.size)),
    }
    try:
        async with (
            deadlines.timeout(feed.stall_timeout_s) as feed.deadline,
            http.request(
                _UPLOAD.method, path, data=feed.parts(), query=query, headers=sent, base_url=host
            ) as response,
        ):
            content = await response.read()
    except (TimeoutError, ProviderError) as error:
        if feed.trouble is not None:
            raise feed.trouble from feed.trouble.__cause__  # not from what it led to
        if isinstance(error, ProviderError):
            raise
        raise ProviderTimeout(f"{http.service}: the upload to {path} stands still; it was ended.") from error
    return http.decode(response, content, path)
