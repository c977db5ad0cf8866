"""What the words of a song ask for: sections from tags, a tempo and a mode from mood words.

It knows both spellings of the tags (docs/minimax/music.md 1) and their Chinese names; unknown tags pass as sections of
their own. It makes no sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HAN = re.compile("[\u3400-\u9fff]")
_TAG = re.compile(r"\[([^\[\]\n]{1,40})\]|【([^【】\n]{1,40})】")
_UNIT = re.compile("[\u3040-\u30ff\u3400-\u9fff]|[^\\W\u3040-\u30ff\u3400-\u9fff]+(?:['’-]\\w+)*")
_SAME = {
    "inst": "instrumental",
    "breakdown": "break",
    "前奏": "intro",
    "主歌": "verse",
    "预副歌": "pre chorus",
    "导歌": "pre chorus",
    "副歌": "chorus",
    "间奏": "interlude",
    "桥段": "bridge",
    "尾奏": "outro",
    "独奏": "solo",
}
# Beats a minute; the first row that has a word of the prompt decides.
_TEMPOS: tuple[tuple[int, str], ...] = (
    (66, "lullaby ambient sleep meditat funeral 摇篮曲 安眠 冥想"),
    (78, "slow sad ballad melancholy lonely calm quiet soft 慢 悲伤 忧伤 伤感 抒情 孤独 安静 平静 民谣"),
    (92, "jazz blues soul late lofi lo-fi r&b folk 爵士 蓝调 灵魂"),
    (140, "fast drum&bass punk metal furious sprint 快速 快节奏 急 朋克 金属"),
    (126, "dance edm techno house disco energetic party upbeat 舞 电子 派对 动感"),
    (116, "pop happy joyful cheerful rock bright march 流行 快乐 欢快 摇滚 阳光 进行曲"),
)
_TEMPO = 100
_MINOR = "sad melancholy lonely dark night blues minor funeral rain 悲 忧 伤 孤独 暗 夜 雨 小调"


@dataclass(frozen=True, slots=True)
class Part:
    """A section as it is written."""

    tag: str  # as written, without brackets; empty where the lyrics have none
    kind: str  # "verse", "pre chorus", ...: one spelling, lower case
    lines: tuple[str, ...]


def kind_of(tag: str) -> str:
    """The one spelling of a tag: `Pre-Chorus` is "pre chorus", `Verse 2` is "verse"."""
    plain = " ".join(tag.lower().replace("-", " ").replace("_", " ").split())
    plain = re.sub(r"\s*\d+$", "", plain) or plain
    return _SAME.get(plain, plain)


def parts_of(lyrics: str) -> tuple[Part, ...]:
    """The sections in order. Lines before the first tag are a verse; lyrics without tags have a verse a stanza."""
    found: list[Part] = []
    tag, at = "", 0
    for match in [*_TAG.finditer(lyrics), None]:
        text = lyrics[at : match.start() if match else len(lyrics)]
        if tag:
            found.append(Part(tag, kind_of(tag), _lines(text)))
        else:
            stanzas = (_lines(stanza) for stanza in re.split(r"\n\s*\n", text))
            found += [Part("", "verse", lines) for lines in stanzas if lines]
        if match:
            tag, at = (match[1] or match[2]).strip(), match.end()
    return tuple(found)


def _lines(text: str) -> tuple[str, ...]:
    """The lines that have something to sing."""
    stripped = (line.strip().strip("#").strip() for line in text.splitlines())
    return tuple(line for line in stripped if units(line))


def units(line: str) -> list[str]:
    """What is sung on one note: a word, or one Chinese or Japanese letter."""
    return _UNIT.findall(line)


def tempo_of(prompt: str) -> int:
    """Beats a minute from the prompt: a number before `bpm`, or a mood word."""
    text = prompt.lower()
    if number := re.search(r"\b(\d{2,3})\s*bpm", text):
        return min(200, max(50, int(number[1])))
    return next((bpm for bpm, words in _TEMPOS if _has(text, words)), _TEMPO)


def is_minor(prompt: str) -> bool:
    """Whether the mood is a minor one."""
    return _has(prompt.lower(), _MINOR)


def _has(text: str, words: str) -> bool:
    """Whether a word begins in the text: `meditat` is in "meditation", `late` not in "chocolate"."""
    return any(
        re.search(rf"\b{re.escape(word)}", text) if word.isascii() else word in text for word in words.split()
    )
