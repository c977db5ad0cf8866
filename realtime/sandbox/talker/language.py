"""Which language a message is in, and cutting text into words. The talker speaks English and Chinese."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "zh"]

HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def language_of(text: str) -> Language:
    """Chinese if at least as many Han characters as other words are in it."""
    han = len(_HAN.findall(text))
    others = len([word for word in _WORD.findall(text) if not _HAN.search(word)])
    return "zh" if han and han >= others else "en"


def words_of(text: str) -> list[str]:
    """Lower-case words, apostrophes kept."""
    return [word.lower().replace("’", "'") for word in _WORD.findall(text)]


def sentence(text: str, language: Language = "en") -> str:
    """First letter upper case, a full stop at the end."""
    text = text.strip()
    if not text:
        return text
    text = text[0].upper() + text[1:]
    if text[-1] in ".!?。！？…":
        return text
    return text.rstrip(",;:，；：、") + ("。" if language == "zh" else ".")


def sentences_of(text: str) -> list[str]:
    """Cut at sentence ends; the marks stay with their sentence."""
    return [part.strip() for part in re.split(r"(?<=[.!?])\s+|(?<=[。！？])", text) if part and part.strip()]
