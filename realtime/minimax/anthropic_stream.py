"""Decodes answers of the Anthropic dialect, without I/O: event payloads or a whole body in, `ChatEvent`s out.

Knows blocks and deltas (docs/minimax/anthropic.md 2, 3 and 5). Thinking never becomes text; its blocks go into
`ChatFinish.reasoning` as they came, because they are sent back with the next turn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, FinishReason
from realtime.core.writable import without_halves
from realtime.errors import ProviderUnavailable
from realtime.minimax.call_assembler import Schemas, ToolCallAssembler, new_call_id
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.damaged_text import PiecewiseText
from realtime.minimax.errors import find_error, trace_of
from realtime.minimax.json_text import count_of, decode_json, json_text_of, objects_in
from realtime.minimax.reading import reading
from realtime.minimax.visible_text import VisibleText, events_of
from realtime.minimax.written_calls import Piece

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

    def __init__(
        self,
        *,
        service: str = "MiniMax",
        max_calls: int | None = None,
        schemas: Schemas | None = None,
        new_id: Callable[[], str] = new_call_id,
    ) -> None:
        self.started = False
        self.finished = False
        self.complete = False
        self._service = service
        self._text = VisibleText(schemas or {})  # a text block may hold a think tag or a call after all
        self._pieces = PiecewiseText()
        self._thinking: dict[int, dict[str, Any]] = {}  # blocks by their index in the answer
        self._calls = ToolCallAssembler(max_calls, new_id, schemas=schemas)
        self._without_arguments: dict[int, str] = {}  # calls so far without any: what they get at the end
        self._counts: dict[str, int] = {}
        self._damaged = False  # an event could not be read

    @reading("the chat stream")
    def feed(self, payload: str | bytes) -> list[ChatEvent]:
        """The events in one payload; what cannot be read is left out. Raises ProviderError for an error event."""
        objects = objects_in(payload)
        if objects is None:
            self._damaged = True
        return [event for item in objects or () for event in self._object(item)]

    def _object(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        if find_error(event) is not None and (
            refused := find_error(without_halves(event), service=self._service)
        ):
            if refused.upstream_code == OUTPUT_SENSITIVE and not self.finished:
                return self._finish("refusal")
            raise refused
        return self._event(event)

    @reading("the answer")
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

    @reading("the end of the chat stream")
    def end(self) -> list[ChatEvent]:
        """The stream has ended regularly; a missing stop reason is added."""
        return [] if self.finished else self._finish("end_turn")

    def _event(self, event: Mapping[str, Any]) -> list[ChatEvent]:
        at = count_of(event.get("index"))
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
                if isinstance(reason, str) and reason not in ("", "null") and not self.finished:
                    return self._finish(reason) + self._usage()
            case "message_stop":
                self.complete = True
                return self.end()
        return []

    def _block_start(self, index: int, block: Mapping[str, Any]) -> list[ChatEvent]:
        match block.get("type"):
            case "text":
                return self._new_text(block.get("text"))
            case "thinking" | "redacted_thinking":
                self.started = True
                self._text.skip_blanks()
                self._thinking[index] = dict(block)
            case "tool_use":
                return self._call_start(index, block)
        return []

    def _call_start(self, index: int, block: Mapping[str, Any]) -> list[ChatEvent]:
        self.started = True
        self._without_arguments[index] = json_text_of(_mapping(block.get("input")))
        return self._call(index, block, "")

    def _call(self, index: int, block: Mapping[str, Any], arguments: str) -> list[ChatEvent]:
        function = {"name": block.get("name"), "arguments": arguments}
        return self._calls.feed({"index": index, "id": block.get("id"), "function": function})

    def _delta(self, index: int, delta: Mapping[str, Any]) -> list[ChatEvent]:
        match delta.get("type"):
            case "text_delta":
                return self._new_text(delta.get("text"))
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
        return [] if missing is None else self._call(index, {}, missing)

    def _new_text(self, text: object) -> list[ChatEvent]:
        if not isinstance(text, str) or not text:
            return []
        self.started = True
        return self._visible(self._text.feed(self._pieces.feed(text)))

    def _visible(self, pieces: list[Piece]) -> list[ChatEvent]:
        return events_of(pieces, self._calls)

    def _extend(self, index: int, key: str, text: object) -> None:
        self.started = True
        block = self._thinking.setdefault(index, {"type": "thinking", "thinking": ""})
        block[key] = str(block.get(key) or "") + str(text or "")

    def _arguments(self, index: int, fragment: object) -> list[ChatEvent]:
        if not isinstance(fragment, str) or not fragment:
            return []
        self._without_arguments.pop(index, None)
        return self._call(index, {}, fragment)

    def _finish(self, reason: str) -> list[ChatEvent]:
        known = _REASONS.get(reason, "stop")
        if self._damaged and not self.started and known != "content_filter":
            raise ProviderUnavailable(f"{self._service}: the answer holds broken JSON.")
        self.finished = True
        events: list[ChatEvent] = []
        for index in list(self._without_arguments):
            events += self._block_stop(index)
        events += self._visible(self._text.feed(self._pieces.finish()))
        events += self._visible(self._text.finish(cut=known != "stop", called=self._calls.any))
        events += self._calls.finish()
        if known == "stop" and self._calls.any:
            known = "tool_calls"
        return [*events, ChatFinish(known, self._reasoning())]

    def _reasoning(self) -> dict[str, Any] | None:
        """What goes back with the next turn: the blocks, and what stood between think tags in a text."""
        reasoning: dict[str, Any] = {}
        if self._thinking:
            reasoning["blocks"] = [without_halves(self._thinking[index]) for index in sorted(self._thinking)]
        if self._text.thinking:
            reasoning["think"] = self._text.thinking
        return reasoning or None

    def _count(self, usage: object) -> None:
        """Later counts replace earlier ones; a field that is missing or 0 later keeps its value."""
        for key in _USAGE:
            if value := count_of(_mapping(usage).get(key)):
                self._counts[key] = value

    def _usage(self) -> list[ChatEvent]:
        if not self._counts:
            return []
        given, output, written, cached = (self._counts.get(key, 0) for key in _USAGE)
        # Anthropic's input_tokens leave out what the cache took and gave; ours are the whole prompt.
        return [ChatUsage(given + written + cached, output, cached_tokens=cached)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
