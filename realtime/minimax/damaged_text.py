"""Repairs text that comes in pieces, without I/O: half an emoji at a seam, control characters, broken escapes.

What cannot be repaired becomes U+FFFD, and nothing else is lost. Knows JSON text only as far as it must, to see where
the arguments of a call end (docs/minimax/chat.md 4).
"""

from __future__ import annotations

import re

from realtime.core.writable import writable

_HIGH_HALF = ("\ud800", "\udbff")
# Blanks of every kind stay; the others cannot be seen or said, and a voice or a terminal may stumble over them.
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


class PiecewiseText:
    """Joins the two halves of a character that came in two pieces; removes control characters."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, piece: str) -> str:
        """The text that is certain. A first half at the end is held back for the next piece."""
        text, self._half = self._half + _CONTROL.sub("", piece), ""
        if text and _HIGH_HALF[0] <= text[-1] <= _HIGH_HALF[1]:
            text, self._half = text[:-1], text[-1]
        return writable(text)

    def finish(self) -> str:
        """The other half never came."""
        half, self._half = self._half, ""
        return writable(half)


_HEX = "[0-9a-fA-F]"
_HIGH_ESCAPE = rf"\\u[dD][89abAB]{_HEX}{{2}}"
_TOKEN = re.compile(
    rf"(?P<pair>{_HIGH_ESCAPE}\\u[dD][c-fC-F]{_HEX}{{2}})|(?P<half>\\u[dD][89a-fA-F]{_HEX}{{2}})"
    rf"|(?P<escape>\\u{_HEX}{{4}}|\\[\"\\/bfnrt])|(?P<wrong>\\)|(?P<control>[\x00-\x1f])|(?P<quote>\")|[^\"\\\x00-\x1f]+"
)
# The end of a piece that may go on: an escape, or a first half whose second one is still to come.
_UNFINISHED = re.compile(rf"(?:{_HIGH_ESCAPE})?(?:\\(?:u{_HEX}{{0,3}})?)?$")
_OUTSIDE = re.compile(r"[^\"{}\[\]]+|.", re.DOTALL)
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


class ArgumentsText:
    """The arguments of one call as JSON text. `complete`: the outermost value has ended; more is no part of it."""

    def __init__(self) -> None:
        self.text = ""  # all that was passed on
        self.complete = False
        self._raw = ""
        self._halves = PiecewiseText()
        self._held = ""
        self._in_string = False
        self._depth = 0

    def feed(self, fragment: str) -> str:
        """The new part of the text. A piece that repeats all before it is a snapshot: no JSON object begins twice."""
        if self.complete:
            return ""
        if self._raw.startswith("{") and fragment.startswith(self._raw):
            fragment = fragment[len(self._raw) :]
        self._raw += fragment
        return self._pass_on(self._held + self._halves.feed(fragment), final=False)

    def finish(self) -> str:
        """What was held back; the text is all there is."""
        return "" if self.complete else self._pass_on(self._held + self._halves.finish(), final=True)

    def _pass_on(self, text: str, *, final: bool) -> str:
        self._held = ""
        new: list[str] = []
        at = 0
        while at < len(text) and not self.complete:
            if self._in_string:
                if not final and (rest := _UNFINISHED.match(text, at)) and rest[0]:
                    self._held = text[at:]
                    break
                token = _TOKEN.match(text, at)
                assert token is not None
                new.append(self._in_string_token(token))
            else:
                token = _OUTSIDE.match(text, at)
                assert token is not None
                new.append(self._outside_token(token[0]))
            at = token.end()
        added = "".join(new)
        self.text += added
        return added

    def _in_string_token(self, token: re.Match[str]) -> str:
        match token.lastgroup:
            case "half":
                return "\\ufffd"
            case "wrong":
                return "\\\\"  # a backslash that escapes nothing, as in a path
            case "control":
                return _ESCAPES.get(token[0], f"\\u{ord(token[0]):04x}")
            case "quote":
                self._in_string = False
                self.complete = self._depth == 0
        return token[0]

    def _outside_token(self, token: str) -> str:
        match token:
            case '"':
                self._in_string = True
            case "{" | "[":
                self._depth += 1
            case "}" | "]":
                self._depth -= 1
                self.complete = self._depth <= 0
        return token
