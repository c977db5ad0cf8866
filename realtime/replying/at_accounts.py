"""A reply of a session at one of several accounts that is begun anew at another one, unheard (docs/scale.md 5).

An account tells that it has run dry, or that its minute is used up, when it is asked. Of the chat model nothing was
seen by then, and of the voice no sound of this chunk was heard: so another account can be asked for the same, and
nobody notices but for the time. A refusal in the middle of a text or of a chunk ends the reply, as with one account.
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

    def __init__(self, context: Context, voice_id: str, voice: Voice | None) -> None:
        chat = context.providers.chat
        self.name, self.sees_images = chat.name, chat.sees_images
        self.context_tokens = getattr(chat, "context_tokens", None)  # installed providers may not say
        self._context, self._voice_id, self._voice = context, voice_id, voice

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
        found = self._context.providers_after(error, asked, self._voice_id)
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
    """The utterance at one account. It was given the chunks from `first` up to `given`; `stack` holds it open."""

    utterance: Utterance
    stack: AsyncExitStack
    first: int
    given: int
    giving: asyncio.Lock = field(default_factory=asyncio.Lock)


class _AccountsUtterance(Utterance):
    """The speech of one reply: what an account has refused is said again, chunk by chunk, at another one."""

    def __init__(self, context: Context, voice: Voice) -> None:
        self.asked = context.providers
        self._context, self._voice = context, voice
        self._texts: list[str] = []
        self._done = 0  # so many chunks have all their sound
        self._sounds = False  # there was sound of the next one
        self._finished = False
        self._moving = asyncio.Lock()
        self._place: _Place

    async def begin(self) -> None:
        """At the account of the session."""
        self._place = await self._open(self.asked)

    async def _open(self, asked: Providers) -> _Place:
        stack = AsyncExitStack()
        utterance = await stack.enter_async_context(asked.speech.open(self._voice))
        return _Place(utterance, stack, self._done, self._done)

    async def say(self, text: str) -> int:
        if not self._texts and self._context.providers.speech is not self.asked.speech:
            await self._move(self._place, self._context.providers)  # the chat model was asked there
        self._texts.append(text)
        number = len(self._texts) - 1
        await self._give()
        return number

    def finish(self) -> None:
        self._finished = True
        self._finish()

    def _finish(self) -> None:
        place = self._place
        if self._finished and place.given == len(self._texts) and not place.giving.locked():
            place.utterance.finish()

    async def events(self) -> AsyncGenerator[SpeechEvent, None]:
        while True:
            place = self._place
            try:
                async with aclosing(place.utterance.events()) as events:
                    async for event in events:
                        if place is not self._place:
                            break
                        yield self._known(event, place.first)
                if place is self._place:
                    return
                continue
            except ProviderError as error:
                if place is not self._place:
                    continue
                instead = self._instead(error)
                if instead is None:
                    raise
                without_trace(error)
            yield SpeechPaused()
            await self._move(place, instead)
            await self._give()
            yield SpeechPaused(over=True)

    def _instead(self, error: ProviderError) -> Providers | None:
        if self._sounds:
            return None  # it would be said twice, or cut
        found = self._context.providers_after(error, self.asked, self._voice.voice_id)
        return None if found is None or found.speech is self.asked.speech else found

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

    async def _move(self, left: _Place, instead: Providers) -> None:
        """Go on at this account with the first chunk that is not spoken, unless somebody has left this place before."""
        async with self._moving:
            if left is not self._place:
                return
            self._place, self.asked = await self._open(instead), instead
        left.utterance.finish()  # whoever waits for its events need not wait any more
        await left.stack.aclose()

    async def _give(self) -> None:
        """Give the account every chunk that it does not have, or another one, if it refuses."""
        while (instead := await self._refused(place := self._place)) is not None:
            await self._move(place, instead)
        self._finish()

    async def _refused(self, place: _Place) -> Providers | None:
        """Give them to this place as long as it is the right one. Returns who takes them if it does not."""
        async with place.giving:
            while place is self._place and place.given < len(self._texts):
                text = self._texts[place.given]
                place.given += 1
                try:
                    await place.utterance.say(text)
                except ProviderError as error:
                    if place is not self._place:
                        return None
                    if (instead := self._instead(error)) is None:
                        raise
                    without_trace(error)
                    return instead
        return None

    async def aclose(self) -> None:
        await self._place.stack.aclose()
