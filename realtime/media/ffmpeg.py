"""pydub and the packaged ffmpeg of the extra `[media]`: the one place that imports them, and what decodes with them.

Every function blocks: call them with `asyncio.to_thread`. Knows nothing of cloning and of chapters.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.errors import ConfigError, InvalidArgument, install_extra

MEDIA_LINE = install_extra("media")
AudioSource = str | os.PathLike[str] | bytes

_LONGEST_MEASURED_S = 24 * 3600
_BLOCK = 1 << 16


def pydub_segment() -> Any:
    """pydub's AudioSegment with the packaged ffmpeg. Raises ConfigError, which says how to install them."""
    try:
        with warnings.catch_warnings():
            # pydub looks for ffmpeg on the path and uses the audioop module, deprecated since Python 3.11
            # (on 3.13 the `audioop-lts` package stands in): neither is news for the person at the terminal.
            warnings.simplefilter("ignore")
            import imageio_ffmpeg
            from pydub import AudioSegment
    except ImportError:
        raise ConfigError(f"Other audio than WAV needs pydub and ffmpeg: {MEDIA_LINE}") from None
    AudioSegment.converter = imageio_ffmpeg.get_ffmpeg_exe()
    return AudioSegment


def ffmpeg() -> str:
    return str(pydub_segment().converter)


def duration_s(source: AudioSource, *, param: str = "file") -> float:
    """How long this audio plays, in seconds; it is decoded, so that wrong headers do not matter.

    Raises InvalidArgument for what is not audio, ConfigError without the extra `[media]`.
    """
    return decode(source, 8_000, keep_s=0.0, param=param).duration_s


@dataclass(frozen=True, slots=True)
class Decoded:
    """Mono 16-bit PCM (not more than was asked for), the whole duration, and whether ffmpeg found damage."""

    pcm: bytes = field(repr=False)
    duration_s: float
    damaged: bool


def decode(source: AudioSource, rate: int, *, keep_s: float, param: str) -> Decoded:
    """Audio of any kind at `rate` Hertz, its first `keep_s` seconds kept. Raises as `duration_s`."""
    keep = int(keep_s * rate) * 2
    pcm, count = bytearray(), 0
    with as_path(source, param) as path, Decoder(path, rate) as decoder:
        for block in decoder:
            count += len(block)
            pcm += block[: max(0, keep - len(pcm))]
            if count > _LONGEST_MEASURED_S * rate * 2:
                break
        damaged = decoder.finish()
    if not count:
        raise InvalidArgument(f"{_name(source)} is not audio that ffmpeg can read", param=param)
    return Decoded(bytes(pcm), count / 2 / rate, damaged)


class Decoder:
    """ffmpeg decoding the first audio stream of a file into mono 16-bit PCM, block by block."""

    def __init__(self, path: Path, rate: int) -> None:
        # only local files: a playlist somebody sent must not fetch anything
        self._command = [ffmpeg(), "-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe"]
        self._command += ["-i", f"file:{path}", "-map", "0:a:0", "-ac", "1", "-ar", str(rate)]
        self._command += ["-f", "s16le", "pipe:1"]

    def __enter__(self) -> Decoder:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.__exit__(None, None, None)

    def __iter__(self) -> Iterator[bytes]:
        assert self._process.stdout is not None
        while block := self._process.stdout.read(_BLOCK):
            yield block

    def finish(self) -> bool:
        """Whether something in the file could not be decoded."""
        assert self._process.stdout is not None
        self._process.stdout.close()
        return self._process.wait() != 0


@contextlib.contextmanager
def as_path(source: AudioSource, param: str) -> Iterator[Path]:
    """The source as a readable file: bytes go into a temporary one, since ffmpeg must seek in m4a.

    Raises InvalidArgument for one that cannot be read.
    """
    if isinstance(source, bytes):
        with tempfile.NamedTemporaryFile(prefix="realtime-") as file:
            file.write(source)
            file.flush()
            yield Path(file.name)
        return
    path = Path(source).absolute()
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise InvalidArgument(f"{source} cannot be read: {error.strerror}", param=param) from None
    yield path


def _name(source: AudioSource) -> str:
    return f"the file of {len(source)} bytes" if isinstance(source, bytes) else Path(source).name
