"""One client for the platform: chat, speech, transcription and lists, with one key on the hosts of one region.

Usable alone; it knows no conversations. Chat and speech own separate connection pools; everything else goes through the
one door (`door`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Self, cast
from urllib.parse import urlsplit

from realtime.errors import ConfigError
from realtime.minimax import asr
from realtime.minimax.batches import Batches
from realtime.minimax.chat import Chat
from realtime.minimax.chat_call import Dialect, Style, platform_dialect
from realtime.minimax.door import Door, Pause
from realtime.minimax.files import Files
from realtime.minimax.hosts import is_loopback, speech_urls_for
from realtime.minimax.http import HttpClient
from realtime.minimax.images import Images
from realtime.minimax.job_schedule import Schedule
from realtime.minimax.music import Music
from realtime.minimax.narration import Narrations
from realtime.minimax.operations import OPERATIONS, Limit
from realtime.minimax.results import items, text
from realtime.minimax.speech import SpeechClient
from realtime.minimax.speech_session import SpeechTimeouts
from realtime.minimax.templates import Templates
from realtime.minimax.video import Video
from realtime.minimax.video_v2 import VideoV2
from realtime.minimax.voices import Voices

BASE_URL = "https://api.minimaxi.com"
_SANDBOX_KEY = "sandbox"  # an address on this machine needs no key, but a request has to carry one


class MiniMax:
    """The platform's client. Use it as `async with MiniMax(key) as mm`, or call `aclose`.

    `base_url` decides the region; `speech_urls` are the hosts for synchronous speech, best first, and are derived from
    it when empty. The platform documents no second host for the rest; `fallback_urls` are for an account that has one,
    and serve only calls that cost nothing. A text for one of these lists is split at its commas. `group_id` is sent
    only when given and not blank (old accounts). `limits` are the account's own requests a minute, by the names in
    `operations.LIMITS`; `on_pause` is told about every wait before a request, except those of `chat.stream`, of
    downloads and of live sessions of speech, which have waits of their own. `schedule` says when tasks are asked
    about. Raises ConfigError for a key, an address or a name that cannot be one.

    It may be made outside of an event loop, and used in several, one after the other (`asyncio.run` twice); what is
    open is closed at the end of each. Two threads need two clients.

    `chat_dialect` is how chat speaks with the platform where a call names none: openai or anthropic.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str = BASE_URL,
        speech_urls: str | Sequence[str] = (),
        group_id: str | None = None,
        *,
        fallback_urls: str | Sequence[str] = (),
        limits: Mapping[str, Limit] | None = None,
        on_pause: Callable[[Pause], None] | None = None,
        schedule: Schedule | None = None,
        chat_model: str = "MiniMax-M3",
        chat_dialect: Style = "openai",
        speech_model: str = "speech-2.8-turbo",
        voice_id: str = "English_Graceful_Lady",
        speech_timeouts: SpeechTimeouts | None = None,
    ) -> None:
        _check_key(api_key)
        for name, word in (
            ("chat_model", chat_model),
            ("speech_model", speech_model),
            ("voice_id", voice_id),
        ):
            _check_word(name, word)
        if isinstance(group_id, str) and not group_id.strip():
            group_id = None  # as in the environment
        if group_id is not None:
            _check_word("group_id", group_id)
        self.base_url = _address("base_url", base_url)
        hosts = _addresses("speech_urls", speech_urls)
        others = _addresses("fallback_urls", fallback_urls)
        self.chat = Chat(
            HttpClient(self.base_url, api_key, group_id=group_id),
            model=chat_model,
            dialect=_dialect(chat_dialect),
            on_pause=on_pause,
        )
        self.speech = SpeechClient(
            hosts or speech_urls_for(self.base_url),
            api_key,
            group_id=group_id,
            model=speech_model,
            voice_id=voice_id,
            timeouts=speech_timeouts,
            limits=limits,
            on_pause=on_pause,
        )
        self._http = HttpClient(self.base_url, api_key, group_id=group_id)
        self.door = Door(self._http, fallback_urls=others, limits=limits)
        self.door.on_pause = on_pause
        self.files = Files(self.door)
        self.batches = Batches(self.door, self.files, model=chat_model, schedule=schedule)
        self.images = Images(self.door)
        self.music = Music(self.door)
        self.narration = Narrations(
            self.door, self.files, model=speech_model, voice_id=voice_id, schedule=schedule
        )
        self.voices = Voices(self.door, self.files)
        self.video = Video(self.door, self.files, schedule=schedule)
        self.templates = Templates(self.door, schedule=schedule)
        self.video_v2 = VideoV2(self.door, schedule=schedule)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Self:
        """A client from MINIMAX_API_KEY, MINIMAX_BASE_URL, MINIMAX_SPEECH_URLS, MINIMAX_GROUP_ID and MINIMAX_CHAT_API.

        `environ` is the process's own unless another one is given. Raises ConfigError without a key, unless the base
        URL is on this machine (`realtime sandbox`), and for an unknown chat API.
        """
        environ = os.environ if environ is None else environ
        base_url = environ.get("MINIMAX_BASE_URL") or BASE_URL
        return cls(
            environ.get("MINIMAX_API_KEY") or (_SANDBOX_KEY if is_loopback(base_url) else ""),
            base_url,
            environ.get("MINIMAX_SPEECH_URLS", ""),
            environ.get("MINIMAX_GROUP_ID"),
            chat_dialect=cast("Style", (environ.get("MINIMAX_CHAT_API") or "openai").strip().lower()),
        )

    def __repr__(self) -> str:
        return f"<MiniMax {self.base_url}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    async def transcribe(
        self, pcm: bytes, *, rate: int, language: str | None = None, timeout_s: float = 30.0
    ) -> asr.Transcription:
        """The text of 16-bit little-endian mono PCM at `rate` Hertz. `timeout_s` bounds each try.

        Raises AnswerLost and ProviderError.
        """
        return await self.door.attempts(
            OPERATIONS["transcribe"],
            lambda _: asr.transcribe(self._http, pcm, rate=rate, language=language, timeout_s=timeout_s),
        )

    async def models(self) -> list[str]:
        """The ids of the chat models. Raises ProviderError."""
        answer = await self.door.call(OPERATIONS["models"])
        return [model for item in items(answer, "data") if (model := text(item, "id"))]

    async def aclose(self) -> None:
        await self.chat.aclose()
        await self.speech.aclose()
        await self._http.aclose()


