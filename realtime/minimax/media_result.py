"""Media that an answer brought: by a link that dies, or as text inside the answer (hex, base64).

A result that is one file is derived from `MediaResult`: it can be read and saved, wherever its bytes are. Links are
signed, live for 24 h and are fetched without the key (docs/minimax/files.md 6). Knows no endpoint.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from realtime.errors import ProviderUnavailable
from realtime.minimax.download import Link, Saved, read, save
from realtime.minimax.file_source import in_thread
from realtime.minimax.http import HttpClient
from realtime.minimax.part_file import PartFile
from realtime.minimax.results import Result
from realtime.minimax.upload import OnProgress

MOST_BYTES = 512 * 1024 * 1024  # of what `read` takes into memory
_IN_LOOP = 64 * 1024  # characters; a thread for less would cost more than the work
_SLICE = 1024 * 1024  # characters that are decoded at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaResult(Result):
    """One file. Either `url`, a signed link that lives for 24 h, or `data`, its bytes."""

    url: str | None = field(default=None, repr=False)
    data: bytes | None = field(default=None, repr=False)
    _http: HttpClient | None = field(default=None, repr=False, compare=False)

    async def read(self) -> bytes:
        """The bytes in memory. Raises ProviderError if the link has died or gives no file."""
        if self.data is not None:
            return self.data
        return await read(self._link(), http=self._client(), most_bytes=MOST_BYTES)

    async def save(
        self,
        target: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        force: bool = False,
    ) -> Saved:
        """The file as `target`, resumed and checked as `download.save` does it; raises what that raises."""
        if self.data is not None:
            return await save_bytes(self.data, target, on_progress=on_progress, force=force)
        return await save(self._link(), target, http=self._client(), on_progress=on_progress, force=force)

    def _link(self) -> Link:
        url = self.url

        async def same() -> str:
            if not url:
                raise ProviderUnavailable("This result has neither a link nor data.", retryable=False)
            return url

        return same

    def _client(self) -> HttpClient:
        if self._http is None:
            raise ProviderUnavailable("This result has no client to fetch it with.", retryable=False)
        return self._http


async def save_bytes(
    data: bytes, target: str | os.PathLike[str], *, on_progress: OnProgress | None = None, force: bool = False
) -> Saved:
    """Bytes that are here already, as `target`: complete or not at all.

    Raises InvalidArgument for a target that is taken (without `force`) or cannot be written, StorageError for a full
    disk.
    """
    saved = await in_thread(_save_bytes, data, Path(target), force)
    if on_progress is not None:
        on_progress(len(data), len(data))
    return saved


def _save_bytes(data: bytes, target: Path, force: bool) -> Saved:
    part = PartFile(target, force=force)
    try:
        part.restart(None)
        part.check_room(len(data))
        part.write(data, len(data))
        return Saved(target, len(data), part.publish())
    finally:
        part.close()


async def from_hex(text: str) -> bytes:
    """The bytes of hex, strictly: whole bytes, nothing else. Raises ProviderUnavailable."""
    return await _decoded(_strict_hex, text, "hex")


async def from_base64(text: str) -> bytes:
    """The bytes of base64, also of a data URL. Raises ProviderUnavailable."""
    return await _decoded(_strict_base64, text, "base64")


async def _decoded(decode: Callable[[str], bytes], text: str, name: str) -> bytes:
    """Large texts are decoded in a thread: megabytes would stop everything else for a while."""
    try:
        return decode(text) if len(text) <= _IN_LOOP else await asyncio.to_thread(decode, text)
    except ValueError as error:
        raise ProviderUnavailable(
            f"MiniMax: the media in the answer is broken {name}.", retryable=False
        ) from error


def _strict_hex(text: str) -> bytes:
    parts = [bytes.fromhex(part) for part in _slices(text)]
    if 2 * sum(map(len, parts)) != len(text):
        raise ValueError("hex with spaces")
    return b"".join(parts)


def _strict_base64(text: str) -> bytes:
    if text.startswith("data:"):
        text = text.partition(",")[2]
    if "=" in text[:-2]:
        raise ValueError("base64 with padding in the middle")
    return b"".join([base64.b64decode(part, validate=True) for part in _slices(text)])


def _slices(text: str) -> Iterator[str]:
    """One call for megabytes would keep the interpreter's lock, and with it the event loop, for all of its time."""
    return (text[start : start + _SLICE] for start in range(0, len(text), _SLICE))
