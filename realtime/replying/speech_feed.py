"""Text on its way to a voice, and what comes back, chunk by chunk and in order.

The one place where the chunker meets time. It knows neither wire nor conversation: whoever uses it gets, for each
chunk, `ChunkBegan`, its audio and word times as they come, and `ChunkEnded`; and `AudioReceived` each time the voice
gives sound.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, aclosing, asynccontextmanager, nullcontext
from dataclasses import dataclass

from realtime import deadlines
from realtime.contained import contained
from realtime.core.chunker import Chunk, Chunker, ChunkRules
from realtime.core.clauses import measure
from realtime.core.messages import WordTime
from realtime.core.normalize import SpeechNormalizer
from realtime.core.playback_clock import SpeakingRate
from realtime.core.prebuffer import Prebuffer
from realtime.errors import ProviderTimeout, ProviderUnavailable
from realtime.providers.base import (
    Speech,
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    SpeechWords,
    Utterance,
    Voice,
)
from realtime.tasks import TaskGroup

log = logging.getLogger(__name__)

BUDGET_TIMEOUT_S = 120.0  # budgets are for a minute; a longer wait in `say` is a voice that hangs
ENDS_S = 1.0  # for a voice that has said everything to end by itself


@dataclass(frozen=True, slots=True)
class ChunkBegan:
    """The first sound of this chunk is here, or it has none and it is its turn."""

    chunk: Chunk


@dataclass(frozen=True, slots=True)
class ChunkAudio:
    """Sound of chunk `index`: 16-bit PCM at the voice's rate, whole samples."""

    index: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class ChunkWords:
    """Word times of chunk `index` known so far; replaces what was said before about this chunk."""

    index: int
    words: tuple[WordTime, ...]


@dataclass(frozen=True, slots=True)
class ChunkEnded:
    """No more sound or words of chunk `index` will come. `trace_id`: what the service calls its request."""

    index: int
    trace_id: str | None = None


@dataclass(frozen=True, slots=True)
class EndedMute:
    """The voice has said a chunk, and no sound has come yet."""


@dataclass(frozen=True, slots=True)
class AudioReceived:
    """Sound came. Its `ChunkAudio` follows: at once, or, of a voice slower than its speech, when the chunk can play."""


FeedEvent = ChunkBegan | ChunkAudio | ChunkWords | ChunkEnded | EndedMute | AudioReceived
_OfChunk = SpeechAudio | SpeechWords | SpeechChunkDone
Permit = Callable[[Chunk], Awaitable[None]]
Waiting = Callable[[], AbstractContextManager[None]]


@dataclass(slots=True, eq=False)
class _InFlight:
    """A chunk that was handed over. `number`: what the voice calls it, None for a chunk without sound."""

    chunk: Chunk
    number: int | None
    received_ms: float = 0.0
    begun: bool = False


