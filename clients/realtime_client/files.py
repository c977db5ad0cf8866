"""Audio files as microphone and as speaker, in real time, and their formats.

Other formats than WAV are encoded by what `realtime/media/` finds here.
"""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from types import TracebackType

import numpy as np

from realtime.core.audio import (
    OtherFormat,
    Samples,
    ms_to_bytes,
    ms_to_samples,
    read_wav,
    resampled,
    samples_to_pcm,
    write_wav,
)
from realtime.errors import ConfigError, install_extra
from realtime.media import MOST_BYTES, TooLong, check_mp3, encode_mp3, pyav, read_recording

from .devices import RATE
from .errors import FileError
from .player import Player

_BLOCK_MS = 20
# Of a recording: 47 minutes at 44.1 kHz in stereo; it takes about five times that in memory
_MOST_BYTES = 500_000_000


def read_sound(path: str | Path) -> bytes:
    """A recording as 24 kHz 16-bit mono PCM: a WAV file, or where PyAV is installed any format. Raises FileError."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise FileError(
                f"{path} has more than {_MOST_BYTES // 1_000_000} MB: cut it into shorter recordings."
            )
        samples, rate = _samples(content)
        if not len(samples):
            raise FileError(f"{path}: there is no sound in it.")
        return samples_to_pcm(resampled(samples, rate, RATE))
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}.") from None
    except TooLong:
        most = MOST_BYTES // 1_000_000
        raise FileError(f"{path} has more than {most} MB of sound: cut it into shorter recordings.") from None
    except ValueError as error:
        what, other = str(error), ""
        if isinstance(error, OtherFormat) and pyav() is None:
            other = f", or {install_extra('local')}"
        elif isinstance(error, OtherFormat):
            what = "this is no recording that can be read here"
        raise FileError(f"{path}: {what}. Bring a 16-bit WAV file{other}.") from None


def _samples(content: bytes) -> tuple[Samples, int]:
    """The samples and their rate. Raises ValueError."""
    try:
        return read_wav(content)
    except OtherFormat:
        if (read := read_recording(content)) is None:
            raise
        return read


def check_writable(path: str | Path, *, encodes: bool = True) -> None:
    """Check early that this file can be written. Not `encodes`: MP3 comes encoded already. Raises FileError."""
    target = Path(path)
    if target.suffix.lower() not in (".wav", ".mp3"):
        raise FileError(f"{path}: the name must end in .wav or .mp3.")
    try:
        if not target.absolute().parent.is_dir():
            raise FileError(f"{path}: there is no folder {target.absolute().parent}.")
        if target.is_dir():
            raise FileError(f"{path} is a folder: name a file in it.")
        _try_to_write(target)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from None
    if encodes and target.suffix.lower() == ".mp3":
        try:
            check_mp3()
        except ConfigError as error:
            raise FileError(str(error)) from None


def _try_to_write(target: Path) -> None:
    """Open it for writing and leave everything as it was. Raises OSError."""
    real = Path(os.path.realpath(target))  # a link may lead to a file that is to be made
    try:
        real.open("xb").close()
    except FileExistsError:
        if real.is_file():
            real.open("ab").close()
        elif not os.access(real, os.W_OK):  # a pipe cannot be opened: that would wait for who reads it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None
    else:
        real.unlink()


def write_sound(path: str | Path, pcm: bytes, rate: int = RATE) -> None:
    """Save 16-bit mono PCM as a WAV or MP3 file, by the end of its name. Raises FileError."""
    check_writable(path)
    if Path(path).suffix.lower() == ".mp3":
        write_file(path, encode_mp3(pcm, rate))
    else:
        write_file(path, write_wav(np.frombuffer(pcm, np.int16), rate))


def write_file(path: str | Path, content: bytes) -> None:
    """Write a whole file, or leave the one that is there as it is. Pipes and devices take it directly.

    Raises FileError.
    """
    real = Path(os.path.realpath(path))  # a link stays a link
    try:
        if real.is_file() or not real.exists():
            _replace(real, content)
        else:
            real.write_bytes(content)
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}.") from None


def _replace(real: Path, content: bytes) -> None:
    partial = real.with_name(f".{secrets.token_hex(6)}.new")
    try:
        file = partial.open("xb")
    except PermissionError:  # in a folder where only this file may be written
        real.write_bytes(content)
        return
    try:
        with file:
            file.write(content)
        if real.exists():
            partial.chmod(real.stat().st_mode & 0o7777)
        partial.replace(real)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class FileMicrophone:
    """A microphone that yields a file in real time, then silence."""

    def __init__(self, pcm: bytes, *, lead_ms: int = 200) -> None:
        self._pcm = bytes(ms_to_bytes(lead_ms, RATE)) + pcm
        self.finished = asyncio.Event()  # all of the file has been yielded

    async def __aenter__(self) -> FileMicrophone:
        return self

    async def __aexit__(self, *error: object) -> None:
        return

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        size = ms_to_bytes(_BLOCK_MS, RATE)
        start_s, block = loop.time(), 0
        while True:
            pcm = self._pcm[block * size : (block + 1) * size]
            if not pcm:
                self.finished.set()
            yield pcm.ljust(size, b"\0")
            block += 1
            await asyncio.sleep(start_s + block * _BLOCK_MS / 1000 - loop.time())


class FileSpeaker:
    """A speaker without a device: takes the player's audio and keeps it in `heard`.

    In real time, as if somebody listened: a reply can be interrupted. Not `paced` it takes the audio as fast as it
    comes, and its clock is the length of what it has taken.
    """

    def __init__(self, player: Player | None = None, *, paced: bool = True) -> None:
        self.player = player or Player(RATE)
        self.paced = paced
        self.heard = bytearray()  # 16-bit mono at 24 kHz; no silence between replies
        self._taken_s = 0.0

    async def __aenter__(self) -> FileSpeaker:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(self._play() if self.paced else self._take(), name="file speaker")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def save(self, path: str | Path) -> None:
        """Write what was heard, if anything was, as `write_sound` does. Raises FileError."""
        if self.heard:
            write_sound(path, bytes(self.heard))

    def now(self) -> float:
        return self._loop.time() if self.paced else self._taken_s

    async def _play(self) -> None:
        start_s, block = self.now(), 0
        while True:
            await asyncio.sleep(start_s + block * _BLOCK_MS / 1000 - self.now())
            busy = self.player.active
            pcm = self.player.read(ms_to_samples(_BLOCK_MS, RATE), start_s + block * _BLOCK_MS / 1000)
            if busy:
                self.heard += pcm
            block += 1

    async def _take(self) -> None:
        while True:
            pcm = self.player.drain(self._taken_s)
            self.heard += pcm
            self._taken_s += len(pcm) / 2 / RATE
            await asyncio.sleep(_BLOCK_MS / 1000)
