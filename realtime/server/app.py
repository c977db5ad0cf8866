"""The server as an aiohttp application, alone or as a part of another one: routes, the page, health, start and end.

The application works at any path, because the addresses in the page are relative. `connection.py` and
`live_session.py` run the conversations, `access.py` checks who may connect, `run.py` has the sockets and signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.resources
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from realtime.core.admission import Admission, AdmissionState
from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.providers.base import ProviderOverrides
from realtime.server import (
    capabilities_endpoint,
    conversations,
    openai_addresses,
    realtime_endpoint,
    secrets_endpoint,
    voice_samples,
)
from realtime.server.access import Access
from realtime.server.admin import is_operator
from realtime.server.answers import error_response
from realtime.server.arrivals import Arrivals
from realtime.server.draining import Drain
from realtime.server.front_door import answer_headers, guard
from realtime.server.journaling import journaling
from realtime.server.load_probe import probe_load
from realtime.server.openings import Openings
from realtime.server.origins import embeddable, origin_refused
from realtime.server.readiness import not_ready
from realtime.server.registry import Registry
from realtime.server.runner import quiet_aiohttp
from realtime.server.runtime import Runtime, open_runtime
from realtime.server.state import (
    ACCESS,
    ADMISSION,
    ARRIVALS,
    DOOR,
    DRAIN,
    FLEET,
    METRICS,
    METRICS_MOVED,
    OFFERS,
    OPENED,
    OPENINGS,
    REGISTRY,
    SETTINGS,
    Opened,
    runtime_of,
)
from realtime.server.story import Door
from realtime.settings import Settings
from realtime.tools import Toolish, as_tools
from realtime.tracing import open_traces

MAX_BODY_BYTES = 256 * 1024


def realtime_app(
    settings: Settings,
    *,
    providers: ProviderOverrides | None = None,
    tools: Iterable[Toolish] = (),
    metrics: Metrics | None = None,
) -> web.Application:
    """The server as an aiohttp application, for your own one: `app.add_subapp("/voice/", realtime_app(settings))`.

    The page is then at `/voice/` and the WebSocket at `/voice/v1/realtime`. The providers are created when the
    application starts, which raises ConfigError, and closed when it ends. `providers` and `tools` are those of
    `running`. The address and the TLS files of the settings are not used: your application listens.

    Without `settings.api_keys` only clients on this machine may connect. If your application checks its users itself,
    set `open_to_all`.
    """
    quiet_aiohttp()
    app = web.Application(
        middlewares=[guard(open_handlers=(_page, _to_page, _file))], client_max_size=MAX_BODY_BYTES
    )
    app[OPENED] = Opened()
    app[SETTINGS] = settings
    app[METRICS] = metrics or Metrics()
    app[DOOR] = Door(app[METRICS])
    app[ACCESS] = Access(settings.api_keys, settings.server_secret)
    app[ADMISSION] = admission = Admission()
    by_load = admission if settings.admission == "load" else None
    app[REGISTRY] = Registry(settings.max_sessions, settings.sessions_per_key, by_load)
    app[ARRIVALS] = Arrivals(paced=by_load is not None)
    app[OPENINGS] = Openings(app[REGISTRY])
    app[DRAIN] = Drain(app[REGISTRY], app[METRICS], delay_s=settings.drain_delay_s, drain_s=settings.drain_s)
    app[OFFERS] = []
    _add_routes(app)
    app.cleanup_ctx.append(_runtime_context(settings, providers, as_tools(tools)))
    app.cleanup_ctx.append(_watch_load)
    app.on_response_prepare.append(answer_headers(settings))
    app.on_shutdown.append(drain)
    return app


def web_root() -> Path:
    """The folder of the page: in the wheel, or next to the package in a checkout."""
    packaged = Path(str(importlib.resources.files("realtime"))) / "_web"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "web"


def _add_routes(app: web.Application) -> None:
    realtime_endpoint.add_routes(app)
    secrets_endpoint.add_routes(app)
    openai_addresses.add_routes(app)
    capabilities_endpoint.add_routes(app)
    voice_samples.add_routes(app)
    conversations.add_routes(app)
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/lb", _lb)
    app.router.add_get("/metrics", _metrics)
    root = web_root()
    if (root / "index.html").is_file():
        app.router.add_get("/", _page)
        app.router.add_get("", _to_page)  # after "/": at the root aiohttp makes it "/" as well
        files = _Files("/{filename:.+}")
        app.router.register_resource(files)
        for method in ("GET", "HEAD"):
            files.add_route(method, _file)


def _runtime_context(
    settings: Settings, providers: ProviderOverrides | None, tools: Iterable[Toolish]
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Opens the runtime when the application starts and closes it when the application ends."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with (
            open_traces(settings, app[METRICS]) as app[OPENED].traces,
            open_runtime(settings, tools, providers, app[OPENED].starting) as runtime,
        ):
            app[OPENED].runtime = runtime.seen_by(app[METRICS])
            if runtime.journal is None:
                yield
                return
            async with journaling(runtime.journal, app[METRICS]) as app[OPENED].journaling:
                yield

    return context


class _Files(web.DynamicResource):
    """Every path, which could be that of a file. Where there is none, no other method is one that it does not take:
    there is nothing at all."""

    async def resolve(self, request: web.Request) -> tuple[web.UrlMappingMatchInfo | None, set[str]]:
        match, methods = await super().resolve(request)
        if match is None and (named := self._match(request.rel_url.path_safe)) is not None:
            methods = set() if _file_at(named["filename"]) is None else methods
        return match, methods


class _PageFile(web.FileResponse):
    """A file of the page. `guard` has sent it already where nobody else must see it; aiohttp would do so again."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        return self._payload_writer if self.prepared else await super().prepare(request)


