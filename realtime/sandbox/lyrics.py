"""The sandbox's lyrics: a prompt in, a title, style tags and tagged sections out, in the prompt's language.

The words of the prompt stand in the lines, so that a reader sees what was asked for. Pure and deterministic. Facts:
docs/minimax/music.md 3.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np

from .lyrics_words import CHINESE, ENGLISH, GENRES, MOODS, STYLES, Lines
from .song_words import HAN, Part, parts_of

_STRUCTURE = ("Intro", "Verse", "Pre-Chorus", "Chorus", "Verse", "Chorus", "Bridge", "Chorus", "Outro")
_SHORT_WORDS = frozenset(
    "a an and are about at by for from in into is it its me my of on or our song songs that the this to with write "
    "make please lyrics music your you i we some very more less change add turn".split()
)
_HAN_RUN = re.compile("[\u3400-\u9fff]+")
_CHINESE_FRAME = re.compile(
    "写一首|一首|关于|歌曲|歌词|的歌|请|改成|改得|更加|更|把|让|成|的|和|与|在|[，。、！]"
)
_ANY_SONG = ("morning", "清晨")
_LONGEST_TITLE = 40  # characters
LONGEST_LYRICS = 3500  # characters: what music generation takes


@dataclass(frozen=True, slots=True)
class Lyrics:
    """A written song."""

    title: str
    style_tags: str  # as in `Pop, Upbeat`
    text: str  # lines with tags in square brackets, sections apart by an empty line


def write_lyrics(prompt: str, *, title: str | None = None, seed: int = 0) -> Lyrics:
    """A whole song about the prompt; an empty one makes any song. A given title stays."""
    chinese = bool(HAN.search(prompt or title or ""))
    lines = CHINESE if chinese else ENGLISH
    themes = themes_of(prompt) or [_ANY_SONG[chinese]]
    rng = np.random.default_rng([zlib.crc32(prompt.encode(errors="replace")), seed % 2**64])
    chorus = _written(lines.chorus, themes, rng, 4)
    sections: list[str] = []
    for tag in _STRUCTURE:
        match tag:
            case "Chorus":
                text = chorus  # it comes back word for word
            case "Verse":
                text = _written(lines.verse, themes, rng, 4)
            case "Intro" | "Outro":
                text = _written(lines.edge, themes, rng, 1)
            case _:
                text = _written(lines.turn, themes, rng, 2)
        sections.append("\n".join([f"[{tag}]", *text]))
    return Lyrics(title or _title(themes, lines, rng), style_tags(prompt, seed), "\n\n".join(sections))


def edit_lyrics(prompt: str, lyrics: str, *, title: str | None = None, seed: int = 0) -> Lyrics:
    """The given song with the prompt worked in: the first line of each section is written anew, the rest stays.

    Without lyrics it is a new song. A given title stays; the result is no longer than music generation takes, unless
    the given lyrics were.
    """
    parts = parts_of(lyrics)
    if not parts:
        return write_lyrics(prompt, title=title, seed=seed)
    lines = CHINESE if HAN.search(prompt or lyrics) else ENGLISH
    themes = themes_of(prompt) or [_ANY_SONG[lines is CHINESE]]
    rng = np.random.default_rng(
        [
            zlib.crc32(prompt.encode(errors="replace")),
            zlib.crc32(lyrics.encode(errors="replace")),
            seed % 2**64,
        ]
    )
    changed = "\n\n".join(_changed(part, lines, themes, rng) for part in parts)
    while len(changed) > max(LONGEST_LYRICS, len(lyrics)):
        changed = changed.rsplit("\n", 1)[0]
    return Lyrics(title or _title(themes, lines, rng), style_tags(prompt, seed), changed)


def themes_of(prompt: str) -> list[str]:
    """What the prompt is about: its longer words, or its runs of Chinese, each once; words of style only alone."""
    if HAN.search(prompt):
        words = [run[:8] for run in _HAN_RUN.findall(_CHINESE_FRAME.sub(" ", prompt))]
    else:
        found = re.findall(r"[^\W\d_][\w'’-]{2,30}", prompt.lower())
        words = [word for word in found if word not in _SHORT_WORDS]
    subjects = [word for word in words if not _is_style(word)]
    return list(dict.fromkeys(subjects or words))[:8]


def style_tags(prompt: str, seed: int = 0) -> str:
    """Two to four English style words: those the prompt names, filled up after the seed."""
    tags = [tag for tag, words in STYLES.items() if _names(prompt.lower(), words)]
    choice = zlib.crc32(prompt.encode(errors="replace")) + seed
    for more in (GENRES, MOODS):
        if len(tags) < 2 and not set(tags) & set(more):
            tags.append(more[choice % len(more)])
    return ", ".join(tags[:4] if len(tags) > 1 else [*tags, "Melodic"])


def _names(text: str, words: str) -> bool:
    """Whether a word begins in the text."""
    return any(
        re.search(rf"\b{re.escape(word)}", text) if word.isascii() else word in text for word in words.split()
    )


def _is_style(word: str) -> bool:
    """Whether the whole word speaks of the music or its mood: "sad" and 安静, not 安静的海."""
    named = [style for words in STYLES.values() for style in words.split()]
    return any(word.startswith(style) if style.isascii() else word == style for style in named)


def _changed(part: Part, lines: Lines, themes: list[str], rng: np.random.Generator) -> str:
    pool = lines.chorus if part.kind in ("chorus", "hook") else lines.turn
    first = _written(pool, themes, rng, 1) if part.lines else []
    tag = [f"[{part.tag}]"] if part.tag else []
    return "\n".join([*tag, *first, *part.lines[1:]])


def _written(pool: tuple[str, ...], themes: list[str], rng: np.random.Generator, count: int) -> list[str]:
    """`count` different lines of a pool, with themes in turn."""
    chosen = rng.permutation(len(pool))[:count]
    start = int(rng.integers(len(themes)))
    return [pool[line].format(themes[(start + index) % len(themes)]) for index, line in enumerate(chosen)]


def _title(themes: list[str], lines: Lines, rng: np.random.Generator) -> str:
    theme = themes[0] if lines is CHINESE else themes[0].capitalize()
    return lines.titles[int(rng.integers(len(lines.titles)))].format(theme)[:_LONGEST_TITLE]
