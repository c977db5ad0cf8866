"""Names of result files: made from a prompt, safe on every system, ending in what the bytes are.

Names taken by existing files are refused before anything is bought (`check_out`); afterwards a result always gets a
name, so that nothing that was paid for is lost (`name_result`). Writes nothing.
"""

from __future__ import annotations

import itertools
import os
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from realtime.errors import InvalidArgument
from realtime.minimax.sniff import sniff

MAX_NAME_BYTES = 245  # of 255, so that ".part.json" still follows
MAX_STEM_BYTES = 80  # file systems take 255 bytes; a number, an ending and ".part" follow
_FALLBACK = "result"
# names of devices on Windows, with any ending: a folder shared with one must not break
_RESERVED = {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
_DIRECTIONS = re.compile(r"\[[^\]]*\]")  # camera moves and section tags are no part of a name
_ENDING = re.compile(r"\.[A-Za-z0-9_]{1,10}$")
_GAP = re.compile(r"[\s\-_./\\:]+")

_MEDIA = {
    ".png",
    ".jpeg",
    ".webp",
    ".gif",
    ".heic",
    ".mp4",
    ".mov",
    ".m4a",
    ".mp3",
    ".wav",
    ".flac",
    ".ogg",
    ".tar",
    ".zip",
}
_SAID_BY_THE_USER = {".bin", ".txt", ".json"}  # the bytes do not tell .srt from .md: the asked ending stays
_SAME = {".jpg": ".jpeg", ".opus": ".ogg", ".m4v": ".mp4", ".m4b": ".m4a"}


def stem(prompt: str, max_bytes: int = MAX_STEM_BYTES) -> str:
    """A file name without ending from the beginning of a prompt: letters and digits of any script, joined by `-`.

    Never empty, never hidden, never a reserved name, at most `max_bytes` in UTF-8, and cut between characters.
    """
    text = unicodedata.normalize("NFC", _DIRECTIONS.sub(" ", prompt))
    kept = "".join(letter for letter in _GAP.sub("-", text) if letter == "-" or _is_word(letter))
    name = re.sub("-+", "-", _cut(kept.lower().strip("-"), max_bytes)).strip("-")
    name = unicodedata.normalize("NFC", name)
    return f"{_FALLBACK}-{name}" if name in _RESERVED else name or _FALLBACK


def ending(first: bytes) -> str:
    """The ending that fits the first bytes of a file (SNIFF_BYTES are enough); `.bin` where they say nothing."""
    kind = sniff(first)
    return {"unknown": ".bin", "text": ".txt"}.get(kind, f".{kind}")


def check_out(out: str | Path | None, *, count: int = 1, force: bool = False) -> None:
    """Check before buying that `count` results can be written to what the user asked for (`-o`).

    Raises InvalidArgument for a folder that is none or cannot be written, for a name that is too long, and for one
    that is taken without `force`.
    """
    asked = Path() if out is None else Path(out)
    check_length(asked, 0 if count == 1 else len(f"-{count}"))
    is_folder = _is_folder(out)
    folder = (asked if is_folder else asked.parent).absolute()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        raise InvalidArgument(f"{there} is a file, not a folder: choose another one with -o.", param="out")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InvalidArgument(f"{there} cannot be written: choose another folder with -o.", param="out")
    if is_folder or force:
        return
    for index in range(count):
        path = _numbered(asked, index, count)
        if path.exists():
            raise InvalidArgument(f"{path} exists: choose another name, or add --force.", param="out")


def check_length(path: Path, more: int = 0) -> None:
    """Raises InvalidArgument for a name that is too long for a file that is still coming. `more` bytes are added."""
    if len(os.fsencode(path.name)) + more > MAX_NAME_BYTES:
        raise InvalidArgument(
            f"{path.name[:40]}… is too long for the name of a file: choose a shorter one with -o.",
            param="out",
        )


def absolute(out: str | Path | None) -> str:
    """What the user asked for, for a record: a command that goes on may run in another folder."""
    path = os.path.abspath(out or ".")
    return f"{path}/" if _is_folder(out) else path


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
    """The path of result `index` (from 0) of `count`, with `suffix` as `ending` gives it; its folder may be missing.

    `out` is what the user asked for: a file name, or a folder (it exists, or ends in `/`) for made names. A taken name
    is followed by the next free number, unless `force`.
    """
    asked = Path(out or ".")
    wanted = asked / (stem(prompt) + suffix) if _is_folder(out) else _with_ending(asked, suffix)
    first = _numbered(wanted, index, count)
    if force or not exists(first):
        return first
    numbers = itertools.count(count + 1 if count > 1 else 2)
    candidates = (_with_number(wanted, f"-{number}") for number in numbers)
    return next(path for path in candidates if not exists(path))


def _is_folder(out: str | Path | None) -> bool:
    return out is None or str(out).endswith(("/", "/.", "/..")) or Path(out).is_dir()


def _numbered(path: Path, index: int, count: int) -> Path:
    """`cat.png` alone; `cat-1.png`, `cat-2.png` ... of several, with zeros so that they sort."""
    return _with_number(path, "" if count == 1 else f"-{index + 1:0{len(str(count))}d}")


def _with_number(path: Path, number: str) -> Path:
    """The name with a number before its ending; what is too long for that is cut."""
    name, last = _split(path.name)
    room = MAX_NAME_BYTES - len(number + last)
    return path.with_name(f"{name if len(os.fsencode(name)) <= room else _cut(name, room)}{number}{last}")


def _split(name: str) -> tuple[str, str]:
    """A name and its ending, which may be empty: in "Dr. Who" and "v1.5 final" nothing is one."""
    found = _ENDING.search(name)
    return (name, "") if found is None or not found.start() else (name[: found.start()], found.group())


def _with_ending(asked: Path, actual: str) -> Path:
    """The asked name with the actual ending, unless it ends in one that means the same (or the bytes say nothing)."""
    name, asked_ending = _split(asked.name)
    lower = asked_ending.lower()
    if _SAME.get(lower, lower) == actual or (asked_ending and actual in _SAID_BY_THE_USER):
        return asked
    known = lower in _SAME or lower in _MEDIA
    return asked.with_name((name if known else asked.name) + actual)


def without_ending(name: str, format: str) -> str:
    """What the user asked for, without the ending of this format or of another kind of media; "Dr. Who" has none."""
    path = Path(name)
    lower = path.suffix.lower()
    known = lower == f".{format}" or lower in _SAME or lower in _MEDIA
    return path.stem if known else name


def _is_word(letter: str) -> bool:
    """Letters, their marks and digits: no controls, no text direction marks, no punctuation, no emoji."""
    return unicodedata.category(letter)[0] in "LMN"


def _cut(text: str, max_bytes: int) -> str:
    return text.encode("utf-8", "ignore")[:max_bytes].decode("utf-8", "ignore")
