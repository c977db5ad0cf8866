"""What a narration has to say: a text, a text file, or a zip of text or JSON files.

Knows the rules of docs/minimax/t2a-async.md 1.1. Blocking. Does not know audio or tasks.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

from .refusal import Refusal

MOST_FILE = 1_000_000  # characters; a file has fewer
_MOST_BYTES = 4 * MOST_FILE  # in UTF-8
_MOST_MEMBERS = 1000
_JSON_NAME = re.compile(r"([1-9]\d*)\.json")
JSON_FIELDS = ("title", "content", "extra")


@dataclass(frozen=True, slots=True)
class Section:
    """One text that gets its own audio. `kind` is title, content or extra; `number` that of the member, from 1."""

    kind: str
    number: int
    text: str


def bad_zip() -> Refusal:
    """The platform's word for a zip that it does not take."""
    return Refusal(2013, "check file in zip error")


def sections_of(data: bytes, *, zipped: bool) -> list[Section]:
    """The sections of an uploaded file, in the order of its members. Raises Refusal."""
    found = list(_zipped(data)) if zipped else [Section("content", 1, _decoded(data))]
    found = [section for section in found if section.text.strip()]
    if not found:
        raise Refusal(2013, "the file has no text")
    length = sum(len(section.text) for section in found)
    if length >= MOST_FILE:
        raise Refusal(2013, f"the file has {length} characters, fewer than {MOST_FILE} are allowed")
    return found


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(2013, f"the text is not UTF-8 at byte {error.start}") from None


def _zipped(data: bytes) -> Iterator[Section]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            numbers = _numbered([member.filename for member in members])
            left = _MOST_BYTES
            for number, member in sorted(zip(numbers, members, strict=True), key=lambda pair: pair[0]):
                with archive.open(member) as file:
                    raw = file.read(left + 1)  # the size in a zip's list may be a lie
                left -= len(raw)
                if left < 0:
                    raise Refusal(2013, f"the texts in the zip are larger than {_MOST_BYTES} bytes")
                yield from _member(member.filename, number, raw)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError):
        raise bad_zip() from None  # broken, encrypted or compressed in a way that nobody reads


def _numbered(names: list[str]) -> list[int]:
    """The number of each member. All are txt, or all are `1.json`, `2.json`, … without a gap. Raises Refusal."""
    if not 0 < len(names) <= _MOST_MEMBERS:
        raise bad_zip()
    if all(name.lower().endswith(".txt") for name in names):
        return list(range(1, len(names) + 1))
    matches = [_JSON_NAME.fullmatch(name) for name in names]
    numbers = [int(match[1]) for match in matches if match]
    if sorted(numbers) != list(range(1, len(names) + 1)):
        raise bad_zip()
    return numbers


def _member(name: str, number: int, raw: bytes) -> Iterator[Section]:
    if not name.endswith(".json"):
        yield Section("content", number, _decoded(raw))
        return
    try:
        fields = json.loads(_decoded(raw))
    except (ValueError, RecursionError):
        raise bad_zip() from None
    for kind in JSON_FIELDS:
        text = fields.get(kind) if isinstance(fields, dict) else 0
        if not isinstance(text, str | None):
            raise bad_zip()
        if text:
            yield Section(kind, number, text)