class SpeechFeed:
    """One text for one voice. `rules` and `speaking_rate` are the chunker's. While the voice owes something, a block
    of `waiting` is open; while a chunk waits for the listener or for the account's budget, it is not."""

    def __init__(
        self,
        speech: Speech,
        voice: Voice,
        *,
        rules: ChunkRules | None = None,
        speaking_rate: SpeakingRate | None = None,
        waiting: Waiting = nullcontext,
    ) -> None:
        self._speech = speech
        self._voice = voice
        self._normalizer = SpeechNormalizer()
        self._chunker = Chunker(rules, speaking_rate)
        self._delivery = speech.delivery(voice)
        self._prebuffer = Prebuffer(self._delivery)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()  # something that may move the chunker
        self._in_flight: deque[_InFlight] = deque()
        self._numbers = 0  # of chunks that the voice has to say
        self._waiting = waiting
        self._owed = ExitStack()  # the block of `waiting`, while the voice has a chunk
        self._paused = False  # the voice waits for its budget
        self._heard = False  # some sound came
        self._owes = 0  # chunks that the voice has and has not finished; below 0 if it was faster than `say`
        self._handed_over = False  # the voice has all the text
        self._end: deadlines.Deadline | None = None  # of the wait for what the voice gives next

    def __repr__(self) -> str:
        return f"<SpeechFeed {self._numbers} chunks, {len(self._in_flight)} in flight>"

    # -- text in -------------------------------------------------------------------------------------------------

    def feed(self, text: str) -> None:
        """More of the text as the model wrote it."""
        self._chunker.feed(self._normalizer.feed(text), self._loop.time())
        self._news.set()

    def finish(self, stand_in: str = "") -> None:
        """There is no more text. `stand_in` is said in the place of a text in which nothing can be said."""
        self._chunker.feed(self._normalizer.finish(), self._loop.time())
        self._chunker.finish(stand_in)
        self._news.set()

    def unheard(self, ahead_s: float) -> None:
        """The player says that it has yet to play so much. One that is faster than real time gets more at once."""
        self._chunker.unheard(ahead_s, self._loop.time())
        self._news.set()

    # -- speech out ----------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def speaking(self, permit: Permit | None = None) -> AsyncIterator[AsyncGenerator[FeedEvent, None]]:
        """Have the voice say the text, for as long as the block; each chunk leaves once `permit` lets it pass.

        Gives what comes back, in order. Raises ProviderError, alone or in an ExceptionGroup; also where the voice
        gave no sound at all for a text that can be said.
        """
        async with self._speech.open(self._voice) as utterance, TaskGroup() as group:
            handing = group.create_task(self._hand_over(utterance, permit), name="chunks to the voice")
            with self._owed:
                async with aclosing(self._events(utterance)) as events:
                    yield events
            handing.cancel()  # all is said, or nobody listens any more

    async def _hand_over(self, utterance: Utterance, permit: Permit | None) -> None:
        """Give chunks to the voice when they are due."""
        self._chunker.latency(self._speech.latency(self._voice))
        self._chunker.delivery(self._delivery)
        while not self._chunker.done:
            self._news.clear()
            self._chunker.budget(self._speech.requests_left())
            chunks = self._chunker.poll(self._loop.time())
            for chunk in chunks:
                if permit is not None:
                    await permit(chunk)
                await self._say(utterance, chunk)
            if not chunks and not self._chunker.done:
                await self._wait(self._chunker.deadline())
        self._handed_over = True
        self._look_for_end()
        if (ending := utterance.finish()) is not None:
            await contained(ending)

    async def _say(self, utterance: Utterance, chunk: Chunk) -> None:
        if not chunk.spoken:
            self._in_flight.append(_InFlight(chunk, None))
            return
        self._in_flight.append(_InFlight(chunk, self._numbers))
        self._numbers += 1
        if self._speech.requests_left() >= 1:
            with self._waiting():
                await contained(utterance.say(chunk.spoken))
        else:
            await _within_budget(contained(utterance.say(chunk.spoken)))
        self._owe(1)

    def _owe(self, change: int = 0, *, paused: bool | None = None) -> None:
        """The voice has one chunk more or less to speak; `paused`: it waits for its budget."""
        before = self._owes > 0 and not self._paused
        self._owes += change
        self._paused = self._paused if paused is None else paused
        now = self._owes > 0 and not self._paused
        if now and not before:
            self._owed.enter_context(self._waiting())
        elif before and not now:
            self._owed.close()

    @property
    def _is_said(self) -> bool:
        """Whether the voice has spoken all the text."""
        return self._handed_over and self._owes <= 0

    def _look_for_end(self) -> None:
        """A voice that has nothing more to say is waited for only a short time."""
        if self._end is not None and self._is_said:
            self._end.reschedule(self._loop.time() + ENDS_S)

    async def _next(self, events: AsyncGenerator[SpeechEvent, None]) -> SpeechEvent | None:
        """What the voice gives next; None: all is said. Raises ProviderUnavailable if it ends before that."""
        end = deadlines.timeout(ENDS_S if self._is_said else None)
        try:
            async with end:
                self._end = end
                event = await contained(anext(events, None))
        except TimeoutError:
            if not end.expired():
                raise
            log.warning("the voice did not end after finish(): its stream is closed")
            return None
        finally:
            self._end = None
            del end  # it knows its task, which knows its error, and the trace of that knows us
        if event is None and not self._is_said:
            raise ProviderUnavailable("The voice ended before it had said everything.")
        return event

    async def _wait(self, deadline_s: float | None) -> None:
        """For news, or for the chunker's deadline."""
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._news.wait()
        except TimeoutError:
            return

    async def _events(self, utterance: Utterance) -> AsyncGenerator[FeedEvent, None]:
        """What the voice gives. Where it is slower than its speech, a chunk waits here until it plays through. Words
        before the first sound wait for it: whoever does not pass them on yet would not learn of the sound. Chunks that
        end before it wait too: if no sound comes at all, nobody has heard them."""
        held: list[_OfChunk] = []  # of one chunk
        unheard: deque[FeedEvent] = deque()
        sounds = False  # some of that chunk's sound is there
        async with aclosing(utterance.events()) as events:
            while (event := await self._next(events)) is not None:
                if isinstance(event, SpeechPaused):
                    self._owe(paused=not event.over)
                    continue
                if isinstance(event, SpeechAudio):
                    sounds = True
                    self._received(event)
                    yield AudioReceived()
                elif isinstance(event, SpeechChunkDone):
                    self._prebuffer.complete()
                    self._owe(-1)
                done = isinstance(event, SpeechChunkDone)
                held.append(event)
                if self._prebuffer.passing and (sounds or done):
                    left_s = self._loop.time()
                    for ready in held:
                        for known in self._known(ready):
                            unheard.append(known)
                            while self._heard and unheard:
                                yield unheard.popleft()
                    if unheard:
                        yield EndedMute()
                    held.clear()
                    self._prebuffer.away(self._loop.time() - left_s)
                    sounds = not done
        if self._numbers and not self._heard:
            raise ProviderUnavailable("The voice sent no sound.")
        for known in self._silent():
            yield known

    def _received(self, audio: SpeechAudio) -> None:
        """Sound came."""
        self._heard = self._heard or bool(audio.pcm)

        def expected_ms() -> float:
            chunk = next((sent.chunk for sent in self._in_flight if sent.number == audio.chunk), None)
            return (
                self._chunker.speaking_rate.expected_ms(measure(chunk.spoken)) if chunk is not None else 0.0
            )

        self._prebuffer.sound(self._ms(audio.pcm), expected_ms, self._loop.time())

    def _known(self, event: _OfChunk) -> Iterator[FeedEvent]:
        """What this event of the voice means for its chunk. The chunker learns of sound once it was passed on."""
        yield from self._silent()
        sent = self._due(event.chunk)
        if not sent.begun:
            sent.begun = True
            yield ChunkBegan(sent.chunk)
        match event:
            case SpeechAudio(pcm=pcm):
                yield ChunkAudio(sent.chunk.index, pcm)
                self._passed_on(sent, pcm)
            case SpeechWords(words=words):
                yield ChunkWords(sent.chunk.index, words)
            case SpeechChunkDone(trace_id=trace_id):
                yield ChunkEnded(sent.chunk.index, trace_id)
                self._report(sent, complete=True)
                self._news.set()
                self._in_flight.popleft()
                yield from self._silent()

    def _silent(self) -> Iterator[FeedEvent]:
        """Chunks without sound (only emoji, say) whose turn it is."""
        while self._in_flight and self._in_flight[0].number is None:
            chunk = self._in_flight.popleft().chunk
            yield ChunkBegan(chunk)
            yield ChunkEnded(chunk.index)

    def _due(self, number: int) -> _InFlight:
        """The chunk the voice calls so. Raises ProviderUnavailable if it is not the next one due."""
        if not self._in_flight or self._in_flight[0].number != number:
            due = self._in_flight[0].number if self._in_flight else None
            raise ProviderUnavailable(f"The voice answered for chunk {number} when {due} was due.")
        return self._in_flight[0]

    def _passed_on(self, sent: _InFlight, pcm: bytes) -> None:
        first = not sent.received_ms
        sent.received_ms += self._ms(pcm)
        self._report(sent, complete=False)
        if first:
            self._news.set()  # what comes after the first sound only puts the end of all sound off

    def _report(self, sent: _InFlight, *, complete: bool) -> None:
        self._chunker.audio(sent.chunk.index, sent.received_ms, complete, self._loop.time())

    def _ms(self, pcm: bytes) -> float:
        return len(pcm) / 2 * 1000 / self._voice.rate


async def _within_budget(saying: Awaitable[int]) -> None:
    """Wait until the voice has taken a chunk, which may take as long as a budget needs. Raises ProviderTimeout."""
    try:
        async with deadlines.timeout(BUDGET_TIMEOUT_S):
            await saying
    except TimeoutError as error:
        raise ProviderTimeout(f"The voice took no text for {BUDGET_TIMEOUT_S:.0f} s.") from error
