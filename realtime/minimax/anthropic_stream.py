"""Decodes answers of the Anthropic dialect, without I/O: event payloads or a whole body in, `ChatEvent`s out.

Knows blocks and deltas (docs/minimax/anthropic.md 2, 3 and 5). Thinking never becomes text; its blocks go into
`ChatFinish.reasoning` as they came, because they are sent back with the next turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, FinishReason, TextDelta, ToolCallDelta
from realtime.errors import ProviderUnavailable
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.errors import find_error, trace_of
from realtime.minimax.json_text import decode_json
from realtime.minimax.thinking import ThinkingFilter

_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_USAGE = ("input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")


class AnthropicDecoder:
    """One answer. `started`: content has come. `finished`: the stop reason has come. `complete`: nothing follows."""

    def __init__(self, *, service: str = "MiniMax", max_calls: int | None = None) -> None:
        self.started = False
        self.finished = False
        self.complete = False
        self._service = service
        self._max_calls = max_calls
        self._filter = ThinkingFilter()  # a text block may hold a think tag after all
        self._thinking: dict[int, dict[str, Any]] = {}  # blocks by their index in the answer
        self._calls: dict[int, int] = {}  # index of the block: index of the call
        self._without_arguments: dict[int, str] = {}  # calls so far without any: what they get at the end
        self._counts: dict[str, int] = {}

    def feed(self, payload: str | bytes) -> list[ChatEvent]:
        """The events in one payload. Raises ProviderError for an error event and for broken JSON."""
        try:
            event = decode_json(payload)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable(f"{self._service}: the answer holds broken JSON.") from error
        if not isinstance(event, Mapping):
            return []
        refused = find_error(event, service=self._service)
        if refused is not None:
            if refused.upstream_code == OUTPUT_SENSITIVE and not self.finished:
                return self._finish("refusal")
            raise refused
        return self._event(event)

    def feed_whole(self, body: bytes) -> list[ChatEvent]:
        """An answer that came as one JSON body. Raises ProviderError."""
        try:
            event = decode_json(body)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable(f"{self._service}: the answer is not JSON.") from error
        content = event.get("content") if isinstance(event, Mapping) else None
        if not isinstance(content, list):
            trace = trace_of(event) if isinstance(event, Mapping) else None
            raise ProviderUnavailable(f"{self._service}: the answer holds no message.", trace_id=trace)
        events: list[ChatEvent] = []
        for index, block in enumerate(content):
            if isinstance(block, Mapping):
                events += self._block_start(index, block) + self._block_stop(index)
        self._count(event.get("usage"))
        return events + self._finish(str(event.get("stop_reason") or "end_turn")) + self._usage()

    def end(self) -> list[ChatEvent]:
        """The stream has ended regularly; a missing stop reason is added."""
        return [] if self.finished else self._finish("end_turn")

    def _event(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        index = event.get("index")
        at = index if isinstance(index, int) else 0
        match event.get("type"):
            case "content_block_delta":
                return self._delta(at, _mapping(event.get("delta")))
            case "content_block_start":
                return self._block_start(at, _mapping(event.get("content_block")))
            case "content_block_stop":
                return self._block_stop(at)
            case "message_start":
                self._count(_mapping(event.get("message")).get("usage"))
            case "message_delta":
                self._count(event.get("usage"))
                reason = _mapping(event.get("delta")).get("stop_reason")
                if reason and not self.finished:
                    return self._finish(str(reason)) + self._usage()
            case "message_stop":
                self.complete = True
                return self.end()
        return []

    def _block_start(self, index: int, block: Mapping[str, Any]) -> list[ChatEvent]:
        match block.get("type"):
            case "text":
                return self._text(block.get("text"))
            case "thinking" | "redacted_thinking":
                self.started = True
                self._thinking[index] = dict(block)
            case "tool_use":
                return self._call_start(index, block)
        return []

    def _call_start(self, index: int, block: Mapping[str, Any]) -> list[ChatEvent]:
        self.started = True
        number = len(self._calls)
        self._calls[index] = number
        if not self._takes(number):
            return []
        self._without_arguments[index] = msgspec.json.encode(_mapping(block.get("input"))).decode()
        return [ToolCallDelta(number, str(block.get("id") or ""), str(block.get("name") or ""), "")]

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[ChatEvent]:
        match delta.get("type"):
            case "text_delta":
                return self._text(delta.get("text"))
            case "thinking_delta":
                self._extend(index, "thinking", delta.get("thinking"))
            case "signature_delta":
                self._extend(index, "signature", delta.get("signature"))
            case "input_json_delta":
                return self._arguments(index, delta.get("partial_json"))
        return []

    def _block_stop(self, index: int) -> list[ChatEvent]:
        """A call whose arguments were not streamed gets those of its start, which may be empty."""
        missing = self._without_arguments.pop(index, None)
        return [] if missing is None else [ToolCallDelta(self._calls[index], "", "", missing)]

    def _text(self, text: object) -> list[ChatEvent]:
        if not isinstance(text, str) or not text:
            return []
        self.started = True
        visible = self._filter.feed(text)
        return [TextDelta(visible)] if visible else []

    def _extend(self, index: int, key: str, text: object) -> None:
        self.started = True
        block = self._thinking.setdefault(index, {"type": "thinking", "thinking": ""})
        block[key] = str(block.get(key) or "") + str(text or "")

    def _arguments(self, index: int, fragment: object) -> list[ChatEvent]:
        number = self._calls.get(index)
        if number is None or not self._takes(number) or not isinstance(fragment, str) or not fragment:
            return []
        self._without_arguments.pop(index, None)
        return [ToolCallDelta(number, "", "", fragment)]

    def _takes(self, number: int) -> bool:
        return self._max_calls is None or number < self._max_calls

    def _finish(self, reason: str) -> list[ChatEvent]:
        self.finished = True
        events: list[ChatEvent] = []
        for index in list(self._without_arguments):
            events += self._block_stop(index)
        rest = self._filter.finish()
        if rest:
            events.append(TextDelta(rest))
        known = _REASONS.get(reason, "stop")
        if known == "stop" and self._calls:
            known = "tool_calls"
        return [*events, ChatFinish(known, self._reasoning())]

    def _reasoning(self) -> dict[str, Any] | None:
        """What goes back with the next turn: the blocks, and what stood between think tags in a text."""
        reasoning: dict[str, Any] = {}
        if self._thinking:
            reasoning["blocks"] = [self._thinking[index] for index in sorted(self._thinking)]
        if self._filter.thinking:
            reasoning["think"] = self._filter.thinking
        return reasoning or None

    def _count(self, usage: object) -> None:
        """Later counts replace earlier ones; a field that is missing or 0 later keeps its value."""
        for key in _USAGE:
            value = _mapping(usage).get(key)
            if isinstance(value, int) and value > 0:
                self._counts[key] = value

    def _usage(self) -> list[ChatEvent]:
        if not self._counts:
            return []
        given, output, written, cached = (self._counts.get(key, 0) for key in _USAGE)
        # Anthropic's input_tokens leave out what the cache took and gave; ours are the whole prompt.
        return [ChatUsage(given + written + cached, output, cached_tokens=cached)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