def _check_key(api_key: object) -> None:
    """Raises ConfigError for what cannot be sent as a key. It does not show it."""
    if not api_key:
        raise ConfigError(
            "There is no API key: set MINIMAX_API_KEY. To try it without one, start `realtime sandbox` and set "
            "MINIMAX_BASE_URL to the address that it prints."
        )
    if not isinstance(api_key, str) or not (api_key.isascii() and api_key.isprintable()) or " " in api_key:
        raise ConfigError(
            "The API key (MINIMAX_API_KEY) has characters that no key has, perhaps the end of a line: copy it again."
        )


def _check_word(name: str, word: object) -> None:
    if not isinstance(word, str) or not word.strip():
        raise ConfigError(f"{name} is {word!r}: it has to be a text that is not empty.")


def _addresses(name: str, urls: str | Sequence[str]) -> tuple[str, ...]:
    """The addresses of a list. A text is one as in the environment. Raises ConfigError."""
    if isinstance(urls, str):
        urls = [url.strip() for url in urls.split(",") if url.strip()]
    if not isinstance(urls, list | tuple):
        raise ConfigError(f"{name} is {urls!r}: it has to be a list of addresses like {BASE_URL}.")
    return tuple(_address(name, url) for url in urls)


def _address(name: str, url: str) -> str:
    """The address without an API version: every path brings its own. Raises ConfigError."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # `port` reads the number
        usable = False
    if not usable:
        raise ConfigError(f"{name} is {url!r}: it has to be an address like {BASE_URL}.")
    return url.rstrip("/").removesuffix("/v1")


def _dialect(style: str) -> Dialect:
    try:
        return platform_dialect(style)
    except ValueError as error:
        raise ConfigError(f"MINIMAX_CHAT_API (chat_dialect): {error}.") from None
