"""An HTTP client with a connection pool for one service: requests in, decoded JSON or a ProviderError out.

Knows the key, headers, proxies and timeouts, and keeps the key away from the hosts of results. Knows no endpoint. Chat
and speech each own one, so that neither takes the other's prewarmed connection (docs/architecture.md 2.1).
"""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from realtime import deadlines
from realtime.errors import InvalidArgument, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_of_answer, payload_of
from realtime.minimax.fields import check_seconds
from realtime.minimax.idle_connections import CountedConnector
from realtime.minimax.leaving import request_context
from realtime.minimax.loops import PerLoop
from realtime.minimax.network_errors import network_errors
from realtime.minimax.proxied import login_needed, open_connector, request_options
from realtime.minimax.proxies import Proxy, proxy_for
from realtime.minimax.sessions import Sessions

KEEPALIVE_S = 120.0  # how long an unused connection is kept; the library's own 15 s is shorter than a turn
READ_BUFFER_BYTES = 1024 * 1024
REFUSAL_BYTES = 256 * 1024  # more of an error's body is not read
REFUSAL_TIMEOUT_S = 2.0
LARGE_BODY_BYTES = 512 * 1024

Query = Mapping[str, str | int | Sequence[str]]
"""What follows the `?` of an address. A sequence is sent as the same name several times."""


