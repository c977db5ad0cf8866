"""A voice of another package, whose chunks and errors are counted, and whose sound is looked at where it comes in."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from types import TracebackType
from typing import Any, TypeVar

from realtime import deadlines
from realtime.contained import awaited
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderError
from realtime.providers.base import KnownVoice, Speech, SpeechEvent, Utterance, Voice
from realtime.providers.roles import lacks
from realtime.server import given
from realtime.server.wrapped import Later, Wrapper
from realtime.upstream import SPEECH, Upstream

log = logging.getLogger(__name__)

_Learnt = TypeVar("_Learnt", Latency, Delivery)

CLOSES_S = 1.0  # for the block of a reply to be left: all is said, and the end of the reply waits


class ObservedSpeech(Wrapper, Speech):
    """A `Speech` of another package."""

    def __init__(self, speech: Speech, upstream: Upstream, later: Later | None = None) -> None:
        super().__init__(speech, later)
        self._upstream = upstream
        self.voices = self._voices if callable(getattr(speech, "voices", None)) else None

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        return _Open(self._provider, voice, self._upstream)

    def prewarm(self, voice: Voice) -> None:
        self._start_if_room("prewarm", voice)

    async def _voices(self) -> Sequence[KnownVoice]:
        listed: Sequence[KnownVoice] = await awaited(self._provider.voices())
        return listed

    def latency(self, voice: Voice) -> Latency:
        return self._learnt("latency", voice, Latency)

    def delivery(self, voice: Voice) -> Delivery:
        return self._learnt("delivery", voice, Delivery)

    def _learnt(self, method: str, voice: Voice, kind: type[_Learnt]) -> _Learnt:
        """What the voice knows of itself; the common guess where it knows nothing."""
        ask = getattr(self._provider, method, None)
        known = kind() if ask is None else ask(voice)
        if isinstance(known, kind):
            return known
        what, needed = f"The voice's {method}()", f"a {kind.__name__} is needed"
        try:
            given.at_once(known, what, needed)
            raise given.wrong(what, known, needed)
        except ProviderError as error:
            self._tell(error.message)
        return kind()

    def requests_left(self) -> float:
        return self._count("requests_left")

    def requests_per_minute(self) -> float:
        return self._count("requests_per_minute")


class _Open(AbstractAsyncContextManager[Utterance]):
    """The speech of one reply. It is left in the task that entered it, as the scopes of some libraries need."""

    def __init__(self, speech: Speech, voice: Voice, upstream: Upstream) -> None:
        self._speech, self._voice, self._upstream = speech, voice, upstream
        self._opened: Any = None

    async def __aenter__(self) -> Utterance:
        self._opened = await awaited(self._speech.open(self._voice))
        if not hasattr(self._opened, "__aenter__"):
            raise given.wrong("The voice's open()", self._opened, "an async context manager is needed")
        utterance = await self._opened.__aenter__()
        if lacking := lacks(utterance, Utterance):
            error = given.unfit("The voice's open()", utterance, lacking)
            await self.__aexit__(type(error), error, None)
            raise error
        return _ObservedUtterance(utterance, self._upstream)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        limit = deadlines.timeout(CLOSES_S)
        try:
            async with limit:
                return bool(await self._opened.__aexit__(kind, error, trace))
        except Exception:
            if not limit.expired():
                raise
            return False  # all that it had to give is there; an error of the reply goes on
        finally:
            if limit.expired():
                log.warning(
                    "the voice did not close within %g s: the end of its open() is cancelled", CLOSES_S
                )
            # The limit knows its task, which knows its error, and the trace of that knows us
            del limit, error, trace


class _ObservedUtterance(Utterance):
    def __init__(self, utterance: Utterance, upstream: Upstream) -> None:
        self._utterance = utterance
        self._upstream = upstream
        self._said = 0

    async def say(self, text: str) -> int:
        self._upstream.asked(SPEECH)
        try:
            await awaited(self._utterance.say(text))
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise
        self._said += 1
        return self._said - 1

    async def finish(self) -> None:
        await awaited(self._utterance.finish())

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        sound = given.Sound("The voice")
        try:
            told = await given.stream_of(self._utterance.events(), "The voice", "events")
            async with aclosing(told) as events:
                async for each in events:
                    if (event := sound.event(each)) is not None:
                        yield event
        except ProviderError as error:
            self._upstream.failed(SPEECH, error)
            raise
