"""A finished piece of speech: its audio or its address, its length, its subtitles; and a stream of encoded audio.

Knows the answers of docs/minimax/t2a-http.md 2 and 3. Sessions for live speech are in `speech_session`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field, replace
from typing import Any, Self

import aiohttp
import msgspec

from realtime import deadlines
from realtime.errors import ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from realtime.minimax.door import whole_answer
from realtime.minimax.download import read
from realtime.minimax.errors import error_from_response, find_error, trace_of
from realtime.minimax.file_source import MOST_BYTES
from realtime.minimax.http import HttpClient, trace_header
from realtime.minimax.json_text import decode_json
from realtime.minimax.media_result import MediaResult, fixed_link, from_hex, without_client
from realtime.minimax.operations import OPERATIONS
from realtime.minimax.results import mapping, text, whole
from realtime.minimax.sniff import Kind
from realtime.minimax.sse import EventTooLong, SseDecoder, is_done
from realtime.minimax.subtitle_lines import SubtitleLine, read_lines

_JSON: tuple[Kind, ...] = ("json",)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechFile(MediaResult):
    """Speech in the format that was asked for.

    `audio` are its bytes; empty where an address was asked for (`output="url"`): then `read` and `save` fetch it, for
    24 h. After a stream it is empty too, and there is nothing to fetch: the parts together are the file. `length_ms` in
    milliseconds, `rate` in Hertz, `bitrate` in bits a second, `usage_characters` as charged. 0 and "" mean that the
    platform did not say.
    """

    format: str = ""
    length_ms: int = 0
    rate: int = 0
    channels: int = 0
    bitrate: int = 0
    usage_characters: int = 0
    words: int = 0
    subtitle_url: str | None = field(default=None, repr=False)

    @property
    def audio(self) -> bytes:
        """The bytes, where they came with the answer; `read` gives them in any case."""
        return self.data or b""

    async def subtitles(self) -> tuple[SubtitleLine, ...]:
        """The lines with their times, fetched now; they live for 24 h. Raises ProviderError, also if there are none."""
        if not self.subtitle_url:
            raise ProviderRejected(
                "MiniMax: this speech has no subtitles: they come where `subtitles` asks for them."
            )
        if self._http is None:
            raise without_client("subtitles", "subtitle_url")
        link = fixed_link(self.subtitle_url)
        content = await read(link, http=self._http, most_bytes=MOST_BYTES, expect=_JSON)
        return await asyncio.to_thread(read_lines, content)

    def _nothing(self) -> ProviderError:
        return ProviderRejected(
            "MiniMax: the audio came as a stream and was not kept: its parts together are the file."
        )


async def speech_of(answer: Mapping[str, Any], http: HttpClient, *, by_url: bool) -> SpeechFile:
    """The result in an answer. Raises ProviderUnavailable if it has no audio."""
    data = mapping(answer, "data")
    sent = text(data, "audio")
    facts = _facts(answer, http)
    if by_url and sent.startswith(("http://", "https://")):
        return replace(facts, url=sent)
    audio = await from_hex(sent)
    if not audio:
        raise ProviderUnavailable("MiniMax: the speech service sent no audio.", trace_id=trace_of(answer))
    return replace(facts, data=audio)


def _facts(answer: Mapping[str, Any], http: HttpClient) -> SpeechFile:
    extra = mapping(answer, "extra_info")
    return SpeechFile(
        format=text(extra, "audio_format"),
        length_ms=whole(extra, "audio_length"),
        rate=whole(extra, "audio_sample_rate"),
        channels=whole(extra, "audio_channel"),
        bitrate=whole(extra, "bitrate"),
        usage_characters=whole(extra, "usage_characters"),
        words=whole(extra, "word_count"),
        subtitle_url=text(mapping(answer, "data"), "subtitle_file") or None,
        raw=answer,
        trace_id=trace_of(answer),
        _http=http,
    )


Open = Callable[[str], AbstractAsyncContextManager[aiohttp.ClientResponse]]


class SpeechStream(AsyncIterator[bytes]):
    """Encoded audio as it comes: `async for part in stream`. `result` is there after the last part.

    The parts together are the file. A stream that breaks raises AnswerLost: what came may have been charged. Call
    `aclose` (or use `contextlib.aclosing`) if you stop before the end.
    """

    def __init__(self, audio: StreamedAudio, parts: AsyncGenerator[bytes, None]) -> None:
        self._audio = audio
        self._parts = parts

    def __repr__(self) -> str:
        return f"<SpeechStream {'done' if self.result else 'open'}>"

    @property
    def result(self) -> SpeechFile | None:
        """What is known of the whole file; None before the last part."""
        return self._audio.result

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._parts)

    async def aclose(self) -> None:
        await self._parts.aclose()


class StreamedAudio:
    """The body of one streamed answer: `read` gives its audio, then `result` says what it was.

    Apart from `SpeechStream`, because a generator that held the stream would live until a garbage collection. `gap_s`
    is the longest wait for the next part.
    """

    def __init__(self, open: Open, hosts: tuple[str, ...], gap_s: float, http: HttpClient) -> None:
        self.result: SpeechFile | None = None
        self._open = open
        self._hosts = hosts
        self._gap_s = gap_s
        self._http = http
        self._has_audio = False

    async def read(self) -> AsyncGenerator[bytes, None]:
        """Go to the next host only while no connection was made: a request that left may have been charged."""
        for host in self._hosts:
            try:
                async with self._open(host) as response, aclosing(self._events(response)) as parts:
                    async for part in parts:
                        yield part
                return
            except ProviderError as error:
                if not error.sent and host != self._hosts[-1]:
                    continue
                raise

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
        decoder = SseDecoder()
        while self.result is None:
            received = await self._next(response)
            try:
                payloads = decoder.feed(received) if received else decoder.finish()
            except EventTooLong as error:
                raise ProviderUnavailable(f"MiniMax: {error}.") from error
            for payload in payloads:
                if part := await self._event(payload):
                    self._has_audio = True
                    yield part
            if not received:
                self._check_end(response, decoder)
                return

    async def _next(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            async with deadlines.timeout(self._gap_s):
                return await response.content.readany()
        except TimeoutError as error:
            raise ProviderTimeout(f"MiniMax: the speech stood still for {self._gap_s:.0f} s.") from error

    async def _event(self, payload: str) -> bytes:
        if is_done(payload) or self.result is not None:
            return b""
        try:
            event = decode_json(payload)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable("MiniMax: the speech service sent broken JSON.") from error
        if (refused := find_error(event)) is not None:
            raise refused
        data = mapping(event, "data") if isinstance(event, dict) else {}
        last = data.get("status") == 2
        digits = "" if last and self._has_audio else text(data, "audio")  # the last event repeats all of it
        with whole_answer(OPERATIONS["speech.synthesize"]):
            part = await from_hex(digits)
        if last:
            if not part and not self._has_audio:
                raise ProviderUnavailable(
                    "MiniMax: the speech service sent no audio.", trace_id=trace_of(event)
                )
            self.result = _facts(event, self._http)
        return part

    def _check_end(self, response: aiohttp.ClientResponse, decoder: SseDecoder) -> None:
        trace_id = trace_header(response)
        if decoder.plain and (
            refused := error_from_response(response.status, decoder.body(), trace_id=trace_id)
        ):
            raise refused
        if self.result is None:
            raise ProviderUnavailable(
                "MiniMax: the speech stream ended before its last event.", trace_id=trace_id
            )
