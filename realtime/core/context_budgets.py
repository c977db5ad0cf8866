"""How much each chat model takes, in the measures of `fitting.py`: what is published, and what refusals have taught.

Tokens and bytes are different limits: a body that is too large says nothing about the context. Pure: it is told of
refusals and successes, and asks nobody.
"""

from __future__ import annotations

import re

from realtime.core.fitting import CHARACTERS_PER_TOKEN, MAX_CHARACTERS

MAX_MODELS = 64
_MARGIN = 0.9  # counts of tokens are not ours
_LEAST_SHARE = 10
_HALVINGS = 2  # after so many the steps are longer
_NUMBER = re.compile(r"\d[\d,]*\d|\d")
_LIMIT = re.compile(
    r"(?:maximum|limit|at most|context (?:length|size|window)|allowed|up to)\D{0,40}?(\d[\d,]*\d)"
    r"|(\d[\d,]*\d)\s*(?:tokens?\s*)?(?:maximum|max\b|limit)",
    re.IGNORECASE,
)
_CODES = re.compile(r"\((?:(?:code|HTTP) )?\d{3,5}\)(?=[\s.]|$)")  # of the platform: "(2013)", "(HTTP 400)"


class ContextBudgets:
    """By the model's name."""

    def __init__(self) -> None:
        self._learned: dict[str, int] = {}
        self._bodies: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<ContextBudgets {self._learned}, bodies {self._bodies}>"

    def of(self, model: str, context_tokens: int | None = None, *, beside: int = 0) -> int:
        """What to show this model at most; `context_tokens` is its published context, if known.

        `beside`: what goes out besides the messages, the tools. Of what was learnt a tenth stays for the messages.
        """
        known = MAX_CHARACTERS if context_tokens is None else round(context_tokens * CHARACTERS_PER_TOKEN)
        learned = _without(self._learned.get(model), beside)
        return min(MAX_CHARACTERS, known, MAX_CHARACTERS if learned is None else learned)

    def body_of(self, model: str, *, beside: int = 0) -> int | None:
        """How many bytes the messages of a request have at most; None: no body was too large."""
        return _without(self._bodies.get(model), beside)

    def learn(self, model: str, characters: int, *, beside: int = 0) -> None:
        """More than this was refused, and within it the model has answered: so many in messages, and those beside."""
        _remember(self._learned, model, characters + beside)

    def learn_body(self, model: str, body_bytes: int, *, beside: int = 0) -> None:
        """The same of bytes."""
        _remember(self._bodies, model, body_bytes + beside)


def _without(learned: int | None, beside: int) -> int | None:
    return None if learned is None else max(learned - beside, learned // _LEAST_SHARE)


def _remember(learned: dict[str, int], model: str, size: int) -> None:
    learned.pop(model, None)
    learned[model] = size
    if len(learned) > MAX_MODELS:
        del learned[next(iter(learned))]


def after_refusal(refused: int, message: str, refusals: int) -> int:
    """The budget to try next: by the numbers of the message, else a half, and a quarter after some `refusals`."""
    share = share_in(message)
    if share is None:
        share = 0.5 if refusals < _HALVINGS else 0.25
    return int(refused * share)


def share_in(message: str) -> float | None:
    """Which share of the request would have fitted, if the message tells the limit and what was asked for."""
    told = _CODES.sub("", message)
    limits = [int((first or second).replace(",", "")) for first, second in _LIMIT.findall(told)]
    numbers = [int(number.replace(",", "")) for number in _NUMBER.findall(told)]
    limit, asked = min(limits, default=0), max(numbers, default=0)
    return limit / asked * _MARGIN if 0 < limit < asked else None