def _file_answer(request: web.Request, path: Path) -> web.StreamResponse:
    """The answer with this file. Raises HTTPBadRequest for dates with numbers that no date can have: aiohttp would read
    them while it answers."""
    try:
        _ = request.if_modified_since, request.if_unmodified_since, request.if_range
    except (ValueError, OverflowError):
        raise web.HTTPBadRequest from None
    return _PageFile(path)


async def _page(request: web.Request) -> web.StreamResponse:
    return _file_answer(request, web_root() / "index.html")


async def _file(request: web.Request) -> web.StreamResponse:
    """A file of the page. Whatever the path says, and wherever a link leads: nothing outside of the folder."""
    name = request.match_info["filename"]
    if embeddable(name) and (refused := origin_refused(request, request.app[SETTINGS])):
        return refused
    path = _file_at(name)
    if path is None:
        raise web.HTTPNotFound
    return _file_answer(request, path)


def _file_at(name: str) -> Path | None:
    """The file of the page with this path; None where there is none."""
    root = web_root().resolve()
    try:
        path = (root / name).resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


async def _to_page(request: web.Request) -> web.StreamResponse:
    """Redirects `/voice` to `/voice/`: relative addresses need the slash. The query stays as it was written."""
    address = request.rel_url
    query = f"?{_ascii(address.raw_query_string)}" if address.raw_query_string else ""
    return web.Response(
        status=307, headers={"Location": f"{_ascii(address.raw_path.rpartition('/')[2])}/{query}"}
    )


def _ascii(part: str) -> str:
    """A part of an address as a header can carry it. What is quoted stays quoted, once."""
    return quote(part.encode("utf-8", "surrogateescape"), safe="%!$&'()*+,/:;=?@-._~[]")


async def _healthz(request: web.Request) -> web.Response:
    fleet = request.app.get(FLEET)
    sessions = len(request.app[REGISTRY]) if fleet is None else fleet.sessions()
    return web.json_response({"status": "ok", "sessions": sessions})


async def _readyz(request: web.Request) -> web.Response:
    _asked_by_balancer(request)
    runtime, reason = runtime_of(request.app), not_ready(request.app)
    answer: dict[str, Any] = {
        "ready": reason is None,
        "key_required": request.app[ACCESS].required,
        "hears": runtime.hears,
    }
    if reason is not None:
        answer["reason"] = reason
    if is_operator(request):
        answer |= _details(runtime)
    return web.json_response(answer, status=200 if reason is None else 503)


async def _lb(request: web.Request) -> web.Response:
    """For a load balancer: 404 while new sessions should go to another server; those of this one stay."""
    _asked_by_balancer(request)
    registry, admission = request.app[REGISTRY], request.app[ADMISSION]
    full = registry.no_place or (registry.measures_load and admission.state is AdmissionState.FULL)
    full = full or not_ready(request.app) is not None
    return web.json_response({"new_sessions": not full}, status=404 if full else 200)


def _asked_by_balancer(request: web.Request) -> None:
    """Remember who asks; a page does too, but says so."""
    if not any(name in request.headers for name in ("Origin", "Referer", "Sec-Fetch-Site")):
        request.app[DRAIN].balancer.asked(asyncio.get_running_loop().time())


def _details(runtime: Runtime) -> dict[str, Any]:
    """What the server runs with. What to install is for the operator: it stands in the log."""
    missing = [
        {"part": part.part, "message": f"This server runs without its {part.part}."}
        for part in runtime.missing
    ]
    return {
        "sandbox": runtime.sandbox,
        "emulated": list(runtime.emulated),
        "transcriber": runtime.transcriber_name,
        "chat_model": runtime.providers.chat.name,
        "voice": runtime.settings.voice_id,
        "missing": missing,
    }


async def _metrics(request: web.Request) -> web.Response:
    if request.app.get(METRICS_MOVED):
        raise web.HTTPNotFound
    if not is_operator(request):
        request.app[DOOR].refused(request, "metrics")
        needed = "The metrics are for this machine, for REALTIME_ADMIN_ADDRESSES, and for who has an API key."
        return error_response(ProtocolError(needed, code="invalid_api_key", type="authentication_error"), 401)
    fleet = request.app.get(FLEET)
    text = request.app[METRICS].text().decode() if fleet is None else await fleet.metrics()
    if text is None:  # those of one worker alone would run backwards
        return web.Response(status=503, text="The metrics of the other workers cannot be had now.")
    return web.Response(text=text, content_type="text/plain", charset="utf-8")


async def _watch_load(app: web.Application) -> AsyncIterator[None]:
    """Measures from start to end what the process can still take."""
    registry, fleet = app[REGISTRY], app.get(FLEET)
    probing = probe_load(
        app[METRICS], app[ADMISSION], lambda: len(registry), processes=1 if fleet is None else fleet.workers
    )
    task = asyncio.create_task(probing, name="load probe")
    yield
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def drain(app: web.Application, delay_s: float = 0.0) -> None:
    """After this delay end every session at its best moment, and wait for their sockets. A second call does nothing.

    Call it before aiohttp takes the server down, while clients are still heard; an application of somebody else calls
    it as its shutdown.
    """
    app[ARRIVALS].end()
    await app[DRAIN].run(delay_s)
