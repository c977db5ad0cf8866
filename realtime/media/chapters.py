"""Audio of several chapters in one file with chapter marks: `.m4b`, `.m4a` or `.mp3`.

Blocks: call it with `asyncio.to_thread`. The parts may have different formats, so they are decoded and encoded again.
Knows no platform and no book.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from realtime.errors import InvalidArgument
from realtime.media.ffmpeg import AudioSource, Decoder, as_path, ffmpeg

_JOIN_RATE = 44_100  # Hertz: every player and both formats support it
_FORMATS = {  # container, codec, bitrate
    ".m4b": ("ipod", "aac", "96k"),
    ".m4a": ("ipod", "aac", "96k"),
    ".mp3": ("mp3", "libmp3lame", "128k"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One chapter: its title and its audio, in any format that ffmpeg reads."""

    title: str
    audio: AudioSource = field(repr=False)


@dataclass(frozen=True, slots=True)
class Joined:
    """A written file: its duration, and where each chapter starts, in seconds."""

    path: Path
    duration_s: float
    starts_s: tuple[float, ...]


def join(parts: Sequence[Part], out: str | os.PathLike[str], *, title: str = "", author: str = "") -> Joined:
    """Write all parts into one `.m4b`, `.m4a` or `.mp3` file with a chapter mark for each.

    The file appears only when it is complete, and replaces an existing one. Raises InvalidArgument for another ending,
    no parts, or a part that is not audio; OSError if it cannot be written; ConfigError without `[media]`.
    """
    path = Path(out)
    if path.suffix.lower() not in _FORMATS:
        raise InvalidArgument(f"{path.name}: the name must end in {', '.join(_FORMATS)}", param="out")
    if not parts:
        raise InvalidArgument("there is nothing to join", param="parts")
    with tempfile.TemporaryDirectory(dir=path.absolute().parent, prefix=f".{path.name[:40]}-") as folder:
        plain, marked = Path(folder) / "plain", Path(folder) / "marked"
        starts_s = _encode(parts, plain, path.suffix.lower())
        marks = Path(folder) / "marks"
        marks.write_text(_chapters(parts, starts_s, title, author), encoding="utf-8")
        _add_chapters(plain, marks, marked, path.suffix.lower())
        marked.replace(path)
    return Joined(path, starts_s[-1], tuple(starts_s[:-1]))


def _encode(parts: Sequence[Part], plain: Path, suffix: str) -> list[float]:
    """Encode all parts one after the other; where each starts, and the end of the last, in seconds."""
    container, codec, bitrate = _FORMATS[suffix]
    command = [
        ffmpeg(),
        "-v",
        "error",
        "-y",
        "-f",
        "s16le",
        "-ar",
        str(_JOIN_RATE),
        "-ac",
        "1",
        "-i",
        "pipe:0",
    ]
    command += ["-c:a", codec, "-b:a", bitrate, "-f", container, f"file:{plain}"]
    samples, starts_s = 0, [0.0]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=errors) as encoder:
            assert encoder.stdin is not None
            for part in parts:
                try:
                    samples += _feed(part, encoder.stdin)
                except BrokenPipeError:
                    break  # ffmpeg has stopped: its own message says why
                starts_s.append(samples / _JOIN_RATE)
            with contextlib.suppress(BrokenPipeError):
                encoder.stdin.close()
        _check_ended(encoder.returncode, errors)
    return starts_s


def _feed(part: Part, sink: Any) -> int:
    """Decode one part into the encoder; how many samples it has."""
    count = 0
    with as_path(part.audio, "parts") as path, Decoder(path, _JOIN_RATE) as decoder:
        for block in decoder:
            sink.write(block)
            count += len(block)
    if not count:
        raise InvalidArgument(f"chapter {part.title!r} is not audio that ffmpeg can read", param="parts")
    return count // 2


def _add_chapters(plain: Path, marks: Path, marked: Path, suffix: str) -> None:
    """Copy the audio unchanged, with the chapters and titles of an ffmetadata file."""
    command = [ffmpeg(), "-nostdin", "-v", "error", "-y", "-i", f"file:{plain}", "-f", "ffmetadata"]
    command += [
        "-i",
        f"file:{marks}",
        "-map",
        "0:a",
        "-map_metadata",
        "1",
        "-map_chapters",
        "1",
        "-c",
        "copy",
    ]
    command += ["-f", _FORMATS[suffix][0], f"file:{marked}"]
    with tempfile.TemporaryFile() as errors:
        done = subprocess.run(command, stderr=errors, check=False)
        _check_ended(done.returncode, errors)


def _check_ended(status: int, errors: Any) -> None:
    if status:
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines() or [f"exit status {status}"]
        raise OSError(f"ffmpeg could not write the file: {lines[-1]}")


def _chapters(parts: Sequence[Part], starts_s: Sequence[float], title: str, author: str) -> str:
    """The ffmetadata text: titles of the whole, then one section a chapter in milliseconds."""
    lines = [";FFMETADATA1", f"title={_escaped(title)}", f"artist={_escaped(author)}"]
    for part, start_s, end_s in zip(parts, starts_s, starts_s[1:], strict=False):
        lines += [
            "[CHAPTER]",
            "TIMEBASE=1/1000",
            f"START={round(start_s * 1000)}",
            f"END={round(end_s * 1000)}",
        ]
        lines.append(f"title={_escaped(part.title)}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return "".join("\\" + letter if letter in "=;#\\\n" else letter for letter in text)
