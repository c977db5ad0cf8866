"""The platform's transcription in the role `Transcriber`: one request for a whole utterance, no interim text."""

from __future__ import annotations

from realtime.errors import ConfigError
from realtime.minimax.asr import transcribe
from realtime.minimax.http import HttpClient
from realtime.providers.base import VAD_RATE, Samples, Transcriber, Transcript
from realtime.settings import Settings


class MiniMaxTranscriber(Transcriber):
    """See `realtime.providers.base.Transcriber`."""

    name = "asr-1.0"
    interim = False

    def __init__(self, http: HttpClient, *, timeout_s: float) -> None:
        self._http = http
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"<MiniMaxTranscriber {self._http.base_url}>"

    async def transcribe(self, samples: Samples, *, language: str | None, final: bool) -> Transcript:
        result = await transcribe(
            self._http,
            samples.astype("<i2", copy=False).tobytes(),
            rate=VAD_RATE,
            language=language,
            timeout_s=self._timeout_s,
        )
        return Transcript(result.text, language)

    async def prewarm(self) -> None:
        return  # nothing is loaded here

    async def aclose(self) -> None:
        await self._http.aclose()


def create(settings: Settings) -> MiniMaxTranscriber:
    """The provider for these settings. Raises ConfigError without a key."""
    if not settings.api_key:
        raise ConfigError("There is no API key for transcription: set MINIMAX_API_KEY.")
    http = HttpClient(
        settings.base_url.rstrip("/").removesuffix("/v1"), settings.api_key, group_id=settings.group_id
    )
    return MiniMaxTranscriber(http, timeout_s=settings.transcribe_timeout_s)
