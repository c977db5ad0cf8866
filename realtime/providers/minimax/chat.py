"""The platform's chat model in the role `ChatModel`. The requests themselves are in `realtime.minimax`."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import asdict

from realtime.core.messages import ChatEvent, ChatRequest
from realtime.errors import ConfigError, ProviderError
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import platform_dialect
from realtime.minimax.dead_peers import LIVE_LOST_S
from realtime.minimax.http import HttpClient
from realtime.minimax.models import traits_of
from realtime.providers.memory_quota import MemoryQuota
from realtime.providers.quota import Permit, Quota
from realtime.settings import Settings
from realtime.upstream import CHAT


class ChatProvider:
    """See `realtime.providers.base.ChatModel`. Works with every `Chat`, of MiniMax and of other services."""

    def __init__(
        self,
        chat: Chat,
        *,
        sees_images: bool,
        rpm: int,
        budget_wait_s: float,
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
        self._quota: Quota = MemoryQuota(CHAT, rpm)
        self._budget_wait_s = budget_wait_s
        self._first_timeout_s = first_timeout_s
        self._gap_timeout_s = gap_timeout_s

    def __repr__(self) -> str:
        return f"<ChatProvider {self._chat!r}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        permits = _Permits(self._quota, self._budget_wait_s)
        await permits.use()

        async def try_again(error: ProviderError) -> None:
            """A try more is a request more."""
            self._learn(error)
            await permits.use()

        answer = self._chat.stream(
            messages=request.messages,
            tools=request.tools,
            tool_choice=_choice(request),
            parallel_tool_calls=request.parallel_tool_calls,
            max_output_tokens=request.max_output_tokens,
            temperature=request.temperature,
            reasoning_effort=request.reasoning_effort,
            first_timeout_s=self._first_timeout_s,
            gap_timeout_s=self._gap_timeout_s,
            before_retry=try_again,
            leaving=permits.leaves,
            retry_refused=not request.guess,
        )
        try:
            async with aclosing(answer) as events:
                async for event in events:
                    yield event
        except ProviderError as error:
            self._learn(error)
            raise
        finally:
            permits.give_back()

    def _learn(self, error: ProviderError) -> None:
        if error.code == "rate_limit_exceeded" and error.upstream_code is not None:  # not our own count's
            self._quota.refused()

    def requests_left(self) -> float:
        return self._quota.left()

    def use_quota(self, quota: Quota) -> None:
        """See `TakesQuota`."""
        self._quota = quota

    def permits(self) -> Mapping[str, int]:
        """What became of the permits that were asked for, by outcome (docs/operations.md, "Metrics")."""
        return asdict(self._quota.tally)

    def requests_per_minute(self) -> float:
        return self._quota.per_minute()

    async def prewarm(self) -> None:
        await self._chat.prewarm()

    async def aclose(self) -> None:
        await self._chat.aclose()


def _choice(request: ChatRequest) -> str:
    """The choice among the tools that there are: a client sets the one after the other, so no choice is an error."""
    choice = request.tool_choice
    if choice in ("auto", "none") or any(tool.name == choice for tool in request.tools):
        return choice
    return choice if choice == "required" and request.tools else "none"


class _Permits:
    """Those of one question: each try is a request. One that did not leave keeps its permit for the next try."""

    def __init__(self, quota: Quota, longest_wait_s: float) -> None:
        self._quota = quota
        self._longest_wait_s = longest_wait_s
        self._permit: Permit | None = None

    async def use(self) -> None:
        """Until the account allows one more request. Raises ProviderRejected if that takes too long."""
        if self._permit is None or self._permit.over:
            self._permit = self._quota.ask(self._longest_wait_s)
            await self._permit.use()

    async def leaves(self) -> None:
        assert self._permit is not None
        await self._permit.leaves()

    def give_back(self) -> None:
        if self._permit is not None:
            self._permit.give_back()


def create(settings: Settings) -> ChatProvider:
    """The provider for these settings. Raises ConfigError without a key or for an unknown style of chat."""
    if not settings.api_key:
        raise ConfigError("There is no API key for chat: set MINIMAX_API_KEY.")
    try:
        dialect = platform_dialect(settings.chat_api)
    except ValueError as error:
        raise ConfigError(f"MINIMAX_CHAT_API: {error}.") from None
    base_url = settings.base_url.rstrip("/").removesuffix("/v1")
    http = HttpClient(base_url, settings.api_key, group_id=settings.group_id, lost_s=LIVE_LOST_S)
    traits = traits_of(settings.chat_model)
    return ChatProvider(
        Chat(http, model=settings.chat_model, dialect=dialect),
        sees_images=traits.sees_images,
        context_tokens=traits.context_tokens,
        rpm=settings.chat_rpm,
        budget_wait_s=settings.budget_wait_s,
        first_timeout_s=settings.chat_first_timeout_s,
        gap_timeout_s=settings.chat_gap_timeout_s,
        address=base_url,
    )
