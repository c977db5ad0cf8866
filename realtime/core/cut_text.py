"""Cuts a text that is too long: its head and its tail stay, and between them stands how much was left out.

Whoever reads the rest, a model or a person, must know that it is not all. Knows no limit of anybody.
"""

from __future__ import annotations

import msgspec

_MARK_ROOM = 60  # characters, enough for the sentence in between
_HEAD = 2 / 3


def left_out(characters: int) -> str:
    """What stands in place of so many characters."""
    return f"[... {characters:,} characters left out ...]"


def cut_characters(text: str, limit: int) -> str:
    """At most `limit` characters of the text, the sentence in between included; a shorter text unchanged."""
    if len(text) <= limit:
        return text
    room = max(0, limit - _MARK_ROOM)
    head = round(room * _HEAD)
    tail = room - head
    mark = left_out(len(text) - room)
    return f"{text[:head]}\n{mark}\n{text[len(text) - tail :]}"[: max(limit, len(mark))]


def size_of(text: str) -> int:
    """The bytes of a text in UTF-8, a fair measure for its tokens in every script."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def size_of_json(value: object) -> int:
    """The bytes of a value as JSON; none for None."""
    if value is None:
        return 0
    try:
        return len(msgspec.json.encode(value, enc_hook=repr))
    except UnicodeError:  # half a surrogate pair: JSON cannot have it, and about as large is enough
        return size_of(repr(value))


def cut_bytes(text: str, limit: int) -> str:
    """As `cut_characters`, with the limit in bytes of UTF-8."""
    if size_of(text) <= limit:
        return text
    data = text.encode("utf-8", "replace")
    room = max(0, limit - _MARK_ROOM)
    head_bytes = round(room * _HEAD)
    head = data[:head_bytes].decode("utf-8", "ignore")
    tail = data[len(data) - (room - head_bytes) :].decode("utf-8", "ignore")
    return f"{head}\n{left_out(len(text) - len(head) - len(tail))}\n{tail}"
