"""The table of system voices against the document that lists them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from realtime.sandbox.voice_table import SYSTEM_VOICES

PAGE = Path(__file__).parents[2] / "docs/minimax/voices.md"
SHORT_BETA = 8  # "these eight with `-jingpin` at the end"


def section() -> str:
    """The list of ids, one paragraph a line, without the tags of its sources."""
    text = PAGE.read_text(encoding="utf-8")
    text = text[text.index("## 6.") : text.index("## 7.")]
    return re.sub(r" ?\[[^\]]*\]", "", text)


def names(listed: str) -> list[str]:
    """Ids separated by commas or semicolons; one in backquotes keeps its blanks."""
    found = [re.sub(r"^`|`$", "", part) if "`" in part else part for part in re.split(r"[,;]\s+", listed)]
    return [name for name in found if name]


def grouped() -> dict[str, tuple[int, list[str]]]:
    """Language: its count and its ids, for the groups that are plain lists with or without one prefix."""
    pattern = r"\*\*(\w+) \((\d+)[^)]*\)\*\*(?: prefix)?(?: `(\w+_)`)?:\s(.*?)(?=\.\s+\*\*|\.\n\n|\.\s+The opening|\Z)"
    groups: dict[str, tuple[int, list[str]]] = {}
    for language, count, prefix, listed in re.findall(pattern, section(), re.DOTALL):
        plain = re.sub(r"\s*\((?:with a[^)]*|\+[^)]*)\)", "", listed.replace("\n", " "))
        groups[language] = int(count), [prefix + name for name in names(plain)]
    return groups


GROUPS = grouped()
PLAIN = sorted(set(GROUPS) - {"Mandarin"})


def test_the_document_is_read_as_it_is_meant() -> None:
    """The page says it has 327 ids; the groups have them all."""
    assert sum(count for count, _ in GROUPS.values()) == 327
    assert len(PLAIN) == 23


@pytest.mark.parametrize("language", PLAIN)
def test_every_id_of_a_language_is_a_voice(language: str) -> None:
    """As many as the document counts, letter by letter."""
    count, listed = GROUPS[language]
    assert len(set(listed)) == count
    assert [voice for voice in listed if voice not in SYSTEM_VOICES] == []


def test_every_mandarin_id_is_a_voice() -> None:
    """Eight ids and their beta forms, other short ones, and those with the long prefix: 58."""
    count, listed = GROUPS["Mandarin"]
    eight, _, rest = " ".join(listed).partition(" these eight with `-jingpin` at the end ")
    plain, _, prefixed = rest.partition(" and after the prefix `Chinese (Mandarin)_`: ")
    short = eight.split()
    ids = [
        *short,
        *(f"{voice}-jingpin" for voice in short),
        *plain.removeprefix("(beta)").split(),
        *(f"Chinese (Mandarin)_{name}" for name in prefixed.split()),
    ]
    assert len(short) == SHORT_BETA
    assert len(set(ids)) == count
    assert [voice for voice in ids if voice not in SYSTEM_VOICES] == []


def test_every_other_id_of_the_section_is_a_voice() -> None:
    """The international, moss, audiobook, presenter and agent voices, and single ones of a language."""
    text = section()
    paragraphs = text[text.index("More English ids") : text.index("**Japanese")].split("\n\n")
    ids: list[str] = []
    for paragraph in filter(None, paragraphs):
        listed = re.sub(r"\([a-z]{2}\)", "", paragraph.partition(":")[2])
        ids += [name for name in re.split(r"[,;.\s]+", listed) if name]
    assert sum(voice.startswith("moss_audio_") for voice in ids) == 8
    assert len(ids) == len(set(ids)) == 48
    extra = ["Cantonese_podacast_host_1", "Cantonese_crisp_news_anchor_vv2", "Japanese_Whisper_Belle"]
    assert all(voice in text or voice.removeprefix("Japanese_") in text for voice in extra)
    assert [voice for voice in ids + extra if voice not in SYSTEM_VOICES] == []
