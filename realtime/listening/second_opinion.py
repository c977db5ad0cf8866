"""A second opinion about a short sound: what it is in a likelier language, and whether it is a murmur.

There is a text already. So whatever goes wrong here, or takes too long, that text stands.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from realtime import deadlines
from realtime.contained import contained
from realtime.core.audio_buffer import Samples
from realtime.core.short_language import likelier, worse
from realtime.listening.certainty import is_sure_of_language
from realtime.providers.base import Transcriber, Transcript

log = logging.getLogger(__name__)

T = TypeVar("T")
LONGEST_S = 2.0  # for a sound of less than a second


async def in_likelier_language(
    transcriber: Transcriber,
    samples: Samples,
    transcript: Transcript,
    *,
    spoken: Sequence[str],
    talked: str,
    final: bool,
) -> Transcript:
    """What was read of a word, or what it is in the language of the conversation if that is likelier. `spoken`: the
    languages of this speaker; `talked`: the newest text of the conversation."""
    found, doubtful = transcript.language, not is_sure_of_language(transcript)
    language = likelier(found, transcript.text, spoken=spoken, talked=talked, doubtful=doubtful)
    if language is None:
        return transcript
    again = await _opinion(partial(transcriber.transcribe, samples, language=language, final=final))
    if again is None or not again.text:
        return transcript
    by = (transcript.log_probability or 0.0) - (again.log_probability or 0.0)
    return again if by <= worse(found, transcript.text) else transcript


async def with_murmur(transcriber: Transcriber, samples: Samples, transcript: Transcript) -> Transcript:
    """What was read, and the backchannel that it may as well be."""
    ask = getattr(transcriber, "murmur", None)  # installed providers may not know it
    if ask is None or not transcript.text:
        return transcript
    return replace(transcript, murmur=await _opinion(partial(ask, samples, transcript)))


async def _opinion(ask: Callable[[], Awaitable[T]]) -> T | None:
    async def asked() -> T:
        return await ask()

    try:
        async with deadlines.timeout(LONGEST_S):
            return await contained(asked())
    except Exception as error:  # of a provider from anywhere
        log.info("no second opinion about a short sound (%s)", type(error).__name__)
        return None
