"""The heads of WebSocket frames (RFC 6455 5.2): their bits, and how long head and payload are. Reads nothing itself."""

from __future__ import annotations

FIN, MASKED = 0x80, 0x80
RESERVED, OPCODE, CONTROL = 0x70, 0x0F, 0x08
CONTINUATION, TEXT, BINARY, CLOSE, PONG = 0, 1, 2, 8, 10
_LENGTH, _LENGTH_16, _LENGTH_64 = 0x7F, 126, 127


def is_one_small_frame(data: bytes) -> bool:
    """Whether this is one whole frame with a mask, of the form that nearly all have: it needs no further look."""
    if len(data) < 6 or not data[0] & FIN:
        return False
    length = data[1] - MASKED
    if length == _LENGTH_16:
        return len(data) == 8 + (data[2] << 8 | data[3])
    return 0 <= length < _LENGTH_16 and len(data) == 6 + length


def head_size(data: bytes, place: int) -> int:
    """How many bytes the head of the frame at this place has, as far as is known."""
    if place + 2 > len(data):
        return 2
    second = data[place + 1]
    length = second & _LENGTH
    extra = 8 if length == _LENGTH_64 else 2 if length == _LENGTH_16 else 0
    return 2 + extra + (4 if second & MASKED else 0)


def payload_size(head: bytes) -> int:
    """How many bytes follow this head."""
    length = head[1] & _LENGTH
    if length == _LENGTH_16:
        return int.from_bytes(head[2:4], "big")
    return int.from_bytes(head[2:10], "big") if length == _LENGTH_64 else length
