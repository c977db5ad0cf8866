"""Pictures, films and recordings that a request names: a data URL, an http(s) URL or `mm_file://<file_id>`.

Knows how to get the bytes and how many there may be. Does not know what is in them.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

import aiohttp

from .fields import invalid
from .native import Call
from .store import MEGABYTE

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.-]+)*;base64,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Input:
    """The bytes, and the content type that came with them ("" if none)."""

    data: bytes
    content_type: str


async def fetch_input(call: Call, value: Any, name: str, most_mb: float) -> Input:
    """What the field `name` names. Raises Refusal 2013, naming the field, for all that cannot be had."""
    if not isinstance(value, str) or not value:
        raise invalid(name, "must be a URL or a data URL")
    most = int(most_mb * MEGABYTE)
    if value[:5].lower() == "data:":
        found = await asyncio.to_thread(_decode, value, name)
    elif value.startswith("mm_file://"):
        found = await _stored(call, value.removeprefix("mm_file://"), name)
    elif value[:8].lower().startswith(("http://", "https://")):
        found = await _fetch(call, value, name, most)
    else:
        raise invalid(name, "must be an http(s) URL, a data URL or mm_file://<file_id>")
    if not found.data:
        raise invalid(name, "is empty")
    if len(found.data) > most:
        raise invalid(name, f"is larger than {most_mb:g} MB")
    return found


def decode_base64(value: str, name: str) -> bytes:
    """The bytes of a base64 field. Blocks. Raises Refusal 2013."""
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(name, "is not base64") from None


def _decode(value: str, name: str) -> Input:
    head = _DATA_URL.match(value)
    if head is None:
        raise invalid(name, "is not a data URL like data:image/jpeg;base64,…")
    return Input(decode_base64(value[head.end() :], name), (head[1] or "").lower())


async def _stored(call: Call, id: str, name: str) -> Input:
    known = id.isascii() and id.isdigit() and len(id) <= 19
    artefact = call.state.store.get(int(id)) if known else None
    if artefact is None or not artefact.purpose:
        raise invalid(name, "no such file")
    return Input(await asyncio.to_thread(artefact.read), artefact.content_type)


async def _fetch(call: Call, url: str, name: str, most: int) -> Input:
    """A GET; reading stops one byte after the limit."""
    data = bytearray()
    try:
        async with (
            asyncio.timeout(call.state.options["input.limit_s"]),
            aiohttp.ClientSession() as session,
            session.get(url) as response,
        ):
            if response.status != 200:
                raise invalid(name, f"the URL answered with HTTP {response.status}")
            while len(data) <= most and (block := await response.content.readany()):
                data += block
            return Input(bytes(data), response.content_type)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise invalid(name, f"the URL cannot be fetched ({type(error).__name__})") from None
