"""Transcription by any service with OpenAI's `/audio/transcriptions`: speaches, vLLM, a gateway, OpenAI itself.

It sends one utterance as WAV and reads one text, and how sure the service is of it, if it says so. It does not stream.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import aiohttp
import msgspec

from realtime import deadlines
from realtime.core.audio import write_wav
from realtime.errors import (
    ConfigError,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from realtime.minimax.errors import cut
from realtime.minimax.http import HttpClient
from realtime.minimax.json_text import decode_json
from realtime.providers.base import VAD_RATE, Samples, Transcriber, Transcript
from realtime.settings import Settings

DEFAULT_MODEL = "whisper-1"
MAX_ANSWER_BYTES = 1 << 20
NO_SPEECH, UNSURE = 0.6, -1.0  # Whisper's limits: above the one and below the other, there was no speech


def create(settings: Settings) -> OpenAITranscriber:
    """The transcriber for `openai:URL`; the model is named as `URL?model=NAME`. Raises ConfigError without a URL."""
    _, _, address = settings.transcriber.partition(":")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ConfigError(
            f"TRANSCRIBER={settings.transcriber!r} has no address: write openai:https://host/v1 "
            "(and ?model=NAME for another model than whisper-1)."
        )
    model = parse_qs(parts.query).get("model", [DEFAULT_MODEL])[0]
    url = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return OpenAITranscriber(
        url,
        model,
        key=settings.transcriber_api_key,
        timeout_s=settings.transcribe_timeout_s,
        language=settings.language,
    )


class OpenAITranscriber(Transcriber):
    """A `Transcriber`. One request per utterance: too expensive for interim text."""

    interim = False

    def __init__(
        self, url: str, model: str, *, key: str | None, timeout_s: float, language: str | None = None
    ) -> None:
        self.name = f"openai:{urlsplit(url).netloc}"
        self._http = HttpClient(url, key, service=self.name)
        self.address = url
        self._model = model
        self._timeout_s = timeout_s
        self._language = language

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        """The text. Raises ProviderUnavailable, ProviderTimeout or ProviderRejected."""
        language = language or self._language
        form = aiohttp.FormData()
        form.add_field("file", write_wav(samples, VAD_RATE), filename="speech.wav", content_type="audio/wav")
        form.add_field("model", self._model)
        form.add_field("response_format", "json")
        if language:
            form.add_field("language", language.split("-")[0])
        status, retry_after, body = await self._post(form)
        if status != 200:
            raise self._refusal(status, retry_after, body)
        return self._read(body, language)

    async def prewarm(self) -> None:
        return  # nothing is loaded here

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _post(self, form: aiohttp.FormData) -> tuple[int, str | None, bytes]:
        try:
            async with (
                deadlines.timeout(self._timeout_s),
                self._http.request("POST", "/audio/transcriptions", data=form) as answer,
            ):
                body = await answer.content.read(MAX_ANSWER_BYTES)
                while len(body) < MAX_ANSWER_BYTES and (more := await answer.content.readany()):
                    body += more
                return answer.status, answer.headers.get("Retry-After"), body
        except TimeoutError as error:
            raise ProviderTimeout(f"{self.name} did not transcribe within {self._timeout_s:g} s") from error

    def _read(self, body: bytes, language: str | None) -> Transcript:
        try:
            answer = decode_json(body)
            text = answer["text"]
        except (msgspec.DecodeError, KeyError, TypeError) as error:
            raise ProviderUnavailable(f"{self.name} answered without a text") from error
        if not isinstance(text, str):
            raise ProviderUnavailable(f"{self.name} answered without a text")
        no_speech, log_probability = _confidence(answer.get("segments"))
        return Transcript("" if no_speech else text.strip(), language, log_probability)

    def _refusal(self, status: int, retry_after: str | None, body: bytes) -> ProviderError:
        reason = _message(body)
        if status in (401, 403):
            message = f"{self.name} refused the key: set TRANSCRIBER_API_KEY ({reason})"
            return ProviderRejected(message, upstream_code=status)
        if status == 429:
            wait_s = float(retry_after) if retry_after and retry_after.isdigit() else None
            return ProviderUnavailable(
                f"{self.name} asks to slow down ({reason})",
                code="rate_limit_exceeded",
                upstream_code=status,
                retry_after_s=wait_s,
            )
        if status >= 500 or status == 408:
            return ProviderUnavailable(f"{self.name} failed with {status} ({reason})", upstream_code=status)
        return ProviderRejected(f"{self.name} refused with {status} ({reason})", upstream_code=status)


def _confidence(segments: Any) -> tuple[bool, float | None]:
    """Whether nothing was said, and the mean log-probability, from the segments that some services send."""
    sure: list[float] = []
    silent: list[bool] = []
    for segment in segments if isinstance(segments, list) else ():
        match segment:
            case {"avg_logprob": int() | float() as mean, "no_speech_prob": int() | float() as no_speech}:
                sure.append(mean)
                silent.append(no_speech > NO_SPEECH and mean < UNSURE)
    return bool(silent) and all(silent), sum(sure) / len(sure) if sure else None


def _message(body: bytes) -> str:
    """The service's reason for a refusal, shortened, from any of the usual JSON forms or as plain text."""
    text = body.decode("utf-8", "replace")
    try:
        answer: Any = decode_json(text)
    except msgspec.DecodeError:
        return cut(text.strip(), 200) or "no reason given"
    if isinstance(answer, dict):
        answer = answer.get("error", answer.get("detail", answer))
    if isinstance(answer, dict):
        answer = answer.get("message", answer)
    return cut(str(answer), 200)
