"""Text on pictures, with the fonts that this machine has.

It knows where systems keep fonts with Chinese letters; a letter that no font has is left out. It does not know what
the text means.
"""

from __future__ import annotations

import functools
from typing import Any

from .extras import pillow

# The first that opens is used; the last resort is the font inside Pillow, which has Latin letters.
_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "wqy-zenhei.ttc",
    "wqy-microhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "msyh.ttc",
    "simhei.ttf",
    "Arial Unicode.ttf",
    "DejaVuSans.ttf",
)
_NO_LETTER = "\U0010fffe"  # never has a glyph


@functools.cache
def font(size: int) -> Any:
    """The best font of this machine at `size` pixels. Raises ExtraMissing."""
    module = pillow("ImageFont")
    for name in _FONTS:
        try:
            return module.truetype(name, size)
        except OSError:
            continue
    return module.load_default(size)


@functools.lru_cache(4096)
def _can_draw(letter: str) -> bool:
    if letter.isspace():
        return True
    try:
        letters = font(16)
        return bytes(letters.getmask(letter)) != bytes(letters.getmask(_NO_LETTER))
    except (OSError, ValueError):  # a bitmap font refuses what it does not have
        return letter.isascii()


def drawable(text: str) -> str:
    """The text without the letters that the font lacks, in one line."""
    return " ".join("".join(letter if _can_draw(letter) else " " for letter in text).split())


def wrapped(text: str, size: int, width: int, lines: int) -> list[str]:
    """Lines of at most `width` pixels at letter size `size`; what does not fit in `lines` ends in "…"."""
    letters = font(size)
    found: list[str] = []
    rest = text
    while rest and len(found) < lines:
        count = _fitting(rest, letters, width)
        cut = count if count == len(rest) else max(rest.rfind(" ", 0, count + 1), 0) or count
        found.append(rest[:cut].strip())
        rest = rest[cut:].strip()
    if rest:
        found[-1] = found[-1][:-1] + ("…" if _can_draw("…") else "...")
    return found


def _fitting(text: str, letters: Any, width: int) -> int:
    """How many letters fit, at least one; by halving."""
    low, high = 1, min(len(text), 400)
    while low < high:
        middle = (low + high + 1) // 2
        if letters.getlength(text[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def caption(image: Any, text: str) -> None:
    """Write the text, white on a dark band, at the foot of a Pillow image."""
    width, height = image.size
    size = max(12, height // 26)
    lines = wrapped(drawable(text), size, width - 2 * size, 3)
    if not lines:
        return
    band = (len(lines) * 5 + 3) * size // 4
    draw = pillow("ImageDraw").Draw(image, "RGBA")
    draw.rectangle((0, height - band, width, height), fill=(0, 0, 0, 150))
    for index, line in enumerate(lines):
        top = height - band + size // 3 + index * size * 5 // 4
        draw.text((size, top), line, font=font(size), fill=(255, 255, 255, 255))


def watermark(image: Any) -> None:
    """Write the mark of generated content into the right upper corner of a Pillow image."""
    width, height = image.size
    size = max(12, height // 30)
    text = drawable("AI 生成 · AI generated").removeprefix("AI · ")
    length = int(font(size).getlength(text))
    left, top = width - length - size, size // 2
    draw = pillow("ImageDraw").Draw(image, "RGBA")
    draw.rectangle((left - size // 2, top - size // 4, width, top + size * 3 // 2), fill=(0, 0, 0, 120))
    draw.text((left, top), text, font=font(size), fill=(255, 255, 255, 220))
