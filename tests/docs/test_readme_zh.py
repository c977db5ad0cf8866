"""README.zh.md is the whole README: the same sections, paragraphs, snippets, tables, links and names."""

from __future__ import annotations

import re

import pytest

from tests.docs.readme import (
    CHINESE,
    ENGLISH,
    blocks,
    code_of,
    codes,
    headings,
    prose,
    tables,
)

PICTURES = {"docs/page-zh.png": "docs/page.png"}  # the same page in the other language


def test_the_sections_are_the_same():
    assert headings(CHINESE) == headings(ENGLISH)


def test_the_snippets_are_the_same_but_for_their_comments():
    ours, theirs = blocks(ENGLISH), blocks(CHINESE)
    assert [block.language for block in theirs] == [block.language for block in ours]
    for english, chinese in zip(ours, theirs, strict=True):
        if english.language:
            assert code_of(chinese) == code_of(english), f"{CHINESE}, line {chinese.line}"
        assert chinese.text.count("\n") == english.text.count("\n")


def test_the_tables_have_the_same_rows_and_names():
    ours, theirs = tables(ENGLISH), tables(CHINESE)
    assert [len(table) for table in theirs] == [len(table) for table in ours]
    for english, chinese in zip(ours, theirs, strict=True):
        for row, translated in zip(english, chinese, strict=True):
            assert len(translated) == len(row)
            for cell, other in zip(row, translated, strict=True):
                assert sorted(codes(other)) == sorted(codes(cell)), translated
                assert sorted(_links(other)) == sorted(_links(cell)), translated


@pytest.mark.parametrize("pattern", [r"^- \*\*", r"^!\["])
def test_the_lists_and_pictures_are_the_same(pattern):
    counts = [len(re.findall(pattern, prose(page), re.MULTILINE)) for page in (ENGLISH, CHINESE)]
    assert counts[0] == counts[1] > 0


def test_the_links_and_names_are_the_same():
    other = {ENGLISH: CHINESE, CHINESE: ENGLISH}
    links = [[link for link in _links(prose(page)) if link != other[page]] for page in (ENGLISH, CHINESE)]
    links[1] = [PICTURES.get(link, link) for link in links[1]]
    assert sorted(links[0]) == sorted(links[1])
    names = [sorted(codes(prose(page))) for page in (ENGLISH, CHINESE)]
    assert names[0] == names[1]


def test_every_section_is_translated():
    english = re.split(r"^## ", prose(ENGLISH), flags=re.MULTILINE)
    chinese = re.split(r"^## ", prose(CHINESE), flags=re.MULTILINE)
    for ours, theirs in zip(english, chinese, strict=True):
        words, characters = len(re.findall(r"[A-Za-z]{2,}", ours)), len(re.findall(r"[一-鿿]", theirs))
        assert characters > 0.6 * words or words < 10, theirs[:80]


def _links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", text)
