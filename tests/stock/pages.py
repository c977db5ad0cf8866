"""Serves a page from another origin, with the stock client's unmodified browser bundle."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.stock.npm import modules

PAGE = "<!doctype html><meta charset=utf-8><title>stock</title>"


@asynccontextmanager
async def page_with_bundle() -> AsyncIterator[str]:
    """Yields the page's URL; the bundle is at `/bundle/openai-realtime-agents.mjs`."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_static("/bundle", modules() / "@openai" / "agents-realtime" / "dist" / "bundle")
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()
