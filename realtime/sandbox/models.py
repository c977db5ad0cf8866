"""The chat models of the platform, and `GET /v1/models` with `/v1/models/{id}` (docs/minimax/chat.md 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .context import key_error, openai_error, sleep_ms


@dataclass(frozen=True, slots=True)
class Model:
    """`context` in tokens; `created` in Unix seconds, None: not in the list; `fast`: runs at `chat.tps`."""

    context: int
    created: int | None = None
    fast: bool = False
    thinks: bool = True


MODELS: dict[str, Model] = {
    "MiniMax-M3.1-Flash-Preview": Model(1_000_000, 1790000000, fast=True),
    "MiniMax-M3": Model(1_000_000, 1782000000, fast=True),
    "MiniMax-M2.7": Model(204_800, 1773799200),
    "MiniMax-M2.7-highspeed": Model(204_800, 1773799200, fast=True),
    "MiniMax-M2.5": Model(204_800, 1770948000),
    "MiniMax-M2.5-highspeed": Model(204_800, 1770948000, fast=True),
    "MiniMax-M2.1": Model(204_800, 1766455200),
    "MiniMax-M2.1-highspeed": Model(204_800, 1766455200, fast=True),
    "MiniMax-M2.1-lightning": Model(204_800, fast=True),
    "MiniMax-M2": Model(204_800, 1761530400),
    "M2-her": Model(64_000, thinks=False),
    "MiniMax-M1": Model(1_000_192),
    "MiniMax-Text-01": Model(1_000_192, thinks=False),
}


def add_routes(app: web.Application) -> None:
    """Register the two endpoints."""
    app.router.add_get("/v1/models", list_models)
    app.router.add_get("/v1/models/{id}", get_model)


async def list_models(request: web.Request) -> web.Response:
    """The OpenAI-style list."""
    if wrong := key_error(request):
        await sleep_ms(request.app, "http.error_ms")
        return openai_error(*wrong)
    await sleep_ms(request.app, "models.ms")
    return web.json_response({"object": "list", "data": list(_listed().values())})


async def get_model(request: web.Request) -> web.Response:
    """One model of the list; an unknown one is refused like that of a chat request (docs/minimax/README.md 3.2)."""
    name = request.match_info["id"]
    found = _listed().get(name)
    if wrong := key_error(request) or (None if found else (2013, f"invalid params, unknown model '{name}'")):
        await sleep_ms(request.app, "http.error_ms")
        return openai_error(*wrong)
    await sleep_ms(request.app, "models.ms")
    return web.json_response(found)


def _listed() -> dict[str, dict[str, Any]]:
    return {
        name: {"id": name, "object": "model", "created": model.created, "owned_by": "minimax"}
        for name, model in MODELS.items()
        if model.created is not None
    }
