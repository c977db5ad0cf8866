"""How long a recording is, from its headers: wav, mp3, m4a and flac. Nothing is decoded.

Reads as little of the file as it can; an mp3 without a frame count is walked frame by frame. What cannot be read this
way is None, never an error: the platform decides then. Blocks: call it in a thread.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

from realtime.minimax.mp3_frames import mp3_seconds
from realtime.minimax.sniff import SNIFF_BYTES, sniff

_MOST_BOXES = 10_000  # a real file has tens; more is garbage
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)  # of a wav that was written into a pipe


def audio_seconds(source: bytes | BinaryIO) -> float | None:
    """The length in seconds of a wav, mp3, m4a or flac; None where it cannot be told.

    A stream is read from where it is and must be able to seek. Its position afterwards is anywhere.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    start = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(start)
    kind = sniff(stream.read(SNIFF_BYTES))
    match kind:
        case "wav":
            return _wav_seconds(stream, start, end)
        case "mp3":
            return mp3_seconds(stream, start, end)
        case "m4a" | "mp4" | "mov":
            return _movie_seconds(stream, start, end)
        case "flac":
            return _flac_seconds(_read(stream, start + 18, 8))
        case _:
            return None


def _wav_seconds(stream: BinaryIO, start: int, end: int) -> float | None:
    """From the rate in the chunk `fmt ` and the size of the chunk `data`, or what is there of it."""
    bytes_per_s = 0
    at = start + 12
    for _ in range(_MOST_BOXES):
        head = _read(stream, at, 8)
        if len(head) < 8:
            return None
        name, size = head[:4], struct.unpack("<I", head[4:])[0]
        at += 8
        if name == b"fmt ":
            form = _read(stream, at, 16)
            bytes_per_s = struct.unpack("<I", form[8:12])[0] if len(form) == 16 else 0
        if name == b"data":
            there = end - at
            size = there if size in _UNKNOWN_SIZES else min(size, there)
            return size / bytes_per_s if bytes_per_s else None
        at += size + size % 2
    return None


def _flac_seconds(packed: bytes) -> float | None:
    """STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples (RFC 9639 8.2)."""
    number = int.from_bytes(packed, "big")
    rate, samples = number >> 44, number & (1 << 36) - 1
    return samples / rate if rate and samples else None


def _movie_seconds(stream: BinaryIO, start: int, end: int) -> float | None:
    """From the header of the movie; a fragmented one says it elsewhere, if at all."""
    for name, at, stop in _boxes(stream, start, end):
        if name == b"moov":
            return _movie_header(stream, at, stop)
    return None


def _movie_header(stream: BinaryIO, start: int, end: int) -> float | None:
    scale, length = 0, 0
    for name, at, stop in _boxes(stream, start, end):
        if name == b"mvhd":
            scale, length = _scale_and_length(_read(stream, at, 32))
        elif name == b"mvex" and not length:
            length = _fragments_length(stream, at, stop)
    return length / scale if scale and length else None


def _scale_and_length(header: bytes) -> tuple[int, int]:
    """Ticks a second, and ticks in all: at different places in the two versions of the header."""
    if len(header) < 32:
        return 0, 0
    form, unknown = (">20xIQ", 2**64 - 1) if header[0] == 1 else (">12xII", 2**32 - 1)
    scale, length = struct.unpack_from(form, header)
    return scale, 0 if length == unknown else length


def _fragments_length(stream: BinaryIO, start: int, end: int) -> int:
    for name, at, _ in _boxes(stream, start, end):
        if name == b"mehd":
            header = _read(stream, at, 12)
            if len(header) == 12 and header[0] == 1:
                return int(struct.unpack_from(">Q", header, 4)[0])
            return int(struct.unpack_from(">I", header, 4)[0]) if len(header) >= 8 else 0
    return 0


def _boxes(stream: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Name, start and end of what each box holds. It ends at the first one that makes no sense."""
    for _ in range(_MOST_BOXES):
        head = _read(stream, at, 16)
        if at + 8 > end or len(head) < 8:
            return
        size, name = struct.unpack_from(">I4s", head)
        inner = at + 8
        if size == 1 and len(head) == 16:
            size, inner = struct.unpack_from(">Q", head, 8)[0], at + 16
        stop = end if size == 0 else at + size
        if not inner <= stop <= end:
            return
        yield name, inner, stop
        at = stop


def _read(stream: BinaryIO, at: int, count: int) -> bytes:
    stream.seek(at)
    return stream.read(count)
