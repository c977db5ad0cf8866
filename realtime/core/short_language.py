"""The language of a word that was said during a conversation: it is too short to tell it (docs/turn-taking.md). Pure.

A transcriber takes "yeah" for Arabic, "对对对" for Japanese. So what it finds in a word counts only if it is likely: a
language of this speaker, one of the two that are expected of everybody (unless it is written in the letters of the
conversation instead of its own, or is doubtful and this speaker has spoken others only), or a text in the script of the
conversation.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from realtime.core.conversation import Image, InputSpeech, Item, Message, OutputSpeech, Part, Text
from realtime.core.scripts import weigh_scripts
from realtime.core.short_words import is_backchannel, is_whole_answer, takes_turn

EXPECTED = ("en", "zh")  # of everybody, as where a transcriber is not sure
# Log-probability by which a likelier language may be worse; less where the other one is expected of everybody, so that
# who speaks another one now is followed
WORSE, WORSE_THAN_EXPECTED = 0.7, 0.5

_SIGNS = re.compile("[ーｰ]")  # for a drawn-out vowel, in Japanese and elsewhere
# Of each script, the language that is assumed first: others only for a speaker who has spoken them.
_LANGUAGES = {
    "HAN": ("zh", "yue"), "KANA": ("ja",), "HANGUL": ("ko",), "ARABIC": ("ar", "fa", "ur"), "LATIN": ("en",),
    "CYRILLIC": ("ru", "uk", "bg", "sr", "be", "mk", "kk", "mn"),
}  # fmt: skip
_SCRIPTS = {language: script for script, languages in _LANGUAGES.items() for language in languages}
_ALSO = {"sr": "LATIN"}  # a second script of a language


def likelier(
    found: str | None, text: str, *, spoken: Sequence[str], talked: str, doubtful: bool = False
) -> str | None:
    """The language in which this word should be read again; None: what was found is likely enough.

    `found` is the language that the transcriber found, `text` what it read, `spoken` the languages of what this speaker
    said before, the newest last, `talked` the newest text of the conversation; `doubtful`: the transcriber hardly
    believes the text.
    """
    script = script_of(talked)
    if found is None or script is None or not _is_strange(found, text, spoken, script, doubtful):
        return None
    here = [
        language for language in spoken if script in (_SCRIPTS.get(language, "LATIN"), _ALSO.get(language))
    ]
    language = here[-1] if here else _LANGUAGES.get(script, (None,))[0]
    return None if language == found else language


def worse(found: str | None, text: str) -> float:
    """Log-probability by which the text in the likelier language may be worse than this one."""
    return WORSE_THAN_EXPECTED if found in EXPECTED and is_written_in(found, text) else WORSE


def _is_strange(found: str, text: str, spoken: Sequence[str], script: str, doubtful: bool) -> bool:
    """Whether this is hardly what was said. A command is one in any language: nobody waits for a second reading."""
    read = script_of(text)
    if takes_turn(text):
        return False
    if found not in EXPECTED:
        return found not in spoken and read != script
    if doubtful and spoken and found not in spoken and read != script:
        return not is_whole_answer(text) and not is_backchannel(text)
    # "shu'er" is no Chinese, whoever says it; but "OK" may be
    return read == script and not is_written_in(found, text) and not is_backchannel(text)


def is_written_in(language: str, text: str) -> bool:
    """Whether the text has letters of the language's own script: "OK" has no Chinese one, and "東京" none that is not
    Chinese as well. Where the script of the language is not known, any letter may be its own."""
    scripts = _letters(text)
    own = _SCRIPTS.get(language)
    return bool(scripts) if own is None else own in scripts or _ALSO.get(language) in scripts


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


def said_by_assistant(items: Sequence[Item]) -> str:
    """What the assistant said last, perhaps a question; "" if the user has said or typed something since."""
    newest = next(
        (item for item in reversed(items) if isinstance(item, Message) and item.role != "system"), None
    )
    return newest_text([newest]) if newest is not None and newest.role == "assistant" else ""


def _words(part: Part) -> str:
    match part:
        case Text(text):
            return text
        case InputSpeech(transcript) | OutputSpeech(transcript):
            return transcript or ""
        case Image():
            return ""


def script_of(text: str) -> str | None:
    """The script of most letters of a text, Japanese with any kana; None without a letter."""
    scripts = _letters(text)
    if "KANA" in scripts:
        return "KANA"
    return scripts.most_common(1)[0][0] if scripts else None


def _letters(text: str) -> Counter[str]:
    return weigh_scripts(_SIGNS.sub("", text))
