"""Names of result files: made from a prompt, safe on every system, ending in what the bytes are.

Pure but for `exists`, which is given. Writes nothing.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from realtime.errors import InvalidArgument

MAX_STEM_BYTES = 80  # file systems take 255 bytes; a number, an ending and ".part" follow
HEAD_BYTES = 512  # so many bytes of a file are enough for `ending`
_FALLBACK = "result"
# names of devices on Windows, with any ending: a folder shared with one must not break
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
_DIRECTIONS = re.compile(r"\[[^\]]*\]")  # camera moves and section tags are no part of a name
_GAP = re.compile(r"[\s\-_./\\:]+")

_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpeg"),
    (0, b"GIF8", ".gif"),
    (8, b"WEBP", ".webp"),
    (8, b"WAVE", ".wav"),
    (0, b"ID3", ".mp3"),
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (4, b"ftypM4A", ".m4a"),
    (4, b"ftypM4B", ".m4b"),
    (4, b"ftypheic", ".heic"),
    (4, b"ftypqt", ".mov"),
    (4, b"ftyp", ".mp4"),
    (0, b"\x1aE\xdf\xa3", ".webm"),
    (0, b"PK\x03\x04", ".zip"),
    (257, b"ustar", ".tar"),
    (0, b"\x1f\x8b", ".gz"),
    (0, b"%PDF", ".pdf"),
)
_SAME = {".jpg": ".jpeg", ".opus": ".ogg", ".m4v": ".mp4"}


def stem(prompt: str, max_bytes: int = MAX_STEM_BYTES) -> str:
    """A file name without ending from the beginning of a prompt: letters and digits of any script, joined by `-`.

    Never empty, never hidden, never a reserved name, at most `max_bytes` in UTF-8, and cut between characters.
    """
    text = unicodedata.normalize("NFC", _DIRECTIONS.sub(" ", prompt))
    kept = "".join(letter for letter in _GAP.sub("-", text) if letter == "-" or _is_word(letter))
    name = re.sub("-+", "-", _cut(kept.lower().strip("-"), max_bytes)).strip("-")
    name = unicodedata.normalize("NFC", name)
    return f"{_FALLBACK}-{name}" if name in _RESERVED else name or _FALLBACK


def ending(head: bytes, default: str = ".bin") -> str:
    """The ending that fits the first bytes of a file (512 are enough), or `default` where they say nothing."""
    for offset, magic, suffix in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return suffix
    if len(head) >= 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:  # an MPEG audio frame without a tag
        return ".mp3"
    return default


def name_result(
    prompt: str,
    suffix: str,
    *,
    out: str | Path | None = None,
    index: int = 0,
    count: int = 1,
    force: bool = False,
    exists: Callable[[Path], bool] = Path.exists,
) -> Path:
    """The path of result `index` (from 0) of `count`, with `suffix` as `ending` gives it.

    `out` is what the user asked for: a file name, or a folder (it exists, or ends in `/`) for made names. A taken made
    name is followed by the next free number. Raises InvalidArgument if a name that the user asked for is taken, unless
    `force`.
    """
    asked = None if out is None else Path(out)
    if asked is None or str(out).endswith("/") or asked.is_dir():
        folder = asked or Path()
        return _free(folder / stem(prompt), suffix, index, count, force, exists)
    path = _numbered(_with_ending(asked, suffix), index, count)
    if exists(path) and not force:
        raise InvalidArgument(f"{path} exists: choose another name, or add --force.", param="out")
    return path


def _free(
    base: Path, suffix: str, index: int, count: int, force: bool, exists: Callable[[Path], bool]
) -> Path:
    first = _numbered(base.with_name(base.name + suffix), index, count)
    if force or not exists(first):
        return first
    numbers = itertools.count(count + 1 if count > 1 else 2)
    candidates = (base.with_name(f"{base.name}-{number}{suffix}") for number in numbers)
    return next(path for path in candidates if not exists(path))


def _numbered(path: Path, index: int, count: int) -> Path:
    """`cat.png` alone; `cat-1.png`, `cat-2.png` ... of several, with zeros so that they sort."""
    if count == 1:
        return path
    return path.with_name(f"{path.stem}-{index + 1:0{len(str(count))}d}{path.suffix}")


def _with_ending(asked: Path, actual: str) -> Path:
    """The asked name with the actual ending, unless it ends in one that means the same (or the bytes say nothing)."""
    lower = asked.suffix.lower()
    if actual == ".bin" or _SAME.get(lower, lower) == actual:
        return asked
    known = lower in _SAME or any(lower == suffix for _, _, suffix in _MAGIC)
    return asked.with_suffix(actual) if known else asked.with_name(asked.name + actual)


def _is_word(letter: str) -> bool:
    """Letters, their marks and digits: no controls, no text direction marks, no punctuation, no emoji."""
    return unicodedata.category(letter)[0] in "LMN"


def _cut(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "ignore")[:max_bytes].decode("utf-8", "ignore")
