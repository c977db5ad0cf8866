"""What a file is, by its first bytes; its content type, by its bytes or its ending.

Knows signatures and endings. Knows no limits of an endpoint and reads no file.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Kind = Literal[
    "jpeg", "png", "webp", "gif", "heic", "mp4", "mov", "m4a", "mp3", "wav", "flac", "ogg",
    "tar", "zip", "json", "html", "text", "unknown",
]  # fmt: skip

SNIFF_BYTES = 512
"""So many first bytes decide: a tar has its mark at 257."""

_STARTS: tuple[tuple[bytes, Kind], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"fLaC", "flac"),
    (b"OggS", "ogg"),
    (b"ID3", "mp3"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty one
)
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_CONTENT_TYPES: Mapping[str, str] = {
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "m4a": "audio/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "tar": "application/x-tar",
    "zip": "application/zip",
    "jsonl": "application/jsonl",
    "json": "application/json",
    "html": "text/html",
    "txt": "text/plain",
    "text": "text/plain",
}
_SPEAK_FOR_THEMSELVES = frozenset(_CONTENT_TYPES) - {"json", "html", "text"}


def sniff(first: bytes) -> Kind:
    """The kind of a file that begins with `first` (SNIFF_BYTES of it, or all of a shorter file)."""
    for start, kind in _STARTS:
        if first.startswith(start):
            return kind
    return _container(first) or _words(first)


def content_type(name: str, first: bytes) -> str:
    """The content type of a file: by its bytes where they have a signature, else by its ending."""
    kind = sniff(first)
    if kind in _SPEAK_FOR_THEMSELVES:
        return _CONTENT_TYPES[kind]
    ending = name.rpartition(".")[2].lower()
    fallback = _CONTENT_TYPES.get(kind, "application/octet-stream")
    return _CONTENT_TYPES.get(ending, fallback)


def _container(first: bytes) -> Kind | None:
    form = first[8:12]
    if first[:4] == b"RIFF" and form in (b"WAVE", b"WEBP"):
        return "wav" if form == b"WAVE" else "webp"
    if first[4:8] == b"ftyp":
        return _movie(form)
    if first[257:262] == b"ustar":
        return "tar"
    if len(first) >= 4 and _is_mpeg_audio(first):
        return "mp3"
    return None


def _movie(brand: bytes) -> Kind:
    if brand in _HEIC_BRANDS:
        return "heic"
    if brand == b"qt  ":
        return "mov"
    return "m4a" if brand[:3] == b"M4A" else "mp4"


def _is_mpeg_audio(first: bytes) -> bool:
    """A frame header of layer 3: sync bits, no reserved version, rate or bitrate."""
    return (
        first[0] == 0xFF
        and first[1] & 0xE0 == 0xE0
        and first[1] & 0x18 != 0x08
        and first[1] & 0x06 == 0x02
        and first[2] & 0xF0 != 0xF0
        and first[2] & 0x0C != 0x0C
    )


def _words(first: bytes) -> Kind:
    text = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return "json"
    if text[:14].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    return "text" if text and _is_text(first) else "unknown"


def _is_text(first: bytes) -> bool:
    if any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in first):
        return False
    try:
        first.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start >= len(first) - 3 and error.reason == "unexpected end of data"
    return True
