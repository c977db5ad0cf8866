"""A reply of a session at one of several accounts that is begun anew at another one, unheard (docs/scale.md 5).

An account tells that it has run dry, or that its minute is used up, when it is asked. Of the chat model nothing was
seen by then, and of the voice no sound of this chunk was heard: so another account can be asked for the same, and
nobody notices but for the time. Where a voice would wait for its minute, another one speaks that need not. Chunks that
the first account has taken it speaks to their end. A refusal in the middle of a text or of a chunk ends the reply, as
with one account.
Which account that is, and whether there is one, `Context.providers_after` knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace

from realtime.context import Context
from realtime.core.messages import ChatEvent, ChatRequest
from realtime.core.playback_clock import Latency
from realtime.core.prebuffer import Delivery
from realtime.errors import ProviderError, without_trace
from realtime.providers.base import (
    ChatModel,
    Providers,
    Speech,
    SpeechAudio,
    SpeechChunkDone,
    SpeechEvent,
    SpeechPaused,
    Utterance,
    Voice,
)


class AccountsChat(ChatModel):
    """The chat of the session's account. `voice`: what the reply will be spoken with, if it will."""

    def __init__(self, context: Context, voice: Voice | None) -> None:
        chat = context.providers.chat
        self.name, self.sees_images = chat.name, chat.sees_images
        self.context_tokens = getattr(chat, "context_tokens", None)  # installed providers may not say
        self._context, self._voice = context, voice

    def __repr__(self) -> str:
        return f"<AccountsChat {self.name}>"

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        asked: Providers | None = self._context.providers
        while asked is not None:
            begun = False
            try:
                async with aclosing(asked.chat.stream(request)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except ProviderError as error:
                instead = None if begun else self._instead(error, asked)
                if instead is None:
                    raise
                without_trace(error)
            asked = instead

    def _instead(self, error: ProviderError, asked: Providers) -> Providers | None:
        voice_id = None if self._voice is None else self._voice.voice_id
        found = self._context.providers_after(error, asked, voice_id)
        if found is None or found.chat is asked.chat:
            return None
        if self._voice is not None:
            found.speech.prewarm(self._voice)  # it will speak there
        return found

    def requests_left(self) -> float:
        return self._context.providers.chat.requests_left()


class AccountsSpeech(Speech):
    """The speech of the session's account, for one reply."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._utterance: _AccountsUtterance | None = None

    def __repr__(self) -> str:
        return f"<AccountsSpeech {self._speech!r}>"

    @property
    def _speech(self) -> Speech:
        """That of the account that speaks."""
        asked = self._context.providers if self._utterance is None else self._utterance.asked
        return asked.speech

    def open(self, voice: Voice) -> AbstractAsyncContextManager[Utterance]:
        return self._open(voice)

    @asynccontextmanager
    async def _open(self, voice: Voice) -> AsyncIterator[Utterance]:
        self._utterance = utterance = _AccountsUtterance(self._context, voice)
        await utterance.begin()
        try:
            yield utterance
        finally:
            await utterance.aclose()

    def prewarm(self, voice: Voice) -> None:
        self._speech.prewarm(voice)

    def latency(self, voice: Voice) -> Latency:
        return self._speech.latency(voice)

    def delivery(self, voice: Voice) -> Delivery:
        return self._speech.delivery(voice)

    def requests_left(self) -> float:
        return self._speech.requests_left()


@dataclass(slots=True, eq=False)
class _Place:
    """The utterance at one account: it was given the chunks from `first` up to `given`. `stack` holds it open."""

    asked: Providers
    utterance: Utterance
    stack: AsyncExitStack
    first: int
    given: int
    giving: asyncio.Lock = field(default_factory=asyncio.Lock)
    finished: bool = False
    after: _Place | None = None  # who speaks on from `given` on

    async def finish(self) -> None:
        """It gets no more chunks."""
        if not self.finished:
            self.finished = True
            if (ending := self.utterance.finish()) is not None:
                await ending


class _AccountsUtterance(Utterance):
    """The speech of one reply: what an account refuses is said at another one, after what the first one has begun."""

    def __init__(self, context: Context, voice: Voice) -> None:
        self._context, self._voice = context, voice
        self._texts: list[str] = []
        self._done = 0  # so many chunks have all their sound
        self._sounds = False  # there was sound of the next one
        self._finished = False
        self._moving = asyncio.Lock()
        self._place: _Place  # which gets the chunks
        self._heard: _Place  # which gives the sound: the same, or one before it

    async def begin(self) -> None:
        """At the account of the session."""
        self._place = self._heard = await self._open(self._context.providers, 0)

    @property
    def asked(self) -> Providers:
        """Those of the account that gets the next chunk: the first one is for where the session is then."""
        return self._place.asked if self._texts else self._context.providers

    async def _open(self, asked: Providers, first: int) -> _Place:
        stack = AsyncExitStack()
        utterance = await stack.enter_async_context(asked.speech.open(self._voice))
        return _Place(asked, utterance, stack, first, first)

    async def say(self, text: str) -> int:
        if self.asked.speech is not self._place.asked.speech:
            await self._go_on(self._place, self.asked)  # the chat model was asked there
        self._texts.append(text)
        number = len(self._texts) - 1
        await self._give()
        return number

    async def finish(self) -> None:
        self._finished = True
        await self._finish()

    async def _finish(self) -> None:
        if self._finished and self._place.given == len(self._texts):
            await self._place.finish()

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        while True:
            place, instead = self._heard, None
            try:
                async with aclosing(place.utterance.events()) as events:
                    async for event in events:
                        if (instead := self._without_wait(event, place)) is not None:
                            break
                        yield self._known(event, place.first)
            except ProviderError as error:
                instead = None if self._sounds or self._is_over(place) else self._instead(error, place)
                if instead is None and not self._is_over(place):
                    raise  # what sounds would be said twice, or cut
                without_trace(error)
            if instead is not None:
                yield SpeechPaused()
                await self._begin_again(instead)
                await self._give()
                yield SpeechPaused(over=True)
            elif place.after is None:
                return
            else:
                self._heard = place.after
                await place.stack.aclose()

    def _without_wait(self, event: SpeechEvent, place: _Place) -> Providers | None:
        """Who speaks at once instead of an account that would wait, if nothing of this chunk was heard."""
        waits = isinstance(event, SpeechPaused) and not event.over
        if not waits or self._sounds or self._is_over(place):
            return None
        found = self._context.providers_without_wait(place.asked, self._voice.voice_id)
        return None if found is None or found.speech is place.asked.speech else found

    def _is_over(self, place: _Place) -> bool:
        """Whether all that it will ever have to speak has been heard."""
        return place.after is not None and place.after.first == self._done and not self._sounds

    def _instead(self, error: ProviderError, refused: _Place) -> Providers | None:
        found = self._context.providers_after(error, refused.asked, self._voice.voice_id)
        return None if found is None or found.speech is refused.asked.speech else found

    def _known(self, event: SpeechEvent, first: int) -> SpeechEvent:
        """With the number that its chunk has here."""
        if isinstance(event, SpeechPaused):
            return event
        number = event.chunk + first
        if isinstance(event, SpeechAudio):
            self._sounds = True
        elif isinstance(event, SpeechChunkDone):
            self._done, self._sounds = number + 1, False
        return event if not first else replace(event, chunk=number)

    async def _begin_again(self, instead: Providers) -> None:
        """All chunks that are not spoken are for this account: that which spoke has failed."""
        async with self._moving:
            left, place = self._heard, await self._open(instead, self._done)
            self._heard = self._place = place
        await _close(left)

    async def _give(self) -> None:
        """Give every chunk to whom it is for: to another account from the first one on that an account refuses."""
        given_to: _Place | None = None
        while given_to is not self._place:
            given_to = self._place
            async with given_to.giving:
                await self._give_to(given_to)
        await self._finish()

    async def _give_to(self, place: _Place) -> None:
        while place is self._place and place.given < len(self._texts):
            try:
                await place.utterance.say(self._texts[place.given])
            except ProviderError as error:
                if place is not self._place:
                    return
                if (instead := self._instead(error, place)) is None:
                    raise
                without_trace(error)
                await self._go_on(place, instead)
            else:
                place.given += 1

    async def _go_on(self, left: _Place, instead: Providers) -> None:
        """The chunks that this place has not taken are for this account, unless all are for another one meanwhile."""
        async with self._moving:
            if left is not self._place:
                return
            left.after = self._place = await self._open(instead, left.given)
        await left.finish()  # it speaks what it has

    async def aclose(self) -> None:
        await _close(self._heard)


async def _close(place: _Place | None) -> None:
    """With those that speak on after it."""
    while place is not None:
        await place.stack.aclose()
        place = place.after
