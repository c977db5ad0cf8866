"""The platform's speech in the role `Speech`: prewarmed connections, the budget and the measured latency.

The reply itself is in `utterance`, the connections are in `speech_pool`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict

from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ConfigError
from realtime.minimax.hosts import speech_urls_for
from realtime.minimax.speech import SpeechClient, Transport
from realtime.minimax.speech_config import LANGUAGE_BOOSTS, SpeechConfig
from realtime.minimax.speech_session import SpeechTimeouts
from realtime.providers.base import KnownVoice, Utterance, Voice
from realtime.providers.memory_quota import MemoryQuota
from realtime.providers.minimax.speech_pool import MAX_VOICES, SpeechPool
from realtime.providers.minimax.utterance import MiniMaxUtterance
from realtime.providers.minimax.voice_names import VoiceNames
from realtime.providers.quota import Quota
from realtime.settings import Settings
from realtime.upstream import SPEECH, Upstream


class MiniMaxSpeech:
    """See `Speech` and `ListsVoices` in `realtime.providers.base`."""

    languages = tuple(sorted(LANGUAGE_BOOSTS.keys() - {"nb"}))  # nb is no

    def __init__(
        self, client: SpeechClient, *, transport: Transport, connections: int, rpm: int, budget_wait_s: float
    ) -> None:
        self._client = client
        self._pool = SpeechPool(client, transport, limit=connections)
        self._quota: Quota = MemoryQuota(SPEECH, rpm)
        self._budget_wait_s = budget_wait_s
        self._names = VoiceNames(client)
        self._learnt: dict[SpeechConfig, tuple[Latency, Delivery]] = {}

    def __repr__(self) -> str:
        return f"<MiniMaxSpeech {self._client!r}>"

    def prewarm(self, voice: Voice) -> None:
        self._pool.prewarm(self._config(voice))

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        return self._open(self._config(voice))

    def latency(self, voice: Voice) -> Latency:
        return self._timing(self._config(voice))[0]

    def delivery(self, voice: Voice) -> Delivery:
        return self._timing(self._config(voice))[1]

    async def voices(self) -> tuple[KnownVoice, ...]:
        found = await self._client.voices()
        return tuple(
            KnownVoice(voice.id, voice.name, voice.kind, voice.language, voice.gender) for voice in found
        )

    def requests_left(self) -> float:
        return self._quota.left()

    def permits(self) -> Mapping[str, int]:
        """What became of the permits that were asked for, by outcome (docs/operations.md, "Metrics")."""
        return asdict(self._quota.tally)

    def requests_per_minute(self) -> float:
        return self._quota.per_minute()

    def observe(self, upstream: Upstream) -> None:
        """Tell this one of requests, losses and waits from now on."""
        self._pool.upstream = upstream

    def use_quota(self, quota: Quota) -> None:
        """See `TakesQuota`."""
        self._quota = quota

    def use_connections(self, limit: int) -> None:
        """See `TakesConnections`."""
        self._pool.use_limit(limit)

    async def aclose(self) -> None:
        await self._pool.aclose()
        await self._client.aclose()

    @asynccontextmanager
    async def _open(self, config: SpeechConfig) -> AsyncGenerator[Utterance, None]:
        utterance = MiniMaxUtterance(
            self._pool,
            config,
            self._quota,
            budget_wait_s=self._budget_wait_s,
            learn_latency=self._timing(config)[0].learn,
            explain=self._names.explain,
        )
        try:
            yield utterance
        finally:
            utterance.close()

    def _timing(self, config: SpeechConfig) -> tuple[Latency, Delivery]:
        timing = self._learnt[config] = self._learnt.pop(config, (Latency(), Delivery()))
        if len(self._learnt) > MAX_VOICES:
            del self._learnt[next(iter(self._learnt))]  # the least recently used
        return timing

    def _config(self, voice: Voice) -> SpeechConfig:
        return self._client.config(
            voice.voice_id, voice.model, rate=voice.rate, speed=voice.speed, language=voice.language
        )


def create(settings: Settings) -> MiniMaxSpeech:
    """The provider for these settings. Raises ConfigError for an unknown kind of socket or a missing key."""
    try:
        transport = Transport(settings.speech_socket)
    except ValueError:
        raise ConfigError(
            f"speech_socket is {settings.speech_socket!r}; it can be ordinary, bidi or http."
        ) from None
    if not settings.api_key:
        raise ConfigError("There is no API key for speech: set MINIMAX_API_KEY.")
    timeout_s = settings.speech_timeout_s
    client = SpeechClient(
        tuple(url.rstrip("/") for url in settings.speech_urls)
        or speech_urls_for(settings.base_url.rstrip("/").removesuffix("/v1")),
        settings.api_key,
        group_id=settings.group_id,
        model=settings.speech_model,
        voice_id=settings.voice_id,
        timeouts=SpeechTimeouts(
            connect_s=timeout_s,  # short, so that every host can be tried within the timeout of the reply
            ready_s=timeout_s,
            first_audio_s=timeout_s,
            gap_s=timeout_s,
            finish_s=timeout_s,
        ),
    )
    return MiniMaxSpeech(
        client,
        transport=transport,
        connections=settings.speech_connections,
        rpm=settings.speech_rpm,
        budget_wait_s=settings.budget_wait_s,
    )
