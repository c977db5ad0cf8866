"""Chapters from text, Markdown and EPUB files; subtitle files and playlists."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.commands.chapters import LONGEST_CHAPTER, decoded, made_book, markdown_book, text_book
from realtime.commands.epub import epub_book
from realtime.commands.subtitle_files import joined_subtitles, last_time_s, playlist, subtitle_text
from realtime.errors import InvalidArgument
from realtime.minimax.subtitle_lines import SubtitleLine

CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>The Sea</dc:title></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="b" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="c" href="cover.jpg" media-type="image/jpeg"/></manifest>
<spine><itemref idref="nav"/><itemref idref="a"/><itemref idref="b"/><itemref idref="c"/></spine></package>"""
ONE = "<html><head><title>x</title><style>p {}</style></head><body><h1>One <i>boat</i></h1><p>A &amp; b.<br/>C.</p></body></html>"
TWO = "<html><body><h2>Two</h2><p>Deep<script>no()</script>.</p><p/><p>End.</p></body></html>"


def epub(**changes: str) -> io.BytesIO:
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": PACKAGE,
        "OEBPS/nav.xhtml": "<html><body>One, Two</body></html>",
        "OEBPS/text/one.xhtml": ONE,
        "OEBPS/text/two b.xhtml": TWO,
        **changes,
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            if text:
                archive.writestr(name, text)
    return content


def test_an_epub_is_read_in_the_order_of_its_spine() -> None:
    book = epub_book(epub(), "sea.epub")
    assert book.title == "The Sea"
    assert [(each.title, each.text) for each in book.chapters] == [
        ("One boat", "One boat\n\nA & b.\n\nC."),
        ("Two", "Two\n\nDeep.\n\nEnd."),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"META-INF/container.xml": ""},
        {"META-INF/container.xml": "<container/>"},
        {"OEBPS/book.opf": "<package>"},
        {"OEBPS/text/one.xhtml": ""},
        {"META-INF/encryption.xml": '<e URI="OEBPS/text/one.xhtml"/>'},
        {"OEBPS/text/one.xhtml": "<p>" + "0" * 30_000_000},
        {"OEBPS/text/one.xhtml": "<p> </p>", "OEBPS/text/two b.xhtml": "<p>-</p>"},
        {
            "OEBPS/book.opf": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
            + PACKAGE.replace("The", "&c;")
        },
    ],
    ids=range(8),
)
def test_a_book_that_cannot_be_read_says_so(changes: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument) as caught:
        epub_book(epub(**changes), "sea.epub")
    assert caught.value.param == "source"


def test_a_zip_that_is_no_epub() -> None:
    with pytest.raises(InvalidArgument):
        epub_book(io.BytesIO(b"PK\x03\x04"), "a.epub")


def test_markdown_chapters_are_its_headings() -> None:
    text = """---
title: "My travels"
date: today
---
Before **all**.

# First
Text with a [link](http://x.y).
```
# no heading
```
## Inside
More.
# Second #
End.
"""
    book = markdown_book(text, "travels")
    assert book.title == "My travels"
    assert [each.title for each in book.chapters] == ["My travels", "First", "Second"]
    assert "Before all." in book.chapters[0].text
    assert "http" not in book.chapters[1].text
    assert "no heading" not in book.chapters[1].text
    assert "Inside" in book.chapters[1].text
    assert book.chapters[2].text.startswith("Second")


def test_one_title_over_sections() -> None:
    book = markdown_book("# The sea\n\n## One\nA.\n\n## Two\nB.\n", "file")
    assert (book.title, [each.title for each in book.chapters]) == ("The sea", ["One", "Two"])
    assert book.chapters[0].text.startswith("The sea")
    assert markdown_book("Only words.", "file").chapters[0].title == "file"


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Chapter 1\nA.\nChapter 2: The end\nB.", ["Chapter 1", "Chapter 2: The end"]),
        ("PROLOGUE\nA.\n\nCHAPTER IV.\nB.", ["PROLOGUE", "CHAPTER IV."]),
        ("Part One\n\nChapter One\nA.\nChapter Two\nB.", ["Chapter One", "Chapter Two"]),
        ("楔子\n早上。\n第一章 山\n山。\n第十二章:雪\n雪。", ["楔子", "第一章 山", "第十二章:雪"]),
        ("By me.\nChapter 1\nA.\nChapter 2\nB.", ["book", "Chapter 1", "Chapter 2"]),
        ("Chapter 1\nAlone.", ["book"]),
        ("Chapter 7 was long, he said, and the story goes on.\nPart of it.\nPart of me.", ["book"]),
    ],
)
def test_chapters_of_a_plain_text(text: str, titles: list[str]) -> None:
    book = text_book(text, "book")
    assert [each.title for each in book.chapters] == titles


@given(
    st.lists(
        st.sampled_from(["Chapter 1", "第二回", "words and words", "", "Part II", "# A", "```", "  "]),
        max_size=12,
    )
)
def test_no_word_is_lost(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        book = text_book(text, "book")
    except InvalidArgument:
        assert not any(letter.isalnum() for letter in text)
        return
    read = "".join(each.text for each in book.chapters)
    assert [c for c in read if c.isalnum()] == [c for c in text if c.isalnum()]


def test_a_chapter_that_is_too_long_is_cut_at_a_paragraph() -> None:
    text = ("word " * 19 + "end.\n") * 20_000
    book = made_book("Long", [("Long", text)])
    assert [each.title for each in book.chapters] == ["Long (1)", "Long (2)", "Long (3)"]
    assert all(len(each.text) <= LONGEST_CHAPTER and each.text.endswith("end.") for each in book.chapters)


def test_encodings() -> None:
    assert decoded("é\r\nb".encode("utf-8-sig"), "a") == "é\nb"
    assert decoded("é".encode("utf-16"), "a") == "é"
    assert decoded("中".encode("gb18030"), "a", "gb18030") == "中"
    for content, encoding in (
        (b"\xff\x00\x01", None),
        ("中".encode("gb18030"), None),
        (b"a\x00", None),
        (b"a", "x"),
    ):
        with pytest.raises(InvalidArgument):
            decoded(content, "a", encoding)


LINES = (SubtitleLine("One\n<b>.", 0, 1500), SubtitleLine("Two --> 2.", 3_725_001, 3_725_001))


def test_subtitle_files() -> None:
    assert subtitle_text(LINES, "srt") == (
        "1\n00:00:00,000 --> 00:00:01,500\nOne <b>.\n\n2\n01:02:05,001 --> 01:02:06,001\nTwo → 2.\n"
    )
    vtt = subtitle_text(LINES, "vtt")
    assert vtt.startswith("WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.500\nOne &lt;b&gt;.\n")
    assert last_time_s(vtt) == 3726.001
    assert last_time_s("") is None


@pytest.mark.parametrize("kind", ["srt", "vtt"])
def test_subtitles_of_chapters_become_one_file(kind: str) -> None:
    first, second = (SubtitleLine("A", 0, 500),), (SubtitleLine("B", 0, 250),)
    joined = joined_subtitles(
        [subtitle_text(first, kind), "", subtitle_text(second, kind)], [0.0, 1.0, 2.5], kind
    )
    moved = SubtitleLine("B", 2500, 2750)
    assert joined == subtitle_text((*first, moved), kind)


def test_a_playlist() -> None:
    text = playlist([("01-a.mp3", "A\nb", 12.6), ("02-b.mp3", "B", None)])
    assert text == "#EXTM3U\n#EXTINF:13,A b\n01-a.mp3\n#EXTINF:-1,B\n02-b.mp3\n"
