"""How long an mp3 is: from the frame count of its first frame (Xing, Info, VBRI), else by walking over all frames.

Knows frame headers of the three MPEG versions, layer 3, and ID3 tags. Decodes nothing.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hertz, by version
_KBPS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBPS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_SEARCHED = 256 * 1024  # bytes before the first frame, and for the next one after garbage
_BLOCK = 1024 * 1024
_MOST_TAGS = 16


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: its size in bytes, samples and rate in Hertz, and where a frame count would stand in it."""

    size: int
    samples: int
    rate: int
    side: int

    @property
    def seconds(self) -> float:
        return self.samples / self.rate


def frame_at(data: bytes, at: int = 0) -> Frame | None:
    """The frame whose header stands here; None for what is no header, or one without a bitrate."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version, kbps, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kbps in (0, 15) or rate == 3:
        return None
    hertz = _RATES[version][rate]
    samples = 1152 if version == 3 else 576
    bits = (_KBPS_1 if version == 3 else _KBPS_2)[kbps] * 1000
    mono = head[3] >> 6 == 3
    side = (17 if mono else 32) if version == 3 else (9 if mono else 17)
    return Frame(samples // 8 * bits // hertz + (head[2] >> 1 & 1), samples, hertz, 4 + side)


def mp3_seconds(stream: BinaryIO, start: int, end: int) -> float | None:
    """The length in seconds of the mp3 between these places of a stream; None if no frame is found."""
    start = _after_tags(stream, start, end)
    stream.seek(start)
    first = _first_frame(stream.read(min(_SEARCHED, end - start)), end - start)
    if first is None:
        return None
    offset, frame, data = first
    counted = _counted_samples(data[offset : offset + frame.size], frame)
    if counted is not None:
        return counted / frame.rate
    return _walk(stream, start + offset, end)


def _after_tags(stream: BinaryIO, at: int, end: int) -> int:
    """Where the ID3v2 tags at the beginning end."""
    for _ in range(_MOST_TAGS):
        stream.seek(at)
        head = stream.read(10)
        if len(head) < 10 or head[:3] != b"ID3":
            break
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        at = min(end, at + 10 + size + (10 if head[5] & 0x10 else 0))
    return at


def _first_frame(data: bytes, left: int) -> tuple[int, Frame, bytes] | None:
    """The first header that another one follows, or that ends the file."""
    at = data.find(b"\xff")
    while at >= 0:
        frame = frame_at(data, at)
        if frame is not None and (at + frame.size == left or frame_at(data, at + frame.size) is not None):
            return at, frame, data
        at = data.find(b"\xff", at + 1)
    return None


def _counted_samples(data: bytes, frame: Frame) -> int | None:
    """The samples of the whole file as its first frame counts them, without what the encoder added."""
    if data[36:40] == b"VBRI" and len(data) >= 54:
        return int.from_bytes(data[50:54]) * frame.samples or None
    mark = frame.side
    if data[mark : mark + 4] not in (b"Xing", b"Info") or not int.from_bytes(data[mark + 4 : mark + 8]) & 1:
        return None
    samples = int.from_bytes(data[mark + 8 : mark + 12]) * frame.samples
    padding = _padding(data, mark)
    return samples - padding if samples > padding else samples or None


def _padding(data: bytes, mark: int) -> int:
    """Samples that the encoder put before and after the sound, where it says so."""
    flags = int.from_bytes(data[mark + 4 : mark + 8])
    at = mark + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
    if data[at : at + 4] not in (b"LAME", b"Lavc", b"Lavf") or len(data) < at + 24:
        return 0
    both = int.from_bytes(data[at + 21 : at + 24])
    return (both >> 12) + (both & 0xFFF)


def _walk(stream: BinaryIO, at: int, end: int) -> float | None:
    """The seconds of all whole frames. Each step goes forward; what is no frame is searched for the next one."""
    seconds = 0.0
    block, block_at = b"", at
    while at + 4 <= end:
        if at + 4 > block_at + len(block):
            stream.seek(at, io.SEEK_SET)
            block, block_at = stream.read(_BLOCK), at
            if len(block) < 4:
                break
        frame = frame_at(block, at - block_at)
        if frame is None:
            found = block.find(b"\xff", at - block_at + 1)
            at = block_at + (found if found >= 0 else len(block))
            continue
        at += frame.size
        if at <= end:
            seconds += frame.seconds
    return seconds or None
