"""A chat model that says one fixed text: the greeting an operator wrote."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from realtime.core.messages import ChatEvent, ChatFinish, ChatRequest, TextDelta


class FixedResponse:
    """Answers everything with the same words."""

    sees_images = False
    context_tokens: int | None = None

    def __init__(self, text: str) -> None:
        self.name = "fixed response"
        self._text = text

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        yield TextDelta(self._text)
        yield ChatFinish("stop")

    def requests_left(self) -> float:
        return float("inf")

    def requests_per_minute(self) -> float:
        return float("inf")

    async def prewarm(self) -> None:
        return

    async def aclose(self) -> None:
        return
