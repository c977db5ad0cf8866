"""The text of the utterance that is being spoken: interim guesses, an early guess at a pause, the final word.

Runs decodes as tasks, at most one of each kind, and reuses the early guess when no more speech followed: the final
transcript is then ready before the end of the turn is decided. It knows no wire and no turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from realtime.core.audio_buffer import Samples
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable
from realtime.providers.base import VAD_RATE, Transcriber, Transcript

SECONDS_PER_SECOND = 0.25  # extra patience for long audio
LANGUAGE_AFTER = 2  # utterances in a row in one language: the next interim decodes need not find it out
DOUBTFUL = (
    -1.15
)  # log-probability: the English model wrote Chinese with -1.3 to -2.0, English mostly above -1.1
INTERIM_SHARE = 0.4  # of a core, while somebody speaks
INTERIM_EVERY_MS = (300.0, 600.0)  # of speech, at most and at least

Spawn = Callable[..., "asyncio.Task[None]"]
OnText = Callable[[str], None]


class Transcription:
    """Decodes one utterance at a time. `spawn(coroutine, name)` starts a task of the session."""

    def __init__(self, transcriber: Transcriber | None, timeout_s: float) -> None:
        self._transcriber = transcriber
        self._timeout_s = timeout_s
        self._interim: asyncio.Task[None] | None = None
        self._guess: asyncio.Task[Transcript] | None = None
        self._guess_end_ms = -1.0
        self._interim_took_ms = 0.0
        self._languages: deque[str | None] = deque(maxlen=LANGUAGE_AFTER)  # of the last utterances
        self.language: str | None = None  # as the client told it

    @property
    def available(self) -> bool:
        return self._transcriber is not None

    @property
    def interim_is_cheap(self) -> bool:
        return self._transcriber is not None and self._transcriber.interim

    @property
    def interim_every_ms(self) -> float:
        """How much speech there should be between two interim decodes: less where they are quick."""
        soonest, latest = INTERIM_EVERY_MS
        return min(latest, max(soonest, self._interim_took_ms / INTERIM_SHARE))

    @property
    def takes_interim(self) -> bool:
        """Whether an interim decode can begin now: one at a time, and only where they cost little."""
        return self.interim_is_cheap and (self._interim is None or self._interim.done())

    def interim(self, samples: Samples, on_text: OnText) -> None:
        """Decode what there is so far, if that `takes_interim`."""
        if not self.takes_interim:
            return
        self._interim = asyncio.create_task(self._tell(samples, on_text), name="interim transcript")

    async def _tell(self, samples: Samples, on_text: OnText) -> None:
        loop = asyncio.get_running_loop()
        begun_s, assumed = loop.time(), self.language is None and self._usual_language() is not None
        try:
            transcript = await self._transcribe(samples, final=False)
        except ProviderError:
            return  # only a guess: the final decode will say what is wrong
        self._interim_took_ms = (loop.time() - begun_s) * 1000
        if assumed and (transcript.log_probability or 0.0) < DOUBTFUL:
            self._languages.clear()  # perhaps it is another language this time
        else:
            on_text(transcript.text)

    def guess(self, samples: Samples, end_ms: float, on_text: OnText) -> None:
        """The speech up to `end_ms` may be all: decode it as if it were. Asking again only adds a listener."""
        if not self.interim_is_cheap:
            return
        if self._guess is None or end_ms != self._guess_end_ms:
            self._drop(self._guess)
            self._guess_end_ms = end_ms
            self._guess = asyncio.create_task(self._transcribe(samples, final=True), name="early transcript")

        def tell(task: asyncio.Task[Transcript]) -> None:
            if not task.cancelled() and task.exception() is None:
                on_text(task.result().text)

        self._guess.add_done_callback(tell)

    def resumed(self) -> None:
        """More speech followed: the early guess is worthless."""
        self._drop(self._guess)
        self._guess, self._guess_end_ms = None, -1.0

    async def final(self, samples: Samples, end_ms: float | None) -> Transcript:
        """The text of the whole utterance. Raises ProviderError."""
        guess, reusable = self._guess, end_ms is not None and end_ms == self._guess_end_ms
        self._drop(self._interim)
        if guess is not None and reusable:
            self._guess, self._guess_end_ms = None, -1.0
            try:
                return self._remember(await guess)
            except ProviderError:
                pass  # asked early and in vain: ask again
        return self._remember(await self._transcribe(samples, final=True))

    def _remember(self, transcript: Transcript) -> Transcript:
        if transcript.text:
            self._languages.append(transcript.language)
        return transcript

    def _usual_language(self) -> str | None:
        """What this speaker speaks, as far as it has been the same; a final decode finds out anew."""
        settled = len(self._languages) == LANGUAGE_AFTER and len(set(self._languages)) == 1
        return self._languages[-1] if settled else None

    async def _transcribe(self, samples: Samples, *, final: bool) -> Transcript:
        if self._transcriber is None:
            raise ProviderUnavailable(
                "This server has no transcriber: send text, or install one with "
                "pip install 'minimax-realtime[local]'.",
                code="transcription_unavailable",
                retryable=False,
            )
        patience_s = self._timeout_s + SECONDS_PER_SECOND * len(samples) / VAD_RATE
        try:
            async with asyncio.timeout(patience_s):
                language = self.language or (None if final else self._usual_language())
                return await self._transcriber.transcribe(samples, language=language, final=final)
        except TimeoutError as error:
            raise ProviderTimeout(
                f"The transcriber did not answer in {patience_s:.0f} s.", code="transcription_failed"
            ) from error

    @staticmethod
    def _drop(task: asyncio.Task[object] | asyncio.Task[None] | asyncio.Task[Transcript] | None) -> None:
        if task is not None and not task.done():
            task.cancel()

    async def aclose(self) -> None:
        """Stop every decode."""
        tasks = [task for task in (self._interim, self._guess) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
