"""A film that a task made: its measures, and its bytes by a link that is asked for anew each time.

Serves Hailuo and the templates; docs/minimax/video.md 2 and 3. Links die after 1 h (Hailuo) or 9 h (templates).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from realtime.errors import ProviderRejected
from realtime.minimax.download import Link, Saved, read, save
from realtime.minimax.http import HttpClient
from realtime.minimax.results import Result
from realtime.minimax.upload import OnProgress

MOST_BYTES = 512 * 1024 * 1024  # of a film in memory


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bytes of a result come from. `link` gives a fresh address each time."""

    http: HttpClient
    link: Link

    async def save(
        self, path: str | os.PathLike[str], *, on_progress: OnProgress | None = None, force: bool = False
    ) -> Saved:
        return await save(self.link, path, http=self.http, on_progress=on_progress, force=force)

    async def read(self, *, on_progress: OnProgress | None = None) -> bytes:
        return await read(self.link, http=self.http, most_bytes=MOST_BYTES, on_progress=on_progress)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Film(Result):
    """One film. `width` and `height` in pixels, 0 where the platform does not say (templates).

    `file_id` names its file on the platform for `mm.files`; templates have none ("").
    """

    task_id: str
    file_id: str = ""
    width: int = 0
    height: int = 0
    _source: Source = field(repr=False, compare=False)

    async def save(
        self,
        path: str | os.PathLike[str],
        on_progress: OnProgress | None = None,
        force: bool = False,
    ) -> Saved:
        """The film on the disk, resumed where an earlier call was stopped (`download.save`).

        Raises InvalidArgument for a name that is taken without `force`, StorageError and ProviderError.
        """
        return await self._source.save(path, on_progress=on_progress, force=force)

    async def read(self, on_progress: OnProgress | None = None) -> bytes:
        """The film in memory, up to 512 MB. Raises ProviderError."""
        return await self._source.read(on_progress=on_progress)
