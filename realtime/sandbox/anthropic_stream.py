"""An answer of the Anthropic-compatible path on the wire: its body and its stream (docs/minimax/anthropic.md 2, 3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from aiohttp import web

from .anthropic_cache import NOTHING_CACHED, Cached
from .chat_request import ChatRequest
from .chat_stream import is_cut_short, middle, paced
from .chat_tokens import Answer, Token
from .context import CODES, base_resp, cut, message_for, stall
from .faults import Faults

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
Event = tuple[str, dict[str, Any]]  # name, data


def error_of(code: int, message: str | None = None) -> tuple[int, dict[str, Any]]:
    """The HTTP status of a code, and the inner `error` object; a status that Anthropic does not have is 400."""
    status = CODES.get(code, CODES[1000])[0]
    status = status if status in ERROR_TYPES else 400
    text = f"{message if message is not None else message_for(code)} ({code})"
    if code == 1004:
        text = text.replace("'Authorization'", "'X-Api-Key'")
    return status, {"type": ERROR_TYPES[status], "message": text + (" (529)" if status == 529 else "")}


def signature_of(thinking: str) -> str:
    """64 hex digits. The platform's own are opaque."""
    return hashlib.sha256(f"sandbox:{thinking}".encode()).hexdigest()


def _place(token: Token) -> tuple[str, int]:
    """The block that a token belongs to: its kind, and the number of the call."""
    if token.call >= 0:
        return "tool_use", token.call
    return ("thinking" if token.reasoning else "text"), -1


@dataclass(slots=True)
class MessageWire:
    """Builds the JSON of one message. `trace_id` is its id."""

    request: ChatRequest
    answer: Answer
    faults: Faults
    trace_id: str
    cached: Cached = NOTHING_CACHED
    _index: int = -1  # of the open block
    _open: tuple[str, int] | None = None
    _thought: list[str] = field(default_factory=list)

    def body(self) -> dict[str, Any]:
        """The answer without a stream."""
        content = [self._block(place, list(run)) for place, run in groupby(self.answer.tokens, key=_place)]
        usage = self.usage(len(self.answer.tokens))
        return {**self._message(content, self._stop(), usage), "base_resp": base_resp(0, "")}

    def usage(self, output_tokens: int) -> dict[str, Any]:
        """`input_tokens` are those that the cache neither gave nor took."""
        uncached = self.request.prompt_tokens - self.cached.created - self.cached.read
        return {
            "input_tokens": max(0, uncached),
            "output_tokens": output_tokens,
            "cache_creation_input_tokens": self.cached.created,
            "cache_read_input_tokens": self.cached.read,
            "service_tier": "standard",
        }

    def opening(self) -> list[Event]:
        """The events before the first block."""
        message = self._message([], None, self.usage(0))
        return [
            ("message_start", {"type": "message_start", "message": message}),
            ("ping", {"type": "ping"}),
        ]

    def step(self, tokens: tuple[Token, ...]) -> Iterator[Event]:
        """The events of the tokens of one step: adjacent tokens of one block share a delta."""
        for place, run in groupby(tokens, key=_place):
            if place != self._open:
                yield from self.close_block()
                self._open = place
                self._index += 1
                start = {"index": self._index, "content_block": self._empty(place)}
                yield "content_block_start", {"type": "content_block_start", **start}
            yield self._delta(_delta(place, list(run), self._thought))

    def close_block(self) -> Iterator[Event]:
        """The end of the open block; the signature comes at the end of thinking."""
        if self._open is None:
            return
        if self._open[0] == "thinking":
            yield self._delta({"type": "signature_delta", "signature": signature_of("".join(self._thought))})
        yield "content_block_stop", {"type": "content_block_stop", "index": self._index}
        self._open = None

    def closing(self) -> Iterator[Event]:
        """The events after the last token."""
        yield from self.close_block()
        delta = {"stop_reason": self._stop(), "stop_sequence": None}
        usage = self.usage(len(self.answer.tokens))
        yield "message_delta", {"type": "message_delta", "delta": delta, "usage": usage}
        yield "message_stop", {"type": "message_stop"}

    def _message(self, content: list[Any], stop: str | None, usage: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self.trace_id,
            "type": "message",
            "role": "assistant",
            "model": self.request.model,
            "content": content,
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage,
        }

    def _stop(self) -> str:
        return STOP_REASONS[self.answer.finish]

    def _delta(self, delta: dict[str, Any]) -> Event:
        return "content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _empty(self, place: tuple[str, int]) -> dict[str, Any]:
        match place[0]:
            case "thinking":
                return {"type": "thinking", "thinking": "", "signature": ""}
            case "text":
                return {"type": "text", "text": ""}
            case _:
                name = self.answer.names[place[1]]
                return {"type": "tool_use", "id": self._call_id(place[1]), "name": name, "input": {}}

    def _block(self, place: tuple[str, int], run: list[Token]) -> dict[str, Any]:
        """A whole block. Arguments that a token limit has cut are no JSON; then `input` stays empty."""
        match place[0]:
            case "thinking":
                text = "".join(token.reasoning for token in run)
                return {"type": "thinking", "thinking": text, "signature": signature_of(text)}
            case "text":
                return {"type": "text", "text": "".join(token.content for token in run)}
            case _:
                try:
                    values = json.loads(self.answer.arguments(place[1]))
                except ValueError:
                    values = {}
                return {**self._empty(place), "input": values}

    def _call_id(self, place: int) -> str:
        return f"call_function_{self.trace_id[:12]}_{place + 1}"


def _delta(place: tuple[str, int], run: list[Token], thought: list[str]) -> dict[str, Any]:
    """The delta of some tokens of one block; thinking is also added to `thought`."""
    match place[0]:
        case "thinking":
            text = "".join(token.reasoning for token in run)
            thought.append(text)
            return {"type": "thinking_delta", "thinking": text}
        case "text":
            return {"type": "text_delta", "text": "".join(token.content for token in run)}
        case _:
            return {"type": "input_json_delta", "partial_json": "".join(token.arguments for token in run)}


async def send(request: web.Request, wire: MessageWire, tps: float) -> web.StreamResponse:
    """Stream the message, with the `_mid` faults. The caller has waited for the first token."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "trace-id": wire.trace_id})
    try:
        await response.prepare(request)
        await _send(response, wire.opening())
        faulty = is_cut_short(wire.faults)
        limit = middle(wire.answer) if faulty else len(wire.answer.tokens)
        async with aclosing(paced(request.app, wire.answer, tps, limit)) as schedule:
            async for tokens in schedule:
                await _send(response, wire.step(tokens))
        if faulty:
            await _apply_fault(request, response, wire)
        else:
            await _send(response, wire.closing())
    except ConnectionResetError:
        return response  # the client has disconnected
    return response


async def _apply_fault(request: web.Request, response: web.StreamResponse, wire: MessageWire) -> None:
    if (code := wire.faults.number("chat.error_mid")) is not None:
        await _send(response, [("error", {"type": "error", "error": error_of(code)[1]})])
    elif wire.faults.has("chat.stall_mid"):
        await stall(request.app)
    else:
        cut(request)


async def _send(response: web.StreamResponse, events: Iterable[Event]) -> None:
    for name, data in events:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        await response.write(f"event: {name}\ndata: {text}\n\n".encode())
