"""GET /v1/voice_samples/{voice_id}: a short sentence in a voice, as a WAV file (docs/wire.md 1.8).

A sample is made once, for all who ask at the same time, by the same speech provider and within the same budget as
replies. Conversations come first: a sample is refused where the budget is nearly spent. Only voices of the platform's
list, and the configured one, have samples: the first use of a new voice would cost its price, and it is in no list
before that.
"""

from __future__ import annotations

import asyncio
import io
import wave
from collections import OrderedDict
from contextlib import aclosing

from aiohttp import web

from realtime import deadlines
from realtime.contained import contained
from realtime.core.sample_sentences import SENTENCES, base_language
from realtime.errors import ProtocolError, ProviderError, ProviderTimeout, ProviderUnavailable, for_clients
from realtime.protocol.voices import platform_voice
from realtime.providers.base import Speech, SpeechAudio, Voice
from realtime.server.access import Caller
from realtime.server.callers import RetryLater, for_callers
from realtime.server.capabilities_endpoint import voices_for
from realtime.server.origins import add_for_pages
from realtime.server.state import OFFERS, SAMPLES, runtime_of
from realtime.server.token_bucket import TokenBucket
from realtime.tasks import cancel

PER_MINUTE = 6
RESERVED_REQUESTS = 3  # of the account's budget, for conversations
TIMEOUT_S = 15.0
MAX_SAMPLE_BYTES = 1024 * 1024  # 20 s
MAX_KEPT_BYTES = 16 * 1024 * 1024
RATE = 24_000  # Hertz


_Spoken = tuple[int, Voice]  # the id of its provider comes first: accounts may have voices of the same name


class VoiceSamples:
    """The samples of one server. Knows no list of voices: whoever asks has checked the name."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Spoken, bytes] = OrderedDict()
        self._making: dict[_Spoken, asyncio.Task[bytes]] = {}
        self._bucket: TokenBucket | None = None

    def __repr__(self) -> str:
        return f"<VoiceSamples {len(self._kept)} kept, {len(self._making)} in work>"

    async def get(self, speech: Speech, voice: Voice) -> bytes:
        """The WAV file. Raises RetryLater where no request is left, and ProviderError."""
        spoken = id(speech), voice
        if spoken in self._kept:
            self._kept.move_to_end(spoken)
            return self._kept[spoken]
        if spoken not in self._making:
            self._take_request(speech)
            self._making[spoken] = asyncio.create_task(self._make(speech, voice), name="voice sample")
            self._making[spoken].add_done_callback(_read)  # also if nobody waits for it any more
        return await asyncio.shield(self._making[spoken])

    async def aclose(self) -> None:
        await cancel(self._making.values())

    def _take_request(self, speech: Speech) -> None:
        now_s = asyncio.get_running_loop().time()
        if self._bucket is None:
            self._bucket = TokenBucket(PER_MINUTE / 60, PER_MINUTE, now_s)
        if speech.requests_left() <= RESERVED_REQUESTS or not self._bucket.try_take(1, now_s):
            raise RetryLater(
                f"There are at most {PER_MINUTE} new voice samples a minute, and conversations come first: try later.",
                code="rate_limit_exceeded", type="rate_limit_error", retry_after_s=60 / PER_MINUTE,
            )  # fmt: skip

    async def _make(self, speech: Speech, voice: Voice) -> bytes:
        try:
            async with deadlines.timeout(TIMEOUT_S):
                self._kept[id(speech), voice] = sample = _wav(await contained(_say(speech, voice)))
        except TimeoutError as error:
            raise ProviderTimeout("The voice did not speak in time.") from error
        finally:
            del self._making[id(speech), voice]
        while sum(map(len, self._kept.values())) > MAX_KEPT_BYTES:
            self._kept.popitem(last=False)
        return sample


def _read(task: asyncio.Task[bytes]) -> None:
    if not task.cancelled():
        task.exception()


async def _say(speech: Speech, voice: Voice) -> bytes:
    """The PCM of the sentence. Raises ProviderError, also if there is none: silence is no sample to keep."""
    pcm = bytearray()
    async with speech.open(voice) as utterance:
        await utterance.say(SENTENCES[voice.language or "en"])
        if (ending := utterance.finish()) is not None:
            await ending
        async with aclosing(utterance.events()) as events:
            async for event in events:
                if isinstance(event, SpeechAudio):
                    pcm += event.pcm
                if len(pcm) > MAX_SAMPLE_BYTES:
                    break
    if not pcm:
        raise ProviderUnavailable("The voice said nothing.")
    return bytes(pcm[:MAX_SAMPLE_BYTES])


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, RATE, 0, "NONE", ""))
        sound.writeframes(pcm)
    return file.getvalue()


def add_routes(app: web.Application) -> None:
    app[SAMPLES] = VoiceSamples()
    app[OFFERS].append(lambda app, caller: {"voice_samples": True})
    app.on_cleanup.append(_close)
    add_for_pages(app, "/v1/voice_samples/{voice_id}", GET=for_callers(sample))


async def sample(request: web.Request, caller: Caller) -> web.Response:
    runtime, voice = runtime_of(request.app), await _chosen(request, caller)
    speech = runtime.speech_for(caller.name, voice.voice_id)
    while True:
        try:
            file = await request.app[SAMPLES].get(speech, voice)
            break
        except ProviderError as error:
            refused, speech = speech, runtime.speech_for(caller.name, voice.voice_id)
            if speech is refused:  # else its account has just turned out to have run dry
                raise _told(error) from error
    headers = {"Cache-Control": "private, max-age=86400", "Vary": "Authorization"}
    return web.Response(body=file, content_type="audio/wav", headers=headers)


async def _chosen(request: web.Request, caller: Caller) -> Voice:
    """The voice and language of a request. Raises ProtocolError."""
    runtime = runtime_of(request.app)
    configured = runtime.settings.voice_id
    name, asked = request.match_info["voice_id"], request.query.get("language", "")
    language = base_language(asked) if asked else ""
    if asked and not language:
        raise ProtocolError(
            "There is no sample in this language: see languages of GET /v1/capabilities.", param="language"
        )
    known = {voice.id: voice for voice in await voices_for(request.app, caller)}
    if name not in known:  # an id may end with a blank, so it is looked for as it is
        name = platform_voice(name, configured)
    if name != configured and name not in known:
        raise _unknown(bool(known) or getattr(runtime.providers.speech, "voices", None) is None)
    own = known[name].languages if name in known else ()
    return Voice(name, rate=RATE, language=language or next(iter(own), "") or "en")


def _unknown(listed: bool) -> ProtocolError:
    """Why a voice has no sample."""
    if listed:
        return ProtocolError(
            "There is no such voice in the list: see voices of GET /v1/capabilities.",
            code="voice_not_found", param="voice_id",
        )  # fmt: skip
    message = "The list of voices cannot be read at the moment: try later."
    return RetryLater(message, code="voices_unknown", type="server_error", retry_after_s=30)


def _told(error: ProviderError) -> ProtocolError:
    """What a caller is told of trouble upstream."""
    message = for_clients(error.message)
    if error.code == "invalid_voice":
        return ProtocolError(message, code="voice_not_found", param="voice_id")
    if error.code == "rate_limit_exceeded":
        wait_s = error.retry_after_s or 30
        return RetryLater(message, code=error.code, type="rate_limit_error", retry_after_s=wait_s)
    code = "upstream_timeout" if isinstance(error, ProviderTimeout) else "upstream_unavailable"
    return ProtocolError(message, code=code, type="server_error")


async def _close(app: web.Application) -> None:
    await app[SAMPLES].aclose()