class HttpClient:
    """Requests to `base_url` with `Authorization: Bearer`. Connections are opened when first needed."""

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        *,
        group_id: str | None = None,
        service: str = "MiniMax",
        connect_timeout_s: float = 10.0,
        limit: int = 100,
        lost_s: float | None = None,
    ) -> None:
        """`lost_s`: a connection of which the service acknowledges nothing for so long has failed (`dead_peers.py`)."""
        self.base_url = base_url.rstrip("/")
        self.service = service
        self._api_key = api_key
        self._group_id = group_id
        self._connect_timeout_s = connect_timeout_s
        self._limit = limit
        self._lost_s = lost_s
        # by what a session has of its own: whether it sends the key, and the SOCKS proxy of its connections
        self._sessions: PerLoop[Sessions[tuple[bool, Proxy | None]]]
        self._sessions = PerLoop(Sessions, keep_closed=True)
        self._closed = False

    def __repr__(self) -> str:
        return f"<HttpClient {self.base_url}>"

    def __deepcopy__(self, memo: object) -> Self:
        return self  # a copy of a result that holds it is fetched with the same connections

    @request_context
    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        data: bytes | AsyncIterable[bytes] | aiohttp.FormData | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        base_url: str | None = None,
        leaving: Callable[[], Awaitable[None]] | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A request whose answer is read inside the block. Raises ProviderUnavailable and ProviderTimeout for network
        failures only; the caller checks the answer for an error and sets the timeout. InvalidArgument: no JSON.

        Either `body` (sent as JSON) or `data` (sent as it is; an iterable is streamed, in chunked encoding
        unless `headers` hold its Content-Length). GroupId is added to `query` unless it holds one. The errors have
        `sent`: False says that no connection was made and the service has seen nothing (see `network_errors`).
        `leaving` is awaited when there is a connection, before anything is written to it.
        """
        sent = dict(headers or {})
        content: Any = data
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = _encoded(body)
        if isinstance(content, bytes) and len(content) > LARGE_BODY_BYTES:
            content = io.BytesIO(content)  # written piece by piece: the event loop stays free
        params: Any = {"GroupId": self._group_id} if self._group_id else None
        if query:
            params = [*_pairs(query), *_pairs(params or {} if "GroupId" not in query else {})]
        host = base_url or self.base_url
        proxy = proxy_for(host)
        with network_errors(self.service, host, proxy=proxy):
            async with (
                self._using(proxy, with_key=True) as session,
                session.request(
                    method,
                    host + path,
                    data=content,
                    headers=sent,
                    params=params,
                    trace_request_ctx=leaving,
                    **request_options(proxy),
                ) as response,
            ):
                self._check_proxy(response, proxy)
                _check_moved(self.service, method, response)
                yield response

    @request_context
    async def fetch(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """`GET` of a whole address, mostly on another host: no key and no GroupId is sent, also after a redirect.

        The query of such an address is a signature: it is sent byte for byte, and no error holds it. Raises as
        `request` does.
        """
        try:
            parts = urlsplit(url)
            # yarl would decode %2F and the like, which some signatures do not survive.
            address = URL(url, encoded=url.isascii() and " " not in url)
            # Reading `port` raises ValueError for one that is none
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise ProviderUnavailable(
                f"{self.service}: an address of a file is not a web address.", sent=False
            )
        host = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        proxy = proxy_for(url)
        with network_errors(self.service, host, secret=True, proxy=proxy):
            async with (
                self._using(proxy, with_key=False) as session,
                session.get(address, headers=headers, **request_options(proxy)) as response,
            ):
                self._check_proxy(response, proxy)
                yield response

    async def json(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        data: bytes | AsyncIterable[bytes] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        base_url: str | None = None,
    ) -> dict[str, Any]:
        """The decoded JSON object of an answer. Raises ProviderError, also for an error inside the answer.

        The arguments are those of `request`. `timeout_s` is for the whole request with its answer.
        """
        check_seconds("timeout_s", timeout_s)
        try:
            async with (
                deadlines.timeout(timeout_s),
                self.request(
                    method,
                    path,
                    body=body,
                    data=data,
                    query=query,
                    headers=headers,
                    base_url=base_url,
                ) as response,
            ):
                content = await response.read()
        except TimeoutError as error:
            raise ProviderTimeout(f"{self.service}: {path} did not answer in {timeout_s:.0f} s.") from error
        return self.decode(response, content, path)

    def decode(self, response: aiohttp.ClientResponse, content: bytes, path: str) -> dict[str, Any]:
        """The JSON object in `content`, the whole answer. Raises the error that is inside it instead."""
        payload = payload_of(content)
        refused = error_of_answer(
            response.status, content, payload, trace_id=trace_header(response), service=self.service
        )
        if refused is not None:
            raise refused
        if payload is None:
            raise ProviderUnavailable(f"{self.service}: {path} did not answer with JSON.")
        if not isinstance(payload, dict):
            raise ProviderUnavailable(f"{self.service}: {path} did not answer with a JSON object.")
        return payload

    def idle_connections(self, *, younger_s: float = KEEPALIVE_S) -> int:
        """How many connections to `base_url` stand open and unused, last used within `younger_s` seconds."""
        every = self._sessions.here().open.items() if self._sessions.all() else ()
        pools = [session.connector for (with_key, _), session in every if with_key]
        try:
            origin = URL(self.base_url).origin()
        except ValueError:  # no web address: nothing is connected to it
            return 0
        counted = [pool for pool in pools if isinstance(pool, CountedConnector)]
        return sum(pool.idle.count(origin, younger_s=younger_s) for pool in counted)

    async def renew(self) -> None:
        """Use new connections from now on, because the open ones may be dead. Requests that run keep theirs."""
        await self._sessions.here().renew()

    async def aclose(self) -> None:
        """Close the connections of this event loop and of closed ones. The client cannot be used again.

        Those of a loop that stands still can be closed only there: its end does so, or `aclose` in it.
        """
        self._closed = True
        for sessions in (*self._sessions.take_closed(), *self._sessions.take_here()):
            await sessions.aclose()

    @request_context
    async def _using(
        self, proxy: Proxy | None, *, with_key: bool
    ) -> AsyncGenerator[aiohttp.ClientSession, None]:
        """The session for connections through this proxy. HTTP proxies share one: each request names its own."""
        if self._closed:
            raise ProviderUnavailable(f"{self.service}: this client was closed.", retryable=False, sent=False)
        for gone in self._sessions.take_closed():
            await gone.aclose()
        key = (with_key, proxy if proxy is not None and proxy.is_socks else None)
        new = partial(self._new_session, proxy, with_key=with_key)
        async with self._sessions.here().using(key, new) as session:
            yield session

    def _check_proxy(self, response: aiohttp.ClientResponse, proxy: Proxy | None) -> None:
        if proxy is not None and response.status == 407:
            raise login_needed(self.service, proxy)

    def _new_session(self, proxy: Proxy | None, *, with_key: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=open_connector(
                proxy, limit=self._limit, keepalive_timeout=KEEPALIVE_S, lost_s=self._lost_s
            ),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
            headers={"Authorization": f"Bearer {self._api_key}"} if with_key and self._api_key else {},
            read_bufsize=READ_BUFFER_BYTES,
            cookie_jar=aiohttp.DummyCookieJar(),
            requote_redirect_url=False,
            trace_configs=[_telling()],
        )


def _telling() -> aiohttp.TraceConfig:
    """Tells a request that it leaves, if it wants to know. The library writes the headers directly after it."""

    async def leaves(session: aiohttp.ClientSession, context: Any, parameters: object) -> None:
        if (leaving := context.trace_request_ctx) is not None:
            await leaving()

    config = aiohttp.TraceConfig()
    config.on_request_headers_sent.append(leaves)
    return config


def _check_moved(service: str, method: str, response: aiohttp.ClientResponse) -> None:
    """A redirect that turned the request into a GET lost its body. One that goes nowhere is no answer either."""
    old = next((one for one in response.history if one.status in (301, 302, 303)), None)
    if method in ("GET", "HEAD") or (old is None and not 300 <= response.status < 400):
        return
    reason = "the address leads nowhere, check the base URL"
    if old is not None:
        new = f"{response.url.scheme}://{response.url.host_port_subcomponent}{response.url.path}"
        reason = f"the address has moved to {new}, set the base URL to the new one"
    status = (old or response).status
    moved = ProviderRejected(f"{service}: {reason} (HTTP {status}).", upstream_code=status)
    moved.reason = reason
    raise moved


def _encoded(body: Mapping[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidArgument(f"The request cannot be written as JSON: {error}.") from error


def _pairs(query: Query) -> list[tuple[str, str]]:
    pairs = []
    for name, value in query.items():
        values = [value] if isinstance(value, str | int) else value
        pairs += [(name, str(one)) for one in values]
    return pairs


async def read_refusal(response: aiohttp.ClientResponse) -> bytes:
    """The body of an HTTP error: as much of it as an error has, and as comes. Its status says enough without it."""
    parts: list[bytes] = []
    with suppress(aiohttp.ClientError, TimeoutError):
        async with deadlines.timeout(REFUSAL_TIMEOUT_S):
            while sum(map(len, parts)) < REFUSAL_BYTES and (part := await response.content.readany()):
                parts.append(part)
    return b"".join(parts)


def trace_header(response: aiohttp.ClientResponse) -> str | None:
    """The request's trace id from the headers (docs/minimax/README.md 2)."""
    return response.headers.get("trace-id") or response.headers.get("minimax-request-id")
