"""The Anthropic-compatible endpoints: messages, count_tokens, models (docs/minimax/anthropic.md).

Knows keys, the order of refusals and the error envelope. The answers are those of the other chat paths.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .anthropic_cache import PromptCache
from .anthropic_request import NOT_HERE, check
from .anthropic_stream import MessageWire, error_of, send
from .chat import admitted, tokens_per_s
from .chat_answer import answer
from .chat_request import ChatRequest
from .chat_stream import is_cut_short
from .chat_tokens import compose
from .context import (
    BAD_KEY,
    OPTIONS,
    cut,
    faults_for,
    new_trace_id,
    sleep_ms,
    stall,
)
from .faults import Faults
from .models import MODELS
from .refusal import Refusal

MESSAGES = "/anthropic/v1/messages"
MODELS_PATH = "/anthropic/v1/models"
PAGE, MAX_PAGE = 20, 1000  # models in one page
# What these faults do to thinking has no counterpart where thinking is a block of its own.
WITHOUT_MEANING = frozenset({"chat.mirror"})
_CACHE: web.AppKey[PromptCache] = web.AppKey("prompt cache", PromptCache)


def add_routes(app: web.Application) -> None:
    """Register the endpoints."""
    app[_CACHE] = PromptCache()
    app.router.add_post(MESSAGES, messages)
    app.router.add_post(MESSAGES + "/count_tokens", count_tokens)
    app.router.add_get(MODELS_PATH, list_models)
    app.router.add_get(MODELS_PATH + "/{id}", get_model)


async def messages(request: web.Request) -> web.StreamResponse:
    """Answer one message."""
    faults = faults_for(request)
    try:
        body, chat = await _accept(request, faults, limited=True)
    except Refusal as refused:
        return await _refused(request, refused)
    if faults.has("chat.stall"):
        await stall(request.app)
        return web.Response(status=503)
    await sleep_ms(request.app, "chat.first_ms")
    return await _answer(request, body, chat, faults)


async def count_tokens(request: web.Request) -> web.Response:
    """The tokens of the same request as a prompt; it costs nothing and counts against no limit."""
    try:
        _, chat = await _accept(request, faults_for(request), limited=False)
    except Refusal as refused:
        return await _refused(request, refused)
    await sleep_ms(request.app, "models.ms")
    return web.json_response({"input_tokens": chat.prompt_tokens})


async def _accept(request: web.Request, faults: Faults, *, limited: bool) -> tuple[Any, ChatRequest]:
    raw = await request.read()
    _check_key(request)
    body = admitted(request, raw, faults, limited=limited)
    return body, check(body, request.app[OPTIONS])


def _check_key(request: web.Request) -> None:
    """Raises Refusal. `Authorization` wins over `X-Api-Key` (docs/minimax/README.md 2)."""
    key = request.headers.get("X-Api-Key", "")
    if "Authorization" in request.headers:
        scheme, _, token = request.headers["Authorization"].partition(" ")
        key = token if scheme.lower() == "bearer" else ""
    if not key.strip():
        raise Refusal(1004)
    if key.strip() == BAD_KEY:
        raise Refusal(2049)


async def _refused(request: web.Request, refused: Refusal) -> web.Response:
    await sleep_ms(request.app, "http.error_ms")
    return error_response(*error_of(refused.code, refused.message))


def error_response(status: int, error: dict[str, Any]) -> web.Response:
    """The envelope of docs/minimax/anthropic.md 4."""
    trace_id = new_trace_id()
    body = {"type": "error", "error": error, "request_id": trace_id}
    return web.json_response(body, status=status, headers={"trace-id": trace_id})


async def _answer(request: web.Request, body: Any, chat: ChatRequest, faults: Faults) -> web.StreamResponse:
    options = request.app[OPTIONS]
    composed = compose(
        answer(chat, faults, datetime.now()),
        thinks=chat.thinks and not (faults.has("chat.think_once") and _goes_on(chat)),
        split=chat.split and not faults.has("chat.think_in_text"),
        think_tokens=int(options["chat.think_tokens"]),
        max_tokens=chat.max_tokens,
        has=lambda name: name not in WITHOUT_MEANING and faults.has(name),
    )
    cached = request.app[_CACHE].look_up(body, asyncio.get_running_loop().time())
    wire = MessageWire(chat, composed, faults, new_trace_id(), cached)
    tps = tokens_per_s(chat, options)
    if chat.stream:
        return await send(request, wire, tps)
    return await _whole(request, wire, tps)


def _goes_on(chat: ChatRequest) -> bool:
    return any(message["role"] == "assistant" for message in chat.messages)


async def _whole(request: web.Request, wire: MessageWire, tps: float) -> web.Response:
    """The answer without a stream, when its last token is due; the `_mid` faults apply then."""
    await sleep_ms(request.app, 1000 * len(wire.answer.tokens) / tps)
    if (code := wire.faults.number("chat.error_mid")) is not None:
        return error_response(*error_of(code))
    if wire.faults.has("chat.stall_mid"):
        await stall(request.app)
    elif is_cut_short(wire.faults):
        cut(request)
    return web.json_response(wire.body(), headers={"trace-id": wire.trace_id})


async def list_models(request: web.Request) -> web.Response:
    """One page of the models, the newest first. `after_id` and `before_id` name the last model that was seen."""
    try:
        _check_key(request)
        page, more = _page(request)
    except Refusal as refused:
        return await _refused(request, refused)
    await sleep_ms(request.app, "models.ms")
    first, last = (page[0], page[-1]) if page else (None, None)
    data = [_model(name) for name in page]
    return web.json_response({"data": data, "first_id": first, "last_id": last, "has_more": more})


async def get_model(request: web.Request) -> web.Response:
    """One model by its id."""
    name = request.match_info["id"]
    try:
        _check_key(request)
    except Refusal as refused:
        return await _refused(request, refused)
    await sleep_ms(request.app, "models.ms")
    if name not in listed_models():
        return error_response(404, {"type": "not_found_error", "message": f"model '{name}' not found"})
    return web.json_response(_model(name))


def listed_models() -> list[str]:
    """The ids of this path, the newest first."""
    here = [name for name, model in MODELS.items() if model.created and name not in NOT_HERE]
    return sorted(here, key=lambda name: MODELS[name].created or 0, reverse=True)


def _model(name: str) -> dict[str, Any]:
    created = datetime.fromtimestamp(MODELS[name].created or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"id": name, "created_at": created, "display_name": name.replace("-", " "), "type": "model"}


def _page(request: web.Request) -> tuple[list[str], bool]:
    """The ids of one page, and whether there are more in its direction. Raises Refusal."""
    names, query = listed_models(), request.query
    size = query.get("limit", str(PAGE))
    if not (size.isascii() and size.isdigit() and 1 <= int(size) <= MAX_PAGE):
        raise Refusal(2013, f"invalid params, limit must be an integer from 1 to {MAX_PAGE}")
    for name in ("after_id", "before_id"):
        if name in query and query[name] not in names:
            raise Refusal(2013, f"invalid params, {name} '{query[name]}' is not a model")
    if "before_id" in query:
        before = names[: names.index(query["before_id"])]
        return before[-int(size) :], len(before) > int(size)
    after = names[names.index(query["after_id"]) + 1 :] if "after_id" in query else names
    return after[: int(size)], len(after) > int(size)
