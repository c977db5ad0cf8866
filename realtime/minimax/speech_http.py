"""Speech over HTTP: one streamed request per text, in order. The fallback when no socket can be opened.

Knows the rules of the event stream (docs/minimax/t2a-http.md 3): the last event repeats all audio, and a stream
without a last event is incomplete.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import aiohttp
import msgspec

from realtime import deadlines
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.minimax.errors import error_from_response, find_error, trace_of
from realtime.minimax.http import HttpClient, trace_header
from realtime.minimax.json_text import decode_json
from realtime.minimax.network_errors import network_errors
from realtime.minimax.reading import reading
from realtime.minimax.results import decimal, mapping
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_format import check_format
from realtime.minimax.speech_protocol import ChunkDecoder, ChunkEnd, SpeechResult
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts, check_text
from realtime.minimax.sse import EventTooLong, SseDecoder, is_done

PATH = "/v1/t2a_v2"


class ChunkStream:
    """Decodes the event stream of one text, without I/O. `complete` is true from the status-2 event on."""

    def __init__(self, chunk: int, text: str, config: SpeechConfig) -> None:
        self.complete = False
        self._chunk = chunk
        self._config = config
        self._decoder = ChunkDecoder(chunk, text, raw_pcm=config.raw_pcm, rate=config.rate)

    @property
    def has_audio(self) -> bool:
        return self._decoder.has_audio

    @reading("the speech stream")
    def feed(self, payload: str | bytes) -> list[SpeechResult]:
        """The results in one event (or in a whole JSON body). Raises ProviderError."""
        if isinstance(payload, str) and is_done(payload):
            return []
        try:
            event = decode_json(payload)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable("MiniMax: the speech service sent broken JSON.") from error
        refused = find_error(event)
        if refused is not None:
            raise refused
        data = event.get("data") if isinstance(event, dict) else None
        if not isinstance(data, dict) or self.complete:
            return []
        last = data.get("status") == 2
        if last and self.has_audio:
            data = {**data, "audio": ""}  # it repeats all audio of the text
        results = self._decoder.feed(data)
        check_format(event.get("extra_info"), self._config, self._decoder.audio_ms or 0.0)
        if last:
            self.complete = True
            results.append(
                ChunkEnd(
                    self._chunk,
                    decimal(mapping(event, "extra_info"), "audio_length"),
                    skipped=not self.has_audio,
                    trace_id=trace_of(event),
                )
            )
        return results


class HttpSpeech(SpeechSession):
    """A session that sends one request after the other."""

    def __init__(self, http: HttpClient, host: str, config: SpeechConfig, timeouts: SpeechTimeouts) -> None:
        super().__init__()
        self.host = host
        self.last_sent_s = asyncio.get_running_loop().time()
        self._http = http
        self._config = config
        self._timeouts = timeouts
        self._texts: deque[tuple[int, str, Callable[[], Awaitable[None]] | None]] = deque()
        self._next_chunk = 0
        self._lost = False
        self._stack = AsyncExitStack()
        self._response: aiohttp.ClientResponse | None = None
        self._sse = SseDecoder()
        self._stream: ChunkStream | None = None
        self._running_timeout: deadlines.Deadline | None = None  # of the running `receive`

    def __repr__(self) -> str:
        return f"<HttpSpeech {self.host} pending={self.pending}>"

    @property
    def pending(self) -> int:
        return len(self._texts)

    @property
    def usable(self) -> bool:
        return not self._lost

    async def say(self, text: str, leaving: Callable[[], Awaitable[None]] | None = None) -> int:
        check_text(text)
        chunk = self._next_chunk
        self._next_chunk += 1
        self._texts.append((chunk, text, leaving))
        self._mark_sent()
        return chunk

    async def receive(self) -> list[SpeechResult]:
        try:
            while True:
                if results := await self._receive_some():
                    return results
        except (ProviderError, EventTooLong) as error:
            await self.aclose()
            if isinstance(error, EventTooLong):
                raise ProviderUnavailable(f"MiniMax: {error}.") from error
            raise

    async def cancel(self) -> bool:
        await self.aclose()
        return False

    async def aclose(self) -> None:
        self._lost = True
        if self._running_timeout is not None and not self._running_timeout.expired():
            self._running_timeout.reschedule(asyncio.get_running_loop().time())
        await self._end_request(abort=True)

    async def _receive_some(self) -> list[SpeechResult]:
        if self._lost:
            raise _closed()
        has_audio = self._stream is not None and self._stream.has_audio
        timeout_s = self._timeouts.gap_s if has_audio else self._timeouts.first_audio_s
        try:
            async with deadlines.timeout(timeout_s) as self._running_timeout:
                response = self._response or await self._begin()
                with network_errors("MiniMax", self.host):
                    received = await response.content.readany()
        except TimeoutError as error:
            if self._lost:
                raise _closed() from error
            problem = "stopped sending audio" if has_audio else "sent no audio"
            raise ProviderTimeout(f"MiniMax: {self.host} {problem} for {timeout_s:.0f} s.") from error
        finally:
            self._running_timeout = None
        assert self._stream is not None
        results: list[SpeechResult] = []
        for payload in self._sse.feed(received) if received else self._sse.finish():
            results += self._stream.feed(payload)
        if not received:
            results += self._body_ended(response, self._stream)
        if self._stream.complete:
            await self._end_request(abort=False)
            self._texts.popleft()
        return results

    async def _begin(self) -> aiohttp.ClientResponse:
        chunk, text, leaving = self._texts[0]
        self._sse = SseDecoder()
        self._stream = ChunkStream(chunk, text, self._config)
        asked = self._config.http_body(text)
        request = self._http.request("POST", PATH, body=asked, base_url=self.host, leaving=leaving)
        self._response = await self._stack.enter_async_context(request)
        if self._response.status >= 400:
            body = await self._response.read()
            raise error_from_response(
                self._response.status, body, trace_id=trace_header(self._response)
            ) or ProviderUnavailable("MiniMax: the speech service failed.")
        return self._response

    def _body_ended(self, response: aiohttp.ClientResponse, stream: ChunkStream) -> list[SpeechResult]:
        results: list[SpeechResult] = []
        if self._sse.plain:
            refused = error_from_response(response.status, self._sse.body(), trace_id=trace_header(response))
            if refused is not None:
                raise refused
            results = stream.feed(self._sse.body())
        if not stream.complete:
            raise ProviderUnavailable(
                "MiniMax: the speech stream ended before its last event.", trace_id=trace_header(response)
            )
        return results

    async def _end_request(self, *, abort: bool) -> None:
        response, self._response = self._response, None
        if response is not None and abort:
            response.close()
        stack, self._stack = self._stack, AsyncExitStack()
        with contextlib.suppress(ProviderError, aiohttp.ClientError):
            await stack.aclose()


def _closed() -> ProviderError:
    return ProviderUnavailable("MiniMax: this speech session was closed.")
