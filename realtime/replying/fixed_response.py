"""A chat model that says one fixed text: the greeting an operator wrote."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from realtime.core.messages import ChatEvent, ChatFinish, ChatRequest, TextDelta
from realtime.providers.base import ChatModel


class FixedResponse(ChatModel):
    """Answers everything with the same words."""

    def __init__(self, text: str) -> None:
        self.name = "fixed response"
        self._text = text

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        yield TextDelta(self._text)
        yield ChatFinish("stop")
