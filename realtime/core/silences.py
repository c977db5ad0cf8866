"""The pauses of one turn between which no word was said: together they are one silence.

Sound that brings no word does not begin a silence anew: it is a voice behind, a breath or a hum. Pure: texts and
milliseconds in, milliseconds out.
"""

from __future__ import annotations

import re

from realtime.core.punctuation import MARKS

_MARKS = re.compile(rf"[{re.escape(MARKS)}](?![a-z0-9])")  # a point inside a number is no end


class Silences:
    """Of one turn at a time. Any other change of the text than of marks between words is a word: "20" is not "$20"."""

    def __init__(self) -> None:
        self._said = ""
        self._ms = 0.0

    def __repr__(self) -> str:
        return f"<Silences {self._ms:.0f} ms since {self._said!r}>"

    def reset(self) -> None:
        """Another turn begins."""
        self._said, self._ms = "", 0.0

    def ended(self, silence_ms: float) -> None:
        """There was sound after a pause of this length, with or without a word."""
        self._ms += silence_ms

    def before(self, text: str) -> float:
        """How long the earlier pauses were in which the text was this one already, in ms. Without a word: 0."""
        said = _words(text)
        if not said or said != self._said:
            self._said, self._ms = said, 0.0
        return self._ms


def _words(text: str) -> str:
    """The text without marks, blanks and capitals, which another decode may set otherwise."""
    return "".join(_MARKS.sub("", text.casefold()).split())
