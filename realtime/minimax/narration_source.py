"""What may be read out as a file: a text below a million characters, or a zip of texts of one kind. Blocks.

Rules: docs/minimax/t2a-async.md 1.1. A zip is read with bounds, so that a small file cannot become a large one in
memory. Knows no network.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import Any, BinaryIO

import msgspec

from realtime.minimax.fields import refused
from realtime.minimax.json_text import decode_json
from realtime.minimax.sniff import SNIFF_BYTES, sniff

MOST_CHARACTERS = 999_999
MOST_BYTES = 4 * MOST_CHARACTERS + 3  # of a text in UTF-8, with its mark
MOST_MEMBERS = 1_000
_PARTS = ("title", "content", "extra")


def check_source(stream: BinaryIO, size: int, name: str) -> str:
    """Check an open file from where it is; the ending that its name must have, "txt" or "zip".

    Raises InvalidArgument, naming `file`.
    """
    start = stream.tell()
    first = stream.read(SNIFF_BYTES)
    stream.seek(start)
    if sniff(first) == "zip":
        _check_zip(stream, name)
        return "zip"
    if size > MOST_BYTES:
        raise refused("file", f"{name} with {size:,} bytes", "a text has less than 1,000,000 characters")
    _check_text(stream.read(MOST_BYTES + 1), name)
    return "txt"


def _check_text(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(
            "file", f"{name}, which is no text in UTF-8", "allowed are UTF-8 texts and zip files"
        ) from None
    if "\x00" in text or not text.strip():
        raise refused("file", f"{name}, {'binary data' if text.strip() else 'empty'}", "allowed is a text")
    if len(text) > MOST_CHARACTERS:
        raise refused("file", f"{name} with {len(text):,} characters", "it must have less than 1,000,000")
    return text


def _check_zip(stream: BinaryIO, name: str) -> None:
    try:
        with zipfile.ZipFile(stream) as archive:
            _check_members(archive, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise refused(
            "file", f"{name}, a zip that cannot be read ({error})", "allowed is a plain zip"
        ) from None


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    members = [entry for entry in archive.infolist() if not entry.is_dir()]
    if not 1 <= len(members) <= MOST_MEMBERS:
        raise refused("file", f"{name} with {len(members)} texts", f"allowed are 1 to {MOST_MEMBERS:,}")
    kinds = {entry.filename.rpartition(".")[2].lower() for entry in members}
    if kinds not in ({"txt"}, {"json"}):
        names = ", ".join(entry.filename for entry in members[:5])
        raise refused("file", f"{name} with {names}", "all texts of a zip are .txt, or all are .json")
    if kinds == {"json"}:
        _check_numbers([entry.filename for entry in members], name)
    for entry in members:
        text = _check_text(_content(archive, entry, name), f"{entry.filename} in {name}")
        if kinds == {"json"}:
            _check_json(text, f"{entry.filename} in {name}")


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> bytes:
    with archive.open(entry) as member:
        content = member.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise refused("file", f"{entry.filename} in {name}", "a text has less than 1,000,000 characters")
    return content


def _check_numbers(names: list[str], name: str) -> None:
    """The platform's own check fails the whole task when they are called otherwise."""
    wanted = [f"{number}.json" for number in range(1, len(names) + 1)]
    if sorted(names) != sorted(wanted):
        given = ", ".join(sorted(names)[:5])
        raise refused("file", f"{name} with {given}", f"the names must be {', '.join(wanted[:3])} and so on")


def _check_json(text: str, name: str) -> None:
    try:
        value: Any = decode_json(text)
    except msgspec.DecodeError:
        raise refused(
            "file", f"{name}, which is not JSON", f"allowed is an object with {', '.join(_PARTS)}"
        ) from None
    given = [value.get(part) for part in _PARTS] if isinstance(value, dict) else []
    texts = [each for each in given if each is not None]
    if not texts or not all(isinstance(each, str) for each in texts):
        raise refused(
            "file", name, f"allowed is an object with the texts {', '.join(_PARTS)}, at least one of them"
        )
