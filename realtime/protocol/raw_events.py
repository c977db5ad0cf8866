"""Bounds of a client's event, checked on its raw JSON before anything is built from it; large data taken out of it.

Works in steps: a generator yields after each piece of work of a few milliseconds, so that a caller with an event loop
can do other things in between. Knows JSON's strings and nothing of events but where large data may stand.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Any

import msgspec

from realtime.blocks import Blocks, LongBytes
from realtime.errors import ProtocolError
from realtime.protocol import checks

MAX_EVENT_BYTES = 1024 * 1024  # of JSON, without the large data that some events may carry
MAX_VALUES = 20_000  # members and elements in one event: 128 tools have some thousand
UNCHECKED_BYTES = 16 * 1024  # too short for too many values
STEP_BYTES = 128 * 1024
LARGE_BYTES = 64 * 1024  # data from this length on is taken out
LARGE_KEYS = {"input_audio_buffer.append": ("audio",), "conversation.item.create": ("audio", "image_url")}

_MARK = "\x00large {}"  # stands where data was taken out
_key = re.compile(rb'"(?:audio|image_url)"[ \t\r\n]*+:[ \t\r\n]*+"')  # in valid JSON never inside a string
_MAX_KEYS = 2_000  # of an item with a thousand parts, or two
_KEY_BYTES = 64  # a key that is cut by the end of a step is shorter
_ESCAPE_BYTES = 6  # \u002B: some serialisers write + so
NO_DATA = "…"  # neither base64 nor an address

Steps = Generator[None, None, None]
_base64_decoder = msgspec.json.Decoder(bytes)
_text_decoder = msgspec.json.Decoder(str)


def too_large(size_bytes: int) -> ProtocolError:
    return checks.invalid(
        f"Invalid value: the event is too large. Expected at most {MAX_EVENT_BYTES} bytes of JSON, got {size_bytes}. "
        "Only the audio of 'input_audio_buffer.append', and the pictures and recordings of "
        "'conversation.item.create', may be larger.",
        None,
    )


def too_many_values() -> ProtocolError:
    return checks.invalid(
        f"Invalid value: too many values in one event. Expected at most {MAX_VALUES} members and elements in all: "
        "send less at once.",
        None,
    )


def check_values(data: bytes) -> Steps:
    """Count what would be built. Raises ProtocolError if it is more than MAX_VALUES; invalid JSON is not noticed."""
    if len(data) <= UNCHECKED_BYTES:
        return
    values, inside, held = 1, False, b""
    for start in range(0, len(data), STEP_BYTES):
        piece = held + data[start : start + STEP_BYTES]
        whole = piece.rstrip(b"\\")
        held = piece[len(whole) :]  # what they escape comes with the next piece
        found, inside = _values_in(whole, inside)
        values += found
        if values > MAX_VALUES:
            raise too_many_values()
        yield


def _values_in(piece: bytes, inside: bool) -> tuple[int, bool]:
    """How many values begin here, and whether the end is inside a string. `inside`: whether the beginning is."""
    if b"\\" in piece:
        piece = piece.replace(b"\\\\", b"").replace(b'\\"', b"")
    quotes = piece.count(b'"')
    if quotes > 4 * MAX_VALUES:  # a member has two strings
        return MAX_VALUES, False
    outside = b"".join(piece.split(b'"')[int(inside) :: 2])
    return outside.count(b",") + outside.count(b"[") + outside.count(b"{"), inside ^ (quotes % 2 == 1)


class LargeData:
    """Sound and pictures of one event, taken out of its JSON: what is left is small and can be decoded at once."""

    def __init__(self, data: LongBytes) -> None:
        self._data = data
        self._kept: list[bytes] = []
        self._places: dict[str, tuple[int, int]] = {}
        self.rest = b""

    def take_out(self) -> Steps:
        """Find the data. Raises ProtocolError if what is left is too large."""
        place, done, left, keys = 0, 0, MAX_EVENT_BYTES, 0
        piece, begin = b"", -STEP_BYTES
        while place < len(self._data) and place - done <= left:
            if place >= begin + STEP_BYTES:
                begin, piece = place, self._data[place : place + STEP_BYTES + _KEY_BYTES]
            key = _key.search(piece, place - begin)
            if key is None:
                place = begin + STEP_BYTES
                yield
                continue
            start, place, keys = begin + key.end(), begin + key.end(), keys + 1
            if keys > _MAX_KEYS:
                raise too_many_values()
            end = self._data.find(b'"', start)
            if end - start >= LARGE_BYTES and self._data[end - 1 : end] != b"\\":
                mark = _MARK.format(len(self._places))
                self._places[mark] = (start, end)
                self._kept += [self._data[done:start], msgspec.json.encode(mark)[1:-1]]
                left -= start - done
                place = done = end
                yield
        if len(self._data) - done > left:
            raise too_large(len(self._data))
        self.rest = b"".join([*self._kept, self._data[done:]])
        yield

    def put_back(self, message: Any) -> Generator[None, None, bool]:
        """Put the data back where an event may be large; False if some of it stood somewhere else.

        Audio is put back as Blocks. What is no base64 comes back as a text that its reader refuses.
        """
        for holder, key in _places_of(message):
            place = self._places.pop(holder[key], None) if isinstance(holder.get(key), str) else None
            if place is not None:
                pieces = _pieces(self._data, *place)
                holder[key] = yield from (_sound_of(pieces) if key == "audio" else _text_of(pieces))
        return not self._places


def _places_of(message: Any) -> list[tuple[dict[str, Any], str]]:
    """The objects of this event that may hold large data, each with the key that holds it."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return []
    keys = LARGE_KEYS.get(message["type"], ())
    item = message.get("item")
    content = item.get("content") if isinstance(item, dict) else None
    holders = [message, *(content if isinstance(content, list) else ())]
    return [(holder, key) for holder in holders if isinstance(holder, dict) for key in keys]


def _pieces(data: LongBytes, start: int, end: int) -> Iterator[str]:
    """The text of a JSON string in pieces. Raises ValueError if it is not ASCII, or no JSON."""
    while start < end:
        stop = min(end, start + STEP_BYTES)
        if stop < end and (escape := data[stop - _ESCAPE_BYTES : stop].rfind(b"\\")) >= 0:
            stop += escape - _ESCAPE_BYTES
        piece = _text_decoder.decode(b'"%b"' % data[start:stop])
        if not piece.isascii():
            raise ValueError("not ASCII")
        yield piece
        start = stop


def _sound_of(pieces: Iterator[str]) -> Generator[None, None, Blocks | str]:
    """A long base64 text, decoded; NO_DATA if it is none."""
    decoded, held = Blocks(), ""
    try:
        for piece in pieces:
            text = held + piece
            whole = len(text) - len(text) % 4
            held = text[whole:]
            if len(decoded) % 3:
                return NO_DATA  # padding in the middle
            decoded.add(_base64_decoder.decode(f'"{text[:whole]}"'))
            yield
    except ValueError:
        return NO_DATA
    return NO_DATA if held else decoded


def _text_of(pieces: Iterator[str]) -> Generator[None, None, str]:
    """A long address, or NO_DATA."""
    found: list[str] = []
    try:
        for piece in pieces:
            found.append(piece)
            yield
    except ValueError:
        return NO_DATA
    whole = "".join(found)
    yield
    found.clear()  # to give 10 MiB back takes as long as to join them
    yield
    return whole
