"""Chat over HTTP: answers as a stream, whole, or as a value of a type. Owns its connections.

Knows the socket and the clock. What differs by dialect is in `chat_dialect`: the platform's two ways to chat, and other
OpenAI-compatible services.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any, TypeVar, Unpack, overload

import aiohttp

from realtime import deadlines
from realtime.core.messages import ChatEvent, ChatFinish
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable, without_trace
from realtime.minimax import chat_models, chat_parse, chat_whole
from realtime.minimax.charsets import Recoder, to_utf8
from realtime.minimax.chat_call import ChatCall, ChatOptions, Dialect, Messages, platform_dialect
from realtime.minimax.chat_checks import refuse
from realtime.minimax.chat_dialect import Decoder, body_of, decoder_for, headers_of, path_of
from realtime.minimax.chat_models import ChatModelInfo
from realtime.minimax.chat_options import call_of
from realtime.minimax.chat_whole import ChatAnswer
from realtime.minimax.codes import OUTPUT_SENSITIVE
from realtime.minimax.dead_peers import died_silently
from realtime.minimax.door import Door, Pause
from realtime.minimax.errors import error_from_response, plain_text
from realtime.minimax.fields import check_seconds
from realtime.minimax.http import HttpClient, read_refusal, trace_header
from realtime.minimax.native_events import comes_as_lines
from realtime.minimax.retries import live_pause_s
from realtime.minimax.retry_after import asked_wait_s, with_wait
from realtime.minimax.spares import SpareConnections
from realtime.minimax.sse import EventTooLong, SseDecoder, is_done

MAX_RETRIES = 2
_DRAIN_S = 0.25  # time for the end of the body after the last event, so that the connection can be reused

T = TypeVar("T")


class Chat:
    """`stream`, `complete` and `parse` request an answer, `prewarm` opens connections ahead.

    All three take the same messages and the options of `ChatOptions`. A text is one message of the user.
    """

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
        on_pause: Callable[[Pause], None] | None = None,
    ) -> None:
        self.model = model
        self.door = Door(http, jitter=lambda: self._jitter())  # for all but `stream`: there somebody listens
        self.door.on_pause = on_pause
        self._dialect = dialect
        self._path = path
        self._token_field = token_field
        self._jitter = jitter
        self._spares = SpareConnections(http, models_path)

    @property
    def _http(self) -> HttpClient:
        return self.door.http

    def __repr__(self) -> str:
        return f"<Chat {self.model} at {self._http.base_url}>"

    async def stream(
        self,
        messages: Messages,
        *,
        first_timeout_s: float = 15.0,
        gap_timeout_s: float = 8.0,
        before_retry: Callable[[ProviderError], Awaitable[None]] | None = None,
        leaving: Callable[[], Awaitable[None]] | None = None,
        retry_refused: bool = True,
        **options: Unpack[ChatOptions],
    ) -> AsyncGenerator[ChatEvent, None]:
        """The answer as a stream: text without thinking, tool calls, finish, usage. Close it to stop.

        `first_timeout_s` bounds the wait for the first content, retries included; `gap_timeout_s` the wait between two
        events. Retries only while no event was yielded, after `before_retry` with the error, which may wait.
        `leaving` is awaited directly before each request is written. Without `retry_refused` only a connection that
        was lost is tried again, once. Raises ProviderError; InvalidArgument before anything is sent.
        """
        call = self._call(messages, options)
        for name, seconds in (("first_timeout_s", first_timeout_s), ("gap_timeout_s", gap_timeout_s)):
            check_seconds(name, seconds, needed=True)
        deadline_s = _now() + first_timeout_s
        for attempt in range(MAX_RETRIES + 1):
            yielded = False
            try:
                async with aclosing(self._attempt(call, deadline_s, gap_timeout_s, leaving)) as events:
                    async for event in events:
                        yielded = True
                        yield event
                return
            except ProviderError as error:
                if error.upstream_code == OUTPUT_SENSITIVE and not yielded:
                    yield ChatFinish("content_filter")
                    return
                pause_s = live_pause_s(error, attempt + 1, elsewhere=attempt == 0, jitter=self._jitter)
                if yielded or not error.retryable or attempt == MAX_RETRIES:
                    raise
                if not retry_refused and (attempt or error.upstream_code is not None):
                    raise
                if _now() + pause_s >= deadline_s:
                    raise
                failed = without_trace(error)
            await asyncio.sleep(pause_s)
            if before_retry is not None:
                await before_retry(failed)

    async def complete(
        self, messages: Messages, *, timeout_s: float = 120.0, **options: Unpack[ChatOptions]
    ) -> ChatAnswer:
        """The whole answer. `timeout_s` bounds all tries together, also the wait for a busy platform.

        Raises ProviderError; AnswerLost if it may have been charged and did not come.
        """
        return await self._complete(self._call(messages, options), timeout_s)

    @overload
    async def parse(
        self, messages: Messages, shape: type[T], *, timeout_s: float = ..., **options: Unpack[ChatOptions]
    ) -> T: ...

    @overload
    async def parse(
        self,
        messages: Messages,
        shape: Mapping[str, Any],
        *,
        timeout_s: float = ...,
        **options: Unpack[ChatOptions],
    ) -> Any: ...

    async def parse(
        self, messages: Messages, shape: Any, *, timeout_s: float = 120.0, **options: Unpack[ChatOptions]
    ) -> Any:
        """The answer as a value: of a msgspec Struct, a dataclass, or plain data that fits a JSON schema.

        An answer that does not fit is sent back with the complaint, twice at most. `timeout_s` bounds each answer as in
        `complete`. Raises ParseFailed with the text that was said, and ProviderError like `complete`.
        """
        call = self._call(messages, options)
        return await chat_parse.parse(call, shape, lambda one: self._complete(one, timeout_s))

    async def count_tokens(
        self, messages: Messages, *, timeout_s: float = 30.0, **options: Unpack[ChatOptions]
    ) -> int:
        """The tokens of this prompt with its tools, as the platform's Anthropic side counts them. Costs nothing.

        Raises ProviderError.
        """
        options["dialect"] = "anthropic"
        return await chat_models.count_tokens(self.door, self._call(messages, options), timeout_s=timeout_s)

    def models(self) -> AsyncGenerator[ChatModelInfo, None]:
        """The platform's chat models with their names and dates; pages are fetched as needed. Raises ProviderError."""
        return chat_models.list_models(self.door)

    async def get_model(self, model: str) -> ChatModelInfo:
        """One of the platform's chat models. Raises ProviderError; InvalidArgument for an unknown one."""
        return await chat_models.get_model(self.door, model)

    async def prewarm(self) -> None:
        """Open connections ahead of the first request, and keep some spare from now on. Never raises."""
        await self._spares.prewarm()

    async def aclose(self) -> None:
        await self._spares.aclose()
        await self._http.aclose()

    def _call(self, messages: Messages, options: ChatOptions) -> ChatCall:
        """The checked call. Raises InvalidArgument."""
        dialect = self._dialect_of(options.get("dialect"))
        return call_of(messages, options, model=self.model, dialect=dialect, token_field=self._token_field)

    def _dialect_of(self, style: str | None) -> Dialect:
        if style is None or (style == "openai" and self._dialect is Dialect.OPENAI):
            return self._dialect
        try:
            dialect = platform_dialect(style)
        except (ValueError, TypeError):
            raise refuse("dialect", style, "openai or anthropic") from None
        if self._dialect is Dialect.OPENAI:
            raise refuse("dialect", style, f"openai, {self._http.service} is not the platform")
        return dialect

    async def _complete(self, call: ChatCall, timeout_s: float) -> ChatAnswer:
        check_seconds("timeout_s", timeout_s)
        path = self._path or path_of(call)
        return await chat_whole.complete(self.door, call, path, timeout_s=timeout_s)

    async def _attempt(
        self,
        call: ChatCall,
        deadline_s: float,
        gap_timeout_s: float,
        leaving: Callable[[], Awaitable[None]] | None,
    ) -> AsyncGenerator[ChatEvent, None]:
        decoder = decoder_for(call, self._http.service)
        response: aiohttp.ClientResponse | None = None
        aborted = True
        try:
            async with AsyncExitStack() as stack:
                reply = self._http.request(
                    "POST",
                    self._path or path_of(call),
                    body=body_of(call, stream=True),
                    headers=headers_of(call),
                    leaving=leaving,
                )
                # A speculative request may be dropped, with its connection, for a better one that cannot wait for a
                # handshake. This request takes its connection from the pool before the task of the spares begins.
                self._spares.taking()
                async with deadlines.timeout_at(deadline_s):
                    response = await stack.enter_async_context(reply)
                sse = SseDecoder(skip_long=True, lines=comes_as_lines(response.headers.get("Content-Type")))
                read = self._payloads(response, sse, decoder, deadline_s, gap_timeout_s)
                async with aclosing(read) as payloads:
                    async for payload in payloads:
                        for event in decoder.feed(payload):
                            yield _known_as(event, response)
                for event in self._ending(response, sse, decoder):
                    yield _known_as(event, response)
                aborted = False
        except ProviderError as error:
            aborted = False
            if died_silently(error):
                await self._spares.renew()
            raise
        except TimeoutError as error:
            aborted = False
            problem = "went silent in mid-answer" if decoder.started else "did not begin to answer in time"
            await self._spares.renew()
            late = ProviderTimeout(f"{self._http.service}: the chat model {problem}.")
            late.reason = problem
            raise late from error
        except EventTooLong as error:
            raise ProviderUnavailable(f"{self._http.service}: {error}.") from error
        finally:
            if aborted and (response is None or not response.content.at_eof()):
                # Its connection is closed; the next turn should not wait for a new one
                self._spares.ensure(1)

    async def _payloads(
        self,
        response: aiohttp.ClientResponse,
        sse: SseDecoder,
        decoder: Decoder,
        deadline_s: float,
        gap_timeout_s: float,
    ) -> AsyncGenerator[str, None]:
        """The events of the body up to its last one. Only an event extends the deadline, from the first content on."""
        if response.status >= 400:
            sse.hold_plain(to_utf8(await read_refusal(response), response.headers.get("Content-Type")))
            return
        recoder = Recoder(response.headers.get("Content-Type"))
        while True:
            deadline_s = deadlines.still_open(deadline_s)
            fragment = await _next_fragment(response, deadline_s, finished=decoder.finished)
            payloads = sse.feed(recoder.feed(fragment) if fragment else recoder.finish())
            payloads += [] if fragment else sse.finish()
            for payload in payloads:
                if is_done(payload):
                    sse.done = True
                    if "{" in payload:  # a service that forgets the blank lines between its events
                        yield payload
                    await _drain(response)
                    return
                yield payload
                if decoder.complete:
                    await _drain(response)
                    return
            if not fragment:
                return
            if payloads and decoder.started:
                deadline_s = _now() + gap_timeout_s

    def _ending(self, response: aiohttp.ClientResponse, sse: SseDecoder, decoder: Decoder) -> list[ChatEvent]:
        """The events at the end of the body. Raises ProviderError for an error in it or a lost connection."""
        service, trace_id = self._http.service, trace_header(response)
        if sse.plain:
            body = sse.body()
            refused = error_from_response(response.status, body, trace_id=trace_id, service=service)
            if refused is not None:
                raise with_wait(refused, asked_wait_s(response.headers))
            if body.lstrip()[:1] == b"<":
                raise _no_answer(response, service, f'it answered with the page "{plain_text(body)}"')
            return decoder.feed_whole(body)
        if sse.done or decoder.finished:
            return decoder.end()
        if not decoder.started and (said := sse.stray_text()):
            raise _no_answer(response, service, f'it answered with the text "{plain_text(said)}"')
        if not decoder.started and not sse.any:
            raise _no_answer(response, service, "it answered with nothing")
        raise ProviderUnavailable(f"{service}: the answer ended too early.", trace_id=trace_id)


def _known_as(event: ChatEvent, response: aiohttp.ClientResponse) -> ChatEvent:
    """The event; the one that ends the answer also says what the service calls the request."""
    if isinstance(event, ChatFinish):
        return replace(event, trace_id=trace_header(response))
    return event


def _no_answer(response: aiohttp.ClientResponse, service: str, what: str) -> ProviderUnavailable:
    """The address leads to something else than a chat service, or a gateway answers for it."""
    error = ProviderUnavailable(
        f"{service}: this is no chat service, check the base URL: {what} (HTTP {response.status}).",
        trace_id=trace_header(response),
    )
    error.reason = "what answers there is no chat service, or a gateway answers for it; check the base URL"
    return error


async def _next_fragment(response: aiohttp.ClientResponse, deadline_s: float, *, finished: bool) -> bytes:
    """The next bytes of the body, none at its end. A connection that breaks behind the finish reason is an end too."""
    try:
        async with deadlines.timeout_at(deadline_s):
            return await response.content.readany()
    except (aiohttp.ClientError, TimeoutError):
        if finished:
            return b""
        raise


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
