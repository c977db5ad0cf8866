"""The speech of one reply on the platform: chunks in order, also when connections are lost.

Sends each chunk as one request within the account's budget, assigns audio to chunks, and after a loss resumes at the
first word that was not received. Connections come from the pool. It knows no hosts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace

from realtime.core.characters import pronounceable
from realtime.core.messages import WordTime
from realtime.errors import ProviderError, without_trace
from realtime.minimax.codes import TOO_MANY_CONNECTIONS
from realtime.minimax.retries import live_pause_s
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_protocol import ChunkEnd, ReceivedAudio, SpeechResult, WordTimes
from realtime.minimax.speech_session import check_text
from realtime.providers.base import SpeechAudio, SpeechChunkDone, SpeechEvent, SpeechPaused, SpeechWords
from realtime.providers.minimax.breaker import Address, NoSound
from realtime.providers.minimax.speech_pool import SpeechPool
from realtime.providers.minimax.speech_text import resume_offset, visible
from realtime.providers.quota import Permit, Quota
from realtime.upstream import SPEECH

MAX_TRIES = 3  # without a word of progress, and so many requests: a connection, a spare, and HTTP
MAX_SILENT = 2  # times that a text may have no sound


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
    losses: int = 0  # in a row without progress
    paid: int = 0  # requests in a row without progress
    silent: int = 0  # times that it ended without sound
    sounds: bool = False  # the current attempt does
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
        self._failed: list[Address] = []  # where the chunk that is being received was lost, without progress
        self._silent: list[Address] = []  # and where it ended without sound
        self._over_http = False  # the next connection
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
            failure: ProviderError | None = None
            try:
                results = await self._receive()
            except ProviderError as error:
                failure = without_trace(error)
            else:
                for result in results:
                    if failure := self._no_sound(result):
                        break
                    for event in self._translate(result):
                        yield event
            if failure is None:
                self._drop_doubtful()
            elif self._is_closed():
                return
            elif pause_s := await self._recover(failure):
                yield SpeechPaused()
                await asyncio.sleep(pause_s)
                yield SpeechPaused(over=True)
            while (unpaid := self._unpaid()) is not None:
                waits = self._quota.left() < 1
                if waits:
                    yield SpeechPaused()
                unpaid.permit = await self._wait_for_place()
                if waits:
                    yield SpeechPaused(over=True)

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

    def _unpaid(self) -> _Chunk | None:
        """The next chunk to send, if it is sent again: that is one more request. Only the one that is due waits for
        its place: the sound of the one before it must not."""
        chunk = self._next_chunk()
        if chunk is None or not _is_paid(chunk) or self._closed:
            return None
        is_due = chunk is self._chunks[self._head]
        return chunk if is_due or self._quota.left() >= 1 else None

    def _next_chunk(self) -> _Chunk | None:
        """The next one to send now."""
        while self._next < len(self._chunks) and self._chunks[self._next].done:
            self._next += 1
        if self._next == len(self._chunks):
            return None
        chunk, head = self._chunks[self._next], self._chunks[self._head]
        # After a loss the account must not pay for every text each time that the first of them is tried again.
        if chunk is not head and (chunk.paid or (head.losses and not head.sounds)):
            return None
        return chunk

    async def _receive(self) -> list[SpeechResult]:
        if self._send_error is not None:
            error, self._send_error = self._send_error, None
            raise error
        if self._session is None:
            session = await self._pool.take(self._config, self._failed, over_http=self._over_http)
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
            while (session := self._session) is not None and (chunk := self._next_chunk()) is not None:
                if _is_paid(chunk):
                    return
                self._next += 1
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
                chunk.sounds = True
                return [SpeechAudio(chunk.number, data)]
            case WordTimes(words=words):
                if chunk.begin_ms:
                    words = chunk.kept + tuple(_shifted(word, chunk) for word in words)
                chunk.words = words
                return [SpeechWords(chunk.number, chunk.words)]
            case ChunkEnd(trace_id=trace_id):
                chunk.done, chunk.trace_id = True, trace_id
                self._pool.upstream.answered(SPEECH, chunk.asked_s)
                if self._session is not None:
                    self._pool.sounds(self._session, self._silent)
                self._silent.clear()
                self._sent.popleft()
                self._failed.clear()
                self._over_http = False
                return self._end_chunks()

    def _end_chunks(self) -> list[SpeechEvent]:
        """The end of this chunk, and of chunks without speech right after it, before any audio of a later one."""
        events: list[SpeechEvent] = []
        while self._head < len(self._chunks) and self._chunks[self._head].done:
            events.append(SpeechChunkDone(self._head, self._chunks[self._head].trace_id))
            self._head += 1
        return events

    def _no_sound(self, result: SpeechResult) -> NoSound | None:
        """The error of a text that has ended without sound. One with nothing to say was not sent."""
        if not isinstance(result, ChunkEnd) or not result.skipped or not self._sent:
            return None
        self._sent[0].silent += 1
        return NoSound(result.trace_id)

    async def _recover(self, error: ProviderError) -> float:
        """The connection is lost: raise the error, or prepare to resume on another connection after so many seconds."""
        session, self._session = self._session, None
        chunk = self._chunks[self._head]
        expected_ms = session.expected_ms if session is not None else None
        began = chunk.begin
        self._rewind(chunk, expected_ms)
        if chunk.begin > began:  # after every attempt with progress there may be another one
            chunk.losses = chunk.paid = 0
            self._failed.clear()
        if session is not None:
            address = self._pool.report(session, error)
            self._failed.append(address)
            if isinstance(error, NoSound):
                self._silent.append(address)
            self._pool.abandon(session, failed=True)
        refused = error.code == "rate_limit_exceeded" and error.upstream_code != TOO_MANY_CONNECTIONS
        ours = refused and error.upstream_code is None  # our own count's
        if not error.retryable or ours:
            raise await self._explain(error, self._config.voice_id) if self._explain else error
        chunk.losses += 1
        if refused:
            self._quota.refused()
        if max(chunk.losses, chunk.paid) >= MAX_TRIES or chunk.silent >= MAX_SILENT:
            raise error
        return self._go_on(chunk, error)

    def _rewind(self, chunk: _Chunk, expected_ms: Callable[[str], float] | None) -> None:
        """Prepare to send everything from this chunk on again, without the received part of this chunk."""
        again = tuple(self._sent)
        self._sent.clear()
        self._send_error = None
        self._next = chunk.number
        self._skip_received(chunk, expected_ms)
        for one in again:
            one.paid += _is_paid(one)
        chunk.sounds = False

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

    def _go_on(self, chunk: _Chunk, error: ProviderError) -> float:
        """Choose the way of the next try. Returns how long to wait for it, within the time that a reply may wait for
        the budget; raises the error beyond that."""
        no_socket = error.upstream_code == TOO_MANY_CONNECTIONS
        elsewhere = bool(self._failed) and self._pool.has_another(self._failed)
        self._over_http = no_socket or self._needs_other_way(chunk, error)
        if no_socket and elsewhere:
            return 0.0  # HTTP needs none
        pause_s = live_pause_s(error, chunk.losses, elsewhere=elsewhere)
        if chunk.waited_s + pause_s > self._budget_wait_s:
            raise error
        if pause_s:
            chunk.waited_s += pause_s
            self._pool.upstream.waited(SPEECH, "refused", pause_s)
        return pause_s

    def _needs_other_way(self, chunk: _Chunk, error: ProviderError) -> bool:
        """Whether the next try is the last one, and a way that differs more from those that failed may do better."""
        if isinstance(error, NoSound):
            return self._pool.has_another_host(self._failed)
        minute = error.code == "rate_limit_exceeded"  # the same on every way
        return not minute and max(chunk.losses, chunk.paid) == MAX_TRIES - 1


def _is_paid(chunk: _Chunk) -> bool:
    """Whether its permit is used up: sent again, it needs another one."""
    return chunk.permit is None or chunk.permit.over


def _shifted(word: WordTime, chunk: _Chunk) -> WordTime:
    return WordTime(
        word.begin + chunk.begin,
        word.end + chunk.begin,
        word.start_ms + chunk.begin_ms,
        word.end_ms + chunk.begin_ms,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
