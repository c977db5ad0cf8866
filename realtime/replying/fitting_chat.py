"""A chat model that takes a conversation of any length: what it refuses as too long is asked again, shorter.

The oldest messages go first (`core/fitting.py`). What was learnt counts for all later requests to the model, so that
only one turn of the process meets the refusal. Where nothing may be left out, the refusal says what to do.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

import msgspec

from realtime.core.context_budgets import ContextBudgets, after_refusal
from realtime.core.fitting import Budget, shorten, size
from realtime.core.messages import ChatEvent, ChatMessage, ChatRequest, Tool
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


class FittingChat(ChatModel):
    """`budget` is how one response may be shortened; its size is that of the model, if that takes less."""

    def __init__(self, chat: ChatModel, budgets: ContextBudgets, budget: Budget) -> None:
        self.name = chat.name
        self.sees_images = chat.sees_images
        self._chat = chat
        self._budgets = budgets
        self._budget = budget

    def __repr__(self) -> str:
        return f"<FittingChat {self._chat!r}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        beside = _size_of_tools(request.tools)
        budget = self._of_model(beside)
        messages = request.messages if not budget.may_drop else shorten(request.messages, budget)
        for refusals in range(MAX_REFUSALS + 1):
            yielded = False
            try:
                async with aclosing(self._chat.stream(replace(request, messages=messages))) as events:
                    async for event in events:
                        if not yielded and refusals:
                            self._learn(budget, beside)
                        yielded = True
                        yield event
                return
            except ProviderError as error:
                if yielded or not _is_too_long(error):
                    raise
                budget = replace(budget, characters=after_refusal(size(messages), error.message, refusals))
                without_trace(error)
                messages = self._shorter(request, messages, budget, error, last=refusals == MAX_REFUSALS)

    def _of_model(self, beside: int) -> Budget:
        tokens = getattr(self._chat, "context_tokens", None)
        characters = min(self._budget.characters, self._budgets.of(self.name, tokens, beside=beside))
        return replace(self._budget, characters=characters)

    def _learn(self, budget: Budget, beside: int) -> None:
        log.info("%s takes about %d characters of a conversation", self.name, budget.characters)
        self._budgets.learn(self.name, budget.characters, beside=beside)

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
        if last or size(messages) >= size(refused):
            raise _told(SHORTEN, error)
        return messages


def _size_of_tools(tools: Sequence[Tool]) -> int:
    """They share the context with the messages: without them one client's many tools would shrink it for all."""
    return sum(len(tool.name) + len(tool.description or "") + _json_size(tool.parameters) for tool in tools)


def _json_size(value: object) -> int:
    return len(msgspec.json.encode(value))


def _is_too_long(error: ProviderError) -> bool:
    return error.code == "context_length_exceeded" or error.upstream_code == TOO_LARGE


def _told(advice: str, error: ProviderError) -> ProviderRejected:
    return ProviderRejected(
        f"{advice} ({error.message})",
        code="context_length_exceeded",
        upstream_code=error.upstream_code,
        trace_id=error.trace_id,
    )
