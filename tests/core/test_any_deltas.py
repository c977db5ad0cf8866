"""Markup, code, numbers and scripts in any mix and any deltas: the text comes out whole, and the same is said."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from realtime.core import markup
from realtime.core.chunker import Chunker
from realtime.core.normalize import SpeechNormalizer, said_of
from realtime.core.wording import Wording
from tests.each import each

PIECES = [
    *(
        "**",
        "*",
        "_",
        "__",
        "~~",
        "`",
        "```",
        "```py\n",
        "# ",
        "- ",
        "+ ",
        *"•‣◦▪",
        "1. ",
        "> ",
        "|",
        "| a | b |",
        "|---|",
    ),
    *("\n", "\n\n", "\r\n", " ", "  ", "\t", "\u3000", "\u00a0", "\u2028", "\u200b", "\x00"),
    *(
        "[",
        "]",
        "](",
        "(",
        ")",
        "](https://a.b/c_d)",
        "![i](u.png)",
        "[^1]",
        "[r][s]",
        "\\",
        "&amp;",
        "&nbsp;",
        "&",
    ),
    *(
        "<b>",
        "</b>",
        "<br/>",
        "<!--",
        "-->",
        "<think>",
        "<",
        "</",
        "<#0.5#>",
        "<#",
        "#>",
        "<https://x.y>",
        "<a@b.c>",
    ),
    *(
        "https://ex.com/a_b?c=1",
        "www.ex.com",
        "www.",
        "http",
        "https:/",
        "h",
        "w",
        "C:\\dir",
        "/usr/bin",
        "$",
        "$x^2$",
    ),
    *(
        "$$",
        "\\(",
        "\\)",
        "3.14",
        "1,000",
        "10:30",
        "2*3*4",
        "x = f(1);",
        "__init__",
        "snake_case",
        "**kwargs",
    ),
    *(
        "Dr.",
        "U.S.",
        "z. B.",
        "p.m.",
        "5.",
        ".",
        ",",
        "!",
        "?",
        ":",
        "…",
        "—",
        '"',
        "“",
        "」",
        "。",
        "，",
        "！",
    ),
    *(
        "好的",
        "今天天气",
        "ありがとう",
        "か\u3099",
        "한국어",
        "ประเทศไทย",
        "မြန်မာ",
        "བོད་སྐད",
        "नमस्ते",
        "مرحبا",
        "Привет",
    ),
    *(
        "👨‍👩‍👧",
        "👍🏽",
        "🇫🇷",
        "🇩",
        "1️⃣",
        "e\u0301",
        "\u0301",
        "\u200d",
        "①",
        "Hello",
        "the",
        "garden",
        "Then",
        "I",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def cut(text: str, sizes: list[int]) -> Iterator[str]:
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(text):
            return
        yield text[start : start + size]
        start += size


@settings(max_examples=150)
@example("__init__မြန်မာ", [1])
@example("at www.ex.com, or http", [1])
@example("a  b c **d e** f", [2])
@given(TEXTS, SIZES)
def test_the_text_is_whole_and_the_same_is_said(text: str, sizes: list[int]) -> None:
    normalizer = SpeechNormalizer()
    wordings = [*map(normalizer.feed, cut(text, sizes)), normalizer.finish()]
    assert "".join(wording.text for wording in wordings) == text
    assert "".join(wording.said for wording in wordings) == said_of(text)
    for wording in wordings:
        assert len(wording.offsets) == len(wording.said)
        assert list(wording.offsets) == sorted(wording.offsets)
        assert all(0 <= offset <= len(wording.text) for offset in wording.offsets)


@settings(max_examples=60)
@given(TEXTS, SIZES, st.sampled_from(["", "The answer is on the screen."]))
def test_chunks_are_the_text_and_lead_back_to_it(text: str, sizes: list[int], stand_in: str) -> None:
    normalizer, chunker = SpeechNormalizer(), Chunker()
    for delta in cut(text, sizes):
        chunker.feed(normalizer.feed(delta), 0.0)
    chunker.feed(normalizer.finish(), 0.0)
    chunker.finish(stand_in)
    chunks, now_s = chunker.poll(0.0), 0.0
    while not chunker.done:
        now_s += 30.0
        chunks += chunker.poll(now_s)
    assert "".join(chunk.text for chunk in chunks) == text
    for chunk in chunks:
        assert len(chunk.offsets) == len(chunk.spoken) + 1
        assert list(chunk.offsets) == sorted(chunk.offsets)
        assert chunk.offsets[-1] == len(chunk.text)


BLOCKS = [
    *(
        f"One:\n{mark} two\n{mark}\n  {mark} three\n{mark}four\n{mark} [x] five\n{mark}"
        for mark in markup.BULLETS
    ),
    *(
        f"One\n\n{mark} two {mark}\n{mark}\nthree\n{mark}"
        for mark in ("#", "###", "1.", "2)", ">", "---", "===")
    ),
    "| 一 | 二 |\n|---|---|\n| 1 | 2 |\n\n完。",
    "```py\nx = 1\n```\n好。\n~~~\ny\n~~~\n好。",
]


@each(BLOCKS)
def test_the_mark_of_a_line_may_come_in_any_two_deltas(text: str) -> None:
    said = said_of(text)
    for sizes in ([1], [2], [3], [4], *([size, len(text)] for size in range(1, len(text)))):
        normalizer = SpeechNormalizer()
        parts = [*map(normalizer.feed, cut(text, sizes)), normalizer.finish()]
        assert "".join(part.said for part in parts) == said


@pytest.mark.parametrize("text", ["_", "- ", "→", "", "\n"])
def test_a_phrase_for_an_answer_without_words_stands_at_its_end(text: str) -> None:
    chunker = Chunker()
    chunker.feed(Wording.plain(text), 0.0)
    chunker.finish("See the screen.")
    (chunk,) = chunker.poll(0.0)
    assert (chunk.text, chunk.spoken) == (text, "See the screen.")
    assert set(chunk.offsets) == {len(text)}


@pytest.mark.parametrize(
    "text",
    [
        "](" * 100,
        "[a](" + "(x)y" * 80 + "<",
        "```" + "a/" * 190 + "`",
        "<a " + "b " * 150,
        "$" + "(a)" * 20 + "(",
    ],
)
@pytest.mark.parametrize("size", [1, 50, 1000])
def test_marks_that_never_close_are_read_in_one_way(text: str, size: int) -> None:
    """A pattern that tries all combinations would not come to an end here."""
    normalizer = SpeechNormalizer()
    wordings = [*map(normalizer.feed, cut(text, [size])), normalizer.finish()]
    assert "".join(wording.text for wording in wordings) == text
    assert "".join(wording.said for wording in wordings) == said_of(text)
