"""The file that long speech comes in: a tar with audio, subtitles and facts, unpacked safely. Blocks.

Members are found by their endings (docs/minimax/t2a-async.md 3). The tar comes from outside: nothing in it chooses
where a file is written, and links, devices, absolute paths, `..` and members larger than the tar itself are refused.
Memory stays flat for audio of any length.
"""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from realtime.errors import InvalidArgument, ProviderRejected, ProviderUnavailable
from realtime.minimax.field_tables import SPEECH_FORMATS
from realtime.minimax.json_text import decode_json
from realtime.minimax.results import whole
from realtime.minimax.subtitle_lines import SubtitleLine, read_lines

MOST_MEMBERS = 10_000
MOST_SIDE_BYTES = 64 * 1024 * 1024  # of subtitles or facts, which are read into memory
ENDINGS: Mapping[str, str] = {"pcmu_raw": "ulaw", "pcmu_wav": "wav"}
"""What a format is called on the disk, where that is not its own name."""

_AUDIO = frozenset({*SPEECH_FORMATS, "ogg", "ulaw", "raw", "m4a"})
_SIDES = frozenset({"titles", "extra"})


@dataclass(frozen=True, slots=True)
class NarrationPart:
    """One piece of audio on the disk with its subtitles.

    `name` is that of the member without its ending (`content-123`; for a zip of JSON also `title-…` and `extra-…`).
    `length_ms` in milliseconds and `rate` in Hertz are 0 where the platform did not say; `extra` is what it did.
    """

    name: str
    audio: Path
    format: str
    length_ms: int = 0
    rate: int = 0
    subtitles: tuple[SubtitleLine, ...] = field(default=(), repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(slots=True)
class _Group:
    """The members that differ only in their ending."""

    audio: Path | None = None
    format: str = ""
    titles: bytes = b""
    extra: bytes = b""


def unpack(
    source: Path, folder: Path, name: str | None = None, *, force: bool = False
) -> tuple[NarrationPart, ...]:
    """Write the audio of a tar into `folder`; its parts in the tar's order.

    The files are called `name` (with a number, if there are several) or like their members, with the format's ending.
    Raises InvalidArgument for a taken name without `force`, ProviderRejected for a tar that is broken or dangerous
    (what was written is removed), OSError.
    """
    written: list[Path] = []
    try:
        with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            groups = _read(tar, folder, source.stat().st_size, written)
        parts = [_part(key, group) for key, group in groups.items() if group.audio is not None]
        if not parts:
            raise _refused("it holds no audio")
        return tuple(_placed(parts, folder, name, force))
    except (tarfile.TarError, EOFError, UnicodeError, ValueError, OverflowError) as error:
        raise _refused(f"it cannot be read ({error})") from error
    finally:
        for path in written:
            path.unlink(missing_ok=True)


def _read(tar: tarfile.TarFile, folder: Path, size: int, written: list[Path]) -> dict[str, _Group]:
    groups: dict[str, _Group] = {}
    for member in _members(tar, size):
        stem, _, ending = member.name.rpartition(".")
        ending = ending.lower()
        if ending not in _AUDIO | _SIDES:
            continue
        file = tar.extractfile(member)
        assert file is not None, "it is a plain file"
        group = groups.setdefault(stem, _Group())
        if ending in _SIDES:
            setattr(group, ending, _side(file, member))
            continue
        if group.audio is not None:
            raise _refused(f"{member.name!r} is there twice")
        group.audio, group.format = folder / f".{Path(str(tar.name)).name}-{len(written)}.part", ending
        written.append(group.audio)
        with group.audio.open("wb") as target:
            shutil.copyfileobj(file, target, 1 << 20)
    return groups


def _members(tar: tarfile.TarFile, size: int) -> Iterator[tarfile.TarInfo]:
    """The plain files. Raises ProviderRejected for everything that no honest tar of the platform has."""
    for number, member in enumerate(tar, 1):
        if number > MOST_MEMBERS:
            raise _refused(f"it has more than {MOST_MEMBERS:,} members")
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\x00" in member.name:
            raise _refused(f"{member.name[:80]!r} points out of the folder")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise _refused(f"{member.name[:80]!r} is a link or a device")
        if member.size < 0 or member.offset_data + member.size > size:
            raise _refused(f"{member.name[:80]!r} is larger than the whole file")
        yield member


def _side(file: IO[bytes], member: tarfile.TarInfo) -> bytes:
    if member.size > MOST_SIDE_BYTES:
        raise _refused(f"{member.name[:80]!r} is too large")
    return file.read()


def _part(key: str, group: _Group) -> NarrationPart:
    assert group.audio is not None
    extra = _facts(group.extra)
    return NarrationPart(
        name=PurePosixPath(key).name or "audio",
        audio=group.audio,
        format=group.format,
        length_ms=whole(extra, "audio_length"),
        rate=whole(extra, "audio_sample_rate"),
        subtitles=_lines(group.titles),
        extra=extra,
    )


def _lines(content: bytes) -> tuple[SubtitleLine, ...]:
    try:
        return read_lines(content) if content.strip() else ()
    except ProviderUnavailable:
        return ()  # the audio is what was paid for


def _facts(content: bytes) -> Mapping[str, Any]:
    try:
        value = decode_json(content)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _placed(
    parts: list[NarrationPart], folder: Path, name: str | None, force: bool
) -> Iterator[NarrationPart]:
    """Give the files their names: all of them are free before the first one is renamed."""
    targets = [
        folder / f"{stem}.{ENDINGS.get(part.format, part.format)}" for stem, part in _named(parts, name)
    ]
    for target in targets:
        if target.exists() and not force:
            raise InvalidArgument(f"{target} exists already. Choose another name, or force.", param="folder")
    for part, target in zip(parts, targets, strict=True):
        yield replace(part, audio=part.audio.replace(target))


def _named(parts: list[NarrationPart], name: str | None) -> list[tuple[str, NarrationPart]]:
    if name is not None:
        digits = len(str(len(parts)))
        return [
            (name if len(parts) == 1 else f"{name}-{number:0{digits}d}", part)
            for number, part in enumerate(parts, 1)
        ]
    taken: set[str] = set()
    named = []
    for part in parts:
        stem = re.sub(r"[^\w.-]+", "-", part.name).strip("-.")[:80] or "audio"
        numbered = (f"{stem}-{number}" for number in count(2))
        free = next(each for each in chain([stem], numbered) if each.lower() not in taken)
        taken.add(free.lower())  # some file systems do not tell A from a
        named.append((free, part))
    return named


def _refused(what: str) -> ProviderRejected:
    return ProviderRejected(f"MiniMax: the file of the long speech was not unpacked: {what}.")
