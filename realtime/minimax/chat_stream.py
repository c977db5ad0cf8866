"""Decodes the JSON events of a chat stream, without I/O: payloads in, `ChatEvent`s out.

Knows every oddity of the events (docs/minimax/chat.md 3 to 7): thinking in three places, text on the last delta,
the whole answer repeated at the end, calls without index or id. Raises ProviderError for an error in the stream.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, FinishReason, TextDelta, ToolCallDelta
from realtime.errors import ProviderUnavailable
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.errors import find_error, trace_of
from realtime.minimax.json_text import decode_json
from realtime.minimax.thinking import Accumulator, ThinkingFilter

_REASONS: Mapping[str, FinishReason] = {
    "stop": "stop",
    "length": "length",
    "max_output": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
}
_CLOSING_TAG = re.compile(r"\s*</(?:mm:)?think(?:ing)?>\s*$")


def _new_call_id() -> str:
    return f"call_{uuid.uuid4().hex[:24]}"


@dataclass(slots=True)
class _Call:
    index: int
    call_id: str = ""
    name: str = ""
    announced: bool = False
    arguments: str = ""  # held until the name is known
    has_arguments: bool = False


class ToolCallAssembler:
    """Assigns every tool call delta to its call, even without an index or an id."""

    def __init__(self, limit: int | None, new_id: Callable[[], str]) -> None:
        self._limit = limit
        self._new_id = new_id
        self._calls: list[_Call] = []
        self._by_wire_index: dict[int, _Call] = {}

    @property
    def any(self) -> bool:
        return any(call.announced for call in self._calls)

    def feed(self, delta: Mapping[str, Any]) -> list[ChatEvent]:
        function = delta.get("function")
        function = function if isinstance(function, Mapping) else {}
        call = self._call_of(delta)
        call.call_id = call.call_id or str(delta.get("id") or "")
        call.name = call.name or str(function.get("name") or "")
        arguments = function.get("arguments")
        if isinstance(arguments, Mapping):
            arguments = msgspec.json.encode(arguments).decode()
        return self._deltas(call, arguments if isinstance(arguments, str) else "")

    def finish(self) -> list[ChatEvent]:
        """A call without a single character of arguments still needs valid JSON."""
        empty = [call for call in self._calls if call.announced and not call.has_arguments]
        return [ToolCallDelta(call.index, "", "", "{}") for call in empty]

    def _call_of(self, delta: Mapping[str, Any]) -> _Call:
        call_id = str(delta.get("id") or "")
        wire_index = delta.get("index")
        if not isinstance(wire_index, int):
            known = next((call for call in self._calls if call_id and call.call_id == call_id), None)
            if known is not None:
                return known
            return self._calls[-1] if self._calls and not call_id else self._new(len(self._calls))
        call = self._by_wire_index.get(wire_index)
        if call is None or (call_id and call.call_id and call_id != call.call_id):
            return self._new(wire_index)
        return call

    def _new(self, wire_index: int) -> _Call:
        call = _Call(len(self._calls))
        self._calls.append(call)
        self._by_wire_index[wire_index] = call
        return call

    def _deltas(self, call: _Call, arguments: str) -> list[ChatEvent]:
        if self._limit is not None and call.index >= self._limit:
            return []
        call.has_arguments = call.has_arguments or bool(arguments)
        if call.announced:
            return [ToolCallDelta(call.index, "", "", arguments)] if arguments else []
        call.arguments += arguments
        if not call.name:
            return []
        call.announced = True
        call.call_id = call.call_id or self._new_id()
        return [ToolCallDelta(call.index, call.call_id, call.name, call.arguments)]


class ChatDecoder:
    """One answer. `started` is true from the first content on (also thinking), `finished` from the finish reason on."""

    def __init__(
        self,
        *,
        service: str = "MiniMax",
        max_calls: int | None = None,
        new_id: Callable[[], str] = _new_call_id,
    ) -> None:
        self.finished = False
        self.started = False
        self.complete = False  # this dialect's last event, `[DONE]`, is not JSON
        self._service = service
        self._content = Accumulator()
        self._filter = ThinkingFilter()
        self._reasoning = Accumulator()
        self._reasoning_text: list[str] = []
        self._details: dict[str, Any] | None = None
        self._calls = ToolCallAssembler(max_calls, new_id)

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
                return self._finish("content_filter")
            raise refused
        return self._choice(event) + self._usage(event)

    def feed_whole(self, body: bytes) -> list[ChatEvent]:
        """An answer that came as one JSON body although a stream was requested."""
        try:
            event = decode_json(body)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable(f"{self._service}: the answer is not JSON.") from error
        choice = _first(event.get("choices")) if isinstance(event, Mapping) else None
        message = choice.get("message") if choice is not None else None
        if choice is None or not isinstance(message, Mapping):
            trace = trace_of(event) if isinstance(event, Mapping) else None
            raise ProviderUnavailable(f"{self._service}: the answer holds no message.", trace_id=trace)
        reason = str(choice.get("finish_reason") or "stop")
        return self._delta(message) + self._finish(reason) + self._usage(event)

    def end(self) -> list[ChatEvent]:
        """The stream has ended regularly; a missing finish reason is added."""
        return [] if self.finished else self._finish("stop")

    def _choice(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        choice = _first(event.get("choices"))
        if choice is None or self.finished:
            return []
        # A `message` repeats the text of the deltas, so only `delta` is read.
        delta = choice.get("delta")
        events = self._delta(delta) if isinstance(delta, Mapping) else []
        reason = choice.get("finish_reason")
        return events + self._finish(str(reason)) if reason else events

    def _delta(self, delta: Mapping[str, Any]) -> list[ChatEvent]:
        events: list[ChatEvent] = []
        reasoning = self._reasoning_of(delta)
        if reasoning:
            self.started = True
            self._reasoning_text.append(self._reasoning.feed(reasoning))
        content = delta.get("content")
        if isinstance(content, str) and content and content != reasoning:
            self.started = True
            events += _text(self._filter.feed(self._content.feed(content)))
        for call in _list(delta, "tool_calls"):
            if isinstance(call, Mapping):
                self.started = True
                events += self._calls.feed(call)
        return events

    def _reasoning_of(self, delta: Mapping[str, Any]) -> str:
        """The thinking in this delta, which may hold it twice. The details come first: they are sent back."""
        details = [item for item in _list(delta, "reasoning_details") if isinstance(item, Mapping)]
        if details and self._details is None:
            self._details = dict(details[0])
        text = "".join(str(item.get("text") or "") for item in details)
        if text:
            return text
        for key in ("reasoning_content", "reasoning"):
            value = delta.get(key)
            if isinstance(value, str) and value:
                return value
        return ""

    def _finish(self, reason: str) -> list[ChatEvent]:
        self.finished = True
        events = _text(self._filter.feed(self._content.finish()))
        events += _text(self._filter.finish())
        self._reasoning_text.append(self._reasoning.finish())
        events += self._calls.finish()
        known = _REASONS.get(reason, "stop")
        if known == "stop" and self._calls.any:
            known = "tool_calls"
        events.append(ChatFinish(known, self._reasoning_to_return()))
        return events

    def _reasoning_to_return(self) -> dict[str, Any] | None:
        text = _CLOSING_TAG.sub("", "".join(self._reasoning_text))
        if text and self._details is not None:
            return {"reasoning_details": [{**self._details, "text": text}], "reasoning_content": text}
        if text:
            return {"reasoning_content": text}
        return {"think": self._filter.thinking} if self._filter.thinking else None

    def _usage(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        usage = event.get("usage")
        if not isinstance(usage, Mapping) or not _count(usage, "total_tokens"):
            return []
        if not (_count(usage, "prompt_tokens") or _count(usage, "completion_tokens")) or not self.finished:
            return []
        output = _count(usage, "completion_tokens")
        reasoning = _count(usage.get("completion_tokens_details"), "reasoning_tokens")
        return [
            ChatUsage(
                input_tokens=_count(usage, "prompt_tokens"),
                output_tokens=output,
                cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
                reasoning_tokens=min(reasoning, output),
            )
        ]


def _text(text: str) -> list[ChatEvent]:
    return [TextDelta(text)] if text else []


def _list(delta: Mapping[str, Any], name: str) -> list[Any]:
    value = delta.get(name)
    return value if isinstance(value, list) else []


def _first(items: Any) -> Mapping[str, Any] | None:
    first = items[0] if isinstance(items, list) and items else None
    return first if isinstance(first, Mapping) else None


def _count(counts: Any, key: str) -> int:
    value = counts.get(key) if isinstance(counts, Mapping) else None
    return max(0, int(value)) if isinstance(value, int | float) else 0
