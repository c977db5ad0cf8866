"""What of an item goes back to clients: everything, unless it is too large for the sockets of some of them.

A client knows what it has sent, so then the data of pictures is left out and long texts are cut. Changes no item.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from realtime.protocol.objects import InputImage, InputText, Item, ItemPart, MessageItem, OutputText

MAX_ECHO_BYTES = 256 * 1024  # of one item; some sockets refuse messages of over 1 MiB
MAX_URL_CHARS = 2_048  # of a picture that is not left out
_JSON_BYTES = 6  # of one character at most
_PART_CHARACTERS = 50  # for the frame of a part, about
_MOST_CHARACTERS = MAX_ECHO_BYTES + 2_000 * _PART_CHARACTERS  # beyond them nothing fits
_STEPS = (240_000, 120_000, MAX_ECHO_BYTES // (_JSON_BYTES + 1))  # characters of all texts together
_TEXTS = ("text", "transcript", "arguments", "output")

_encode = msgspec.json.Encoder().encode


def echoed(item: Item) -> Item:
    """The item as it is sent back: at most MAX_ECHO_BYTES of JSON."""
    characters = _characters(item)
    if characters * _JSON_BYTES <= MAX_ECHO_BYTES // 2 or _fits(item, characters):
        return item  # a large item is not encoded to see that it does not fit
    for longest in (MAX_URL_CHARS, 0):
        item = _without_urls(item, longest)
        if _fits(item):
            return item
    shorter = item
    for characters in _STEPS:
        shorter = _cut(item, characters)
        if _fits(shorter):
            break
    return shorter


def _fits(item: Item, characters: int | None = None) -> bool:
    characters = _characters(item) if characters is None else characters
    return characters <= _MOST_CHARACTERS and len(_encode(item)) <= MAX_ECHO_BYTES


def _characters(item: Item) -> int:
    """All characters of the item and of its parts, about."""
    if not isinstance(item, MessageItem):
        return _PART_CHARACTERS + sum(len(getattr(item, name, None) or "") for name in _TEXTS)
    return _PART_CHARACTERS * (1 + len(item.content)) + sum(map(_characters_of, item.content))


def _characters_of(part: ItemPart) -> int:
    match part:
        case InputText(text) | OutputText(text):
            return len(text)
        case InputImage(image_url=url):
            return 0 if url is UNSET else len(url)
        case _:
            return len(part.transcript or "")


def _without_urls(item: Item, longest: int) -> Item:
    """Without the addresses and the data of pictures that are longer than this."""
    if not isinstance(item, MessageItem):
        return item
    content = tuple(
        msgspec.structs.replace(part, image_url=UNSET)
        if isinstance(part, InputImage) and part.image_url is not UNSET and len(part.image_url) > longest
        else part
        for part in item.content
    )
    return msgspec.structs.replace(item, content=content)


def _cut(item: Item, characters: int) -> Item:
    """With all texts together within so many characters, each with the same share."""
    if not isinstance(item, MessageItem):
        cut: Item = _cut_texts(item, characters)
        return cut
    share = characters // max(1, len(item.content))
    return msgspec.structs.replace(item, content=tuple(_cut_texts(part, share) for part in item.content))


def _cut_texts(holder: Any, limit: int) -> Any:
    texts = {name: getattr(holder, name, None) for name in _TEXTS}
    long = {name: text for name, text in texts.items() if isinstance(text, str) and len(text) > limit}
    cut = {
        name: f"{text[:limit]} [... {len(text) - limit:,} characters left out ...]"
        for name, text in long.items()
    }
    return msgspec.structs.replace(holder, **cut)
