"""The chat model as an early answer asks it: once, as long as nobody is known to want that answer.

A service that refuses is not asked again for something that may be in vain. From the end of the turn on the answer is
like any other: what was refused meanwhile is asked once more, with as many tries as a reply has.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from realtime.core.messages import ChatEvent, ChatRequest
from realtime.errors import ProviderError, without_trace
from realtime.providers.base import ChatModel
from realtime.replying.gate import Gate


class GuessedChat(ChatModel):
    """`gate` is open once the answer is wanted. `failed` is told of what goes wrong before that, at once."""

    def __init__(self, chat: ChatModel, gate: Gate, failed: Callable[[ProviderError], None]) -> None:
        self.name = chat.name
        self._chat = chat
        self._gate = gate
        self._failed = failed

    def __repr__(self) -> str:
        return f"<GuessedChat {self._chat!r}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        begun = False
        try:
            async with aclosing(self._chat.stream(replace(request, guess=True))) as events:
                async for event in events:
                    begun = True
                    yield event
            return
        except ProviderError as error:
            if not self._gate.is_open:
                self._failed(error)
                raise
            if begun or not error.retryable:
                raise
            without_trace(error)
        async with aclosing(self._chat.stream(request)) as events:
            async for event in events:
                yield event
