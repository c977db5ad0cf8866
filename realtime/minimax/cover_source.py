"""The recording that a cover is made from: an address passes, everything else is checked and becomes base64.

Knows the limits of docs/minimax/music.md 1. Reading and encoding of megabytes is done in threads.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping

from realtime.errors import InvalidArgument
from realtime.minimax.audio_length import audio_seconds
from realtime.minimax.fields import refused
from realtime.minimax.file_source import MB, FileSource, open_source
from realtime.minimax.music_rules import check_cover_length
from realtime.minimax.sniff import sniff

MOST_BYTES = 50 * MB
_SLICE = 3 * 256 * 1024  # bytes; of a length that base64 needs no padding for
_NO_SOUND = frozenset({"jpeg", "png", "webp", "gif", "heic", "tar", "zip", "json", "html", "text"})


async def cover_fields(cover: FileSource | None) -> Mapping[str, str]:
    """The recording as the argument it is: `cover_url` for an http(s) address, `cover_base64` for a path, bytes or a
    binary stream. Raises InvalidArgument, naming `cover`, for what cannot be a cover's source."""
    if cover is None:
        return {}
    if isinstance(cover, str) and cover.lower().startswith(("http://", "https://")):
        return {"cover_url": cover}
    if isinstance(cover, str) and "://" in cover:
        raise refused("cover", repr(cover[:60]), "allowed is an http(s) address or a file")
    async with open_source(cover, most_bytes=MOST_BYTES, param="cover") as file:
        if (kind := sniff(file.first)) in _NO_SOUND:
            raise InvalidArgument(f"{file.name} is {kind}, not a recording.", param="cover")
        data = b"".join([part async for part in file.parts()])
    return {"cover_base64": await asyncio.to_thread(_checked, data)}


def own_name(error: InvalidArgument) -> None:
    """Let the platform's refusal of either field name the argument `cover`."""
    if error.param in ("cover_url", "cover_base64"):
        error.param = "cover"


def _checked(data: bytes) -> str:
    check_cover_length(audio_seconds(data))
    # in slices: one call for megabytes would keep the interpreter's lock for all of its time
    parts = [base64.b64encode(data[start : start + _SLICE]) for start in range(0, len(data), _SLICE)]
    return b"".join(parts).decode("ascii")
