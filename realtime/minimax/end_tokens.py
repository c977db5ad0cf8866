"""Removes the tokens with which a model ends its answer, where a service forgot to, without I/O.

Knows the tokens of the common chat templates (docs/minimax/chat.md 4). Only at the very end of an answer are they such
tokens: before that the answer may be about them.
"""

from __future__ import annotations

import re

TOKENS = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|eot|>",
    "<|end|>",
    "<|return|>",
    "<|call|>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|end_of_turn|>",
    "<|END_OF_TURN_TOKEN|>",
    "<|END_RESPONSE|>",
    "<|user|>",
    "<|observation|>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    "</s>",
    "[e~[",
    "<｜end▁of▁sentence｜>",
    "<[EOS]>",
)
_FIRST = frozenset(token[0] for token in TOKENS)
_WINDOW = 120  # characters: more than a few tokens at the end are none
_PARTS = sorted(
    {token[:length] for token in TOKENS for length in range(1, len(token))}, key=len, reverse=True
)
_TAIL = re.compile(
    rf"\s*(?:(?:{'|'.join(map(re.escape, TOKENS))})\s*)*(?:{'|'.join(map(re.escape, _PARTS))})?\Z"
)
_ENDING = re.compile(rf"(?:(?:{'|'.join(map(re.escape, TOKENS))})\s*)+\Z")
_STRUCK = "<s>"  # HTML, whose end is no token


class EndTokens:
    """One answer. Text in; text out, and what could be such a token only when more follows."""

    def __init__(self) -> None:
        self._held = ""
        self._is_html = False

    def feed(self, text: str) -> str:
        """The text that is certain."""
        self._held += text
        if _FIRST.isdisjoint(self._held):  # the usual case, without a search
            ready, self._held = self._held, ""
            return ready
        begin = max(0, len(self._held) - _WINDOW)
        tail = _TAIL.search(self._held, begin)
        at = tail.start() if tail is not None and tail[0].strip() else len(self._held)
        ready, self._held = self._held[:at], self._held[at:]
        self._is_html = self._is_html or _STRUCK in ready
        return ready

    def finish(self) -> str:
        """The answer has ended: the rest without its tokens."""
        held, self._held = self._held, ""
        if self._is_html and held.strip() == "</s>":
            return held
        return _ENDING.sub("", held)
