"""The two chat endpoints: `/v1/chat/completions` and `/v1/text/chatcompletion_v2` (docs/minimax/chat.md).

Knows the order of their refusals and their two error envelopes. The answers come from `talker`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from .chat_answer import answer
from .chat_request import ChatRequest, check, decode
from .chat_stream import Wire, send
from .chat_tokens import Answer, compose
from .context import (
    OPTIONS,
    STATE,
    cut,
    faults_for,
    key_error,
    message_for,
    native_error,
    new_trace_id,
    openai_error,
    sleep_ms,
    stall,
)
from .faults import Faults
from .options import SandboxOptions
from .refusal import Refusal
from .voices import account_of

NATIVE = "/v1/text/chatcompletion_v2"
COMPLETIONS = "/v1/chat/completions"


def add_routes(app: web.Application) -> None:
    """Register both endpoints."""
    app.router.add_post(COMPLETIONS, handle)
    app.router.add_post(NATIVE, handle)


async def handle(request: web.Request) -> web.StreamResponse:
    """Answer one chat request."""
    faults = faults_for(request)
    try:
        chat = await _accept(request, faults)
    except Refusal as refused:
        await sleep_ms(request.app, "http.error_ms")
        return _refusal(request, refused)
    if faults.has("chat.stall"):
        await stall(request.app)
        return web.Response(status=503)
    await sleep_ms(request.app, "chat.first_ms")
    return await _answer(request, chat, faults)


async def _accept(request: web.Request, faults: Faults) -> ChatRequest:
    raw = await request.read()
    if wrong := key_error(request):
        raise Refusal(*wrong)
    return check(admitted(request, raw, faults), request.app[OPTIONS])


def admitted(request: web.Request, raw: bytes, faults: Faults, *, limited: bool = True) -> Any:
    """The body of a request whose key is good. Raises Refusal: no JSON, a fault, or, if it is limited, no room."""
    state = request.app[STATE]
    try:
        body = decode(raw)
    except Refusal:
        state.record(request, None)
        raise
    state.record(request, body)
    if limited and (code := faults.number("chat.error")) is not None:
        model = body.get("model") if isinstance(body, dict) else None
        raise Refusal(code, f"{message_for(code)}, {model}" if code == 2061 else None)
    if limited and not state.take("chat", account_of(request)):
        raise Refusal(1002)
    return body


def _refusal(request: web.Request, refused: Refusal) -> web.Response:
    if request.path == NATIVE:
        return web.json_response(native_error(refused.code, refused.message))
    return openai_error(refused.code, refused.message)


async def _answer(request: web.Request, chat: ChatRequest, faults: Faults) -> web.StreamResponse:
    options = request.app[OPTIONS]
    composed = compose(
        answer(chat, faults, datetime.now()),
        thinks=chat.thinks,
        split=chat.split,
        think_tokens=int(options["chat.think_tokens"]),
        max_tokens=chat.max_tokens,
        has=faults.has,
    )
    tps = tokens_per_s(chat, options)
    wire = Wire(chat, composed, faults, new_trace_id(), native=request.path == NATIVE)
    if chat.stream:
        return await send(request, wire, tps)
    return await _whole(request, wire, composed, tps)


def tokens_per_s(chat: ChatRequest, options: SandboxOptions) -> float:
    """The speed of the request's model."""
    return options["chat.tps"] if chat.kind.fast else min(options["chat.tps"], options["chat.plain_tps"])


async def _whole(request: web.Request, wire: Wire, whole: Answer, tps: float) -> web.StreamResponse:
    """Send the non-stream answer when its last token is due; the `_mid` faults apply then."""
    await sleep_ms(request.app, 1000 * len(whole.tokens) / tps)
    if (code := wire.faults.number("chat.error_mid")) is not None:
        return _refusal(request, Refusal(code))
    if wire.faults.has("chat.stall_mid"):
        await stall(request.app)
    if wire.faults.has("chat.drop_mid"):
        cut(request)
    return web.json_response(wire.body(), headers={"trace-id": wire.trace_id})
