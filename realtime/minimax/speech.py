"""The platform's synchronous speech: sessions that stay open, and one-shot synthesis of a file.

Chooses host and interface; the sessions themselves are in `speech_socket`, `speech_bidi` and `speech_http`. Owns the
HTTP connections for speech, which chat never uses.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from enum import Enum
from typing import Any, Unpack

import aiohttp

from realtime.errors import ProviderError
from realtime.minimax.door import Door, Pause, whole_answer
from realtime.minimax.field_tables import SPEECH
from realtime.minimax.fields import build, check_names, check_seconds
from realtime.minimax.http import HttpClient
from realtime.minimax.operations import OPERATIONS, Limit
from realtime.minimax.speech_bidi import BidiSpeechSocket
from realtime.minimax.speech_config import SpeechConfig
from realtime.minimax.speech_fields import SpeechFields
from realtime.minimax.speech_http import PATH, HttpSpeech
from realtime.minimax.speech_rules import (
    Pronunciation,
    check_speech,
    language_name,
    pronunciations,
    weights,
)
from realtime.minimax.speech_session import SpeechSession, SpeechTimeouts
from realtime.minimax.speech_socket import SpeechSocket
from realtime.minimax.speech_whole import SpeechFile, SpeechStream, StreamedAudio, speech_of
from realtime.minimax.voices import VoiceInfo, read_voices

_SYNTHESIZE = OPERATIONS["speech.synthesize"]


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
        limits: Mapping[str, Limit] | None = None,
        on_pause: Callable[[Pause], None] | None = None,
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
        self.door = Door(self._http, limits=limits)  # for whole files; live sessions do not pass it
        self.door.on_pause = on_pause

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

    async def voice_ids(self, timeout_s: float = 3.0) -> list[str]:
        """The ids of all voices of the account, its own and the platform's. Raises ProviderError."""
        lists = (value for value in (await self._voices(timeout_s)).values() if isinstance(value, list))
        return [name for voices in lists for voice in voices if (name := _voice_id(voice))]

    async def voices(self, timeout_s: float = 3.0) -> list[VoiceInfo]:
        """All voices of the account, the platform's first. Raises ProviderError."""
        return list(read_voices(await self._voices(timeout_s)))

    async def _voices(self, timeout_s: float) -> dict[str, Any]:
        row, body = OPERATIONS["voices.list"], {"voice_type": "all"}
        return await self._http.json(
            row.method, row.path, body=body, timeout_s=timeout_s, base_url=self.hosts[-1]
        )

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
        model: str | None = None,
        format: str = "mp3",
        rate: int | None = None,
        bitrate: int | None = None,
        channels: int | None = None,
        force_cbr: bool | None = None,
        speed: float | None = None,
        volume: float | None = None,
        pitch: int | None = None,
        emotion: str | None = None,
        language: str | None = "auto",
        pronunciation: Pronunciation | None = None,
        timbre_weights: Mapping[str, int] | None = None,
        text_normalization: bool | None = None,
        english_normalization: bool | None = None,
        text_normalization_mode: str | None = None,
        latex_read: bool | None = None,
        continuous_sound: bool | None = None,
        modify_pitch: int | None = None,
        modify_intensity: int | None = None,
        modify_timbre: int | None = None,
        sound_effect: str | None = None,
        subtitles: str | None = None,
        output: str | None = None,
        watermark: bool | None = None,
        extra: Mapping[str, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> SpeechFile:
        """All audio of one text below 10,000 characters, as a file in this format (docs/minimax/t2a-http.md 1).

        `format` is mp3, pcm, flac, wav, pcmu_raw, pcmu_wav or opus; `rate` in Hertz, `bitrate` in bits a second,
        `speed` 0.5 to 2, `volume` up to 10, `pitch` in half tones from -12 to 12, the `modify_` arguments -100 to 100.
        `language` is a code like "zh" or a name of the platform; None leaves it out. `pronunciation` maps texts to
        readings, `timbre_weights` up to 4 voices to weights from 1 to 100. `subtitles` is "sentence" or "word"
        (`SpeechFile.subtitles` fetches them), `output` "hex" or "url". None is the platform's default.

        Raises InvalidArgument, AnswerLost, ProviderError.
        """
        check_seconds("timeout_s", timeout_s)
        body = self._body(locals(), stream=False)  # the arguments have the names of the fields
        answer = await self.door.attempts(_SYNTHESIZE, lambda _: self._ask(body, timeout_s))
        with whole_answer(_SYNTHESIZE):
            return await speech_of(answer, self._http, by_url=body.get("output_format") == "url")

    def synthesize_stream(
        self,
        text: str,
        *,
        extra: Mapping[str, Any] | None = None,
        gap_s: float = 30.0,
        **fields: Unpack[SpeechFields],
    ) -> SpeechStream:
        """The audio of one text as it is made, encoded: `async for part in stream` (docs/minimax/t2a-http.md 3).

        The arguments are those of `synthesize`. In a stream only mp3 takes the `modify_` arguments, `sound_effect` and
        `force_cbr`. Nothing is sent before the first part is asked for. `gap_s` bounds the wait for each part.

        Raises InvalidArgument at once; the iteration raises AnswerLost and ProviderError.
        """
        check_seconds("gap_s", gap_s, needed=True)
        check_names(fields, SpeechFields.__annotations__)
        body = self._body({"text": text, "extra": extra, "language": "auto", **fields}, stream=True)

        def open(host: str) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
            return self.door.open(_SYNTHESIZE, body=body, base_url=host, timeout_s=gap_s)

        audio = StreamedAudio(open, self.hosts, gap_s, self._http)
        return SpeechStream(audio, self.door.stream(_SYNTHESIZE, lambda _: audio.read()))

    def _body(self, given: Mapping[str, Any], *, stream: bool) -> dict[str, Any]:
        """The body of a request from the arguments of a call."""
        names = [field.name for field in SPEECH]
        values = {name: given.get(name) for name in names}
        values["model"] = given.get("model") or self.model
        mixed = weights(given.get("timbre_weights"))
        values["voice_id"] = given.get("voice_id") or ("" if mixed else self.voice_id)
        values["timbre_weights"] = mixed
        values["pronunciation"] = pronunciations(given.get("pronunciation"))
        values["language"] = language_name(given.get("language"))
        values["format"] = given.get("format") or "mp3"
        values["subtitle_enable"] = True if given.get("subtitles") else None
        values["stream"] = stream
        values["exclude_aggregated_audio"] = True if stream else None
        body = build(SPEECH, values, given.get("extra"))
        check_speech(values, stream=stream)
        return body

    async def _ask(self, body: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        """The answer of the first host to which a connection can be made."""
        failure: ProviderError | None = None
        for host in self.hosts:
            try:
                return await self._http.json("POST", PATH, body=body, timeout_s=timeout_s, base_url=host)
            except ProviderError as error:
                if error.sent:
                    raise
                failure = error
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


def _voice_id(voice: object) -> str | None:
    found = voice.get("voice_id") if isinstance(voice, dict) else None
    return found if isinstance(found, str) else None
