"""The readings of Chinese characters: each with its syllable and tone, as it is spoken in its sentence.

The table beside it has common characters and the words in which one is read in another way. The rules of tones are
those of every grammar: 一 and 不 before others, the third tone before a third tone. It knows no phonemes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("pinyin.txt")
_LONGEST_WORD = 4
_ADVERB = "地"  # de5 after a doubled word, as in 慢慢地


@dataclass(frozen=True, slots=True)
class Readings:
    """`single`: the usual syllable of a character; `words`: the syllables of words that differ from it."""

    single: dict[str, str] = field(default_factory=dict)
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)


@cache
def readings() -> Readings:
    """The table, read once."""
    found = Readings()
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        said = [part for part in line.split() if part.isascii()]
        written = line.split()[len(said) :]
        if len(said) == 1:
            found.single.update(dict.fromkeys(written[0], said[0]))
        else:
            found.words.update(dict.fromkeys(written, tuple(said)))
    return found


def syllables(text: str) -> list[str | None]:
    """The syllable of each character, such as `hao3`, with the tone that is spoken; None for what has no reading."""
    return _third_tones(text, _yi_and_bu(text, _looked_up(text)))


def _looked_up(text: str) -> list[str | None]:
    table = readings()
    said: list[str | None] = []
    while (index := len(said)) < len(text):
        for length in range(min(_LONGEST_WORD, len(text) - index), 1, -1):
            if (word := table.words.get(text[index : index + length])) is not None:
                said += word
                break
        else:
            if text[index] == _ADVERB and index >= 2 and text[index - 1] == text[index - 2]:
                said.append("de5")
            else:
                said.append(table.single.get(text[index]))
    return said


def tone(syllable: str | None) -> int:
    """1 to 4, 5 for the neutral tone; 0 for no syllable."""
    return int(syllable[-1]) if syllable else 0


_DIGITS = frozenset("零一二三四五六七八九十百千万亿两点第")


def _yi_and_bu(text: str, said: list[str | None]) -> list[str | None]:
    """不 rises before a fourth tone; 一 too, and falls before the others, but not as a digit."""
    spoken = list(said)
    for index, char in enumerate(text):
        after = tone(said[index + 1]) if index + 1 < len(said) else 0
        if char == "不" and said[index] == "bu4" and after == 4:
            spoken[index] = "bu2"
        elif char == "一" and said[index] == "yi1" and after and not _is_digit(text, index):
            spoken[index] = "yi2" if after == 4 or text[index + 1] in "个個" else "yi4"
    return spoken


def _is_digit(text: str, index: int) -> bool:
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    if before in _DIGITS and before:
        return True
    return after in _DIGITS and after not in ("百", "千", "万", "亿", "点")


def _third_tones(text: str, said: list[str | None]) -> list[str | None]:
    """A third tone before a third tone rises; of three, the last pair is one word more often than not."""
    spoken = list(said)
    for index in range(len(said) - 2, -1, -1):
        here, after = spoken[index], spoken[index + 1]
        if here and tone(here) == 3 and tone(after) == 3:
            spoken[index] = f"{here[:-1]}2"
    return spoken
