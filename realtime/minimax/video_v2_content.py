"""The content of a V2 film: one text and its media, each with a role (docs/minimax/video.md 4).

`first_frame("cat.jpg")`, `reference_image(...)` and so on name the roles. Checks what can be together and makes the
items of the request; small local files become data URLs, large ones are uploaded by `Uploader`.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from realtime.errors import InvalidArgument
from realtime.minimax.fields import refused
from realtime.minimax.file_source import MB, FileSource, OpenFile, open_source
from realtime.minimax.media_input import (
    AUDIO_V2,
    PICTURE_V2,
    VIDEO_V2,
    MediaRule,
    check_kind,
    check_media,
    check_size,
    checked_data_url,
    data_url,
    is_address,
    is_data_url,
)

Role = Literal[
    "first_frame", "last_frame", "reference_image", "reference_video", "reference_audio", "base_video"
]
Uploader = Callable[[OpenFile], Awaitable[str]]
"""Uploads an open file and returns its id."""

LONGEST_TEXT = 7_000
LONGEST_BASE_TEXT = 40_000  # of a regeneration
MOST_MEDIA = 12
MOST: Mapping[str, int] = {
    "first_frame": 1,
    "last_frame": 1,
    "reference_image": 9,
    "reference_video": 3,
    "reference_audio": 3,
    "base_video": 1,
}
INLINE_BYTES = 4 * MB  # a larger file is uploaded
INLINE_ALL_BYTES = 32 * MB  # and so is what would make the body too large
BODY_BYTES = 64 * MB

_FRAMES = ("first_frame", "last_frame")
_RULES: Mapping[str, tuple[str, MediaRule]] = {
    "first_frame": ("image_url", PICTURE_V2),
    "last_frame": ("image_url", PICTURE_V2),
    "reference_image": ("image_url", PICTURE_V2),
    "reference_video": ("video_url", VIDEO_V2),
    "reference_audio": ("audio_url", AUDIO_V2),
    "base_video": ("video_url", VIDEO_V2),
}


@dataclass(frozen=True, slots=True)
class Media:
    """One picture, film or sound of a content: an address, `mm_file://ID`, data URL, path, bytes or binary stream."""

    role: Role
    source: FileSource


Item = str | Media | Mapping[str, Any]
Content = str | Media | Sequence[Item]
"""A text; or a list with one text and media. A mapping is an item in the platform's own form and passes as it is."""


def first_frame(source: FileSource) -> Media:
    """The picture that the film begins with."""
    return Media("first_frame", source)


def last_frame(source: FileSource) -> Media:
    """The picture that the film ends with."""
    return Media("last_frame", source)


def reference_image(source: FileSource) -> Media:
    """A picture of what the film shows. Up to 9: JPEG, PNG or WebP up to 30 MB, sides of 256 to 5,760 px."""
    return Media("reference_image", source)


def reference_video(source: FileSource) -> Media:
    """A film to follow. Up to 3: mp4 or mov up to 50 MB, 2 to 15 s each and 15 s in all."""
    return Media("reference_video", source)


def reference_audio(source: FileSource) -> Media:
    """A sound to follow. Up to 3: wav or mp3 up to 15 MB, 2 to 15 s each and 15 s in all."""
    return Media("reference_audio", source)


def base_video(source: FileSource) -> Media:
    """The film that a regeneration makes larger."""
    return Media("base_video", source)


@dataclass(frozen=True, slots=True)
class Parts:
    """A content that was looked at: its text ("" for none), and the roles of its media."""

    items: tuple[Item, ...]
    text: str
    roles: tuple[str, ...]

    @property
    def has_references(self) -> bool:
        return any(role.startswith("reference_") for role in self.roles)


def looked_at(content: Content, *, longest_text: int = LONGEST_TEXT, text_needed: bool = True) -> Parts:
    """The parts of a content. Raises InvalidArgument for parts that cannot be together. Pure: no file is opened."""
    items = (content,) if isinstance(content, str | Media | Mapping) else tuple(content)
    texts = [text for text in map(_text_of, items) if text is not None]
    media = [item for item in items if _text_of(item) is None]
    roles = tuple(_role_of(item, len(media)) for item in media)
    if len(texts) > 1:
        raise refused("content", f"{len(texts)} texts", "it has one text")
    text = texts[0] if texts else ""
    if text_needed and not text.strip():
        raise refused("content", "without a text", f"it needs one of 1 to {longest_text:,} characters")
    if len(text) > longest_text:
        raise refused("content", f"a text of {len(text):,} characters", f"allowed are {longest_text:,}")
    _check_roles(roles)
    return Parts(items, text, roles)


