"""What one chat request asks for, as plain values: the call, its options by name, the dialects. No wire and no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypedDict

from realtime.core.messages import ChatMessage, Tool
from realtime.minimax.models import Endpoint

Message = ChatMessage | Mapping[str, Any]
Messages = str | Sequence[Message]  # a text is one message of the user
AnyTool = Tool | Mapping[str, Any]


class Dialect(Enum):
    """Whose rules a request follows: one of the platform's two ways to chat, or another OpenAI-compatible service."""

    MINIMAX = "minimax"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


Style = Literal["openai", "anthropic"]  # what a user of the platform writes

_PLATFORM: Mapping[str, Dialect] = {"openai": Dialect.MINIMAX, "anthropic": Dialect.ANTHROPIC}


def platform_dialect(style: str) -> Dialect:
    """The platform's dialect for `openai` or `anthropic`. Raises ValueError for another word."""
    if style not in _PLATFORM:
        raise ValueError(f"the dialect {style!r} is not known; it can be openai or anthropic")
    return _PLATFORM[style]


class ChatOptions(TypedDict, total=False):
    """The options of `stream`, `complete` and `parse`. Left out or None: the service decides.

    `tool_choice`: auto, none, required, or the name of one tool; OpenAI's and Anthropic's mappings mean the same.
    `reasoning_effort`: none, minimal, low, medium, high, xhigh, max. `temperature`: 0 to 2. `top_p`: 0 to 1.
    `max_output_tokens`: 1 or more, thinking included. `thinking`: whether the model thinks; models before M3 always do.
    `response_format` works with MiniMax-Text-01 alone. `cache` marks the prompt as cacheable (Anthropic dialect).
    `extra` is merged into the body last.
    """

    model: str | None
    dialect: Style | None
    tools: Sequence[AnyTool]
    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    thinking: Literal["adaptive", "disabled"] | None
    reasoning_effort: str | None
    response_format: Mapping[str, Any] | None
    service_tier: Literal["standard", "priority"] | None
    cache: bool
    endpoint: Endpoint | None
    extra: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class ChatCall:
    """One chat request. None leaves the choice to the service; `extra` is merged into the body last."""

    model: str
    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    tool_choice: str = "auto"
    parallel_tool_calls: bool = True
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    thinking: Literal["adaptive", "disabled"] | None = None
    reasoning_effort: str | None = None
    response_format: Mapping[str, Any] | None = None
    service_tier: Literal["standard", "priority"] | None = None
    cache: bool = False
    endpoint: Endpoint | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    dialect: Dialect = Dialect.MINIMAX
    token_field: str = "max_completion_tokens"
