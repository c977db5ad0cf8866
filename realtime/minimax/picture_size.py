"""The width and height of a picture, read from its header: JPEG, PNG and WebP. Pure; no library for pictures is needed.

Knows the three formats' headers only. A picture with a good header and a broken body passes; the platform looks again.
"""

from __future__ import annotations

from collections.abc import Iterator

_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xDA)})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOF0 to SOF15 without tables
_SCAN = 0xDA  # the pixels begin: no size comes after it


def picture_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as they are stored; None for another format and for a header without a size.

    A JPEG that a camera turned by a note in its metadata has the sides as stored, which changes no limit here.
    """
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
        return _positive(_number(data, 16, 4), _number(data, 20, 4))
    if data.startswith(b"\xff\xd8"):
        return _jpeg(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return None


def _jpeg(data: bytes) -> tuple[int, int] | None:
    for marker, at in _segments(data):
        if marker in _FRAMES:
            return _positive(_number(data, at + 5, 2), _number(data, at + 3, 2))
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """The marker of each segment before the pixels, and where its length stands."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SCAN:
            return
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        at += 2
        if marker in _WITHOUT_LENGTH:
            continue
        yield marker, at
        at += max(2, _number(data, at, 2))


def _webp(data: bytes) -> tuple[int, int] | None:
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            return _positive(_little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF)
        case b"VP8L" if data[20:21] == b"\x2f":
            bits = _little(data, 21, 4)
            return _positive((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X" if len(data) >= 30:
            return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    return None


def _positive(width: int, height: int) -> tuple[int, int] | None:
    return (width, height) if width > 0 and height > 0 else None


def _number(data: bytes, at: int, size: int) -> int:
    """A big-endian number; 0 where the data end before."""
    return int.from_bytes(data[at : at + size]) if len(data) >= at + size else 0


def _little(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "little") if len(data) >= at + size else 0
