"""The steps that all JSON endpoints share, so that an endpoint is one function and one line.

Knows key, body, record, limit, faults, latency, both envelopes (docs/minimax/README.md 3) and the answer that gets
lost. Does not know any endpoint.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from .context import (
    STATE,
    SandboxState,
    base_resp,
    cut,
    delay_ms,
    faults_for,
    key_error,
    native_error,
    new_trace_id,
    openai_error_body,
    sleep_ms,
)
from .extras import ExtraMissing
from .faults import FAULTS, Faults
from .options import VALUES
from .refusal import Refusal
from .store import Artefact

GATEWAY_PAGE = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request with a good key. `body` is the JSON object, or the query of a GET or DELETE."""

    request: web.Request
    body: dict[str, Any]
    faults: Faults
    trace_id: str

    @property
    def state(self) -> SandboxState:
        return self.request.app[STATE]

    @property
    def base_url(self) -> str:
        """Scheme and host as the client wrote them."""
        return f"{self.request.scheme}://{self.request.host}"

    def link(self, artefact: Artefact, life: str = "") -> str:
        """A new URL of an artefact; it lives for the hours of the option `life` (default: the artefact's)."""
        return self.base_url + self.state.store.link(artefact, life)


Work = Callable[[Call], Awaitable[Mapping[str, Any] | web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Envelope:
    """How an area says yes and no: `answer(body, trace_id)` and `refuse(refusal, trace_id, fields)`."""

    answer: Callable[[Mapping[str, Any], str], web.Response]
    refuse: Callable[[Refusal, str, Mapping[str, Any]], web.Response]


def _native_answer(body: Mapping[str, Any], trace_id: str) -> web.Response:
    return web.json_response({**body, "base_resp": base_resp()}, headers={"trace-id": trace_id})


def _native_refusal(refusal: Refusal, trace_id: str, fields: Mapping[str, Any]) -> web.Response:
    body = {**fields, **native_error(refusal.code, refusal.message)}
    return web.json_response(body, status=refusal.status or 200, headers={"trace-id": trace_id})


def _openai_answer(body: Mapping[str, Any], trace_id: str) -> web.Response:
    return web.json_response(dict(body), headers={"trace-id": trace_id})


def _openai_refusal(refusal: Refusal, trace_id: str, fields: Mapping[str, Any]) -> web.Response:
    body = openai_error_body(refusal.code, trace_id, refusal.message, refusal.status)
    status = int(body["error"]["http_code"])
    return web.json_response(body, status=status, headers={"trace-id": trace_id})


NATIVE = Envelope(_native_answer, _native_refusal)
OPENAI = Envelope(_openai_answer, _openai_refusal)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `add_endpoint` registers it.

    `area` names its faults `<area>.error` and `<area>.lost`. `limit` is the row `limit.<limit>_rpm` ("": none), `wait`
    the option in ms that an accepted request takes. `refused` are fields that a refusal has beside its code. `gateway`
    is the fault that answers with a gateway's HTML page.
    """

    area: str
    work: Work
    limit: str = ""
    wait: str = "task.ms"
    refused: Mapping[str, Any] | None = None
    gateway: str = ""
    envelope: Envelope = NATIVE
    key: Callable[[web.Request], tuple[int, str] | None] = key_error
    reads_body: bool = True  # False: `work` reads the body itself (a form)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The handler of aiohttp."""
        trace_id = new_trace_id()
        faults = faults_for(request)
        if self.gateway and faults.has(self.gateway):
            return web.Response(status=502, text=GATEWAY_PAGE, content_type="text/html")
        try:
            call = Call(request, await self._admit(request, faults), faults, trace_id)
            return await self._accepted(call)
        except Refusal as refusal:
            await sleep_ms(request.app, "http.error_ms")
            return self.envelope.refuse(refusal, trace_id, self.refused or {})
        except ExtraMissing as error:
            return self.envelope.refuse(Refusal(1000, str(error)), trace_id, self.refused or {})

    async def _admit(self, request: web.Request, faults: Faults) -> dict[str, Any]:
        """The body. Raises Refusal for a bad key, a bad body, the area's fault and the limit."""
        if wrong := self.key(request):
            raise Refusal(*wrong)
        body = await read_body(request) if self.reads_body else {}
        if (code := faults.number(f"{self.area}.error")) is not None:
            raise Refusal(code)
        if self.limit and not request.app[STATE].take(self.limit):
            raise Refusal(1002)
        return body

    async def _accepted(self, call: Call) -> web.StreamResponse:
        app, loop = call.request.app, asyncio.get_running_loop()
        ready_s = loop.time() + delay_ms(app, self.wait) / 1000
        answer = await self.work(call)
        if isinstance(answer, web.StreamResponse) and answer.prepared:
            return answer
        await asyncio.sleep(max(0.0, ready_s - loop.time()))
        if f"{self.area}.lost" in FAULTS and call.faults.has(f"{self.area}.lost"):
            cut(call.request)
            return web.Response()  # never sent
        return (
            answer if isinstance(answer, web.StreamResponse) else self.envelope.answer(answer, call.trace_id)
        )


async def read_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request, or its query; it is recorded. Raises Refusal 2013."""
    body: Any
    if request.method in ("GET", "DELETE"):
        body = dict(request.query)
    else:
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            body = None
        except web.HTTPRequestEntityTooLarge as error:
            raise Refusal(2013, "invalid params, body is too large", error.status) from None
    request.app[STATE].record(request, body)
    if not isinstance(body, dict):
        raise Refusal(2013, "invalid params, body is not a JSON object")
    return body


def add_endpoint(app: web.Application, method: str, path: str, endpoint: Endpoint) -> None:
    """Register an endpoint. Raises KeyError for a misspelt area, limit, wait or gateway."""
    names = {f"{endpoint.area}.error", endpoint.gateway or "query.502"}
    options = {endpoint.wait, f"limit.{endpoint.limit or 'chat'}_rpm"}
    if missing := (names - FAULTS.keys()) | (options - VALUES.keys()):
        raise KeyError(*sorted(missing))
    app.router.add_route(method, path, endpoint.handle)
