"""Writes the readings of common Chinese characters, twice.

`realtime/sandbox/natural/pinyin.txt` has those of words that differ as well: the sandbox's voice says them.
`realtime/core/han_readings.py` has the characters alone: it tells which texts sound the same. The sandbox shares no
code with the rest, so each has its own.

Run it by hand, in an environment with pypinyin (readings) and jieba (how common a word is), both MIT:

    python tools/pinyin_table.py

It is not part of any build. The characters are those of GB 2312 and of the first level of Big5.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import jieba
from pypinyin.contrib.tone_convert import to_tone3
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

TARGET = Path(__file__).parents[1] / "realtime/sandbox/natural/pinyin.txt"
CHARACTERS = Path(__file__).parents[1] / "realtime/core/han_readings.py"
MOST_IN_A_PART = 48  # characters of one syllable
LINE_WIDTH = 110  # of which a Chinese character takes two
LEAST_FREQUENCY = 30  # of 60 million words: rarer ones are not worth a line
LONGEST_WORD = 4
_SPOKEN_BY_RULE = "一不"  # their tone depends on the next syllable, whatever a dictionary says
# What is said today, where the dictionary begins with an older or rarer reading.
_TODAY = {
    "长": "chang2", "長": "chang2", "得": "de5", "切": "qie1", "似": "si4", "曲": "qu3", "谁": "shei2", "誰": "shei2",
    "嗯": "en4", "佛": "fo2", "弹": "tan2", "彈": "tan2", "铺": "pu1", "琢": "zhuo2", "挣": "zheng4", "漂": "piao4",
}  # fmt: skip
# Verbs before a 得 that is no verb
_WITH_SUFFIX = "变显懂觉记晓值认舍免省懒来使落闹弄搞做看说走跑长过听吃由亏见用管顾"
_HEAD = """\
# The readings of common Chinese characters, and of words in which a character is read in another way.
# Made by tools/pinyin_table.py from the dictionaries of pypinyin 0.55.0 (MIT, Copyright (c) 2016 mozillazg, 闲耘).
# They come from the Unihan database (Unicode License) and phrase-pinyin-data (MIT, Copyright (c) 2016 mozillazg).
# A line is a syllable with its tone (5: neutral) and the characters that are read so, or syllables and the words.
"""
_MODULE = '''\
"""How common Chinese characters are read: the usual syllable of each, with its tone (5: neutral).

Made by tools/pinyin_table.py from the dictionary of pypinyin 0.55.0 (MIT, Copyright (c) 2016 mozillazg, 闲耘), whose
readings come from the Unihan database (Unicode License). A table, and nothing else.
"""

from __future__ import annotations

import re

# Each syllable, and the characters that are read so.
_TABLE = (
%s
)

READINGS = {
    character: syllable
    for syllable, characters in re.findall(r"([a-z]+\\d)([^a-z]+)", _TABLE)
    for character in characters.strip()
}
'''


def characters() -> list[str]:
    """The common characters, each once."""
    gb2312 = [bytes((a, b)) for a in range(0xB0, 0xF8) for b in range(0xA1, 0xFF)]
    big5 = [bytes((a, b)) for a in range(0xA4, 0xC7) for b in (*range(0x40, 0x7F), *range(0xA1, 0xFF))]
    found = [one.decode("gb2312", "ignore") for one in gb2312] + [
        one.decode("big5", "ignore") for one in big5
    ]
    return sorted({one for one in found if len(one) == 1 and "\u4e00" <= one <= "\u9fff"})


def numbered(syllable: str) -> str:
    """`lüè` as `lve4`, `de` as `de5`."""
    return str(to_tone3(syllable, neutral_tone_with_five=True, v_to_u=False))


def reading(character: str) -> str | None:
    """The usual reading of a character alone."""
    return _TODAY.get(character) or dictionary_reading(character)


def dictionary_reading(character: str) -> str | None:
    """The first reading of the dictionary."""
    listed = pinyin_dict.get(ord(character))
    return numbered(listed.split(",")[0]) if listed else None


def said_in(word: str) -> list[str]:
    """The syllables of a word. One that is not in the dictionary of words has the first reading of each character."""
    if word in phrases_dict:
        return [numbered(one[0]) for one in phrases_dict[word]]
    said = [dictionary_reading(char) or "" for char in word]
    if word[-1] == "得" and word[-2] in _WITH_SUFFIX:
        said[-1] = "de5"
    return said


def words(single: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """The words that are read in another way than their characters, without those that shorter ones explain."""
    frequency = jieba.dt.FREQ
    found: dict[str, tuple[str, ...]] = {}
    known = {*phrases_dict, *(word for word in frequency if set(word) & _TODAY.keys())}
    candidates = [w for w in known if 2 <= len(w) <= LONGEST_WORD and frequency.get(w, 0) >= LEAST_FREQUENCY]
    for word in sorted(candidates, key=lambda one: (len(one), one)):
        said = said_in(word)
        if len(said) != len(word) or not all(one in single for one in word):
            continue
        read = tuple(
            single[char] if char in _SPOKEN_BY_RULE else one for char, one in zip(word, said, strict=True)
        )
        if read != explained(word, single, found):
            found[word] = read
    return found


def explained(word: str, single: dict[str, str], shorter: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """How the word would be read by what is known already."""
    read: list[str] = []
    index = 0
    while index < len(word):
        for length in range(min(LONGEST_WORD, len(word) - index), 1, -1):
            if (part := word[index : index + length]) in shorter:
                read += shorter[part]
                index += length
                break
        else:
            read.append(single[word[index]])
            index += 1
    return tuple(read)


def wrapped(by_syllable: dict[str, list[str]]) -> Iterator[str]:
    """Each syllable with its characters, several in a line."""
    line, width = "", 0
    parts = (
        (said, all_of_it[at : at + MOST_IN_A_PART])
        for said, all_of_it in sorted(by_syllable.items())
        for at in range(0, len(all_of_it), MOST_IN_A_PART)
    )
    for said, read_so in parts:
        more = len(said) + 2 * len(read_so) + 1
        if width + more > LINE_WIDTH and line:
            yield line
            line, width = "", 0
        line += f"{said}{''.join(read_so)} "
        width += more
    yield line


def main() -> None:
    jieba.setLogLevel(30)
    jieba.initialize()
    single = {one: said for one in characters() if (said := reading(one))}
    by_syllable: dict[str, list[str]] = defaultdict(list)
    for character, said in single.items():
        by_syllable[said].append(character)
    by_reading: dict[str, list[str]] = defaultdict(list)
    for word, read in words(single).items():
        by_reading[" ".join(read)].append(word)
    lines = [f"{said} {''.join(by_syllable[said])}" for said in sorted(by_syllable)]
    lines += [f"{read} {' '.join(by_reading[read])}" for read in sorted(by_reading)]
    TARGET.write_text(_HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    CHARACTERS.write_text(
        _MODULE % "\n".join(f'    "{line}"' for line in wrapped(by_syllable)), encoding="utf-8"
    )
    print(f"{TARGET}: {len(single)} characters, {sum(map(len, by_reading.values()))} words")


if __name__ == "__main__":
    main()
