"""Binary audio frames of the subprotocol `realtime.bin.v1`: a 12-byte header and raw samples.

Knows bytes only. Does not know which stream belongs to which reply, or which streams may be open.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from realtime.errors import RealtimeError

SUBPROTOCOL = "realtime.bin.v1"
VERSION = 1
KIND_AUDIO = 1
FLAG_END = 1
HEADER = struct.Struct("<BBBBII")  # version, kind, flags, stream, seq, start_ms: little-endian like the PCM
MAX_STREAM = 255
MAX_INBOUND_BYTES = 64 * 1024  # one whole message from a client

_U32 = 0xFFFF_FFFF


class FramingError(RealtimeError):
    """A binary message that is no frame of this version. The connection must close (code 1002)."""

    close_code = 1002


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One block of samples. `seq` and `start_ms` are unsigned 32-bit and wrap around."""

    payload: bytes
    stream: int = 0  # 1 to 255 from the server, 0 from a client
    seq: int = 0
    start_ms: int = 0  # position of the first sample in its stream
    end: bool = False  # the last frame of this stream


def encode_frame(payload: bytes, *, stream: int, seq: int, start_ms: int, end: bool = False) -> bytes:
    """One audio frame. Raises ValueError if `stream` is not 0 to 255."""
    if not 0 <= stream <= MAX_STREAM:
        raise ValueError(f"A stream number is 0 to {MAX_STREAM}, not {stream}.")
    flags = FLAG_END if end else 0
    header = HEADER.pack(VERSION, KIND_AUDIO, flags, stream, seq & _U32, start_ms & _U32)
    return header + payload


def decode_frame(data: bytes) -> AudioFrame | None:
    """The frame in one binary message; None for a reserved kind, which the caller ignores.

    Raises FramingError if the header is too short or has another version.
    """
    if len(data) < HEADER.size:
        raise FramingError(f"A frame has a header of {HEADER.size} bytes; this message has {len(data)}.")
    version, kind, flags, stream, seq, start_ms = HEADER.unpack_from(data)
    if version != VERSION:
        raise FramingError(f"Frame version {version} is not {VERSION}: agree on {SUBPROTOCOL!r} first.")
    if kind != KIND_AUDIO:
        return None
    return AudioFrame(
        payload=data[HEADER.size :], stream=stream, seq=seq, start_ms=start_ms, end=bool(flags & FLAG_END)
    )
