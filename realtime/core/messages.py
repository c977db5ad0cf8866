"""What a chat model is told and what it answers, as plain values. No vendor, no wire, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One complete call. `arguments` is one valid JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A function the model may call. `parameters` is a JSON Schema object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the history. `images` are data URIs or URLs, in order.

    `reasoning` is what the provider asked us to send back unchanged inside a tool loop (see `ChatFinish`).
    """

    role: Role
    content: str = ""
    images: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    reasoning: Any = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One question to a chat model. None means the provider's own default."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"  # auto, none, required, or the name of one tool
    parallel_tool_calls: bool = True
    max_output_tokens: int | None = None
    temperature: float | None = None
    reasoning_effort: str | None = None
    # Nobody may ever want the answer: a request that is refused is not sent again
    guess: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Visible text, thinking already removed."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """A fragment of the `index`-th call. `call_id` and `name` are set on its first fragment and empty later."""

    index: int
    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ChatUsage:
    """Token counts of one answer."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChatFinish:
    """The last event but for usage. `reasoning` goes into `ChatMessage.reasoning` of the same answer.

    `trace_id`: the service's id of the request, where it has one; equal answers may have different ones."""

    reason: FinishReason
    reasoning: Any = None
    trace_id: str | None = field(default=None, compare=False)


ChatEvent = TextDelta | ToolCallDelta | ChatUsage | ChatFinish


@dataclass(frozen=True, slots=True)
class WordTime:
    """Where one word sounds. Character offsets into the spoken text; milliseconds from the chunk's first sample."""

    begin: int
    end: int
    start_ms: float
    end_ms: float
