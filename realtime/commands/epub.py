"""A book from an EPUB file: the documents of its spine in order, without tags. Blocks.

Reads a zip that somebody else made, with bounds. Protected books (DRM) are refused. Titles are the first heading of
each document.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from html.parser import HTMLParser
from typing import BinaryIO
from urllib.parse import unquote
from xml.etree import ElementTree

from realtime.commands.chapters import Book, made_book
from realtime.errors import InvalidArgument

MOST_DOCUMENT_BYTES = 20 * 1024 * 1024
MOST_BOOK_BYTES = 200 * 1024 * 1024
_BLOCKS = frozenset(
    "p div br li tr h1 h2 h3 h4 h5 h6 blockquote section article hr pre table dt dd figure".split()
)
_HIDDEN = frozenset("head script style svg math rt rp nav aside".split())
_HEADINGS = ("h1", "h2", "h3")


def epub_book(stream: BinaryIO, name: str) -> Book:
    """The book. Raises InvalidArgument for a file that is no EPUB, is protected, or has no words."""
    try:
        with zipfile.ZipFile(stream) as archive:
            return _read(_Archive(archive, name), name)
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise InvalidArgument(
            f"{name} is no EPUB that can be read ({error}): try its text, as .txt.", param="source"
        ) from None
    except ElementTree.ParseError as error:
        raise InvalidArgument(
            f"{name} is a damaged EPUB ({error}): try its text, as .txt.", param="source"
        ) from None


class _Archive:
    """Reads members, and stops at more bytes than a book has."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive = archive
        self._name = name
        self._left = MOST_BOOK_BYTES

    def read(self, path: str) -> bytes:
        with self._archive.open(path) as member:
            content = member.read(min(self._left, MOST_DOCUMENT_BYTES) + 1)
        self._left -= len(content)
        if self._left < 0 or len(content) > MOST_DOCUMENT_BYTES:
            raise InvalidArgument(f"{self._name} is too large for a book: split it.", param="source")
        return content

    def protected(self) -> str:
        """What is encrypted: the text of that list, "" for none."""
        try:
            return self.read("META-INF/encryption.xml").decode("utf-8", "replace")
        except KeyError:
            return ""


def _read(archive: _Archive, name: str) -> Book:
    container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
    root = next((each.get("full-path") for each in container.iter() if _tag(each) == "rootfile"), None)
    if not root:
        raise InvalidArgument(f"{name} is a damaged EPUB: it names no contents.", param="source")
    package = ElementTree.fromstring(archive.read(root))
    title = next((each.text for each in package.iter() if _tag(each) == "title" and each.text), None)
    encrypted = archive.protected()
    sections = []
    for path in _spine(package, posixpath.dirname(root)):
        if path in encrypted:
            raise InvalidArgument(
                f"{name} is protected (DRM): only a copy without that can be read.", param="source"
            )
        reader = _Reader()
        reader.feed(archive.read(path).decode("utf-8-sig", "replace"))
        reader.close()
        sections.append((" ".join(reader.heading.split()), reader.text))
    return made_book(title or name.rpartition(".")[0] or name, sections)


def _spine(package: ElementTree.Element, folder: str) -> list[str]:
    """The paths of the documents in the order of reading."""
    items = {each.get("id"): each for each in package.iter() if _tag(each) == "item"}
    paths = []
    for reference in package.iter():
        item = items.get(reference.get("idref")) if _tag(reference) == "itemref" else None
        if item is None or reference.get("linear") == "no" or "nav" in (item.get("properties") or "").split():
            continue
        if "html" in (item.get("media-type") or ""):
            paths.append(posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or ""))))
    return paths


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


class _Reader(HTMLParser):
    """The words of one document, a blank line between its paragraphs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.heading = ""
        self._words: list[str] = []
        self._hidden: list[str] = []
        self._in_heading = False

    @property
    def text(self) -> str:
        blocks = (" ".join(block.split()) for block in "".join(self._words).split("\x00"))
        return "\n\n".join(block for block in blocks if block)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden.append(tag)
        if tag in _BLOCKS:
            self._words.append("\x00")
        if tag in _HEADINGS and not self.heading:
            self._in_heading = True

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self._words.append("\x00")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._hidden:
            del self._hidden[self._hidden.index(tag) :]
        if tag in _BLOCKS:
            self._words.append("\x00")
        if tag in _HEADINGS:
            self._in_heading = False

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        data = data.replace("\x00", "")
        self._words.append(data)
        if self._in_heading:
            self.heading += data
