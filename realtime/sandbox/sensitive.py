"""Forbidden words: the sandbox's stand-in for the platform's moderation of a prompt.

Knows the words of the speech endpoints and nothing of what is made from a prompt.
"""

from __future__ import annotations

from .refusal import Refusal
from .speech_request import SENSITIVE_WORDS


def is_sensitive(text: str) -> bool:
    """Whether a text has a forbidden word."""
    return any(word in text for word in SENSITIVE_WORDS)


def refuse_sensitive(*texts: str) -> None:
    """Raises Refusal 1026 (sensitive input) if one of the texts has a forbidden word."""
    if any(map(is_sensitive, texts)):
        raise Refusal(1026)
