"""What one language contributes: its script, words that tell it, and abbreviations that are written with a full stop.

A row of the tables beside this module. All words are in lower case unless they are abbreviations only with a capital
("Sun." of a week). An abbreviation of several parts has no blanks here: "z.b" stands for "z. B." and "z.B.".
"""

from __future__ import annotations

from dataclasses import dataclass, field


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the voice. The arguments are words with blanks between them."""

    code: str  # ISO 639
    starts: str = field(default="", repr=False)  # words that often begin a sentence, and rarely are a name
    common: str = field(default="", repr=False)  # other words that tell the language
    requests: str = field(default="", repr=False)  # words that tell it where somebody asks for something
    scripts: str = field(default="", repr=False)  # that tell the language, as `core/scripts.py` names them
    letters: str = field(default="", repr=False)  # that few other languages write
    leading: str = field(default="", repr=False)  # always lead on: titles, "e.g."
    short: str = field(default="", repr=False)  # may end a sentence or not: "etc.", units, months
    numbered: str = field(default="", repr=False)  # an abbreviation only before a number: "no. 5"
    ordinals: bool = False  # "3." is "third"

    @property
    def start_words(self) -> frozenset[str]:
        """Words that, after a full stop, show that it ended a sentence."""
        return _words(self.starts)

    @property
    def telling_words(self) -> frozenset[str]:
        """Words that show that a text is in this language."""
        return _words(self.starts) | _words(self.common)
