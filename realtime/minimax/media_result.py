"""Media that an answer brought: by a link that dies, or as text inside the answer (hex, base64).

A result that is one file is derived from `MediaResult`: it can be read and saved, wherever its bytes are. Links are
signed, live for some hours and are fetched without the key (docs/minimax/files.md 6). Knows no endpoint.
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from realtime.errors import ProviderError, ProviderRejected, ProviderUnavailable
from realtime.minimax.download import Link, Saved, read, save, save_bytes
from realtime.minimax.file_source import MOST_BYTES
from realtime.minimax.http import HttpClient
from realtime.minimax.results import Result
from realtime.minimax.upload import OnProgress

_IN_LOOP = 64 * 1024  # characters; a thread for less would cost more than the work
_SLICE = 1024 * 1024  # characters that are decoded at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaResult(Result):
    """One file: `data` are its bytes where they came with the answer, `url` is a signed link that dies.

    A result whose link can be asked for again has that way in `_fresh`, so that it can be saved later too.
    """

    url: str | None = field(default=None, repr=False, compare=False)
    data: bytes | None = field(default=None, repr=False)
    _fresh: Link | None = field(default=None, repr=False, compare=False)
    _http: HttpClient | None = field(default=None, repr=False, compare=False)

    async def read(self, *, on_progress: OnProgress | None = None) -> bytes:
        """The bytes in memory, up to 512 MB. Raises ProviderError if the link has died or gives no file."""
        if self.data is not None:
            return self.data
        http, link = self._way()
        return await read(link, http=http, most_bytes=MOST_BYTES, on_progress=on_progress)

    async def save(
        self,
        target: str | os.PathLike[str],
        *,
        on_progress: OnProgress | None = None,
        force: bool = False,
    ) -> Saved:
        """The file as `target`, whole or not at all, resumed where an earlier call was stopped (`download.save`).

        Raises InvalidArgument for a name that is taken (without `force`), StorageError and ProviderError.
        """
        if self.data is not None:
            return await save_bytes(self.data, target, on_progress=on_progress, force=force)
        http, link = self._way()
        return await save(link, target, http=http, on_progress=on_progress, force=force)

    def _way(self) -> tuple[HttpClient, Link]:
        """How to fetch the file. Raises what `_nothing` gives."""
        url, link = self.url, self._fresh
        if link is None and not url:
            raise self._nothing()
        if self._http is None:
            raise without_client("file", "url")
        return self._http, link or fixed_link(url or "")

    def _nothing(self) -> ProviderError:
        """The error of a result that has no file."""
        return ProviderRejected("MiniMax: this result has no file.")


def without_client(what: str, where: str) -> ProviderError:
    """The error of a result that has an address and no way to it, because it was made by hand."""
    return ProviderRejected(
        f"MiniMax: this result has no client to fetch its {what} with; the address is in `{where}`."
    )


def fixed_link(url: str) -> Link:
    """A link that is always the same: when it has died, so has the file."""

    async def same() -> str:
        return url

    return same


def asked_link(known: str, ask: Callable[[], Awaitable[str]], what: str) -> Link:
    """A link that is `known` at first; each time after that `ask` brings another.

    The first download after the task's last answer needs no question more. Raises ProviderRejected where there is none.
    """
    left = [known] if known else []

    async def fresh() -> str:
        address = left.pop() if left else await ask()
        if not address:
            raise ProviderRejected(f"MiniMax: {what} has no address any more.")
        return address

    return fresh


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
