"""The sample of a new voice that clone and design answer with: a short text as mp3.

It does not count as a use of the voice. Knows no endpoint.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from .encode import encode_all
from .refusal import Refusal
from .speech_request import SpeechSettings, check_text
from .speech_stream import extra_info
from .voice import Style, VoiceUnavailable, speak
from .voice_traits import Traits

__all__ = ["Demo", "speak_demo"]

BITRATE = 128_000  # bits a second
_INFO = ("audio_length", "audio_sample_rate", "audio_size", "bitrate", "word_count", "usage_characters")


@dataclass(frozen=True, slots=True)
class Demo:
    """A spoken text."""

    mp3: bytes
    info: dict[str, Any]  # the `extra_info` of docs/minimax/voices.md 2


async def speak_demo(
    text: str,
    voice_id: str,
    traits: Traits,
    *,
    model: str = "speech-2.8-hd",
    language_boost: str | None = None,
) -> Demo:
    """Let a new voice say a text. Raises Refusal: 1026, 1042, and 1000 where the speech library is missing."""
    check_text(text)
    style = Style(voice_id, language_boost=language_boost, traits=traits)
    settings = SpeechSettings(model, style, "mp3", BITRATE, channels=1, subtitles=None)
    try:
        async with aclosing(speak(text, style)) as segments:
            speeches = [segment async for segment in segments]
        pcm = np.concatenate([speech.pcm for speech in speeches])
        mp3 = await asyncio.to_thread(encode_all, pcm, "mp3", style.rate, bitrate=BITRATE)
    except VoiceUnavailable as error:
        raise Refusal(1000, str(error)) from None
    info = extra_info(text, settings, len(pcm) * 1000 / style.rate, len(mp3))
    return Demo(mp3, {name: info[name] for name in _INFO})
