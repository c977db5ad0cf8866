"""The platform's synchronous speech: sessions that stay open, and one-shot synthesis of a file.

Chooses host and interface; the sessions themselves are in `speech_socket`, `speech_bidi` and `speech_http`. Owns the
HTTP connections for speech, which chat never uses.
"""

from __future__ import annotations

import binascii
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

from realtime.errors import ProviderError, ProviderUnavailable
from realtime.minimax.http import HttpClient
from realtime.minimax.speech_bidi import BidiSpeechSocket
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_http import PATH, HttpSpeech
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts, check_text
from realtime.minimax.speech_socket import SpeechSocket


class Transport(Enum):
    """The interface of the platform that a session uses."""

    ORDINARY = "ordinary"
    BIDI = "bidi"
    HTTP = "http"


class SpeechClient:
    """Speech on an ordered list of hosts, best first."""

    def __init__(
        self,
        hosts: tuple[str, ...],
        api_key: str,
        *,
        group_id: str | None = None,
        model: str = "speech-2.8-turbo",
        voice_id: str = "English_Graceful_Lady",
        timeouts: SpeechTimeouts | None = None,
    ) -> None:
        self.hosts = hosts
        self.model = model
        self.voice_id = voice_id
        self.timeouts = timeouts or SpeechTimeouts()
        self._api_key = api_key
        self._group_id = group_id
        self._http = HttpClient(
            hosts[0], api_key, group_id=group_id, connect_timeout_s=self.timeouts.connect_s
        )

    def __repr__(self) -> str:
        return f"<SpeechClient {' '.join(self.hosts)}>"

    def config(self, voice_id: str | None = None, model: str | None = None, **fields: Any) -> SpeechConfig:
        """A configuration with this client's defaults; see `SpeechConfig` for the fields."""
        return SpeechConfig(voice_id=voice_id or self.voice_id, model=model or self.model, **fields)

    async def connect(
        self, config: SpeechConfig, host: str, transport: Transport = Transport.ORDINARY
    ) -> SpeechSession:
        """A session on this host, ready for text. The caller closes it. Raises ProviderError."""
        if transport is Transport.HTTP:
            return HttpSpeech(self._http, host, config, self.timeouts)
        kind = BidiSpeechSocket if transport is Transport.BIDI else SpeechSocket
        return await kind.open(host, self._api_key, config, group_id=self._group_id, timeouts=self.timeouts)

    @asynccontextmanager
    async def session(
        self,
        voice_id: str | None = None,
        *,
        model: str | None = None,
        transport: Transport = Transport.ORDINARY,
        **fields: Any,
    ) -> AsyncGenerator[SpeechSession, None]:
        """A session on the first host that can be reached; see `SpeechConfig` for the fields.

        Raises ProviderError if no host can be reached or the platform refuses the voice.
        """
        session = await self._first(self.config(voice_id, model, **fields), transport)
        try:
            yield session
        except BaseException:
            await session.aclose()
            raise
        await session.end()

    async def synthesize(
        self,
        text: str,
        *,
        voice_id: str | None = None,
        format: str = "mp3",
        model: str | None = None,
        timeout_s: float = 60.0,
        **fields: Any,
    ) -> bytes:
        """All audio of one text, as a file in this format. Raises ProviderError."""
        check_text(text)
        config = self.config(voice_id, model, format=format, word_times=False, **fields)
        body = {**config.fields(), "text": text, "stream": False, "output_format": "hex"}
        failure: ProviderError | None = None
        for host in self.hosts:
            try:
                answer = await self._http.json("POST", PATH, body=body, timeout_s=timeout_s, base_url=host)
            except ProviderError as error:
                failure = error
                if not error.retryable or error.code == "rate_limit_exceeded":
                    raise
                continue
            return _whole_audio(answer)
        assert failure is not None
        raise failure

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _first(self, config: SpeechConfig, transport: Transport) -> SpeechSession:
        failure: ProviderError | None = None
        for host in self.hosts:
            try:
                return await self.connect(config, host, transport)
            except ProviderError as error:
                failure = error
                if not error.retryable:
                    raise
        assert failure is not None
        raise failure


def _whole_audio(answer: dict[str, Any]) -> bytes:
    data = answer.get("data")
    audio = data.get("audio") if isinstance(data, dict) else None
    try:
        decoded = binascii.unhexlify(audio) if isinstance(audio, str) else b""
    except (binascii.Error, ValueError):
        decoded = b""
    if not decoded:
        raise ProviderUnavailable("MiniMax: the speech service sent no audio.")
    return decoded
