"""How long a recording is, by its own bytes: wav, mp3 and flac. Pure; blocks for megabytes.

Only enough of each format for its length. A form that is not understood has no length here: the platform knows.
"""

from __future__ import annotations

from realtime.minimax.sniff import SNIFF_BYTES, sniff

_VERSION_1, _LAYER_3 = 3, 1
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s of MPEG 1 layer 3
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)  # of MPEG 2 and 2.5
_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def audio_length_s(data: bytes) -> float | None:
    """The length in seconds; None where it cannot be read."""
    match sniff(data[:SNIFF_BYTES]):
        case "wav":
            return _wav(data)
        case "mp3":
            return _mp3(data)
        case "flac":
            return _flac(data)
    return None


def _wav(data: bytes) -> float | None:
    """Bytes of the data chunk by bytes a second; a header that was written before the end is known counts the rest."""
    at, bytes_a_second = 12, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            bytes_a_second = int.from_bytes(data[at + 16 : at + 20], "little")
        if name == b"data":
            return min(size, len(data) - at - 8) / bytes_a_second if bytes_a_second else None
        at += 8 + size + size % 2
    return None


def _flac(data: bytes) -> float | None:
    """STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of samples (RFC 9639 8.2)."""
    packed = int.from_bytes(data[18:26], "big")
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    return samples / rate if rate and samples else None


def _mp3(data: bytes) -> float | None:
    """All frames, one after the other: right for every kind of bitrate."""
    at, length_s, frames = _after_tag(data), 0.0, 0
    while at + 4 <= len(data):
        frame = _frame(data[at : at + 4])
        if frame is None:
            if not frames:
                return None
            at = _next_frame(data, at + 1)
            continue
        size, seconds = frame
        at, length_s, frames = at + size, length_s + seconds, frames + 1
    return length_s if frames else None


def _after_tag(data: bytes) -> int:
    """Behind an ID3v2 tag: its size is four times 7 bits."""
    if data[:3] != b"ID3" or len(data) < 10:
        return 0
    size = 0
    for byte in data[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _next_frame(data: bytes, at: int) -> int:
    """Where the next frame may begin, after bytes that are none (a tag in the middle or at the end)."""
    found = data.find(b"\xff", at)
    return len(data) if found < 0 else found


def _frame(head: bytes) -> tuple[int, float] | None:
    """Size in bytes and length in seconds of the frame with this head; None for what is no frame of layer 3."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if head[0] != 0xFF or head[1] < 0xE0 or version == 1 or layer != _LAYER_3:
        return None
    if index in (0, 15) or rate_index == 3:
        return None
    first = version == _VERSION_1
    bitrate, rate = (_BITRATES_1 if first else _BITRATES_2)[index] * 1000, _RATES[version][rate_index]
    samples = 1152 if first else 576
    return samples // 8 * bitrate // rate + padding, samples / rate
