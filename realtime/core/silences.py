"""How long no word has been said before a pause of a turn: sound that brings no word does not begin a silence anew.

It is a voice behind, a breath or a hum. Two things tell it: earlier pauses that had the text already, and interim texts
that have said the same for longer than a last word lasts. Pure: texts and milliseconds in, milliseconds out.
"""

from __future__ import annotations

import re

from realtime.core.punctuation import MARKS

# A transcriber may know the last word so long before the voice has ended: Whisper 290 ms in the median. Where 250 ms
# were taken, more turns were cut (bench/README.md).
KNOWN_AHEAD_MS = 350.0
NOISE_MS = 500.0  # a detector hears the end of a voice so late at most; what is longer may be a hum

_MARKS = re.compile(rf"[{re.escape(MARKS)}](?![a-z0-9])")  # a point inside a number is no end


class Silences:
    """Of one turn at a time. Any other change of the text than of marks between words is a word: "20" is not "$20"."""

    def __init__(self) -> None:
        self.reset()

    def __repr__(self) -> str:
        return f"<Silences {self._pauses_ms:.0f} ms since {self._said!r}>"

    def reset(self) -> None:
        """Another turn begins."""
        # What the last pause had, and how long the earlier ones with it were
        self._said, self._pauses_ms = "", 0.0
        # What the last interim texts had, and by when it had been said
        self._interim, self._interim_ms = "", 0.0

    def ended(self, silence_ms: float) -> None:
        """There was sound after a pause of this length, with or without a word."""
        self._pauses_ms += silence_ms

    def interim(self, text: str, to_ms: float) -> None:
        """A decode of the speech up to this position has this text."""
        said = _words(text)
        if said != self._interim:
            self._interim, self._interim_ms = said, to_ms + KNOWN_AHEAD_MS

    def before(self, text: str, pause_ms: float) -> float:
        """How much of the time before the pause counts as silence, in ms: 0 where the text is new, or is none."""
        said = _words(text)
        if not said or said != self._said:
            self._said, self._pauses_ms = said, 0.0
        late_ms = pause_ms - self._interim_ms if said and said == self._interim else 0.0
        return max(self._pauses_ms, min(late_ms, NOISE_MS))


def _words(text: str) -> str:
    """The text without marks, blanks and capitals, which another decode may set otherwise."""
    return "".join(_MARKS.sub("", text.casefold()).split())
