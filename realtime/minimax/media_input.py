"""Pictures, films and sounds that go into a film: addresses pass, local files are checked and become data URLs.

Knows the limits of docs/minimax/video.md 1, 3 and 4 and no endpoint. What the platform has to fetch itself is not
looked at here. Large files are read and encoded in a thread.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass

from realtime.errors import InvalidArgument
from realtime.minimax.fields import refused
from realtime.minimax.file_source import MB, FileSource, open_source, readable_size
from realtime.minimax.picture_size import picture_size
from realtime.minimax.sniff import SNIFF_BYTES, content_type, sniff

_ADDRESSES = ("http://", "https://")
_STORED = "mm_file://"


@dataclass(frozen=True, slots=True)
class MediaRule:
    """What one kind of media may be. `most_mb` of a file; the sides of a picture in pixels, both included, with
    width : height between `narrowest` and `widest`. Sides of 0: nothing is known of the size.

    `stored`: a file of the platform may be named, `mm_file://<file_id>`.
    """

    word: str
    kinds: tuple[str, ...]
    most_mb: int
    least_px: int = 0
    most_px: int = 0
    narrowest: float = 0.4
    widest: float = 2.5
    stored: bool = False

    @property
    def most_bytes(self) -> int:
        return self.most_mb * MB


_PICTURES = ("jpeg", "png", "webp")
PICTURE = MediaRule("a picture", _PICTURES, 20, least_px=301)  # short side over 300 px
PICTURE_V2 = MediaRule("a picture", (*_PICTURES, "heic"), 30, least_px=256, most_px=5760, stored=True)
VIDEO_V2 = MediaRule("a film", ("mp4", "mov"), 50, stored=True)
AUDIO_V2 = MediaRule("a sound", ("wav", "mp3"), 15, stored=True)


def is_address(source: object, rule: MediaRule) -> bool:
    """Whether the platform fetches this itself."""
    starts = (*_ADDRESSES, _STORED) if rule.stored else _ADDRESSES
    return isinstance(source, str) and source.lower().startswith(starts)


def is_data_url(source: object) -> bool:
    return isinstance(source, str) and source[:5].lower() == "data:"


async def media_url(source: FileSource, param: str, rule: MediaRule = PICTURE) -> str:
    """The address of a source as a request holds it: http(s) as it is, everything else as a data URL.

    A text is an address, a data URL or a path. Raises InvalidArgument, naming `param`, for what the rule refuses and
    for a file that cannot be read.
    """
    if is_address(source, rule):
        return str(source)
    if is_data_url(source):
        return await asyncio.to_thread(checked_data_url, str(source), param, rule)
    if isinstance(source, str) and "://" in source:
        raise refused(param, repr(source[:60]), "allowed is an http(s) address, a data URL or a file")
    async with open_source(source, param=param) as file:
        check_size(file.size, file.name, param, rule)
        data = b"".join([part async for part in file.parts()])
        return await asyncio.to_thread(data_url, data, file.name, param, rule)


def data_url(data: bytes, name: str, param: str, rule: MediaRule) -> str:
    """The data URL of a file's bytes. Blocks for large ones. Raises InvalidArgument."""
    check_media(data, name, param, rule)
    return f"data:{content_type(name, data[:SNIFF_BYTES])};base64,{base64.b64encode(data).decode('ascii')}"


def checked_data_url(url: str, param: str, rule: MediaRule) -> str:
    """A caller's data URL, decoded and checked as a file is. Blocks for large ones. Raises InvalidArgument."""
    head, comma, body = url.partition(",")
    try:
        if not comma or not head.lower().endswith(";base64"):
            raise ValueError
        data = base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error):
        raise refused(
            param, "a broken data URL", "it is written as data:image/jpeg;base64,… with its bytes in base64"
        ) from None
    check_media(data, "the data URL", param, rule)
    return url


def check_media(data: bytes, name: str, param: str, rule: MediaRule) -> None:
    """Raises InvalidArgument for bytes that the rule refuses."""
    check_size(len(data), name, param, rule)
    check_kind(data[:SNIFF_BYTES], name, param, rule)
    if rule.least_px:
        _check_sides(data, name, param, rule)


def check_size(size: int, name: str, param: str, rule: MediaRule) -> None:
    """Raises InvalidArgument for a file of 0 bytes or of too many."""
    if not 0 < size <= rule.most_bytes:
        raise InvalidArgument(
            f"{param}: {name} has {readable_size(size)}; {rule.word} has at most {rule.most_mb} MB.",
            param=param,
        )


def check_kind(first: bytes, name: str, param: str, rule: MediaRule) -> None:
    """Raises InvalidArgument unless a file that begins with `first` is of a kind that the rule allows."""
    kind = sniff(first)
    if kind not in rule.kinds:
        raise InvalidArgument(
            f"{param}: {name} is {kind}; {rule.word} has to be {' or '.join(rule.kinds)}.", param=param
        )


def _check_sides(data: bytes, name: str, param: str, rule: MediaRule) -> None:
    size = picture_size(data)
    if size is None and sniff(data[:SNIFF_BYTES]) == "heic":
        return  # the platform looks
    if size is None:
        raise InvalidArgument(f"{param}: {name} has no readable size: the picture is broken.", param=param)
    width, height = size
    shown = f"{param}: {name} is {width} x {height} px"
    if min(size) < rule.least_px or (rule.most_px and max(size) > rule.most_px):
        most = f" and at most {rule.most_px}" if rule.most_px else ""
        raise InvalidArgument(f"{shown}; a side has at least {rule.least_px} px{most}.", param=param)
    if not rule.narrowest <= width / height <= rule.widest:
        raise InvalidArgument(f"{shown}; width : height has to be between 2:5 and 5:2.", param=param)
