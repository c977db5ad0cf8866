"""Reads the form of an upload, the file straight to disk.

Knows multipart. Does not know which purposes there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from aiohttp import BodyPartReader, web

from .context import STATE
from .refusal import Refusal
from .store import MEGABYTE, Store

BLOCK_BYTES = 256 * 1024


@dataclass(slots=True)
class Upload:
    """One form; whoever gets it adopts or discards `file`."""

    file: BinaryIO
    filename: str
    content_type: str
    purpose: str
    size: int  # bytes


async def read_upload(request: web.Request, store: Store, limit: Callable[[str], tuple[int, int]]) -> Upload:
    """The form's `purpose` and `file`, in any order.

    `limit` says for a purpose ("" while it is not known) after how many bytes reading stops, and the HTTP status of
    the refusal. Raises Refusal 2013 for what is broken, missing or too large, and HTTPNotFound for an empty file; then
    nothing is stored.
    """
    if not request.content_type.startswith("multipart/"):
        raise Refusal(2013, "invalid params, Content-Type must be multipart/form-data")
    upload = Upload(store.open_new(), "", "application/octet-stream", "", 0)
    try:
        async for part in await request.multipart():
            if isinstance(part, BodyPartReader):
                await _take(part, upload, limit)
        record = {"purpose": upload.purpose, "filename": upload.filename, "bytes": upload.size}
        request.app[STATE].record(request, record)
        if upload.filename and not upload.size:
            raise web.HTTPNotFound  # an empty file: docs/minimax/files.md 1
        for name, found in (("purpose", upload.purpose), ("file", upload.size)):
            if not found:
                raise Refusal(
                    2013, f"invalid params, binding: expr_path={name}, cause=missing required parameter"
                )
    except (ValueError, AssertionError) as error:
        store.discard(upload.file)
        raise Refusal(2013, f"invalid params, broken multipart body: {error}") from None
    except BaseException:
        store.discard(upload.file)
        raise
    return upload


async def _take(part: BodyPartReader, upload: Upload, limit: Callable[[str], tuple[int, int]]) -> None:
    match part.name:
        case "purpose":
            upload.purpose = (await part.read_chunk(1024)).decode("utf-8", "replace").strip()
            await part.release()
        case "file":
            upload.filename = (part.filename or "file").replace("\\", "/").rpartition("/")[2] or "file"
            upload.content_type = part.headers.get("Content-Type", upload.content_type)
            await _write(part, upload, *limit(upload.purpose))
        case _:
            await part.release()


async def _write(part: BodyPartReader, upload: Upload, most: int, status: int) -> None:
    upload.file.seek(0)
    upload.file.truncate()
    upload.size = 0
    while block := await part.read_chunk(BLOCK_BYTES):
        upload.size += len(block)
        if upload.size > most:
            raise Refusal(2013, f"invalid params, file is larger than {most // MEGABYTE} MB", status)
        upload.file.write(block)
