"""The speech of one reply on the platform: chunks in order, also when connections are lost.

Sends each chunk as one request within the account's budget, assigns audio to chunks, and after a loss resumes at the
first word that was not received. Connections come from the pool. It knows no hosts.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace

from realtime.core.characters import pronounceable
from realtime.core.messages import WordTime
from realtime.errors import ProviderError, without_trace
from realtime.minimax.codes import TOO_MANY_CONNECTIONS
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import ChunkEnd, ReceivedAudio, SpeechResult, WordTimes
from realtime.minimax.speech_session import check_text
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechEvent, SpeechPaused, SpeechWords
from realtime.providers.minimax.speech_pool import SpeechPool
from realtime.providers.minimax.speech_text import resume_offset, visible
from realtime.providers.quota import Permit, Quota
from realtime.upstream import SPEECH

MAX_LOSSES = 5  # of one chunk: enough to try every host and HTTP
_RATE_PAUSE_S = 1.0


@dataclass(slots=True)
class _Chunk:
    number: int
    text: str
    done: bool = False
    audio_bytes: int = 0  # yielded
    words: tuple[WordTime, ...] = ()  # of all attempts
    kept: tuple[WordTime, ...] = ()  # of lost attempts
    begin: int = 0  # where the current attempt begins: characters, milliseconds
    begin_ms: float = 0.0
    losses: int = 0
    waited_s: float = 0.0
    trace_id: str | None = None  # the platform's, of the request that ended
    permit: Permit | None = None  # for its next request
    sent_s: float | None = None  # set if its first audio measures the service's latency
    asked_s: float = 0.0  # when its last request was sent


class MiniMaxUtterance:
    """See `realtime.providers.base.Utterance`. One task sends, one task receives; they can be the same."""

    def __init__(
        self,
        pool: SpeechPool,
        config: SpeechConfig,
        quota: Quota,
        *,
        budget_wait_s: float,
        learn_latency: Callable[[float], None],
        explain: Callable[[ProviderError, str], Awaitable[ProviderError]] | None = None,
    ) -> None:
        self._pool = pool
        self._config = config
        self._quota = quota
        self._budget_wait_s = budget_wait_s
        # Asked for before there is a text, so that the first chunk need not wait for the answer of a shared quota
        self._ahead: Permit | None = quota.ask(budget_wait_s) if quota.left() >= 1 else None
        self._unpaid: list[_Chunk] = []  # that are sent again: each is one more request
        self._learn_latency = learn_latency
        self._explain = explain
        self._chunks: list[_Chunk] = []
        self._head = 0  # the chunk that is being received
        self._next = 0  # the next chunk to send
        self._sent: deque[_Chunk] = deque()
        self._finished = False
        self._closed = False
        self._changed = asyncio.Event()
        self._sending = asyncio.Lock()
        self._send_error: ProviderError | None = None
        self._session = pool.take_idle(config)
        if self._session is None:
            pool.prewarm(config)

    async def say(self, text: str) -> int:
        """See `Utterance.say`. Waits for the account's budget if the wait is short. Raises ProviderRejected if it is
        not, or if the text is too long for one chunk."""
        if self._finished:
            raise RuntimeError("say after finish")
        check_text(text)
        text = visible(text)
        silent = not pronounceable(text)
        permit = None if silent else await self._wait_for_place()
        chunk = _Chunk(len(self._chunks), text, done=silent, permit=permit)
        self._chunks.append(chunk)
        self._changed.set()
        await self._send_waiting()
        return chunk.number

    def finish(self) -> None:
        self._finished = True
        self._changed.set()

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        """See `Utterance.events`. Raises ProviderError when every retry has failed."""
        while True:
            while self._head < len(self._chunks) and self._chunks[self._head].done:
                self._head += 1
                yield SpeechChunkDone(self._head - 1)
            if self._is_closed():
                return
            if self._head == len(self._chunks):
                if self._finished:
                    return
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                results = await self._receive()
            except ProviderError as error:
                if self._is_closed():
                    return
                pause_s = await self._recover(without_trace(error))
                if pause_s:
                    yield SpeechPaused()
                    await asyncio.sleep(pause_s)
                    yield SpeechPaused(over=True)
                if self._quota.left() < len(self._unpaid):
                    yield SpeechPaused()
                    await self._pay_again()
                    yield SpeechPaused(over=True)
                else:
                    await self._pay_again()
                continue
            for result in results:
                for event in self._translate(result):
                    yield event
            self._drop_doubtful()

    def close(self) -> None:
        """The reply is over, spoken to its end or not. Returns at once; the pool closes connections later."""
        self._closed = True
        self._changed.set()
        for permit in (self._ahead, *(chunk.permit for chunk in self._chunks)):
            if permit is not None:
                permit.give_back()
        session, self._session = self._session, None
        if session is None:
            return
        if session.pending or self._sent or not session.usable:
            self._pool.abandon(session)
        else:
            self._pool.give_back(session)

    def _drop_doubtful(self) -> None:
        """A connection that should not be used any more is left as soon as nothing is under way on it."""
        session = self._session
        if session is not None and not self._sent and not session.pending and not session.usable:
            self._session = None
            self._pool.abandon(session, failed=True)

    def _is_closed(self) -> bool:
        return self._closed

    async def _wait_for_place(self) -> Permit:
        """Until the account allows one more request. Raises ProviderRejected if that takes too long."""
        permit, self._ahead = self._ahead or self._quota.ask(self._budget_wait_s), None
        await permit.use(lambda wait_s: self._pool.upstream.waited(SPEECH, "budget", wait_s))
        if self._closed:  # meanwhile
            permit.give_back()
        return permit

    async def _pay_again(self) -> None:
        """Wait for a place for each chunk that is sent again."""
        while self._unpaid:
            chunk = self._unpaid.pop(0)
            chunk.permit = await self._wait_for_place()

    async def _receive(self) -> list[SpeechResult]:
        if self._send_error is not None:
            error, self._send_error = self._send_error, None
            raise error
        if self._session is None:
            session = await self._pool.take(self._config)
            if self._is_closed():
                self._pool.give_back(session)
                return []
            self._session = session
        session = self._session
        await self._send_waiting()
        if self._send_error is not None or not self._sent:
            return []
        return await session.receive()

    async def _send_waiting(self) -> None:
        """Send the chunks that are not sent yet. A failure is kept for the receiving side."""
        async with self._sending:
            while (session := self._session) is not None and self._next < len(self._chunks):
                chunk = self._chunks[self._next]
                self._next += 1
                if chunk.done:
                    continue
                chunk.asked_s = _now()
                chunk.sent_s = chunk.asked_s if not self._sent and not chunk.begin else None
                self._sent.append(chunk)
                self._pool.upstream.asked(SPEECH)
                permit = chunk.permit
                assert permit is not None
                try:
                    await session.say(chunk.text[chunk.begin :], permit.leaves)
                except ProviderError as error:
                    if self._session is session:
                        self._send_error = without_trace(error)
                    return

    def _translate(self, result: SpeechResult) -> list[SpeechEvent]:
        if not self._sent:
            return []
        chunk = self._sent[0]
        match result:
            case ReceivedAudio(data=data):
                if chunk.sent_s is not None:
                    self._learn_latency(_now() - chunk.sent_s)
                    chunk.sent_s = None
                chunk.audio_bytes += len(data)
                return [SpeechAudio(chunk.number, data)]
            case WordTimes(words=words):
                if chunk.begin_ms:
                    words = chunk.kept + tuple(_shifted(word, chunk) for word in words)
                chunk.words = words
                return [SpeechWords(chunk.number, chunk.words)]
            case ChunkEnd(trace_id=trace_id):
                chunk.done, chunk.trace_id = True, trace_id
                self._pool.upstream.answered(SPEECH, chunk.asked_s)
                self._sent.popleft()
                return self._end_chunks()

    def _end_chunks(self) -> list[SpeechEvent]:
        """The end of this chunk, and of chunks without speech right after it, before any audio of a later one."""
        events: list[SpeechEvent] = []
        while self._head < len(self._chunks) and self._chunks[self._head].done:
            events.append(SpeechChunkDone(self._head, self._chunks[self._head].trace_id))
            self._head += 1
        return events

    async def _recover(self, error: ProviderError) -> float:
        """The connection is lost: raise the error, or prepare to resume on another connection after so many seconds."""
        session, self._session = self._session, None
        chunk = self._chunks[self._head]
        expected_ms = session.expected_ms if session is not None else None
        if session is not None:
            self._pool.report(session, error)
            self._pool.abandon(session, failed=True)
        began = chunk.begin
        self._rewind(chunk, expected_ms)
        if chunk.begin > began:
            chunk.losses = 0  # after every attempt with progress there may be another one
        limited = error.code == "rate_limit_exceeded" and error.upstream_code != TOO_MANY_CONNECTIONS
        if not error.retryable or (limited and error.upstream_code is None):  # the latter is our own count's
            raise await self._explain(error, self._config.voice_id) if self._explain else error
        chunk.losses += 1
        if limited:
            self._quota.refused()
            return self._pause_s(chunk, error)
        if chunk.losses > MAX_LOSSES:
            raise error
        return 0.0

    def _rewind(self, chunk: _Chunk, expected_ms: Callable[[str], float] | None) -> None:
        """Prepare to send everything from this chunk on again, without the received part of this chunk."""
        again = list(self._sent)
        self._sent.clear()
        self._send_error = None
        self._next = chunk.number
        self._skip_received(chunk, expected_ms)
        self._unpaid = [one for one in again if not one.done and (one.permit is None or one.permit.over)]

    def _skip_received(self, chunk: _Chunk, expected_ms: Callable[[str], float] | None) -> None:
        """Let the next attempt begin at the first word of the chunk that was not received."""
        received_ms = chunk.audio_bytes / 2 / self._config.rate * 1000
        if received_ms <= chunk.begin_ms:
            return
        present = tuple(
            replace(word, start_ms=word.start_ms - chunk.begin_ms, end_ms=word.end_ms - chunk.begin_ms)
            for word in chunk.words
            if word.begin >= chunk.begin
        )
        rest = chunk.text[chunk.begin :]
        at = resume_offset(
            rest,
            tuple(replace(w, begin=w.begin - chunk.begin, end=w.end - chunk.begin) for w in present),
            received_ms - chunk.begin_ms,
            self._config.speed,
            expected_ms,
        )
        chunk.begin += at
        chunk.begin_ms = received_ms
        chunk.kept = chunk.words = tuple(word for word in chunk.words if word.end <= chunk.begin)
        chunk.done = not pronounceable(chunk.text[chunk.begin :])

    def _pause_s(self, chunk: _Chunk, error: ProviderError) -> float:
        """How long to wait, within the time that a reply may wait for the budget. Raises the error beyond it."""
        pause_s = _RATE_PAUSE_S * float(2 ** (chunk.losses - 1)) * (0.75 + random.random() / 2)
        if chunk.waited_s + pause_s > self._budget_wait_s:
            raise error
        chunk.waited_s += pause_s
        self._pool.upstream.waited(SPEECH, "refused", pause_s)
        return pause_s


def _shifted(word: WordTime, chunk: _Chunk) -> WordTime:
    return WordTime(
        word.begin + chunk.begin,
        word.end + chunk.begin,
        word.start_ms + chunk.begin_ms,
        word.end_ms + chunk.begin_ms,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
