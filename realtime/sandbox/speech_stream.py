"""Synthesizes a text as audio frames with the platform's timing: first-audio delay, size, speed, subtitles, totals.

Knows nothing of sockets and HTTP: the caller sends the frames. Times count from the start of the synthesis. Formats:
docs/minimax/t2a-websocket.md 1.3 and 1.6, timing: docs/minimax/latency.md 3.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from . import voice_text
from .context import OPTIONS, delay_ms
from .encode import create_encoder
from .speech_request import SpeechSettings
from .voice import Speech, Word, speak


@dataclass(frozen=True, slots=True)
class AudioFrame:
    """One frame: encoded audio, and its subtitle."""

    audio: bytes
    subtitle: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class _Block:
    """Samples `begin` to `end` of a segment's speech. `final`: the last of the segment."""

    speech: Speech
    begin: int
    end: int
    offset_ms: float  # where the segment starts in the synthesis
    final: bool


class Synthesis:
    """The synthesis of one text. Iterate `frames` once; `extra_info` has the totals so far."""

    def __init__(
        self,
        app: web.Application,
        settings: SpeechSettings,
        text: str,
        *,
        split_words: bool = False,
        keep: bool = False,
    ) -> None:
        self._app = app
        self._settings = settings
        self._text = text
        self._split_words = split_words
        self._keep = keep
        self.speeches: list[Speech] = []  # the speech so far, if `keep` is true
        self._audio_bytes = 0
        self._audio_ms = 0.0

    async def frames(self) -> AsyncGenerator[AudioFrame, None]:
        """The audio frames, each at the time of the platform. Raises VoiceUnavailable."""
        settings = self._settings
        options = self._app[OPTIONS]
        loop = asyncio.get_running_loop()
        ready_s = loop.time() + delay_ms(self._app, settings.first_wait) / 1000
        encoder = create_encoder(
            settings.format, settings.style.rate, channels=settings.channels, bitrate=settings.bitrate
        )
        subtitle: dict[str, Any] | None = None
        async with aclosing(self._blocks(options["speech.chunk_ms"])) as blocks:
            async for block in blocks:
                await asyncio.sleep(max(0.0, ready_s - loop.time()))
                audio = encoder.encode(block.speech.pcm[block.begin : block.end])
                length_ms = (block.end - block.begin) * 1000 / block.speech.rate
                self._audio_ms += length_ms
                ready_s += length_ms / options["speech.factor"] / 1000
                subtitle = self._subtitle(block) or subtitle
                if audio:
                    self._audio_bytes += len(audio)
                    yield AudioFrame(audio, subtitle)
                    subtitle = None
        rest = encoder.finish()
        if rest or subtitle:
            self._audio_bytes += len(rest)
            yield AudioFrame(rest, subtitle)

    async def _blocks(self, chunk_ms: float) -> AsyncGenerator[_Block, None]:
        offset_ms = 0.0
        async with aclosing(speak(self._text, self._settings.style)) as segments:
            async for speech in segments:
                if self._keep:
                    self.speeches.append(speech)
                size = max(1, round(chunk_ms * speech.rate / 1000))
                for begin in range(0, len(speech.pcm), size):
                    end = min(begin + size, len(speech.pcm))
                    yield _Block(speech, begin, end, offset_ms, end == len(speech.pcm))
                offset_ms += speech.duration_ms

    def _subtitle(self, block: _Block) -> dict[str, Any] | None:
        match self._settings.subtitles:
            case "sentence" | "word" as kind if block.final:
                words = block.speech.words if kind == "word" else None
                return subtitle(self._text, block.speech, block.offset_ms, words, split=self._split_words)
            case "word_streaming":
                sent_ms = block.end * 1000 / block.speech.rate
                words = tuple(w for w in block.speech.words if block.final or w.start_ms < sent_ms)
                return subtitle(
                    self._text,
                    block.speech,
                    block.offset_ms,
                    words,
                    split=self._split_words,
                    whole=block.final,
                )
        return None

    @property
    def extra_info(self) -> dict[str, Any]:
        """The totals so far; complete after the last frame."""
        return extra_info(self._text, self._settings, self._audio_ms, self._audio_bytes)


def extra_info(text: str, settings: SpeechSettings, audio_ms: float, audio_bytes: int) -> dict[str, Any]:
    """The `extra_info` object. A Han character is billed as two (t2a-websocket.md 5)."""
    han = sum("\u4e00" <= c <= "\u9fff" for c in text)
    return {
        "audio_length": round(audio_ms),
        "audio_sample_rate": settings.style.rate,
        "audio_size": audio_bytes,
        "bitrate": settings.bitrate,
        "audio_format": settings.format,
        "audio_channel": settings.channels,
        "invisible_character_ratio": round(voice_text.invisible_ratio(text), 4) or 0,
        "usage_characters": len(text) + han,
        "word_count": len(text),
    }


def subtitle(
    text: str,
    speech: Speech,
    offset_ms: float,
    words: Sequence[Word] | None,
    *,
    split: bool = False,
    whole: bool = True,
) -> dict[str, Any]:
    """The subtitle of a segment. If `whole` is false it ends with the last of `words`, as in `word_streaming`."""
    end = speech.end if whole or not words else words[-1].end
    spoken = speech.words if whole else words or ()
    return {
        "text": text[speech.begin : end] if whole or words else "",
        "text_begin": speech.begin,
        "text_end": end if whole or words else speech.begin,
        "time_begin": round(offset_ms + (spoken[0].start_ms if spoken else 0.0), 3),
        "time_end": round(offset_ms + (spoken[-1].end_ms if spoken else 0.0), 3),
        "timestamped_words": None if words is None else list(_entries(text, words, offset_ms, split=split)),
    }


def file_entry(
    text: str, speech: Speech, offset_ms: float, words: Sequence[Word] | None = None, *, split: bool = False
) -> dict[str, Any]:
    """The entry of a segment in a subtitle file, the older form of subtitles (t2a-http.md 2)."""
    entry = subtitle(text, speech, offset_ms, words, split=split)
    for word in entry["timestamped_words"] or ():
        word |= {
            "pronounce_word": word["word"],
            "pronounce_word_begin": word["word_begin"],
            "pronounce_word_end": word["word_end"],
        }
    return entry | {
        "pronounce_text": entry["text"],
        "pronounce_text_begin": entry["text_begin"],
        "pronounce_text_end": entry["text_end"],
        "is_final_segment": False,
    }


def _entries(text: str, words: Sequence[Word], offset_ms: float, *, split: bool) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for word in words:
        written = text[word.begin : word.end]
        middle = len(written) // 2
        parts = [written[:middle], written[middle:]] if split and middle else [written]
        step_ms = (word.end_ms - word.start_ms) / len(parts)
        for index, part in enumerate(parts):
            start_ms = offset_ms + word.start_ms + index * step_ms
            times = {"time_begin": round(start_ms, 3), "time_end": round(start_ms + step_ms, 3)}
            entries.append({"word": part, "word_begin": word.begin, "word_end": word.end, **times})
    return entries
