"""The `event_id` of a message that is no event: without it a client cannot tell which of its messages was refused.

Knows JSON only, also JSON that breaks off or is wrong in the middle. Never raises.
"""

from __future__ import annotations

import json
import re
from typing import Any

from realtime.blocks import LongBytes

MAX_EVENT_ID_CHARS = 512
LOOKED_AT_BYTES = 64 * 1024  # of a broken message: the id usually stands first
_ENDS_BYTES = 2_048  # before and after what makes an event too large

_decoder = json.JSONDecoder(strict=False)  # a raw line break in a text hides no id after it
_blanks = re.compile("[ \t\n\r\ufeff]*+")
_id = re.compile(r'"event_id"\s*+:\s*+"(?:[^"\\]|\\.){0,512}"')


def id_in(message: Any) -> str | None:
    """The id in a decoded message: of an object, or of the first event in an array of them. Cut to length."""
    if isinstance(message, list) and message:
        message = message[0]
    event_id = message.get("event_id") if isinstance(message, dict) else None
    return event_id[:MAX_EVENT_ID_CHARS] if isinstance(event_id, str) else None


def id_in_broken(data: str | LongBytes) -> str | None:
    """The id of an object that is not valid JSON, if it stands before the broken place."""
    text = data[:LOOKED_AT_BYTES]
    return id_in(_members(text if isinstance(text, str) else text.decode("utf-8", "replace")))


def id_at_the_ends(data: LongBytes) -> str | None:
    """The id of an object that is too large to be read, if it stands near its beginning or its end."""
    for part in (data[:_ENDS_BYTES], data[-_ENDS_BYTES:]):
        found = _id.search(part.decode("utf-8", "replace"))
        if found is not None:
            return id_in(_members("{" + found[0] + "}"))
    return None


def _members(text: str) -> dict[str, Any]:
    """The members of an object up to the first one that cannot be read."""
    members: dict[str, Any] = {}
    try:
        place = _expect(text, 0, "{")
        while True:
            key, place = _decoder.raw_decode(text, _skip(text, place))
            place = _skip(text, _expect(text, place, ":"))
            members[key], place = _decoder.raw_decode(text, place)
            place = _expect(text, place, ",")
    except (ValueError, RecursionError, TypeError):  # TypeError: a key that is no string
        return {key: value for key, value in members.items() if _is_text(value)}


def _skip(text: str, place: int) -> int:
    match = _blanks.match(text, place)
    return match.end() if match else place


def _expect(text: str, place: int, mark: str) -> int:
    """The place after this mark. Raises ValueError."""
    place = _skip(text, place)
    if text[place : place + 1] != mark:
        raise ValueError(f"no {mark} at {place}")
    return place + 1


def _is_text(value: Any) -> bool:
    """Whether it can be sent back: half an emoji cannot."""
    try:
        return isinstance(value, str) and value.encode() is not None
    except UnicodeEncodeError:
        return False
