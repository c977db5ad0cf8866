"""One decode: sound goes to the transcriber, and its text comes back, or an error says why not.

In which language it is asked, how long its text may take, which account is next, and what of the text nobody can
have said. When to decode is `transcription.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from realtime import deadlines
from realtime.contained import contained
from realtime.context import Context
from realtime.core.audio_buffer import Samples
from realtime.core.energy_gate import sounding_s
from realtime.core.invented import is_invented, keywords_and_prompt
from realtime.core.short_language import newest_text
from realtime.core.writable import writable
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable, without_trace
from realtime.listening.certainty import is_sure, is_sure_of_language
from realtime.listening.second_opinion import in_likelier_language, with_murmur
from realtime.listening.spoken_language import SpokenLanguage, is_short, tells_no_language
from realtime.providers.base import VAD_RATE, Transcriber, Transcript
from realtime.upstream import TRANSCRIPTION, Upstream

log = logging.getLogger(__name__)

TIMEOUT_S_PER_S = 0.25  # long audio may take longer


def never() -> bool:
    return False


class Decoding:
    """Of one session. `speaks`: which language its user speaks."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.speaks = SpokenLanguage()

    def __repr__(self) -> str:
        return f"<Decoding in {self.language or self.speaks.found or 'any language'}>"

    @property
    def language(self) -> str | None:
        """What the client says is spoken."""
        config = self._context.config.transcription
        return config.language if config else None

    async def transcribe(
        self,
        samples: Samples,
        *,
        final: bool,
        open_speech: bool = True,
        over_answer: Callable[[], bool] = never,
    ) -> Transcript:
        """The text of these samples at 16 kHz. `final`: by the best decode. `open_speech`: it is what the microphone
        hears. `over_answer`: a short sound is then asked whether it is a murmur. Raises ProviderError."""
        while True:
            asked = self._context.providers
            try:
                transcript = await self._ask(asked.transcriber, samples, final=final, open_speech=open_speech)
                if asked.transcriber is None or not is_short(samples) or not over_answer():
                    return transcript
                return await with_murmur(asked.transcriber, samples, transcript)
            except ProviderError as error:
                found = self._context.providers_after(error, asked, self._context.voice_id)
                if found is None or found.transcriber is asked.transcriber:
                    raise
                without_trace(error)

    async def _ask(
        self, transcriber: Transcriber | None, samples: Samples, *, final: bool, open_speech: bool
    ) -> Transcript:
        if transcriber is None:
            raise ProviderUnavailable(
                "This server has no transcriber: send text instead of speech.",
                code="transcription_unavailable",
                retryable=False,
            )
        timeout_s = self._context.settings.transcribe_timeout_s + TIMEOUT_S_PER_S * len(samples) / VAD_RATE
        asks = open_speech and self.language is None and tells_no_language(samples)
        asks = asks and self.speaks.assumed(samples) is None
        try:
            async with deadlines.timeout(timeout_s):
                decode = self._decode if open_speech else self._decode_alone
                transcript = await contained(decode(transcriber, samples, final=final))
            if asks and (is_short(samples) or not is_sure_of_language(transcript)):
                spoken, talked = self.speaks.spoken, newest_text(self._context.conversation.items)
                transcript = await in_likelier_language(
                    transcriber, samples, transcript, spoken=spoken, talked=talked, final=final
                )
            transcript = transcript.with_text(writable(transcript.text))
            return self._believed(transcript, sounding_s(samples), final=final)
        except TimeoutError as error:
            late = ProviderTimeout(
                f"The transcriber did not answer in {timeout_s:.0f} s.", code="transcription_failed"
            )
            # nobody else can count it: for the transcriber it is a request that was cancelled
            address = getattr(transcriber, "address", None)
            Upstream(self._context.metrics).failed(TRANSCRIPTION, late, address)
            raise late from error
        except ProviderError:
            raise
        except Exception as error:  # of a provider from anywhere, or a text that we cannot read
            log.error("the transcriber broke", exc_info=error)
            raise ProviderUnavailable("The transcriber failed.", code="transcription_failed") from error

    async def _decode(self, transcriber: Transcriber, samples: Samples, *, final: bool) -> Transcript:
        """In the language that was told, else in the one that was found; a final text that looks wrong is in none."""
        if self.language:
            return await transcriber.transcribe(samples, language=self.language, final=final)
        speaks = self.speaks
        found, utterance, assumed = speaks.found, speaks.utterance, speaks.assumed(samples)
        transcript = await transcriber.transcribe(samples, language=assumed, final=final)
        if found is None:
            speaks.read(transcript, samples, utterance)
        elif final and not is_sure(transcript):
            return await transcriber.transcribe(samples, language=None, final=True)
        return transcript

    async def _decode_alone(self, transcriber: Transcriber, samples: Samples, *, final: bool) -> Transcript:
        """In the language that was told; what was found in other sound says nothing about this one."""
        return await transcriber.transcribe(samples, language=self.language, final=final)

    def _believed(self, transcript: Transcript, sound_s: float, *, final: bool) -> Transcript:
        """The transcript, without a text that nobody can have said."""
        config = self._context.config.transcription
        primed = keywords_and_prompt(config.prompt, config.keywords) if config else ()
        invented = is_invented(
            transcript.text,
            sound_s,
            primed=primed,
            log_probability=transcript.log_probability,
            so_far=not final,
        )
        return transcript.with_text("") if invented else transcript
