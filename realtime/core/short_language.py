"""The language of a word that was said during a conversation: it is too short to tell it (docs/turn-taking.md). Pure.

A transcriber takes "yeah" for Arabic, "对对对" for Japanese. So what it finds in a word counts only if it is likely: a
language of this speaker, one of the two that are expected of everybody, or a text in the script of the conversation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence

from realtime.core.characters import HAN, HANGUL, KANA
from realtime.core.conversation import Image, InputSpeech, Item, Message, OutputSpeech, Part, Text

EXPECTED = ("en", "zh")  # of everybody, as where a transcriber is not sure
WORSE = 0.7  # log-probability by which a likelier language may be worse

_HAN, _KANA, _HANGUL = (re.compile(f"[{letters}]") for letters in (HAN, KANA, HANGUL))
_LANGUAGES = {"HAN": "zh", "KANA": "ja", "HANGUL": "ko", "CYRILLIC": "ru", "ARABIC": "ar", "LATIN": "en"}


def likelier(found: str | None, text: str, *, spoken: Collection[str | None], talked: str) -> str | None:
    """The language in which this word should be read again; None: what was found is likely enough.

    `found` is the language that the transcriber found, `text` what it read, `spoken` the languages of what this speaker
    said before, `talked` the newest text of the conversation.
    """
    if found is None or found in EXPECTED or found in spoken:
        return None
    script = script_of(talked)
    if script is None or script == script_of(text):
        return None
    return _LANGUAGES.get(script)


def newest_text(items: Sequence[Item]) -> str:
    """The newest words of the user or the assistant; "" if there are none. Instructions may be in any language."""
    for item in reversed(items):
        if not isinstance(item, Message) or item.role == "system":
            continue
        for part in item.parts:
            text = _words(part)
            if script_of(text):
                return text
    return ""


def _words(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case InputSpeech(transcript) | OutputSpeech(transcript):
            return transcript or ""
        case Image():
            return ""


def script_of(text: str) -> str | None:
    """The script of a text by its first letter, Japanese with any kana; None without a letter."""
    if _KANA.search(text):
        return "KANA"
    for char in text:
        if char.isalpha():
            return _script(char)
    return None


def _script(char: str) -> str:
    if _HAN.match(char):
        return "HAN"
    if _HANGUL.match(char):
        return "HANGUL"
    return unicodedata.name(char, "?").partition(" ")[0]
