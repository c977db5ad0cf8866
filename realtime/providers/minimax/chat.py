"""The platform's chat model in the role `ChatModel`. The requests themselves are in `realtime.minimax`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from realtime.core.messages import ChatEvent, ChatRequest
from realtime.errors import ConfigError
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import platform_dialect
from realtime.minimax.http import HttpClient
from realtime.minimax.models import traits_of
from realtime.providers.minimax.budget import RequestBudget
from realtime.settings import Settings


class ChatProvider:
    """See `realtime.providers.base.ChatModel`. Works with every `Chat`, of MiniMax and of other services."""

    def __init__(
        self,
        chat: Chat,
        *,
        sees_images: bool,
        rpm: int,
        first_timeout_s: float,
        gap_timeout_s: float,
        address: str | None = None,
        context_tokens: int | None = None,
    ) -> None:
        self.name = chat.model
        self.sees_images = sees_images
        self.address = address
        self.context_tokens = context_tokens
        self._chat = chat
        self._budget = RequestBudget(rpm)
        self._first_timeout_s = first_timeout_s
        self._gap_timeout_s = gap_timeout_s

    def __repr__(self) -> str:
        return f"<ChatProvider {self._chat!r}>"

    def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        self._budget.reserve(asyncio.get_running_loop().time())
        return self._chat.stream(
            messages=request.messages,
            tools=request.tools,
            tool_choice=request.tool_choice,
            parallel_tool_calls=request.parallel_tool_calls,
            max_output_tokens=request.max_output_tokens,
            temperature=request.temperature,
            reasoning_effort=request.reasoning_effort,
            first_timeout_s=self._first_timeout_s,
            gap_timeout_s=self._gap_timeout_s,
        )

    def requests_left(self) -> float:
        return self._budget.left(asyncio.get_running_loop().time())

    def requests_per_minute(self) -> float:
        return self._budget.per_minute

    async def prewarm(self) -> None:
        await self._chat.prewarm()

    async def aclose(self) -> None:
        await self._chat.aclose()


def create(settings: Settings) -> ChatProvider:
    """The provider for these settings. Raises ConfigError without a key or for an unknown style of chat."""
    if not settings.api_key:
        raise ConfigError("There is no API key for chat: set MINIMAX_API_KEY.")
    try:
        dialect = platform_dialect(settings.chat_api)
    except ValueError as error:
        raise ConfigError(f"MINIMAX_CHAT_API: {error}.") from None
    base_url = settings.base_url.rstrip("/").removesuffix("/v1")
    http = HttpClient(base_url, settings.api_key, group_id=settings.group_id)
    traits = traits_of(settings.chat_model)
    return ChatProvider(
        Chat(http, model=settings.chat_model, dialect=dialect),
        sees_images=traits.sees_images,
        context_tokens=traits.context_tokens,
        rpm=settings.chat_rpm,
        first_timeout_s=settings.chat_first_timeout_s,
        gap_timeout_s=settings.chat_gap_timeout_s,
        address=base_url,
    )
