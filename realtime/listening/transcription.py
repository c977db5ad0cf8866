"""The text of one utterance: interim decodes while it is spoken, an early decode at a pause, the final decode.

Runs decodes as tasks, at most one of each kind, and reuses the early decode if no more speech followed: the final
transcript is then ready before the end of the turn is decided. What one decode is: `decoding.py`. It knows no wire and
no turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from realtime.context import Context
from realtime.core.audio_buffer import Samples
from realtime.errors import ProviderError
from realtime.listening.certainty import is_sure
from realtime.listening.decoding import Decoding, never
from realtime.providers.base import MAY_WAIT, Transcriber, Transcript
from realtime.tasks import cancel, forget_cancellation

# Of the time, where others need the transcriber: decodes one after the other take a core for one speaker.
INTERIM_SHARE = 0.5
QUICKER = 1.5  # a guess is worth a thread where the careful decode takes so many times as long
# Of speech, at least and at most. Whisper knows the last words 290 ms before the voice ends (bench/README.md).
INTERIM_EVERY_MS = (128.0, 600.0)
INTERIM_OFTEN_MS = 64.0  # at least, where nobody else needs the transcriber

OnText = Callable[[Transcript], None]


def always() -> bool:
    return True


def nobody() -> None:
    """Nobody waits for this text."""


class Transcription:
    """Decodes one utterance at a time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._interim: asyncio.Task[None] | None = None
        self._guess: asyncio.Task[None] | None = None  # waits to be the next interim
        self._early: asyncio.Task[Transcript] | None = None
        self._early_end_ms = -1.0
        self._left: asyncio.Task[Transcript] | None = None  # an early decode after which speech went on
        self._settling: asyncio.Task[Transcript] | None = None  # of the beginning of long speech
        self._interim_took_ms = self._early_took_ms = 0.0  # the last ones
        self._interim_from_s = 0.0  # when the next one may begin, where others need the transcriber ...
        self._missed_until_s = 0.0  # ... and after one that failed, as where it found no free worker
        self._decoding = Decoding(context)
        self._recording = asyncio.Lock()  # held while one is read

    def __repr__(self) -> str:
        running = [task.get_name() for task in (self._interim, self._early) if task and not task.done()]
        return f"<Transcription {', '.join(running) or 'idle'}>"

    @property
    def _transcriber(self) -> Transcriber | None:
        """Of several accounts it is that of the one where the session is."""
        return self._context.providers.transcriber

    def began(self) -> None:
        """Somebody speaks."""
        self._decoding.speaks.began()

    @property
    def reads(self) -> bool:
        """Whether there is a transcriber."""
        return self._transcriber is not None

    @property
    def interim_is_cheap(self) -> bool:
        return self._transcriber is not None and self._transcriber.interim

    @property
    def _spare(self) -> bool:
        """Whether decodes need no rest; never where the server is late already."""
        if self._transcriber is None or self._context.careful():
            return False
        return self._transcriber.spare(self._decoding.language or self._decoding.speaks.found)

    @property
    def reads_at_a_price(self) -> bool:
        """Whether there is text at the end of speech only, unless somebody needs it sooner."""
        return self._transcriber is not None and not self._transcriber.interim

    @property
    def reading(self) -> bool:
        """Whether a text is on its way."""
        return _any_runs(self._interim, self._guess, self._early, self._left)

    def interim_every_ms(self, *, often: bool) -> float:
        """How much speech there should be between two interim decodes: less where they are quick. `often`: down to
        64 ms instead of 128, where nobody else needs the transcriber."""
        soonest, latest = INTERIM_EVERY_MS
        if not self._spare:
            return min(latest, max(soonest, self._interim_took_ms / INTERIM_SHARE))
        return min(latest, max(INTERIM_OFTEN_MS if often else soonest, self._interim_took_ms))

    @property
    def guesses_sooner(self) -> bool:
        """Whether an interim decode takes much less time than a careful one: of Chinese, a beam or five of them."""
        return 0.0 < self._interim_took_ms * QUICKER < self._early_took_ms

    @property
    def takes_interim(self) -> bool:
        """Whether an interim decode can begin now: one at a time, and only where they cost little. Where others need
        the transcriber, as long after the last as that took; after one that failed, as rarely as may be. Beside a
        `settle` only where one more decode finds room: that of a pause, which an answer waits for."""
        if not self.interim_is_cheap or _any_runs(self._interim, self._guess):
            return False
        now_s = asyncio.get_running_loop().time()
        rested = now_s >= self._interim_from_s and not _any_runs(self._settling)
        return now_s >= self._missed_until_s and (self._spare or rested)

    def interim(self, samples: Samples, on_text: OnText) -> None:
        """Decode what there is so far, if that `takes_interim`."""
        if not self.takes_interim:
            return
        tell = self._tell(samples, self._context.tasks.guarded(on_text))
        self._interim = asyncio.create_task(tell, name="interim transcript")
        self._interim.add_done_callback(forget_cancellation)

    def guess(self, samples: Samples, on_text: OnText) -> None:
        """An interim decode of what may be all, beside the careful one: at once, or after one that is running, and
        instead of a guess that waits for that too."""
        _cancel(self._guess)
        tell = self._tell_next(samples, self._context.tasks.guarded(on_text))
        self._guess = asyncio.create_task(tell, name="guess of the transcript")
        self._guess.add_done_callback(forget_cancellation)

    async def _tell_next(self, samples: Samples, on_text: OnText) -> None:
        if self._interim is not None:
            await asyncio.wait([self._interim])
        self._interim, self._guess = self._guess, None
        await self._tell(samples, on_text)

    async def _tell(self, samples: Samples, on_text: OnText) -> None:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        assumed = self._decoding.language is None and self._decoding.speaks.assumed(samples) is not None
        try:
            transcript = await self._decoding.transcribe(samples, final=False)
        except ProviderError:
            self._missed_until_s = begun_s + INTERIM_EVERY_MS[1] / 1000
            self._context.metrics.interim_missed.inc()
            return  # the final decode will say what is wrong
        finally:
            took_s = loop.time() - begun_s
            self._interim_from_s = begun_s + took_s / INTERIM_SHARE
        self._interim_took_ms = took_s * 1000
        if assumed and not is_sure(transcript):
            self._decoding.speaks.doubted()
        else:
            on_text(transcript)

    def early(
        self,
        samples: Samples,
        end_ms: float,
        on_text: OnText,
        on_failure: Callable[[], None] = nobody,
        *,
        over_answer: Callable[[], bool] = never,
    ) -> None:
        """The speech up to `end_ms` may be all: decode it as if it were. Asking again only adds a listener.

        `over_answer`: whether what it says may stop one, still when it has been read. Then a short sound is asked
        whether it is a murmur. In interim text that would delay every interruption by 100 ms (bench/README.md).
        """
        if not self.interim_is_cheap:
            return
        on_text, on_failure = self._context.tasks.guarded(on_text), self._context.tasks.guarded(on_failure)

        def tell(task: asyncio.Task[Transcript]) -> None:
            if not task.cancelled():
                on_failure() if task.exception() else on_text(task.result())

        self._decode_early(samples, end_ms, over_answer=over_answer).add_done_callback(tell)

    def read(self, samples: Samples, end_ms: float, on_text: OnText, *, again: bool = True) -> None:
        """The same, whatever a decode costs: what these words are decides about a reply. Without words, or if the
        decode fails twice, the text is ""; if the decode is discarded, nobody is told."""
        on_text = self._context.tasks.guarded(on_text)

        def tell(task: asyncio.Task[Transcript]) -> None:
            if task.cancelled():
                return
            if task.exception() is None:
                on_text(task.result())
            elif again and self._early_end_ms == end_ms:
                if self._early is task:
                    self._early = None
                self.read(samples, end_ms, on_text, again=False)
            else:
                on_text(Transcript(""))

        self._decode_early(samples, end_ms, over_answer=always).add_done_callback(tell)

    def _decode_early(
        self, samples: Samples, end_ms: float, *, over_answer: Callable[[], bool]
    ) -> asyncio.Task[Transcript]:
        if self._early is None or end_ms != self._early_end_ms:
            _cancel(self._early)
            self._early_end_ms = end_ms
            decode = self._careful(samples, over_answer=over_answer)
            self._early = asyncio.create_task(decode, name="early transcript")
            self._early.add_done_callback(forget_cancellation)
        return self._early

    async def _careful(self, samples: Samples, *, over_answer: Callable[[], bool]) -> Transcript:
        begun_s = asyncio.get_running_loop().time()
        transcript = await self._decoding.transcribe(samples, final=True, over_answer=over_answer)
        self._early_took_ms = (asyncio.get_running_loop().time() - begun_s) * 1000
        return transcript

    def leave_early(self) -> None:
        """More speech followed: the early decode is not all, but what it says is still of use to its listeners."""
        _cancel(self._left)
        self._left = self._early
        self._early, self._early_end_ms = None, -1.0

    def discard_early(self) -> None:
        """More speech followed, or the speech was taken away: the early decode is worthless."""
        _cancel(self._early)
        _cancel(self._left)
        self._early, self._early_end_ms = None, -1.0

    @property
    def may_settle(self) -> bool:
        """Whether nothing is being read that somebody waits for."""
        return self.reads and not _any_runs(*self._awaited)

    @property
    def _awaited(self) -> tuple[asyncio.Task[None] | asyncio.Task[Transcript] | None, ...]:
        return self._settling, self._guess, self._early, self._left

    def settle(self, samples: Samples, on_text: OnText, on_failure: Callable[[BaseException], None]) -> None:
        """Read the beginning of long speech for good, if that `may_settle`. If it is stopped, nobody is told."""
        on_text, on_failure = self._context.tasks.guarded(on_text), self._context.tasks.guarded(on_failure)

        def tell(task: asyncio.Task[Transcript]) -> None:
            if not task.cancelled():
                error = task.exception()
                on_failure(error) if error else on_text(task.result())

        self._settling = asyncio.create_task(
            self._decoding.transcribe(samples, final=True), name="settled transcript"
        )
        self._settling.add_done_callback(tell)

    async def until_free(self) -> None:
        """Wait for the end of a `settle`, and of what one has to wait for."""
        if running := [task for task in self._awaited if task is not None and not task.done()]:
            await asyncio.wait(running)

    def stop_settling(self) -> None:
        """The speech is over: what was being read is read with the rest."""
        _cancel(self._settling)

    async def of_item(self, samples: Samples) -> Transcript:
        """The text of sound that is no speech of this microphone: an item of the client. Raises ProviderError.

        One after the other: the transcriber is there for all sessions. The others wait here, where no clock runs."""
        async with self._recording:
            before = MAY_WAIT.set(True)
            try:
                return await self._decoding.transcribe(samples, final=True, open_speech=False)
            finally:
                MAY_WAIT.reset(before)

    async def final(self, samples: Samples, end_ms: float | None) -> Transcript:
        """The text of the whole utterance, which ends at `end_ms` where that is known. Raises ProviderError."""
        early, reusable = self._early, end_ms is not None and end_ms == self._early_end_ms
        for task in (self._interim, self._guess, self._settling):
            _cancel(task)
        if early is not None and reusable:
            self._early, self._early_end_ms = None, -1.0
            try:
                return self._remember(await early, samples)
            except ProviderError:
                pass  # decode again: an early failure is not final
        return self._remember(await self._decoding.transcribe(samples, final=True), samples)

    def _remember(self, transcript: Transcript, samples: Samples) -> Transcript:
        self._decoding.speaks.ended(transcript, samples)
        return transcript

    async def aclose(self) -> None:
        """Stop every decode."""
        every = (self._interim, self._guess, self._early, self._left, self._settling)
        tasks = [task for task in every if task is not None]
        await cancel(tasks)
        self._interim = self._guess = self._early = self._left = self._settling = None  # they may know us


def _any_runs(*tasks: asyncio.Task[None] | asyncio.Task[Transcript] | None) -> bool:
    return any(task is not None and not task.done() for task in tasks)


def _cancel(task: asyncio.Task[None] | asyncio.Task[Transcript] | None) -> None:
    if task is not None and not task.done():
        task.cancel()
