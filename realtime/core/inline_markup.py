"""Markup inside a line, as it streams: what of it is shown.

The reader keeps the text that was not yet taken and what went out last; `normalize.py` adds streams, lines and blocks,
`markup.py` says what each kind of markup looks like.
"""

from __future__ import annotations

import html
import re

from realtime.core import markup
from realtime.core.characters import PAUSE_MARK


class More(Exception):
    """The received text is ambiguous here."""


class InlineReader:
    """Takes characters from the front of the received text, and shows them, or something in their place."""

    def __init__(self, interjections: bool = True) -> None:
        self._interjections = interjections
        self._raw = ""
        self._final = False
        self._out: list[str] = []
        self._previous = "\n"  # the last raw character that was passed
        self._shown = ""  # the last character that went out
        self._blank = ""  # white space that waits for something to separate
        self._newlines = 0  # line ends since something was shown
        self._line_start = True
        self._item = False  # inside a heading or list item
        self._code = ""  # the backticks that opened inline code
        self._fence = ""  # the mark that opened a code block
        self._hidden: re.Pattern[str] | None = None  # the tag that ends a hidden block

    # -- passing text on -----------------------------------------------------------------------------------------

    def _drop(self, length: int) -> None:
        if length:
            self._previous = self._raw[length - 1]
            self._raw = self._raw[length:]

    def _show(self, length: int, text: str | None = None) -> None:
        """Take `length` raw characters and show them, or `text` in their place."""
        text = self._raw[:length] if text is None else text
        self._drop(length)
        if not text:
            return
        if self._shown:
            if self._newlines > 1 and self._shown == "\n":
                self._out.append("\n")
            elif not self._newlines and self._shown != "\n":
                self._out.append(self._blank)
        self._blank, self._newlines = "", 0
        self._out.append(text)
        self._shown = text[-1]

    def _need(self, *, more: bool) -> None:
        """Wait for more text where it could change the reading, unless nothing follows."""
        if more and not self._final and len(self._raw) < markup.MAX_CONSTRUCT:
            raise More

    # -- inside a line -------------------------------------------------------------------------------------------

    def _inline(self) -> None:
        raw, first = self._raw, self._raw[0]
        match first:
            case " " | "\t" | "\r" | "\u00a0" | "\u3000":
                self._space()
            case "\\":
                self._backslash()
            case "`":
                self._backticks()
            case "*" | "_" | "~":
                self._emphasis(first)
            case "[":
                self._bracket()
            case "!":
                image = not self._previous.isalnum()
                self._need(more=image and len(raw) == 1)
                self._drop(1) if image and raw[1:2] == "[" else self._show(1)
            case "<":
                self._angle()
            case "$":
                self._dollar()
            case "&":
                self._entity()
            case "|":
                self._show(1, ",") if self._blank else self._show(1)
            case "(":
                self._parenthesis()
            case _:
                self._plain()

    def _space(self) -> None:
        blanks = markup.BLANKS.match(self._raw)
        self._blank = self._blank or " "
        self._drop(blanks.end() if blanks else 1)

    def _plain(self) -> None:
        run = markup.PLAIN.match(self._raw)
        if run is None:
            self._space()  # white space of a rarer kind
            return
        length = run.end()
        address = markup.ADDRESS_START.search(self._raw, 0, length)
        if address and (address.start() > 0 or not self._previous.isalnum()):
            self._show(address.start()) if address.start() else self._address()
            return
        if length == len(self._raw) and not self._final:
            length -= markup.address_begun(run.group(), self._previous)
            if not length:
                raise More
        self._show(length)

    def _address(self) -> None:
        address = markup.ADDRESS.match(self._raw)
        assert address is not None
        text = address.group()
        self._need(more=len(text) == len(self._raw))
        kept = text.rstrip(".,;:!?)]}*_~")
        if "(" in kept and text[len(kept) :].startswith(")"):
            kept += ")"
        self._show(len(kept), markup.plain_address(kept))

    def _backslash(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        following = raw[1:2]
        if following in "()[]" and following:
            self._drop(2)  # a formula's mark
        elif following == "\\":
            self._drop(2)
        elif following and following in "!\"#$%&'*+,-./:;<=>?@^_`{|}~":
            self._drop(1)
            self._show(1)
        else:
            self._drop(1)  # \alpha is read as alpha

    def _backticks(self) -> None:
        ticks = len(self._raw) - len(self._raw.lstrip("`"))
        self._need(more=ticks == len(self._raw))
        self._code = "`" * ticks
        self._drop(ticks)

    def _inside_code(self) -> None:
        if self._raw[0] != "`":
            text = markup.CODE_TEXT.match(self._raw)
            self._show(text.end()) if text else self._space()
            return
        ticks = len(self._raw) - len(self._raw.lstrip("`"))
        self._need(more=ticks == len(self._raw))
        if ticks == len(self._code):
            self._code = ""
            self._drop(ticks)
        else:
            self._show(ticks)

    def _emphasis(self, mark: str) -> None:
        run = len(self._raw) - len(self._raw.lstrip(mark))
        self._need(more=run == len(self._raw))
        before, after = self._previous, self._raw[run : run + 1] or " "
        if mark == "_":
            literal = before.isalnum() and after.isalnum()
        elif mark == "*":
            literal = run == 1 and (
                (before.isspace() and after.isspace()) or (before.isdigit() and after.isdigit())
            )
        else:
            literal = run == 1
        self._show(run) if literal else self._drop(run)

    def _bracket(self) -> None:
        raw = self._raw
        if link := markup.LINK.match(raw, 0, markup.MAX_CONSTRUCT):
            self._unwrap(link.end(), link[1])
            return
        brackets = markup.BRACKETS.match(raw, 0, markup.MAX_CONSTRUCT)
        if brackets is None:
            self._need(more="\n" not in raw)
            self._show(1)
            return
        after = raw[brackets.end() : brackets.end() + 1]
        self._need(more=not after or (after in "([" and "\n" not in raw[brackets.end() :]))
        if footnote := markup.FOOTNOTE.match(raw):
            self._drop(footnote.end())
        else:
            self._show(1)

    def _unwrap(self, length: int, text: str) -> None:
        """Read the link's text in the link's place."""
        self._raw = text + self._raw[length:]

    def _angle(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        following = raw[1:2]
        if following == "#":
            pause = PAUSE_MARK.match(raw)
            self._need(more=pause is None and bool(re.fullmatch(r"<#\d{0,4}\.?\d{0,4}#?", raw)))
            self._show(pause.end() if pause else 1)
        elif following == "!":
            comment = markup.COMMENT.match(raw)
            self._need(more=comment is None and "<!--".startswith(raw[:4]))
            self._drop(comment.end()) if comment else self._show(1)
        elif following.isalpha() or following == "/":
            self._tag()
        else:
            self._show(1)

    def _tag(self) -> None:
        raw = self._raw
        if autolink := markup.AUTOLINK.match(raw, 0, markup.MAX_CONSTRUCT):
            self._unwrap(autolink.end(), autolink[1] + " ")
            return
        tag = markup.TAG.match(raw, 0, markup.MAX_CONSTRUCT)
        if tag is None:
            self._need(more=not re.search(r"[>\n]", raw) and raw.count("<") == 1)
            self._show(1)
            return
        name = tag[1].lower()
        if re.fullmatch(markup.HIDDEN, name) and raw[1] != "/" and not tag.group().endswith("/>"):
            names = "think|thinking|mm:think" if "think" in name else re.escape(name)
            self._hidden = re.compile(rf"</(?:{names})\s*>", re.I)
        elif name in ("br", "p", "li", "div", "tr", "h1", "h2", "h3", "h4"):
            self._unwrap(tag.end(), "\n")
            return
        elif name in ("td", "th"):
            self._blank = self._blank or " "
        self._drop(tag.end())

    def _dollar(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        formula = markup.FORMULA.match(raw, 0, markup.MAX_CONSTRUCT)
        if formula:
            self._need(more=formula.end() == len(raw))
            self._unwrap(formula.end(), markup.plain_formula(formula[1] or formula[2]))
            return
        if raw.startswith("$$"):
            self._need(more=raw.find("$$", 3) < 0)
            self._drop(2)
            return
        no_formula = raw[1:2].isspace() or raw[1:2].isdigit() or "\n" in raw or raw.count("$") > 1
        self._need(more=not no_formula and len(raw) < markup.MAX_FORMULA)
        self._show(1)

    def _entity(self) -> None:
        entity = markup.ENTITY.match(self._raw)
        self._need(more=entity is None and bool(re.fullmatch(r"&#?[0-9a-zA-Z]{0,8}", self._raw)))
        if entity is None:
            self._show(1)
            return
        text = html.unescape(entity.group())
        if text.isspace():
            self._blank = self._blank or " "
            self._drop(entity.end())
        else:
            self._show(entity.end(), text)

    def _parenthesis(self) -> None:
        if not self._interjections:
            word = re.match(r"\(([a-z-]*)(\)?)", self._raw)
            assert word is not None
            known = any(name.startswith(word[1]) for name in markup.INTERJECTIONS)
            self._need(more=known and word.end() == len(self._raw) and not word[2])
            if word[2] and word[1] in markup.INTERJECTIONS:
                self._drop(word.end())
                return
        self._show(1)