async def content_items(parts: Parts, upload: Uploader) -> list[dict[str, Any]]:
    """The items of the request. Raises InvalidArgument for files that are refused, ProviderError of an upload."""
    made: list[dict[str, Any]] = []
    inline_bytes = 0
    for item in parts.items:
        match item:
            case str():
                made.append({"type": "text", "text": item})
            case Media(role, source):
                type_, rule = _RULES[role]
                url = await _url(source, rule, upload, INLINE_ALL_BYTES - inline_bytes)
                inline_bytes += len(url)
                made.append({"type": type_, type_: {"url": url}, "role": role})
            case _:
                made.append(dict(item))
    _check_body(made)
    return made


async def _url(source: FileSource, rule: MediaRule, upload: Uploader, room_bytes: int) -> str:
    if is_address(source, rule):
        return str(source)
    if is_data_url(source):
        return await asyncio.to_thread(checked_data_url, str(source), "content", rule)
    if isinstance(source, str) and "://" in source:
        raise refused("content", repr(source[:60]), "allowed is an http(s) or mm_file address, or a file")
    async with open_source(source, param="content") as file:
        check_size(file.size, file.name, "content", rule)
        large = file.size > INLINE_BYTES or file.size * 4 // 3 > room_bytes
        if large and not rule.least_px:
            check_kind(file.first, file.name, "content", rule)
            return f"mm_file://{await upload(file)}"
        data = b"".join([part async for part in file.parts()])
        if not large:
            return await asyncio.to_thread(data_url, data, file.name, "content", rule)
        await asyncio.to_thread(check_media, data, file.name, "content", rule)
        return f"mm_file://{await upload(file)}"


def _check_roles(roles: tuple[str, ...]) -> None:
    counts = Counter(roles)
    for role, count in counts.items():
        if count > MOST.get(role, MOST_MEDIA):
            raise refused("content", f"{count} with the role {role}", f"allowed are {MOST[role]}")
    if len(roles) > MOST_MEDIA:
        raise refused("content", f"{len(roles)} media", f"allowed are {MOST_MEDIA}")
    frames = [role for role in counts if role in _FRAMES]
    references = [role for role in counts if role.startswith("reference_")]
    if frames and references:
        raise refused(
            "content", f"{frames[0]} with {references[0]}", "a film has either frames or references"
        )


def _check_body(items: Sequence[Mapping[str, Any]]) -> None:
    """Only a caller's own data URLs can be so large; local files are uploaded before that."""
    size = sum(len(_address(item)) for item in items)
    if size > BODY_BYTES:
        raise InvalidArgument(
            f"content has data URLs of {size // MB} MB, and a request has 64 MB: give paths, and they are uploaded.",
            param="content",
        )


def _text_of(item: Item) -> str | None:
    """The text of an item; None for media."""
    if isinstance(item, str):
        return item
    if isinstance(item, Mapping) and item.get("type") == "text":
        return str(item.get("text") or "")
    return None


def _role_of(item: object, media: int) -> str:
    """The role of an item of media. One picture without a role is the first frame."""
    if isinstance(item, Media):
        if item.role not in _RULES:
            raise refused("content", f"the role {item.role!r}", f"roles are {', '.join(_RULES)}")
        return item.role
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise refused(
            "content",
            f"an item of {type(item).__name__}",
            "items are texts, and media like first_frame(file)",
        )
    role = item.get("role")
    if role is None and item["type"] == "image_url" and media == 1:
        return "first_frame"
    if not isinstance(role, str):
        raise refused("content", f"an item {item['type']} without a role", f"roles are {', '.join(_RULES)}")
    return role


def _address(item: Mapping[str, Any]) -> str:
    inner = item.get(str(item.get("type")))
    url = inner.get("url") if isinstance(inner, Mapping) else None
    return url if isinstance(url, str) else ""
