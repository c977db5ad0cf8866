"""A chat model that takes a conversation of any length: what it refuses as too long is asked again, shorter.

The oldest messages go first (`core/fitting.py`). What was learnt counts for all later requests to the model, so that
only one turn of the process meets the refusal. How many tokens pictures have nobody knows: what a request with some has
taught counts for those of its own session. Where nothing may be left out, the refusal says what to do.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from realtime.core.context_budgets import ContextBudgets, after_refusal
from realtime.core.fitting import Budget, body_size, shorten, size, size_of_tools
from realtime.core.messages import ChatEvent, ChatMessage, ChatRequest
from realtime.errors import ProviderError, ProviderRejected, without_trace
from realtime.providers.base import ChatModel

log = logging.getLogger(__name__)

MAX_REFUSALS = 6  # in one turn: halved twice and quartered four times is a thousandth
TOO_LARGE = 413  # the HTTP status of a body that is too large
DELETE = "The conversation is too long for the model: delete items, or set truncation to 'auto'."
SHORTEN = (
    "The conversation does not fit into the model's context, although its oldest items were left out: "
    "shorten the instructions, the tools or the last message."
)


@dataclass(frozen=True, slots=True)
class KnownLimits:
    """What one session knows of its models. `learned` is the process's, `with_pictures` its own."""

    learned: ContextBudgets
    with_pictures: ContextBudgets = field(default_factory=ContextBudgets)

    def within(self, budget: Budget, chat: ChatModel, *, beside: int, pictures: bool) -> Budget:
        """The same, with the sizes of this model where they are less. `beside`: see `ContextBudgets.of`."""
        tokens = getattr(chat, "context_tokens", None)
        limits = [budget.characters, self.learned.of(chat.name, tokens, beside=beside)]
        if pictures:
            limits.append(self.with_pictures.of(chat.name, tokens, beside=beside))
        body_bytes = self.learned.body_of(chat.name, beside=beside)
        return replace(budget, characters=min(limits), body_bytes=body_bytes)


class FittingChat(ChatModel):
    """`budget` is how one response may be shortened; its size is that of the model, if that takes less."""

    def __init__(self, chat: ChatModel, limits: KnownLimits, budget: Budget) -> None:
        self.name = chat.name
        self.sees_images = chat.sees_images
        self._chat = chat
        self._limits = limits
        self._budget = budget

    def __repr__(self) -> str:
        return f"<FittingChat {self._chat!r}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        beside, pictures = size_of_tools(request.tools), has_pictures(request.messages)
        budget = known = self._limits.within(self._budget, self._chat, beside=beside, pictures=pictures)
        messages = request.messages if not budget.may_drop else shorten(request.messages, budget)
        for refusals in range(MAX_REFUSALS + 1):
            yielded = False
            try:
                async with aclosing(self._chat.stream(replace(request, messages=messages))) as events:
                    async for event in events:
                        if not yielded and refusals:
                            self._learn(known, budget, beside=beside, pictures=pictures)
                        yielded = True
                        yield event
                return
            except ProviderError as error:
                if yielded or not _is_too_long(error):
                    raise
                budget = _after(budget, messages, error, refusals)
                without_trace(error)
                messages = self._shorter(request, messages, budget, error, last=refusals == MAX_REFUSALS)

    def _learn(self, known: Budget, budget: Budget, *, beside: int, pictures: bool) -> None:
        """What was refused was more than `budget`, where that is less than what was known."""
        if budget.characters < known.characters:
            log.info("%s takes about %d characters of a conversation", self.name, budget.characters)
            budgets = self._limits.with_pictures if pictures else self._limits.learned
            budgets.learn(self.name, budget.characters, beside=beside)
        if budget.body_bytes is not None and budget.body_bytes != known.body_bytes:
            log.info("%s takes about %d bytes of a request", self.name, budget.body_bytes)
            self._limits.learned.learn_body(self.name, budget.body_bytes, beside=beside)

    def _shorter(
        self,
        request: ChatRequest,
        refused: tuple[ChatMessage, ...],
        budget: Budget,
        error: ProviderError,
        *,
        last: bool,
    ) -> tuple[ChatMessage, ...]:
        """What to send after a refusal. Raises ProviderRejected where no more can be left out."""
        if not budget.may_drop:
            raise _told(DELETE, error)
        messages = shorten(request.messages, budget)
        measure = body_size if _is_of_body(error) else size
        if last or measure(messages) >= measure(refused):
            raise _told(SHORTEN, error)
        return messages


def has_pictures(messages: Sequence[ChatMessage]) -> bool:
    """Whether there is one among them."""
    return any(message.images for message in messages)


def _after(budget: Budget, refused: Sequence[ChatMessage], error: ProviderError, refusals: int) -> Budget:
    """The budget to try next: less of what was too much, of tokens or of bytes."""
    if _is_of_body(error):
        body_bytes = after_refusal(body_size(refused), error.message, refusals)
        return replace(budget, body_bytes=body_bytes)
    return replace(budget, characters=after_refusal(size(refused), error.message, refusals))


def _is_of_body(error: ProviderError) -> bool:
    return error.code != "context_length_exceeded"


def _is_too_long(error: ProviderError) -> bool:
    return error.code == "context_length_exceeded" or error.upstream_code == TOO_LARGE


def _told(advice: str, error: ProviderError) -> ProviderRejected:
    return ProviderRejected(
        f"{advice} ({error.message})",
        code="context_length_exceeded",
        upstream_code=error.upstream_code,
        trace_id=error.trace_id,
    )
