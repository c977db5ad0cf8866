"""Interim transcripts that never change, from guesses that do.

A transcriber that decodes a growing utterance again and again revises its last words. The wire's transcription deltas
are appended by clients and can never be taken back. So a word is passed on only when two guesses in a row agree on it,
and the mark after the last word only when a word follows: every guess ends like a sentence. Knows text alone.
"""

from __future__ import annotations

import re

from realtime.core.characters import UNSPACED

_WORD = re.compile(rf"\s*[{UNSPACED}]|\s*[^\s{UNSPACED}]+")
_MARKS = " .,;:!?…。，、；：！？"


class Agreement:
    """Follows the guesses for one utterance."""

    def __init__(self) -> None:
        self._last: list[str] = []
        self._said = ""

    @property
    def said(self) -> str:
        """Everything passed on so far."""
        return self._said

    def feed(self, guess: str) -> str:
        """The words that this guess confirms, ready to be appended to what was said; often empty."""
        words = _WORD.findall(guess.strip().rstrip(_MARKS))
        agreed = ""
        for old, new in zip(self._last, words, strict=False):
            if old != new:
                break
            agreed += new
        self._last = words
        if not agreed.startswith(self._said):
            return ""
        fresh = agreed[len(self._said) :]
        self._said = agreed
        return fresh
