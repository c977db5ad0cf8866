"""Speech to text for one recording (docs/minimax/asr.md). Takes PCM, sends a wav; there is no live interface."""

from __future__ import annotations

import io
import wave
from dataclasses import dataclass

from realtime.errors import ProviderRejected
from realtime.minimax.http import HttpClient
from realtime.minimax.multipart import Multipart
from realtime.minimax.results import decimal

MODEL = "asr-1.0"
MAX_SECONDS = 500
_LANGUAGES = frozenset("zh yue en ja ko th vi id ms fil fr de es it pt pl ru uk ar tr".split())


@dataclass(frozen=True, slots=True)
class Transcription:
    """The text of a recording. `duration_s` is its length as the platform counts it."""

    text: str
    duration_s: float
    trace_id: str | None = None


async def transcribe(
    http: HttpClient, pcm: bytes, *, rate: int, language: str | None = None, timeout_s: float = 30.0
) -> Transcription:
    """The text of 16-bit little-endian mono PCM at `rate` Hertz. `language` is a hint, ignored where unknown.

    Raises ProviderError; ProviderRejected for more than 500 seconds.
    """
    if len(pcm) > MAX_SECONDS * rate * 2:
        raise ProviderRejected(f"A recording can be {MAX_SECONDS} s long at most.")
    form = Multipart({"model": MODEL, "response_format": "json"}, "file", "speech.wav", "audio/wav")
    hint = _language_hint(language)
    answer = await http.json(
        "POST",
        "/v1/speech_to_text",
        data=form.wrap(wav_bytes(pcm, rate)),
        headers={"Content-Type": form.content_type} | ({"language": hint} if hint else {}),
        timeout_s=timeout_s,
    )
    trace_id = answer.get("trace_id")
    return Transcription(
        text=str(answer.get("text") or "").strip(),
        duration_s=decimal(answer, "duration", len(pcm) / 2 / rate),
        trace_id=trace_id if isinstance(trace_id, str) else None,
    )


def wav_bytes(pcm: bytes, rate: int) -> bytes:
    """The PCM with a wav header before it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(rate)
        wav.writeframes(pcm[: len(pcm) // 2 * 2])
    return file.getvalue()


def _language_hint(language: str | None) -> str | None:
    if language is None:
        return None
    short = language.lower().split("-")[0]
    return short if short in _LANGUAGES else None
