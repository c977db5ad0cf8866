"""A chat answer on the wire: bodies, stream events and their timing (docs/minimax/chat.md 3, 4, 5)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from aiohttp import web

from .chat_request import ChatRequest
from .chat_tokens import Answer, Token
from .context import OPTIONS, base_resp, cut, delay_ms, message_for, openai_error_body, stall
from .faults import Faults

SENSITIVE = {
    "input_sensitive": False,
    "output_sensitive": False,
    "input_sensitive_type": 0,
    "output_sensitive_type": 0,
    "output_sensitive_int": 0,
}
_HALF = '{"choices":[{"index":0,"delta":{"content":"\\u%s"}}]}'  # of an emoji
SPEAKER = {"role": "assistant", "name": "MiniMax AI", "audio_content": ""}


@dataclass(slots=True)
class Wire:
    """Builds the JSON of one answer. `trace_id` is the answer's id; `created` Unix seconds."""

    request: ChatRequest
    answer: Answer
    faults: Faults
    trace_id: str
    native: bool
    created: int = field(default_factory=lambda: int(time.time()))
    _snapshot: str = ""  # reasoning so far, for chat.cumulative
    _named: set[int] = field(default_factory=set)  # calls whose id and name were sent

    def body(self) -> dict[str, Any]:
        """The non-stream answer."""
        message: dict[str, Any] = {"content": self.answer.content, **SPEAKER}
        if reasoning := self.answer.reasoning:
            message |= self._reasoning_fields(reasoning)
        if self.answer.names:
            message["tool_calls"] = [
                self._call(place, self.answer.arguments(place), first=True)
                for place in range(len(self.answer.names))
            ]
        choice = {"finish_reason": self.answer.finish, "index": 0, "message": message}
        return {
            "id": self.trace_id,
            "choices": [choice],
            "created": self.created,
            "model": self.request.model,
            "object": "chat.completion",
            "usage": self.usage(),
            **SENSITIVE,
            "base_resp": base_resp(0, ""),
        }

    def usage(self) -> dict[str, Any]:
        """Token counts; thinking counts as completion."""
        completion = len(self.answer.tokens)
        return {
            "total_tokens": self.request.prompt_tokens + completion,
            "total_characters": 0,
            "prompt_tokens": self.request.prompt_tokens,
            "completion_tokens": completion,
            "completion_tokens_details": {"reasoning_tokens": self.answer.reasoning_tokens},
            "prompt_tokens_details": {"cached_tokens": 0},
        }

    def deltas(self, tokens: tuple[Token, ...]) -> list[dict[str, Any]]:
        """The deltas of one step: adjacent tokens of one kind share a delta."""
        runs = groupby(tokens, key=lambda t: (t.call, bool(t.content), bool(t.reasoning)))
        return [self._delta(list(run)) for _, run in runs]

    def _delta(self, run: list[Token]) -> dict[str, Any]:
        first = run[0]
        if first.call >= 0:
            text = "".join(token.arguments for token in run)
            new = first.call not in self._named
            self._named.add(first.call)
            return {"content": "", **SPEAKER, "tool_calls": [self._call(first.call, text, first=new)]}
        content = "".join(token.content for token in run)
        reasoning = "".join(token.reasoning for token in run)
        delta: dict[str, Any] = {"content": content} if content else {}
        delta |= SPEAKER
        if reasoning:
            self._snapshot += reasoning
            cumulative = self.faults.has("chat.cumulative")
            delta |= self._reasoning_fields(self._snapshot if cumulative else reasoning)
        return delta

    def _reasoning_fields(self, text: str) -> dict[str, Any]:
        detail = {
            "type": "reasoning.text",
            "id": "reasoning-text-1",
            "format": "MiniMax-response-v1",
            "index": 0,
            "text": text,
        }
        return {"reasoning_content": text, "reasoning_details": [detail]}

    def _call(self, place: int, arguments: str, *, first: bool) -> dict[str, Any]:
        function: dict[str, Any] = {"arguments": arguments}
        call: dict[str, Any] = {"type": "function", "function": function}
        if first:
            call = {"id": f"call_function_{self.trace_id[:12]}_{place + 1}", **call}
            call["function"] = {"name": self.answer.names[place], **function}
        if not self.faults.has("chat.missing_index"):
            call["index"] = place
        return call

    def event(self, delta: dict[str, Any] | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
        """One event; without a delta its choices are empty."""
        choices = []
        if delta is not None:
            reason = {"finish_reason": finish} if finish else {}
            choices = [{**reason, "index": 0, "delta": delta}]
        return {
            "id": self.trace_id,
            "choices": choices,
            "created": self.created,
            "model": self.request.model,
            "object": "chat.completion.chunk",
            "usage": None,
            **SENSITIVE,
            **more,
        }

    def closing(self) -> list[dict[str, Any]]:
        """The events after the one with the finish reason."""
        if self.native:
            choice = {
                "finish_reason": self.answer.finish,
                "index": 0,
                "message": self.body()["choices"][0]["message"],
            }
            return [{**self.body(), "choices": [choice]}]
        if not self.request.include_usage:
            return []
        return [self.event(None, usage=self.usage(), base_resp=base_resp(0, ""))]

    def error(self, code: int) -> dict[str, Any]:
        """An error event inside the stream (docs/minimax/chat.md 7)."""
        if self.native or code in (1026, 1027):
            return self.event(None, base_resp=base_resp(code, message_for(code)))
        return openai_error_body(code, self.trace_id)


def steps(answer: Answer, first: int, per_step: float) -> Iterator[tuple[Token, ...]]:
    """The tokens of each step: `first`, then `per_step` on average; a token with `cut` ends its step early."""
    tokens = answer.tokens
    at, room = 0, float(max(1, first))
    while at < len(tokens):
        size = max(1, int(room))
        step = tokens[at : at + size]
        ends = next((place for place, token in enumerate(step, 1) if token.cut), len(step))
        yield step[:ends]
        at += ends
        room = per_step + (room - size if room > size else 0.0)


def middle(answer: Answer) -> int:
    """How many tokens come before a `_mid` fault: the thinking and half of the rest, at least one token."""
    rest = len(answer.tokens) - answer.reasoning_tokens
    return max(1, answer.reasoning_tokens + (rest + 1) // 2 if rest > 1 else len(answer.tokens))


async def send(request: web.Request, wire: Wire, tps: float) -> web.StreamResponse:
    """Stream the answer token by token, with the `_mid` faults. The caller has waited for the first token."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "trace-id": wire.trace_id})
    try:
        await response.prepare(request)
        if await _send_tokens(request, response, wire, tps):
            for event in wire.closing():
                await _send(response, event)
            if not wire.native and not wire.faults.has("chat.no_done"):
                await response.write(b"data: [DONE]\n\n")
    except ConnectionResetError:
        return response  # the client has disconnected
    return response


def is_cut_short(faults: Faults) -> bool:
    """Whether a `_mid` fault ends the answer before its last token."""
    return any(faults.has(f"chat.{name}") for name in ("error_mid", "stall_mid", "drop_mid"))


async def paced(
    app: web.Application, answer: Answer, tps: float, limit: int
) -> AsyncGenerator[tuple[Token, ...], None]:
    """The first `limit` tokens in steps; each step comes when its last token is due."""
    options = app[OPTIONS]
    loop = asyncio.get_running_loop()
    due_s, sent = loop.time(), 0
    for step in steps(answer, int(options["chat.first_tokens"]), tps * options["chat.chunk_ms"] / 1000):
        step = step[: limit - sent]
        if sent:
            stretch = delay_ms(app, "chat.chunk_ms") / options["chat.chunk_ms"]
            due_s += len(step) / tps * stretch
            await asyncio.sleep(max(0.0, due_s - loop.time()))
        sent += len(step)
        yield step
        if sent >= limit:
            return


async def _send_tokens(request: web.Request, response: web.StreamResponse, wire: Wire, tps: float) -> bool:
    """Returns False if a fault ended the stream."""
    answer, sent = wire.answer, 0
    faulty = is_cut_short(wire.faults)
    limit = middle(answer) if faulty else len(answer.tokens)
    async with aclosing(paced(request.app, answer, tps, limit)) as schedule:
        async for step in schedule:
            sent += len(step)
            if sent >= len(answer.tokens) and wire.faults.has("chat.damaged"):
                await _send_damage(response)
            await _send_step(response, wire, step, sent >= len(answer.tokens) and not faulty)
    if not answer.tokens and not faulty:
        await _send(response, wire.event({"content": "", **SPEAKER}, answer.finish))
    if faulty:
        await _apply_fault(request, response, wire)
    return not faulty


async def _send_step(response: web.StreamResponse, wire: Wire, step: tuple[Token, ...], last: bool) -> None:
    """The finish reason comes with the last delta of content; after a tool call or thinking in an event of its own."""
    deltas = wire.deltas(step)
    for place, delta in enumerate(deltas, 1):
        closes = (
            last and place == len(deltas) and "tool_calls" not in delta and "reasoning_content" not in delta
        )
        await _send(response, wire.event(delta, wire.answer.finish if closes else None))
        if last and place == len(deltas) and not closes:
            await _send(response, wire.event({"content": "", **SPEAKER}, wire.answer.finish))


async def _send_damage(response: web.StreamResponse) -> None:
    for event in ('{"choices":[{"delta":{"content', *(_HALF % half for half in ("d83d", "de00"))):
        await response.write(f"data: {event}\n\n".encode())


async def _apply_fault(request: web.Request, response: web.StreamResponse, wire: Wire) -> None:
    code = wire.faults.number("chat.error_mid")
    if code is not None:
        await _send(response, wire.error(code))
    elif wire.faults.has("chat.stall_mid"):
        await stall(request.app)
    else:
        cut(request)


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    await response.write(f"data: {text}\n\n".encode())
