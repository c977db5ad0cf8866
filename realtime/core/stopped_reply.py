"""A reply that speech has stopped, until it is known what the speech says: it may have been stopped wrongly.

Knows no phases: those are `turn.py`. Why it goes on or does not: docs/architecture.md 2.5.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from realtime.core.interruption import is_agreement
from realtime.core.short_words import has_several_words, is_hum, takes_turn


@dataclass(frozen=True, slots=True)
class StoppedReply:
    """`heard`: something of it had been heard. `before_answer`: the speech had begun before that.

    `keeps_chat`: the chat model still writes it. `agreed`: what was said since would be an answer if nothing of the
    reply is left to say ("yes"). `at_end`: the player stopped when all of it should have been heard; whoever says
    something then answers it, and does not agree to it.
    """

    response_id: str
    heard: bool
    before_answer: bool = False
    keeps_chat: bool = False
    agreed: bool = False
    at_end: bool = False

    def told(self, text: str | None) -> StoppedReply | None:
        """An item after the stop says this; None: nobody can tell. Returns None if the reply was stopped rightly: who
        cannot be read must be able to stop it."""
        if text is None or not self.agrees(text):
            return None
        return replace(self, agreed=self.agreed or not is_hum(text))

    def agrees(self, text: str) -> bool:
        """Whether this text would let the reply go on."""
        if self.at_end:
            return not text.strip()
        return is_agreement(text, before_answer=self.before_answer)


def is_meant(text: str, *, sure: bool) -> bool:
    """Whether an interim text is an interruption beyond doubt: of one word it may be a misread noise."""
    return sure and (takes_turn(text) or has_several_words(text))
