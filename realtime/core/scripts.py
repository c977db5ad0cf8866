"""How much of a text is in which script. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from realtime.core.characters import HAN, HANGUL, KANA

_HAN, _KANA, _HANGUL = (re.compile(f"[{letters}]") for letters in (HAN, KANA, HANGUL))
_HAN_COUNTS = 3  # letters: a brand's name makes no Chinese sentence English


def weigh_scripts(text: str) -> Counter[str]:
    """The letters of each script, a Han character for three. Names are HAN, KANA, HANGUL, or those of Unicode."""
    scripts = Counter(_script(char) for char in text if char.isalpha())
    if "HAN" in scripts:
        scripts["HAN"] *= _HAN_COUNTS
    return scripts


def _script(char: str) -> str:
    if char.isascii():
        return "LATIN"
    plain = unicodedata.normalize("NFKC", char)[0]  # full-width letters are Latin, too
    char = plain if plain.isalpha() else char
    if _HAN.match(char):
        return "HAN"
    if _KANA.match(char):
        return "KANA"
    if _HANGUL.match(char):
        return "HANGUL"
    return unicodedata.name(char, "?").partition(" ")[0]
