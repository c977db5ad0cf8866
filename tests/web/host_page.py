"""A page of another origin with a strict Content-Security-Policy, which embeds the widget of a server in two lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

ELEMENT = "<realtime-voice></realtime-voice>"


@dataclass
class Host:
    """The host page: what it shows and what its policy allows. Change the fields before the page is opened."""

    server: str  # of the widget
    element: str = ELEMENT
    script: str = ""  # the page's own module, from a file as the policy wants it
    html: str = '<html lang="en">'
    style: str = "'none'"  # whose styles the policy allows
    token: Any = None  # the answer of its backend at /token: (status, JSON), or a handler
    tokens: int = 0
    url: str = ""
    violations: list[str] = field(default_factory=list)

    @property
    def policy(self) -> str:
        """Everything is forbidden but its own files and the two directives of docs/widget.md."""
        sockets = self.server.replace("http", "ws", 1)
        return (
            f"default-src 'none'; script-src 'self' {self.server}; connect-src 'self' {self.server} {sockets}; "
            f"style-src {self.style}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
        )

    async def page(self, request: web.Request) -> web.Response:
        text = (
            f"<!doctype html>{self.html}<head><meta charset=utf-8><title>A shop</title>"
            '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
            f'<body><main><h1>A shop</h1><p>Some text of the page.</p><button id="own">Buy</button>{self.element}</main>'
            f'<script type="module" src="{self.server}/embed.js"></script>'
            '<script type="module" src="page.js"></script></body></html>'
        )
        headers = {"Content-Security-Policy": self.policy}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def own_script(self, request: web.Request) -> web.Response:
        return web.Response(text=self.script, content_type="text/javascript")

    async def backend(self, request: web.Request) -> web.StreamResponse:
        self.tokens += 1
        if callable(self.token):
            answer: web.StreamResponse = await self.token(request)
            return answer
        status, body = self.token
        return web.json_response(body, status=status)


@asynccontextmanager
async def hosting(server: str, **fields: Any) -> AsyncIterator[Host]:
    """A running host page on a port of its own: another origin."""
    host = Host(server, **fields)
    app = web.Application()
    app.router.add_get("/", host.page)
    app.router.add_get("/page.js", host.own_script)
    app.router.add_post("/token", host.backend)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield host
    finally:
        await runner.cleanup()
