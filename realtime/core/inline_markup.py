"""Markup inside a line, as it streams: what of it is said.

An opening mark that does not close within its clause was text, so nothing waits for a closing one longer than the voice
would. `normalize.py` adds lines and blocks, `markup.py` says what each kind of markup looks like.
"""

from __future__ import annotations

import html
import re

from realtime.core import html_tags, markup
from realtime.core.characters import PAUSE_MARK
from realtime.core.markup_reader import MarkupReader, More

_ESCAPED = "*_`~#$[]<>|!"
_LONGEST_RUN = 8  # marks of emphasis in a row; more are a drawing
_OF_A_PATH = "./\\"


class InlineReader(MarkupReader):
    """Reads what stands inside a line."""

    def __init__(self) -> None:
        super().__init__()
        self._code = ""  # the backticks that opened inline code
        self._closers: dict[int, int] = {}  # marks that are known to close: where, and how long
        self._emphasis_open = 0  # marks that were taken to open without having seen them close
        self._brackets: list[bool] = []  # open ones; True: it could be an index
        self._tags: list[str] = []  # formatting tags that wait for their end
        self._heading = False  # inside a heading

    def _end_paragraph(self) -> None:
        """Nothing inside a line goes on beyond an empty one."""
        self._code = ""
        self._emphasis_open = 0
        self._tags.clear()

    def _inline(self) -> None:
        if closing := self._closers.pop(self._passed, 0):
            self._drop(closing)
            return
        match self._raw[0]:
            case " " | "\t" | "\r" | "\u00a0" | "\u3000":
                self._space()
            case "\\":
                self._backslash()
            case "`":
                self._backticks()
            case "*" | "_" | "~" as mark:
                self._emphasis(mark)
            case "[":
                self._bracket()
            case "]":
                self._bracket_end()
            case "!":
                self._exclamation()
            case "<":
                self._angle()
            case "$":
                self._dollar()
            case "&":
                self._entity()
            case "|":
                self._show(1)
            case _:
                self._plain()

    def _space(self) -> None:
        if self._heading:
            self._need(more=markup.HEADING_END_SO_FAR.fullmatch(self._raw) is not None)
            if end := markup.HEADING_END.match(self._raw):
                self._drop(end.end())
                return
        blanks = markup.BLANKS.match(self._raw)
        self._wait_blank()
        self._drop(blanks.end() if blanks else 1)

    def _plain(self) -> None:
        run = markup.PLAIN.match(self._raw)
        if run is None:
            self._space()  # white space of a rarer kind
            return
        length = min([run.end(), *(at - self._passed for at in self._closers if at > self._passed)])
        address = markup.ADDRESS_START.search(self._raw, 0, length)
        if address and (address.start() > 0 or not markup.touches_word(self._previous)):
            self._show(address.start()) if address.start() else self._address()
            return
        if length == len(self._raw) and not self._final:
            length -= markup.address_begun(run.group(), self._previous)
            self._need(more=not length)
        self._show(length)

    def _address(self) -> None:
        address = markup.ADDRESS.match(self._raw, 0, markup.MAX_CONSTRUCT)
        assert address is not None
        text = address.group()
        self._need(more=len(text) == len(self._raw) or markup.HOST_SO_FAR.fullmatch(self._raw) is not None)
        text = text.partition("](")[0]  # the label of a link, which is its address
        if markup.NO_HOST.match(text):
            self._show(len(text))
            return
        kept = text.rstrip(".,;:!?)]}*_~")
        if "(" in kept and text[len(kept) :].startswith(")"):
            kept += ")"
        self._show(len(kept), markup.plain_address(kept))
        if len(text) == markup.MAX_CONSTRUCT:
            self._rest = markup.ADDRESS_REST

    def _backslash(self) -> None:
        """A formula or an escaped mark; else a path, a line break or a command that is text."""
        raw = self._raw
        self._need(more=len(raw) == 1)
        following = raw[1:2]
        if following in ("(", "["):
            self._formula()
        elif following == "\\":
            self._show(2)  # of a path on the network
        elif (
            following
            and following in _ESCAPED
            and not (markup.touches_word(self._previous) or self._previous in ":\\")
        ):
            self._show(2, following)
        else:
            self._show(1)

    # -- code --------------------------------------------------------------------------------------------------------

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

    # -- emphasis ----------------------------------------------------------------------------------------------------

    def _emphasis(self, mark: str) -> None:
        run = len(self._raw) - len(self._raw.lstrip(mark))
        if run > _LONGEST_RUN:
            self._show(_LONGEST_RUN)
            return
        self._need(more=run == len(self._raw))
        before, after = self._previous, self._raw[run : run + 1] or " "
        between = markup.touches_word(before) and markup.touches_word(after)  # an operator, or part of a name
        if not between and self._emphasis_open and mark == "*" and run > 1 and not before.isspace():
            self._emphasis_open = max(0, self._emphasis_open - run)
            self._drop(run)
        elif self._may_open(mark, run, before, after) and self._opens(mark, run):
            self._drop(run)
        else:
            self._show(run)

    def _may_open(self, mark: str, run: int, before: str, after: str) -> bool:
        if mark == "~" and run != 2:
            return False
        if after.isspace() or after in _OF_A_PATH:
            return False
        if before in _OF_A_PATH[1:] or (run == 1 and before in ")]}.!?>"):
            return False
        return not markup.touches_word(before)

    def _opens(self, mark: str, run: int) -> bool:
        """Whether the mark closes in its clause. Bold text may go on beyond a comma, but a code name has no marks."""
        if mark == "_" and (name := markup.CODE_NAME.match(self._raw)):
            self._need(more=name.end() == len(self._raw))
            return False
        sign = re.escape(mark)
        beyond = r"(?![A-Za-z0-9_])" if run == 1 or mark == "_" else ""
        closing = re.compile(rf"(?<![\s{sign}]){sign}{{{run}}}(?!{sign}){beyond}")
        numbered = markup.NUMBER_OF_ITEM.match(self._raw, run)
        begin = numbered.end() if numbered else run
        found, stopped_by = self._find(closing, begin)
        inside = self._raw[run : found.start()] if found else ""
        if found and any(map(str.isalnum, inside)) and not (mark == "_" and "_" in inside):
            self._closers[self._passed + found.start()] = run
            return True
        if found or mark != "*" or run == 1 or (stopped_by in markup.SENTENCE_STOPS and stopped_by):
            return False
        bold = self._is_bold(begin, stopped_by)
        self._emphasis_open += run if bold else 0
        return bold

    def _is_bold(self, begin: int, stopped_by: str) -> bool:
        """Whether text after "**" that goes on beyond its clause is bold: "**Note: ...", but not "**kwargs, ..."."""
        end = begin + markup.LOOKAHEAD
        if not stopped_by and self._final and len(self._raw) <= end:
            return False  # nothing closes it
        stop = markup.STOP.search(self._raw, begin, end)
        begun = self._raw[begin : stop.start() if stop else end].rstrip()
        return any(map(str.isalpha, begun)) and markup.CODE_ARGUMENT.match(begun) is None

    # -- brackets ----------------------------------------------------------------------------------------------------

    def _bracket(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        if raw[1:2] == "^":
            footnote = markup.FOOTNOTE.match(raw)
            if markup.QUANTIFIED.match(raw):
                self._brackets.append(True)
                self._show(1)
                return
            self._need(more=footnote is None and re.fullmatch(r"\[\^[^\]\s]{0,40}", raw) is not None)
            self._need(more=footnote is not None and footnote.end() == len(raw))
            if footnote:
                self._drop(footnote.end())
                return
        index = self._previous.isascii() and (self._previous.isalnum() or self._previous in "_)]")
        opens_link = self._opens_link(0, index)
        self._brackets.append(index or markup.CHARACTER_CLASS.match(raw) is not None)
        self._drop(1) if opens_link else self._show(1)

    def _opens_link(self, at: int, index: bool) -> bool:
        """Whether the bracket at `at` has a link's text in it."""
        if index:
            return False
        found, _ = self._find(markup.BRACKET_END, at + 1)
        if found is None or found.start() == at + 1 or markup.CHARACTER_CLASS.match(self._raw, at):
            return False
        rest = self._raw[found.start() : found.start() + markup.MAX_CONSTRUCT]
        if markup.GROUP.match(rest):
            return False
        whole = markup.DESTINATION.match(rest) or markup.REFERENCE.match(rest)
        so_far = markup.DESTINATION_SO_FAR.fullmatch(rest) or markup.REFERENCE_SO_FAR.fullmatch(rest)
        if whole is None and so_far and len(rest) < markup.MAX_CONSTRUCT and not self._final:
            raise More
        return whole is not None

    def _bracket_end(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        index = self._brackets.pop() if self._brackets else True
        if raw[1:2] == "(":
            destination = markup.DESTINATION.match(raw, 0, markup.MAX_CONSTRUCT)
            if destination is None and markup.DESTINATION_SO_FAR.fullmatch(raw):
                self._wait_in_brackets(index)
            of_code = markup.GROUP.match(raw) or (index and not markup.WHOLE_ADDRESS.match(raw))
            if destination and not of_code:
                self._drop(destination.end())
                return
        elif raw[1:2] == "[" and not index:
            reference = markup.REFERENCE.match(raw)
            if reference is None and markup.REFERENCE_SO_FAR.fullmatch(raw):
                self._wait_in_brackets(index)
            if reference:
                self._drop(reference.end())
                return
        self._show(1)

    def _wait_in_brackets(self, index: bool) -> None:
        if not self._final and len(self._raw) < markup.MAX_CONSTRUCT:
            self._brackets.append(index)
            raise More

    def _exclamation(self) -> None:
        self._need(more=len(self._raw) == 1 and not markup.touches_word(self._previous))
        image = (
            self._raw[1:2] == "["
            and not markup.touches_word(self._previous)
            and self._opens_link(1, index=False)
        )
        self._drop(1) if image else self._show(1)

    # -- tags --------------------------------------------------------------------------------------------------------

    def _angle(self) -> None:
        raw = self._raw
        self._need(more=len(raw) == 1)
        following = raw[1:2]
        if following == "#":
            pause = PAUSE_MARK.match(raw)
            self._need(more=pause is None and bool(re.fullmatch(r"<#\d{0,4}\.?\d{0,4}#?", raw)))
            self._show(pause.end() if pause else 1)
        elif following == "!":
            self._need(more="<!--".startswith(raw))
            ended = raw.startswith("<!--") and self._find(markup.COMMENT_END, 4)[0]
            self._drop(ended.end()) if ended else self._show(1)
        elif following.isalnum() or following == "/":
            self._tag()
        else:
            self._show(1)

    def _tag(self) -> None:
        raw = self._raw
        if autolink := markup.AUTOLINK.match(raw, 0, markup.MAX_CONSTRUCT):
            self._closers[self._passed + autolink.end() - 1] = 1
            self._drop(autolink.start(1))
            return
        tag = html_tags.TAG.match(raw, 0, markup.MAX_CONSTRUCT)
        if tag is None:
            self._need(more=html_tags.TAG_SO_FAR.fullmatch(raw) is not None)
            self._show(1)
        elif html_tags.is_known(tag[2]) and self._is_markup(tag):
            self._take_tag(tag)
        else:
            self._show(tag.end())

    def _is_markup(self, tag: re.Match[str]) -> bool:
        name = tag[2].lower()
        self._need(more=tag.end() == len(self._raw))
        before, after = self._previous, self._raw[tag.end() : tag.end() + 1] or "\n"
        if tag[1] and (html_tags.is_formatting(name) or name in self._tags):
            return name in self._tags
        if not html_tags.is_formatting(name) or "=" in tag[3]:
            return html_tags.stands_as_markup(tag, before, after)
        closing, _ = self._find(re.compile(rf"</{name}\s*>", re.I), tag.end())
        return closing is not None or (after.isalnum() and not markup.touches_word(before))

    def _take_tag(self, tag: re.Match[str]) -> None:
        name = tag[2].lower()
        if html_tags.breaks_line(name):
            self._drop(tag.end())
            self._break_line()
            return
        if tag[1] and name in self._tags:
            self._tags.remove(name)
        elif html_tags.is_formatting(name) and not tag[1]:
            self._tags.append(name)
        if html_tags.separates(name):
            self._wait_blank()
        self._drop(tag.end())

    # -- formulas and entities ---------------------------------------------------------------------------------------

    def _dollar(self) -> None:
        self._need(more=len(self._raw) == 1 or markup.MONEY_SO_FAR.fullmatch(self._raw) is not None)
        if self._raw[1:2].isspace() or markup.touches_word(self._previous):
            self._show(1)
        else:
            self._formula()

    def _formula(self) -> None:
        raw = self._raw
        mark = raw[:2] if raw[0] == "\\" or raw[1:2] == "$" else "$"
        self._need(more=mark == raw)
        if mark == "$$" and raw[2:3].isspace() and self._previous != "\n":  # a word for money
            self._show(2)
            return
        whole, so_far, limit = markup.FORMULAS[mark]
        formula = whole.match(raw, 0, limit)
        if formula and markup.JUST_WORDS.fullmatch(formula[1]):
            self._show(formula.end())
            return
        if formula:
            self._need(more=formula.end() == len(raw))
            self._show(formula.end(), markup.plain_formula(formula[1]))
            return
        self._need(more=so_far.fullmatch(raw, 0, limit) is not None, limit=limit)
        self._show(len(mark))

    def _entity(self) -> None:
        entity = markup.ENTITY.match(self._raw)
        self._need(more=entity is None and bool(re.fullmatch(r"&#?[0-9a-zA-Z]{0,8}", self._raw)))
        if entity is None:
            self._show(1)
            return
        text = html.unescape(entity.group())
        if text.isspace():
            self._wait_blank()
            self._drop(entity.end())
        else:
            self._show(entity.end(), text)
