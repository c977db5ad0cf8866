"""Text on its way to a voice: cut by the listener's clock, handed over in order, tied to the sound that comes back.

The one place where the chunker meets time. It knows neither wire nor conversation; who uses it decides what becomes
of the sound.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing

from realtime.core.chunker import Chunk, Chunker, ChunkRules
from realtime.core.clauses import measure
from realtime.core.normalize import SpeechNormalizer
from realtime.core.playback_clock import SpeakingRate
from realtime.core.prebuffer import Prebuffer
from realtime.errors import ProviderUnavailable
from realtime.providers.base import Speech, SpeechAudio, SpeechChunkDone, SpeechEvent, Utterance, Voice

Permit = Callable[[Chunk], Awaitable[None]]


class SpeechFeed:
    """One text for one voice. `rules` and `pace` are the chunker's."""

    def __init__(
        self,
        speech: Speech,
        voice: Voice,
        *,
        rules: ChunkRules | None = None,
        pace: SpeakingRate | None = None,
    ) -> None:
        self._speech = speech
        self._voice = voice
        self._filter = SpeechNormalizer()
        self._chunker = Chunker(rules, pace)
        self._delivery = speech.delivery(voice)
        self._play_through = Prebuffer(self._delivery)
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._in_flight: deque[tuple[Chunk, int | None]] = deque()  # handed over, with their number's number
        self._received_ms: dict[int, float] = {}  # audio so far, by number
        self._chunks = 0

    def __repr__(self) -> str:
        return f"<SpeechFeed {self._chunks} chunks, {len(self._in_flight)} in flight>"

    # -- text in -------------------------------------------------------------------------------------------------

    def feed(self, text: str) -> str:
        """More of the text as the model wrote it; returns what of it can be spoken by now."""
        speakable = self._filter.feed(text)
        self._chunker.feed(speakable, self._loop.time())
        self._news.set()
        return speakable

    def finish(self) -> None:
        """There is no more text."""
        now_s = self._loop.time()
        self._chunker.feed(self._filter.finish(), now_s)
        self._chunker.finish(now_s)
        self._news.set()

    # -- chunks out ----------------------------------------------------------------------------------------------

    async def run(self, utterance: Utterance, permit: Permit) -> None:
        """Hand chunks to the voice when they are due, each after `permit` has let it pass. Raises ProviderError."""
        self._chunker.latency(self._speech.latency(self._voice))
        self._chunker.delivery(self._delivery)
        while not self._chunker.done:
            self._news.clear()
            self._chunker.budget(self._speech.requests_left())
            chunks = self._chunker.poll(self._loop.time())
            for chunk in chunks:
                await permit(chunk)
                await self._hand_over(utterance, chunk)
            if not chunks and not self._chunker.done:
                await self._wait(self._chunker.deadline())
        utterance.finish()

    async def _hand_over(self, utterance: Utterance, chunk: Chunk) -> None:
        if not chunk.spoken:
            self._in_flight.append((chunk, None))
            return
        self._in_flight.append((chunk, self._chunks))
        self._chunks += 1
        await utterance.say(chunk.spoken)

    async def _wait(self, deadline_s: float | None) -> None:
        """For news, or for the chunker's deadline."""
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._news.wait()
        except TimeoutError:
            return

    # -- sound back ----------------------------------------------------------------------------------------------

    async def sound(
        self, utterance: Utterance, came: Callable[[], None] | None = None
    ) -> AsyncGenerator[SpeechEvent, None]:
        """What the voice gives, in order, as it comes; `came` is told of all sound. Raises ProviderError.

        Where the voice is slower than its speech, a number waits here until it plays through. Whoever leaves meanwhile
        has not heard of it.
        """
        held: list[SpeechEvent] = []  # of one number
        async with aclosing(utterance.events()) as events:
            async for event in events:
                if isinstance(event, SpeechAudio):
                    self._came(event)
                    if came is not None:
                        came()
                elif isinstance(event, SpeechChunkDone):
                    self._play_through.complete()
                held.append(event)
                if self._play_through.passing:
                    left_s = self._loop.time()
                    for ready in held:
                        yield ready
                    held.clear()
                    self._play_through.away(self._loop.time() - left_s)

    def _came(self, audio: SpeechAudio) -> None:
        """Sound of the next number came."""

        def expected_ms() -> float:
            chunk = next((chunk for chunk, number in self._in_flight if number == audio.chunk), None)
            rate = self._chunker.speaking_rate
            return rate.expected_ms(measure(chunk.spoken)) if chunk is not None else 0.0

        self._play_through.sound(self._ms(audio.pcm), expected_ms, self._loop.time())

    def silent_chunks(self) -> Iterator[Chunk]:
        """Chunks without sound (only emoji, say) whose turn it is; each is given once."""
        while self._in_flight and self._in_flight[0][1] is None:
            yield self._in_flight.popleft()[0]

    def chunk_of(self, number: int) -> Chunk:
        """The chunk this number says. Raises ProviderUnavailable if it is not the next one due."""
        due = self._in_flight[0] if self._in_flight else None
        if due is None or due[1] != number:
            raise ProviderUnavailable(
                f"The voice answered for number {number} when {due and due[1]} was due."
            )
        return due[0]

    def heard(self, number: int, pcm: bytes) -> None:
        """More 16-bit PCM of this number is on its way to the listener."""
        before_ms = self._received_ms.get(number, 0.0)
        self._received_ms[number] = before_ms + self._ms(pcm)
        self._report(number, complete=False)
        if not before_ms:
            self._news.set()  # what comes after the first sound only puts the end of all sound off

    def complete(self, number: int) -> None:
        """This number has been said; the next one is due."""
        self._report(number, complete=True)
        self._news.set()
        self._received_ms.pop(number, None)
        self._in_flight.popleft()

    def _report(self, number: int, *, complete: bool) -> None:
        index = self.chunk_of(number).index
        self._chunker.audio(index, self._received_ms.get(number, 0.0), complete, self._loop.time())

    def _ms(self, pcm: bytes) -> float:
        return len(pcm) / 2 * 1000 / self._voice.rate
