"""Streams answers of a chat model over HTTP: patience, retries and a connection that is kept warm.

Decoding is `sse` and `chat_stream`, the body is `chat_request`; here are the socket and the clock. Serves the
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
from realtime.minimax.errors import OUTPUT_SENSITIVE, error_from_response
from realtime.minimax.http import KEEPALIVE_S, HttpDoor, trace_header
from realtime.minimax.models import Endpoint, traits_of
from realtime.minimax.sse import EventTooLong, SseDecoder

MAX_RETRIES = 2
_DRAIN_S = 0.25  # after the last event: time for the body's end, so that the connection can be used again
_WARM_TIMEOUT_S = 5.0
_SPARES = 3  # a guess at what the user says is often dropped for a better one, and that one once more


class Chat:
    """`stream` answers, `warm` opens a connection ahead. Owns its connections."""

    def __init__(
        self,
        door: HttpDoor,
        *,
        model: str,
        dialect: Dialect = Dialect.MINIMAX,
        path: str | None = None,
        models_path: str = "/v1/models",
        token_field: str = "max_completion_tokens",
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.model = model
        self._door = door
        self._dialect = dialect
        self._path = path
        self._models_path = models_path
        self._token_field = token_field
        self._jitter = jitter
        self._idle = 0  # connections in the pool, as far as we know
        self._idle_since_s = 0.0
        self._warming: asyncio.Task[None] | None = None
        self._stays_warm = False
        self._closed = False

    def __repr__(self) -> str:
        return f"<Chat {self.model} at {self._door.base_url}>"

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
        """The answer as it is written: text without thinking, tool calls, finish, usage. Close it to stop.

        `first_timeout_s` bounds the wait for the first event, retries included; `gap_timeout_s` the wait between two
        events. Retries only while nothing was handed on. Raises ProviderError.
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
            handed_on = False
            try:
                async with aclosing(self._attempt(call, deadline_s, gap_timeout_s)) as events:
                    async for event in events:
                        handed_on = True
                        yield event
                return
            except ProviderError as error:
                if error.upstream_code == OUTPUT_SENSITIVE and not handed_on:
                    yield ChatFinish("content_filter")
                    return
                pause_s = self._pause_s(error, attempt)
                if handed_on or not error.retryable or attempt == MAX_RETRIES:
                    raise
                if _now() + pause_s >= deadline_s:
                    raise
            await asyncio.sleep(pause_s)

    async def prewarm(self) -> None:
        """Open connections ahead of the first request, and keep some waiting from now on. Never raises."""
        self._stays_warm = True
        self._keep_spares(_SPARES)
        if self._warming is not None:
            await asyncio.wait([self._warming])

    async def aclose(self) -> None:
        self._closed = True
        if self._warming is not None and not self._warming.done():
            self._warming.cancel()
            await asyncio.wait([self._warming])
        await self._door.aclose()

    def _pause_s(self, error: ProviderError, attempt: int) -> float:
        """A lost connection is tried again at once; a busy service gets time, and not all of us the same."""
        if attempt == 0 and error.upstream_code is None:
            return 0.0
        base_s = 1.0 if error.code == "rate_limit_exceeded" else 0.3
        return base_s * float(2**attempt) * (0.5 + self._jitter())

    async def _attempt(
        self, call: ChatCall, deadline_s: float, gap_timeout_s: float
    ) -> AsyncGenerator[ChatEvent, None]:
        limit = 1 if not call.parallel_tool_calls else None
        decoder = ChatDecoder(service=self._door.service, max_calls=limit)
        self._idle = max(0, self._idle - 1)
        response: aiohttp.ClientResponse | None = None
        cut_short = True
        try:
            async with AsyncExitStack() as stack:
                reply = self._door.request(
                    "POST", self._address(call), body=request_body(call, self._dialect)
                )
                # A guess at what the user says may be dropped, with its connection, for a better one that cannot wait
                # for a handshake. The request takes a connection that waits before the task of the spares begins.
                self._keep_spares(1)
                async with asyncio.timeout_at(deadline_s):
                    response = await stack.enter_async_context(reply)
                sse = SseDecoder()
                async with aclosing(self._payloads(response, sse, deadline_s, gap_timeout_s)) as payloads:
                    async for payload in payloads:
                        for event in decoder.feed(payload):
                            yield event
                for event in self._ending(response, sse, decoder):
                    yield event
                cut_short = False
        except ProviderError:
            cut_short = False
            raise
        except TimeoutError as error:
            cut_short = False
            waited = "went silent in mid-answer" if decoder.started else "did not begin to answer in time"
            raise ProviderTimeout(f"{self._door.service}: the chat model {waited}.") from error
        except EventTooLong as error:
            raise ProviderUnavailable(f"{self._door.service}: {error}.") from error
        finally:
            self._released(response is not None and response.content.at_eof(), cut_short)

    async def _payloads(
        self, response: aiohttp.ClientResponse, sse: SseDecoder, deadline_s: float, gap_timeout_s: float
    ) -> AsyncGenerator[str, None]:
        """The events of the body up to `[DONE]` or its end. Only an event counts as a sign of life."""
        if response.status >= 400:
            async with asyncio.timeout_at(deadline_s):
                sse.hold_plain(await response.read())
            return
        while True:
            async with asyncio.timeout_at(deadline_s):
                chunk = await response.content.readany()
            payloads = sse.feed(chunk) if chunk else sse.finish()
            for payload in payloads:
                if payload.strip() == "[DONE]":
                    await _drain(response)
                    sse.done = True
                    return
                yield payload
            if not chunk:
                return
            if payloads:
                deadline_s = _now() + gap_timeout_s

    def _ending(
        self, response: aiohttp.ClientResponse, sse: SseDecoder, decoder: ChatDecoder
    ) -> list[ChatEvent]:
        """What the end of the body means: an error, a whole answer, a good end, or a lost connection."""
        service, trace_id = self._door.service, trace_header(response)
        if sse.plain:
            body = sse.body()
            refused = error_from_response(response.status, body, trace_id=trace_id, service=service)
            if refused is not None:
                raise refused
            return decoder.feed_whole(body)
        if sse.done or decoder.finished:
            return decoder.end()
        raise ProviderUnavailable(f"{service}: the answer broke off.", trace_id=trace_id)

    def _address(self, call: ChatCall) -> str:
        if self._path is not None:
            return self._path
        return (call.endpoint or traits_of(call.model).endpoint).value

    def _released(self, reusable: bool, cut_short: bool) -> None:
        if reusable:
            self._idle += 1
            self._idle_since_s = _now()
        elif cut_short:
            # An answer that was cut short takes its connection with it; the next turn should not pay for that.
            self._keep_spares(1)

    def _keep_spares(self, least: int) -> None:
        """Have some connections that wait, if there are fewer than `least`, or only some that may have grown old.

        Nothing but requests at the same time makes the pool open more of them; they take what waits as well.
        """
        young = _now() - self._idle_since_s < KEEPALIVE_S / 2
        if not self._stays_warm or self._closed or (young and self._idle >= least):
            return
        if self._warming is None or self._warming.done():
            self._warming = asyncio.create_task(self._open_spares(), name="warm chat connections")

    async def _open_spares(self) -> None:
        await asyncio.gather(*(self._open_one() for _ in range(_SPARES)))

    async def _open_one(self) -> None:
        self._idle = max(0, self._idle - 1)
        try:
            async with (
                asyncio.timeout(_WARM_TIMEOUT_S),
                self._door.request("GET", self._models_path) as response,
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
