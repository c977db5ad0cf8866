"""What a long text is made of: a text, a txt file, or a zip with txt or json members (docs/minimax/t2a-async.md 1.1).

Pure: bytes in, parts to speak out. What is wrong with a file becomes the failure of its task.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from .refusal import Refusal

MOST_CHARACTERS = 1_000_000  # exclusive
_MOST_BYTES = 4 * MOST_CHARACTERS + 1000  # of one member; UTF-8 has at most 4 bytes a character
_MOST_MEMBERS = 100
_ZIP_ERROR = "check file in zip error"
_JSON_FIELDS = ("title", "content", "extra")


@dataclass(frozen=True, slots=True)
class Part:
    """One text to speak. `prefix` is title, content or extra; `member` the zip member's name without ending, or ""."""

    prefix: str
    text: str
    member: str = ""


def parts_of(data: bytes, filename: str) -> list[Part]:
    """The parts of an uploaded file. Raises Refusal 2013."""
    if filename.lower().endswith(".zip"):
        parts = list(_zipped(data))
    else:
        parts = [Part("content", _decoded(data))]
    if not any(part.text.strip() for part in parts):
        raise Refusal(2013, "invalid params, the file has no text")
    if sum(len(part.text) for part in parts) >= MOST_CHARACTERS:
        raise Refusal(2013, f"invalid params, the file has {MOST_CHARACTERS} characters or more")
    return [part for part in parts if part.text.strip()]


def _zipped(data: bytes) -> Iterator[Part]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = [info for info in archive.infolist() if not info.is_dir()]
    except zipfile.BadZipFile:
        raise Refusal(2013, f"invalid params, {_ZIP_ERROR}") from None
    endings = {info.filename.rpartition(".")[2].lower() for info in members}
    if len(endings) != 1 or not endings <= {"txt", "json"} or len(members) > _MOST_MEMBERS:
        raise Refusal(2013, f"invalid params, {_ZIP_ERROR}")
    if sum(info.file_size for info in members) > _MOST_BYTES:
        raise Refusal(2013, f"invalid params, {_ZIP_ERROR}")
    for info in sorted(members, key=lambda member: _order(member.filename)):
        stem = info.filename.rpartition("/")[2].rpartition(".")[0]
        member = stem if len(members) > 1 else ""
        try:
            content = archive.read(info)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError):
            raise Refusal(2013, f"invalid params, {_ZIP_ERROR}") from None
        if endings == {"txt"}:
            yield Part("content", _decoded(content), member)
        elif not stem.isdigit():
            raise Refusal(2013, f"invalid params, {_ZIP_ERROR}")
        else:
            yield from _fields(content, member)


def _fields(content: bytes, member: str) -> Iterator[Part]:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise Refusal(2013, f"invalid params, {_ZIP_ERROR}")
    for name in _JSON_FIELDS:
        if isinstance(fields.get(name), str):
            yield Part(name, fields[name], member)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refusal(2013, "invalid params, the text file is not UTF-8") from None


def _order(name: str) -> list[tuple[int, str]]:
    """ "2.json" before "10.json"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
