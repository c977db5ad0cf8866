"""A whole answer instead of a stream: one request, one JSON body, one typed value.

Knows which answers are lost: they may have been paid for. What may be sent again is the door's to say; the body and its
decoding are those of the dialect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from realtime import deadlines
from realtime.core.messages import (
    ChatEvent,
    ChatFinish,
    ChatMessage,
    ChatUsage,
    FinishReason,
    TextDelta,
    ToolCall,
    ToolCallDelta,
)
from realtime.errors import AnswerLost, ProviderError, ProviderUnavailable
from realtime.minimax.charsets import to_utf8
from realtime.minimax.chat_call import ChatCall
from realtime.minimax.chat_dialect import body_of, decoder_for, headers_of
from realtime.minimax.codes import is_answer_lost
from realtime.minimax.door import Door
from realtime.minimax.errors import error_from_response, trace_of
from realtime.minimax.http import HttpClient, trace_header
from realtime.minimax.json_text import decode_json
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import Result, whole


@dataclass(frozen=True, slots=True)
class ChatAnswer(Result):
    """One whole answer. `text` is without thinking.

    `finish` is `length` where the token limit cut it. The sensitive types are 0 (none) or 1 to 7
    (docs/minimax/chat.md 3).
    """

    text: str
    thinking: str
    tool_calls: tuple[ToolCall, ...]
    finish: FinishReason
    usage: ChatUsage | None
    model: str
    input_sensitive: bool = False
    output_sensitive: bool = False
    input_sensitive_type: int = 0
    output_sensitive_type: int = 0
    reasoning: Any = field(default=None, repr=False)

    @property
    def message(self) -> ChatMessage:
        """The answer as a message of the history, with what the platform wants back: append it and go on."""
        return ChatMessage("assistant", self.text, tool_calls=self.tool_calls, reasoning=self.reasoning)


async def complete(door: Door, call: ChatCall, path: str, *, timeout_s: float) -> ChatAnswer:
    """The answer to this call. `timeout_s` bounds all tries together.

    A request that was surely refused, or never left, is sent again. Raises ProviderError; AnswerLost if it may have
    been accepted, also when the time is over.
    """
    refused: ProviderError | None = None

    async def once(_: str) -> ChatAnswer:
        nonlocal refused
        refused = None
        try:
            return await _ask(door.http, call, path)
        except ProviderError as error:
            refused = error
            raise

    try:
        async with deadlines.timeout(timeout_s):
            return await door.attempts(OPERATIONS["chat.complete"], once)
    except TimeoutError as error:
        if refused is not None:
            raise refused from error  # the time ended in the pause after a refusal: nothing is out
        raise AnswerLost(
            f"{door.http.service}: no whole answer within {timeout_s:g} s. It may have been charged; ask again if that "
            "is no harm."
        ) from error


def answer_of(body: bytes, events: Iterable[ChatEvent], *, trace_id: str | None = None) -> ChatAnswer:
    """The value of a whole body and its events."""
    raw = decode_json(body)
    text: list[str] = []
    calls: dict[int, ToolCall] = {}
    finish, usage = ChatFinish("stop"), None
    for event in events:
        match event:
            case TextDelta():
                text.append(event.text)
            case ToolCallDelta():
                calls[event.index] = _joined(calls.get(event.index), event)
            case ChatFinish():
                finish = event
            case ChatUsage():
                usage = event
    return ChatAnswer(
        text="".join(text),
        thinking=_thinking(finish.reasoning),
        tool_calls=tuple(calls[index] for index in sorted(calls)),
        finish=finish.reason,
        usage=usage,
        model=str(raw.get("model") or ""),
        input_sensitive=raw.get("input_sensitive") is True,
        output_sensitive=raw.get("output_sensitive") is True,
        input_sensitive_type=whole(raw, "input_sensitive_type"),
        output_sensitive_type=whole(raw, "output_sensitive_type"),
        reasoning=finish.reasoning,
        raw=raw,
        trace_id=trace_id or trace_of(raw) or (str(raw["id"]) if raw.get("id") else None),
    )


async def _ask(http: HttpClient, call: ChatCall, path: str) -> ChatAnswer:
    body = body_of(call, stream=False)
    try:
        async with http.request("POST", path, body=body, headers=headers_of(call)) as response:
            content = to_utf8(await response.read(), response.headers.get("Content-Type"))
    except ProviderUnavailable as error:
        if error.retryable and error.sent:
            raise AnswerLost(
                f"{http.service}: the connection was lost before the answer came. It may have been charged; ask again "
                "if that is no harm."
            ) from error
        raise
    trace_id = trace_header(response)
    refused = error_from_response(response.status, content, trace_id=trace_id, service=http.service)
    if refused is not None and is_answer_lost(refused):
        raise AnswerLost(
            f"{refused.message} It may have been charged, so it was not asked again.",
            upstream_code=refused.upstream_code,
            trace_id=refused.trace_id,
        ) from refused
    if refused is not None:
        raise refused
    events = decoder_for(call, http.service).feed_whole(content)
    return answer_of(content, events, trace_id=trace_id)


def _joined(call: ToolCall | None, delta: ToolCallDelta) -> ToolCall:
    if call is None:
        return ToolCall(delta.call_id, delta.name, delta.arguments)
    return ToolCall(call.call_id, call.name, call.arguments + delta.arguments)


def _thinking(reasoning: Any) -> str:
    if not isinstance(reasoning, Mapping):
        return ""
    parts = [block.get("thinking") for block in reasoning.get("blocks") or ()]
    parts += [reasoning.get("reasoning_content"), reasoning.get("think")]
    return "".join(part for part in parts if isinstance(part, str))
