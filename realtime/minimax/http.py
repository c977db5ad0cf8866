"""An HTTP client with a connection pool for one service: requests in, decoded JSON or a ProviderError out.

Knows the key, headers, proxies, timeouts and how to turn network failures into our errors. Knows no endpoint. Chat
and speech each own one, so that neither takes the other's prewarmed connection (docs/architecture.md 2.1).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import msgspec

from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_from_response
from realtime.minimax.hosts import is_loopback

KEEPALIVE_S = 120.0  # how long an unused connection is kept; the library's own 15 s is shorter than a turn
READ_BUFFER_BYTES = 1024 * 1024


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
        form: aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        base_url: str | None = None,
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """A request whose answer is read inside the block. Raises ProviderUnavailable and ProviderTimeout for network
        failures only; the caller checks the answer for an error and sets the timeout."""
        sent = dict(headers or {})
        data: Any = form
        if body is not None:
            sent["Content-Type"] = "application/json"
            data = msgspec.json.encode(body)
        params = {"GroupId": self._group_id} if self._group_id else None
        with network_errors(self.service, base_url or self.base_url):
            async with self._get_session().request(
                method, (base_url or self.base_url) + path, data=data, headers=sent, params=params
            ) as response:
                yield response

    async def json(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        form: aiohttp.FormData | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        base_url: str | None = None,
    ) -> dict[str, Any]:
        """The decoded JSON object of an answer. Raises ProviderError, also for an error inside the answer."""
        try:
            async with (
                asyncio.timeout(timeout_s),
                self.request(
                    method, path, body=body, form=form, headers=headers, base_url=base_url
                ) as response,
            ):
                content = await response.read()
        except TimeoutError as error:
            raise ProviderTimeout(f"{self.service}: {path} did not answer in {timeout_s:.0f} s.") from error
        refused = error_from_response(
            response.status, content, trace_id=trace_header(response), service=self.service
        )
        if refused is not None:
            raise refused
        return self._decode(content, path)

    async def aclose(self) -> None:
        """Close all connections. The client cannot be used again."""
        self._closed = True
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    def _decode(self, content: bytes, path: str) -> dict[str, Any]:
        try:
            answer = msgspec.json.decode(content)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable(f"{self.service}: {path} did not answer with JSON.") from error
        if not isinstance(answer, dict):
            raise ProviderUnavailable(f"{self.service}: {path} did not answer with a JSON object.")
        return answer

    def _get_session(self) -> aiohttp.ClientSession:
        if self._closed:
            raise ProviderUnavailable(f"{self.service}: this client was closed.", retryable=False)
        if self._session is None:
            headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=KEEPALIVE_S),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
                headers=headers,
                read_bufsize=READ_BUFFER_BYTES,
                trust_env=not is_loopback(self.base_url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


@contextmanager
def network_errors(service: str, base_url: str) -> Generator[None, None, None]:
    """Turn network failures into ProviderErrors that name the host."""
    try:
        yield
    except aiohttp.ServerTimeoutError as error:
        raise ProviderTimeout(f"{service}: no connection to {base_url} in time.") from error
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(error, TimeoutError):
            raise  # one of our own timeouts around this block
        raise ProviderUnavailable(
            f"{service}: the connection to {base_url} failed ({type(error).__name__})."
        ) from error


def trace_header(response: aiohttp.ClientResponse) -> str | None:
    """The request's trace id from the headers (docs/minimax/README.md 2)."""
    return response.headers.get("trace-id") or response.headers.get("minimax-request-id")
