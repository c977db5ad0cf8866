"""Streams answers of a chat model over HTTP: timeouts, retries and connections that are opened ahead.

Knows the socket and the clock. Decoding is `sse` and `chat_stream`, the body is `chat_request`. Serves the
platform's two chat addresses and, by dialect, any OpenAI-compatible service.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Any

import aiohttp

from realtime.core.messages import ChatEvent, ChatFinish, Tool
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.chat_request import ChatCall, Dialect, Message, request_body
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.errors import error_from_response
from realtime.minimax.http import KEEPALIVE_S, HttpClient, trace_header
from realtime.minimax.models import Endpoint, traits_of
from realtime.minimax.sse import EventTooLong, SseDecoder

MAX_RETRIES = 2
_DRAIN_S = 0.25  # time for the end of the body after the last event, so that the connection can be reused
_PREWARM_TIMEOUT_S = 5.0
_SPARES = 3  # a speculative request is often dropped for a better one, and that one once more


class Chat:
    """`stream` requests an answer, `prewarm` opens connections ahead. Owns its connections."""

    def __init__(
        self,
        http: HttpClient,
        *,
        model: str,
        dialect: Dialect = Dialect.MINIMAX,
        path: str | None = None,
        models_path: str = "/v1/models",
        token_field: str = "max_completion_tokens",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.model = model
        self._http = http
        self._dialect = dialect
        self._path = path
        self._models_path = models_path
        self._token_field = token_field
        self._jitter = jitter
        self._idle = 0  # unused connections in the pool, by our own count
        self._idle_since_s = 0.0
        self._prewarming: asyncio.Task[None] | None = None
        self._keeps_spares = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<Chat {self.model} at {self._http.base_url}>"

    async def stream(
        self,
        *,
        messages: Sequence[Message],
        model: str | None = None,
        tools: Sequence[Tool] = (),
        tool_choice: str = "auto",
        parallel_tool_calls: bool = True,
        max_output_tokens: int | None = None,
        temperature: float | None = None,
        reasoning_effort: str | None = None,
        endpoint: Endpoint | None = None,
        first_timeout_s: float = 15.0,
        gap_timeout_s: float = 8.0,
        extra: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[ChatEvent, None]:
        """The answer as a stream: text without thinking, tool calls, finish, usage. Close it to stop.

        `first_timeout_s` bounds the wait for the first event, retries included; `gap_timeout_s` the wait between two
        events. Retries only while no event was yielded. Raises ProviderError.
        """
        call = ChatCall(
            model or self.model,
            messages,
            tools,
            tool_choice,
            parallel_tool_calls,
            max_output_tokens,
            temperature,
            reasoning_effort,
            endpoint,
            extra or {},
            self._token_field,
        )
        deadline_s = _now() + first_timeout_s
        for attempt in range(MAX_RETRIES + 1):
            yielded = False
            try:
                async with aclosing(self._attempt(call, deadline_s, gap_timeout_s)) as events:
                    async for event in events:
                        yielded = True
                        yield event
                return
            except ProviderError as error:
                if error.upstream_code == OUTPUT_SENSITIVE and not yielded:
                    yield ChatFinish("content_filter")
                    return
                pause_s = self._pause_s(error, attempt)
                if yielded or not error.retryable or attempt == MAX_RETRIES:
                    raise
                if _now() + pause_s >= deadline_s:
                    raise
            await asyncio.sleep(pause_s)

    async def prewarm(self) -> None:
        """Open connections ahead of the first request, and keep some spare from now on. Never raises."""
        self._keeps_spares = True
        self._ensure_spares(_SPARES)
        if self._prewarming is not None:
            await asyncio.wait([self._prewarming])

    async def aclose(self) -> None:
        self._closed = True
        if self._prewarming is not None and not self._prewarming.done():
            self._prewarming.cancel()
            await asyncio.wait([self._prewarming])
        await self._http.aclose()

    def _pause_s(self, error: ProviderError, attempt: int) -> float:
        """A lost connection is retried at once; a busy service gets time, with jitter between clients."""
        if attempt == 0 and error.upstream_code is None:
            return 0.0
        base_s = 1.0 if error.code == "rate_limit_exceeded" else 0.3
        return base_s * float(2**attempt) * (0.5 + self._jitter())

    async def _attempt(
        self, call: ChatCall, deadline_s: float, gap_timeout_s: float
    ) -> AsyncGenerator[ChatEvent, None]:
        limit = 1 if not call.parallel_tool_calls else None
        decoder = ChatDecoder(service=self._http.service, max_calls=limit)
        self._idle = max(0, self._idle - 1)
        response: aiohttp.ClientResponse | None = None
        aborted = True
        try:
            async with AsyncExitStack() as stack:
                reply = self._http.request(
                    "POST", self._path_of(call), body=request_body(call, self._dialect)
                )
                # A speculative request may be dropped, with its connection, for a better one that cannot wait for a
                # handshake. This request takes its connection from the pool before the task of the spares begins.
                self._ensure_spares(1)
                async with asyncio.timeout_at(deadline_s):
                    response = await stack.enter_async_context(reply)
                sse = SseDecoder()
                async with aclosing(self._payloads(response, sse, deadline_s, gap_timeout_s)) as payloads:
                    async for payload in payloads:
                        for event in decoder.feed(payload):
                            yield event
                for event in self._ending(response, sse, decoder):
                    yield event
                aborted = False
        except ProviderError:
            aborted = False
            raise
        except TimeoutError as error:
            aborted = False
            problem = "went silent in mid-answer" if decoder.started else "did not begin to answer in time"
            raise ProviderTimeout(f"{self._http.service}: the chat model {problem}.") from error
        except EventTooLong as error:
            raise ProviderUnavailable(f"{self._http.service}: {error}.") from error
        finally:
            self._count_released(response is not None and response.content.at_eof(), aborted)

    async def _payloads(
        self, response: aiohttp.ClientResponse, sse: SseDecoder, deadline_s: float, gap_timeout_s: float
    ) -> AsyncGenerator[str, None]:
        """The events of the body up to `[DONE]` or its end. Only an event extends the deadline."""
        if response.status >= 400:
            async with asyncio.timeout_at(deadline_s):
                sse.hold_plain(await response.read())
            return
        while True:
            async with asyncio.timeout_at(deadline_s):
                fragment = await response.content.readany()
            payloads = sse.feed(fragment) if fragment else sse.finish()
            for payload in payloads:
                if payload.strip() == "[DONE]":
                    await _drain(response)
                    sse.done = True
                    return
                yield payload
            if not fragment:
                return
            if payloads:
                deadline_s = _now() + gap_timeout_s

    def _ending(
        self, response: aiohttp.ClientResponse, sse: SseDecoder, decoder: ChatDecoder
    ) -> list[ChatEvent]:
        """The events at the end of the body. Raises ProviderError for an error in it or a lost connection."""
        service, trace_id = self._http.service, trace_header(response)
        if sse.plain:
            body = sse.body()
            refused = error_from_response(response.status, body, trace_id=trace_id, service=service)
            if refused is not None:
                raise refused
            return decoder.feed_whole(body)
        if sse.done or decoder.finished:
            return decoder.end()
        raise ProviderUnavailable(f"{service}: the answer ended too early.", trace_id=trace_id)

    def _path_of(self, call: ChatCall) -> str:
        if self._path is not None:
            return self._path
        return (call.endpoint or traits_of(call.model).endpoint).value

    def _count_released(self, reusable: bool, aborted: bool) -> None:
        if reusable:
            self._idle += 1
            self._idle_since_s = _now()
        elif aborted:
            # An aborted answer closes its connection; the next turn should not wait for a new one.
            self._ensure_spares(1)

    def _ensure_spares(self, least: int) -> None:
        """Open spare connections if fewer than `least` are left, or if those that are left may soon be closed.

        The pool opens a connection only for a request that finds none unused, so the spares are opened by requests.
        """
        young = _now() - self._idle_since_s < KEEPALIVE_S / 2
        if not self._keeps_spares or self._closed or (young and self._idle >= least):
            return
        if self._prewarming is None or self._prewarming.done():
            self._prewarming = asyncio.create_task(self._open_spares(), name="prewarm chat connections")

    async def _open_spares(self) -> None:
        await asyncio.gather(*(self._open_one() for _ in range(_SPARES)))

    async def _open_one(self) -> None:
        self._idle = max(0, self._idle - 1)
        try:
            async with (
                asyncio.timeout(_PREWARM_TIMEOUT_S),
                self._http.request("GET", self._models_path) as response,
            ):
                await response.read()
        except (ProviderError, TimeoutError):
            return
        self._idle += 1
        self._idle_since_s = _now()


async def _drain(response: aiohttp.ClientResponse) -> None:
    """Read the body's last bytes, so that the connection goes back to the pool instead of being closed."""
    try:
        async with asyncio.timeout(_DRAIN_S):
            while await response.content.readany():
                pass
    except (TimeoutError, aiohttp.ClientError):
        pass


def _now() -> float:
    return asyncio.get_running_loop().time()
