"""An HTTP client with a connection pool for one service: requests in, decoded JSON or a ProviderError out.

Knows the key, headers, proxies, timeouts and how to turn network failures into our errors, and keeps the key away from
the hosts of results. Knows no endpoint. Chat and speech each own one, so that neither takes the other's prewarmed
connection (docs/architecture.md 2.1).
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from realtime.errors import InvalidArgument, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_of_answer, payload_of
from realtime.minimax.hosts import is_loopback

KEEPALIVE_S = 120.0  # how long an unused connection is kept; the library's own 15 s is shorter than a turn
READ_BUFFER_BYTES = 1024 * 1024
LARGE_BODY_BYTES = 512 * 1024

Query = Mapping[str, str | int | Sequence[str]]
"""What follows the `?` of an address. A sequence is sent as the same name several times."""

# Raised before anything of the request was written: no connection, no name, no TLS, or the proxy refused.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


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
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.service = service
        self._api_key = api_key
        self._group_id = group_id
        self._connect_timeout_s = connect_timeout_s
        self._limit = limit
        self._session: aiohttp.ClientSession | None = None
        self._keyless: dict[
            bool, aiohttp.ClientSession
        ] = {}  # with and without the proxies of the environment
        self._closed = False

    def __repr__(self) -> str:
        return f"<HttpClient {self.base_url}>"

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        data: bytes | AsyncIterable[bytes] | None = None,
        query: Query | None = None,
        headers: Mapping[str, str] | None = None,
        base_url: str | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A request whose answer is read inside the block. Raises ProviderUnavailable and ProviderTimeout for network
        failures only; the caller checks the answer for an error and sets the timeout. InvalidArgument: no JSON.

        Either `body` (sent as JSON) or `data` (sent as it is; an iterable is streamed, in chunked encoding
        unless `headers` hold its Content-Length). GroupId is added to `query` unless it holds one. The errors have
        `sent`: False says that no connection was made and the service has seen nothing (see `network_errors`).
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
        with network_errors(self.service, base_url or self.base_url):
            async with self._get_session().request(
                method, (base_url or self.base_url) + path, data=content, headers=sent, params=params
            ) as response:
                yield response

    @asynccontextmanager
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
            usable = (
                parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            )  # reads the port
        except ValueError:
            usable = False
        if not usable:
            raise ProviderUnavailable(
                f"{self.service}: an address of a file is not a web address.", sent=False
            )
        with network_errors(self.service, f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", secret=True):
            async with self._get_keyless(not is_loopback(url)).get(address, headers=headers) as response:
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
        try:
            async with (
                asyncio.timeout(timeout_s),
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

    async def aclose(self) -> None:
        """Close all connections. The client cannot be used again."""
        self._closed = True
        sessions = [*self._keyless.values(), *([self._session] if self._session is not None else [])]
        self._session = None
        self._keyless.clear()
        for session in sessions:
            await session.close()

    def _get_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
            self._session = self._new_session(headers, trust_env=not is_loopback(self.base_url))
        return self._session

    def _get_keyless(self, trust_env: bool) -> aiohttp.ClientSession:
        session = self._keyless.get(trust_env)
        if session is None:
            session = self._keyless[trust_env] = self._new_session({}, trust_env=trust_env)
        return session

    def _new_session(self, headers: Mapping[str, str], *, trust_env: bool) -> aiohttp.ClientSession:
        if self._closed:
            raise ProviderUnavailable(f"{self.service}: this client was closed.", retryable=False, sent=False)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
            headers=headers,
            read_bufsize=READ_BUFFER_BYTES,
            trust_env=trust_env,
            cookie_jar=aiohttp.DummyCookieJar(),
            requote_redirect_url=False,
        )


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


@contextmanager
def network_errors(service: str, base_url: str, *, secret: bool = False) -> Generator[None, None, None]:
    """Turn network failures into ProviderErrors that name the host.

    `sent` of the error is False where no connection was made (no name, refused, no TLS, connect timeout): the service
    has seen nothing, so even a billed request may be sent again. It is True for all the others: the request may have
    arrived, and only its answer is lost. With `secret`, the library's own error is not kept: it may hold the address.
    """
    try:
        yield
    except (aiohttp.ClientError, OSError) as error:
        sent = not isinstance(error, _NEVER_SENT)
        raised: ProviderTimeout | ProviderUnavailable
        if isinstance(error, aiohttp.ServerTimeoutError):
            raised = ProviderTimeout(f"{service}: no connection to {base_url} in time.", sent=sent)
        elif isinstance(error, TimeoutError):
            raise  # one of our own timeouts around this block
        else:
            name = type(error).__name__
            raised = ProviderUnavailable(
                f"{service}: the connection to {base_url} failed ({name}).", sent=sent
            )
        raise raised from (None if secret else error)


def trace_header(response: aiohttp.ClientResponse) -> str | None:
    """The request's trace id from the headers (docs/minimax/README.md 2)."""
    return response.headers.get("trace-id") or response.headers.get("minimax-request-id")
