"""Artefacts: what was uploaded and what was made, as files in a temporary directory, and links to them.

Knows lifetimes on the sandbox's clock, the bounds in bytes and number (the oldest go first) and the signature of a
link. Does not know HTTP (`links.py`) or the files endpoints (`files.py`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

from .clock import Clock
from .options import SandboxOptions

LINK_PATH = "/sandbox/files"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Artefact:
    """One file. Times ending in `_s` are times of the sandbox's clock.

    `purpose` is that of docs/minimax/files.md 1, or "" for what has no file id outside (a result URL).
    `link_life` is the option with the life of its `download_url`, "" for uploads, which have none.
    """

    id: int
    path: Path
    size: int  # bytes
    content_type: str
    filename: str
    purpose: str
    link_life: str
    created_s: float
    until_s: float
    etag: str

    def read(self) -> bytes:
        """All bytes. Blocks: call it in a thread if the file is large. Raises OSError when it was removed."""
        return self.path.read_bytes()


class Store:
    """The artefacts of one sandbox. The directory is made at the first use, and again where a cleaner of temporary
    files has removed it; `close` removes it."""

    def __init__(self, options: SandboxOptions, clock: Clock, new_id: Callable[[], int]) -> None:
        self._options = options
        self._clock = clock
        self._new_id = new_id
        self._kept: dict[int, Artefact] = {}
        self._directory: Path | None = None
        self._secret = secrets.token_bytes(16)

    @property
    def directory(self) -> Path:
        """The temporary directory; it is made here if needed."""
        if self._directory is None or not self._directory.is_dir():
            self._directory = Path(tempfile.mkdtemp(prefix="minimax-sandbox-"))
        return self._directory

    @property
    def size(self) -> int:
        """Bytes of all artefacts."""
        return sum(artefact.size for artefact in self._kept.values())

    def open_new(self) -> BinaryIO:
        """A new file to write an upload into; `adopt` keeps it, `discard` removes it."""
        return (self.directory / secrets.token_hex(12)).open("xb")

    def discard(self, file: BinaryIO) -> None:
        """Close and remove a file of `open_new`."""
        file.close()
        Path(file.name).unlink(missing_ok=True)

    def adopt(
        self,
        file: BinaryIO,
        filename: str,
        content_type: str,
        *,
        life: str,
        purpose: str = "",
        link_life: str = "",
        id: int = 0,
    ) -> Artefact:
        """Keep a written file for the hours of the option `life`. `id` 0: a new one."""
        size = file.tell()
        file.close()
        now_s = self._clock.now_s()
        artefact = Artefact(
            id or self._new_id(), Path(file.name), size, content_type, filename, purpose, link_life,
            now_s, now_s + self._options[life] * 3600, secrets.token_hex(16),
        )  # fmt: skip
        self._kept[artefact.id] = artefact
        self._drop_oldest()
        return artefact

    def add(
        self,
        data: bytes,
        filename: str,
        content_type: str,
        *,
        life: str = "life.result_h",
        purpose: str = "",
        link_life: str = "",
        id: int = 0,
    ) -> Artefact:
        """Keep bytes, as `adopt` does. Writes the disk at once."""
        file = self.open_new()
        file.write(data)
        return self.adopt(
            file, filename, content_type, life=life, purpose=purpose, link_life=link_life, id=id
        )

    def get(self, id: int) -> Artefact | None:
        """The artefact, or None if it is unknown, expired or gone."""
        artefact = self._kept.get(id)
        if artefact is not None and (artefact.until_s <= self._clock.now_s() or not artefact.path.exists()):
            self.remove(id)
            return None
        return artefact

    def all(self) -> list[Artefact]:
        """Everything that is alive, oldest first."""
        return [artefact for id in list(self._kept) if (artefact := self.get(id)) is not None]

    def remove(self, id: int) -> None:
        """Delete an artefact; its links answer 404 from now on."""
        artefact = self._kept.pop(id, None)
        if artefact is not None:
            artefact.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Remove everything. The store is empty and may be used again."""
        self._kept.clear()
        directory, self._directory = self._directory, None
        if directory is not None:
            shutil.rmtree(directory, ignore_errors=True)

    def link(self, artefact: Artefact, life: str = "") -> str:
        """Path and query of a new link that lives for the hours of an option (default: the artefact's)."""
        life_h = self._options[life or artefact.link_life or "life.result_h"]
        until_unix_s = self._clock.unix_s() + round(life_h * 3600)
        path = f"{LINK_PATH}/{artefact.id}/{quote(artefact.filename, safe='')}"
        return f"{path}?Expires={until_unix_s}&Signature={self.sign(artefact.id, until_unix_s)}"

    def sign(self, id: int, until_unix_s: int) -> str:
        """The signature in a link's query."""
        return hmac.new(self._secret, f"{id}:{until_unix_s}".encode(), hashlib.sha256).hexdigest()

    def _drop_oldest(self) -> None:
        """The newest artefact always stays, even if it alone is over the bound."""
        self.all()  # drops what is expired
        most_bytes, most = self._options["store.max_mb"] * MEGABYTE, self._options["store.max_files"]
        size = self.size
        for artefact in list(self._kept.values())[:-1]:
            if size <= most_bytes and len(self._kept) <= most:
                return
            size -= artefact.size
            self.remove(artefact.id)
