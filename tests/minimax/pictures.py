"""Headers of pictures of any size, and a small platform's answers, for tests of films."""

from __future__ import annotations

import struct


def png(width: int = 640, height: int = 480, bytes_in_all: int = 0) -> bytes:
    head = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02\0\0\0"
    return head.ljust(bytes_in_all, b"\0")


def jpeg(width: int = 640, height: int = 480, before: bytes = b"") -> bytes:
    """`before`: whole segments that stand before the frame's header."""
    frame = struct.pack(">BBHBHHB", 0xFF, 0xC2, 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8" + before + frame + b"\xff\xda\0\x02\xff\xd9"


def webp(width: int = 640, height: int = 480, form: bytes = b"VP8 ") -> bytes:
    w, h = width, height
    body = {
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", w, h),
        b"VP8L": b"\x2f" + struct.pack("<I", (w - 1) | (h - 1) << 14),
        b"VP8X": bytes(4) + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little"),
    }[form]
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBP" + form + struct.pack("<I", len(body)) + body
