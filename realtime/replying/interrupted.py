"""A reply that was interrupted, until it is known whether that was meant; and how it goes on from there.

What was not heard of it is said again, from the text that the chat model has given; while nobody has said a word, the
model may write on, unseen. Only a model that was stopped before its end is asked again. Of a reply that had failed only
what sounded counts. Whether a reply goes on is decided by the rules (`core/turn.py`); it becomes a new response of the
wire (docs/wire.md 3.9).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import reduce
from unicodedata import east_asian_width

from realtime.core.characters import before_more, joined
from realtime.core.conversation import Conversation
from realtime.core.messages import ChatEvent, ChatFinish, ChatMessage, ChatRequest, TextDelta
from realtime.protocol.response_options import ResponseOptions
from realtime.providers.base import ChatModel
from realtime.replying.reply_sound import ReplySound
from realtime.replying.response import Response

CONTINUE = (
    "(A noise has interrupted you. Continue your last answer exactly where its text ends: do not repeat anything, and "
    "do not mention the interruption.)"
)


class InterruptedReply:
    """`response` is the last reply; `sounds` are those that were cut with it, oldest first; `task` still reads it."""

    def __init__(
        self, response: Response, sounds: Sequence[ReplySound], task: asyncio.Task[None] | None = None
    ) -> None:
        self.response = response
        self.sounds = tuple(sounds)
        self._task = task

    def __repr__(self) -> str:
        return f"<InterruptedReply {self.response!r}{'' if self._task is None else ', still read'}>"

    def stop_chat(self) -> None:
        """The chat model need not go on."""
        if self._task is not None:
            self._task.cancel()
            self.response.events.items.end_calls()
            self.response.answer.end()  # a task that was never begun does not say so
            self._task = None

    @property
    def unanswered(self) -> bool:
        """It was stopped before anything came of it that could be continued, and it is not the rest of another reply:
        the question is as good as new."""
        answer = self.response.answer
        nothing = not answer.characters and not self.response.events.items.call_count
        new = nothing and (answer.asked is None or answer.broke_off)
        return new and self.was_stopped and not self.response.plan.resumes

    @property
    def options(self) -> ResponseOptions:
        """Of a response that goes on with it."""
        return replace(self.response.events.options, metadata=None)

    def continuation(self, conversation: Conversation, chat: ChatModel) -> Continuation | None:
        """What says the rest; None if there is none. `chat` is asked where the model was stopped before its end."""
        events, heard = self.response.events, None
        if not self.failed:
            heard = self._heard(events.sound, conversation) if events.options.spoken else events.transcript
        before = [
            (sound.part.text, self._heard(sound, conversation))
            for sound in self.sounds
            if sound is not events.sound or self.failed
        ]
        unheard = [text[len(said) :] for text, said in before if said is not None]
        rest = Continuation(self, _speakable(unheard), None if heard is None else len(heard), chat)
        return rest if rest.says_something else None

    def _heard(self, sound: ReplySound, conversation: Conversation) -> str | None:
        """The text that is not said again; None for an item that was deleted although something of it was heard."""
        if sound.unwanted:
            return sound.part.text
        if sound.item_id is None:
            return ""
        if sound.item_id in conversation:
            return conversation.heard_text(sound.item_id)
        return "" if sound.cut_s is not None and sound.is_unplayed(sound.cut_s) else None

    @property
    def was_stopped(self) -> bool:
        """It was not done when it was interrupted, or when its server was lost."""
        events = self.response.events
        return events.status == "cancelled" or events.error_code == "server_restarting"

    @property
    def failed(self) -> bool:
        """It had failed, and its client was told, before it was interrupted."""
        return self.response.events.status == "failed" and not self.was_stopped


class Continuation(ChatModel):
    """A chat model that says what is left of replies: `before` first, then the answer of the latest one from `start` on
    (None: nothing of it), which is a new answer to its question where it had none."""

    def __init__(
        self, interrupted: InterruptedReply, before: str, start: int | None, chat: ChatModel
    ) -> None:
        self.name = chat.name
        self._interrupted = interrupted
        self._before = before
        self._answer = interrupted.response.answer
        self._start = start
        self.asks_anew = start is not None and interrupted.unanswered
        self._chat = chat

    def __repr__(self) -> str:
        return f"<Continuation of {self._answer!r} from {self._start}>"

    @property
    def says_something(self) -> bool:
        """Whether there is a word left, or may come. A question alone, without anything before it, is no rest."""
        answer, items = self._answer, self._interrupted.response.events.items
        if self._start is None or self.asks_anew:
            return bool(self._before)
        more = answer.finish is None or bool(answer.calls) or items.model_goes_on
        return (more and self._interrupted.was_stopped) or bool(
            _speakable([self._before, self._answer.text[self._start :]])
        )

    def options(self, spoken: ResponseOptions | None) -> ResponseOptions:
        """Of the response that says it. What sounded is spoken again, although the last reply may be a written one:
        then as `spoken` was, the last one that sounded, if it is known here."""
        options = self._interrupted.options
        if options.spoken or not self._before:
            return options
        like = spoken or options
        return replace(
            options,
            output_modality="audio",
            output_format=like.output_format,
            voice=like.voice,
            speed=like.speed,
        )

    async def request(self, ask: Callable[[], Awaitable[ChatRequest]]) -> ChatRequest:
        """What the answer and this beginning of it are an answer to. `ask`: the question of the latest reply."""
        if self.asks_anew:
            return await ask()
        asked, text = await self._answer.request(), self._answer.text
        begin = len(text) - len(text[self._start :].lstrip())
        return _after(asked, text[:begin])

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChatEvent, None]:
        """The rest, whatever is asked. Raises ProviderError where the model is asked again."""
        if self._before:
            yield TextDelta(before_more(self._before))
        try:
            if self._start is not None and not self.asks_anew:
                async for text in self._text(self._start):
                    yield TextDelta(text)
        finally:
            self._interrupted.stop_chat()
        if self._start is None:
            yield ChatFinish("stop")
        elif (again := self._again(request)) is not None:
            async with aclosing(self._chat.stream(again)) as events:
                async for event in events:
                    yield event
        else:
            for event in self._end():
                yield event

    async def _text(self, start: int) -> AsyncGenerator[str, None]:
        """The rest of the answer, as it comes."""
        begun = False
        async with aclosing(self._answer.follow(start)) as texts:
            async for text in texts:
                text = text if begun else text.lstrip()
                begun = begun or bool(text)
                if text:
                    yield text

    def _again(self, request: ChatRequest) -> ChatRequest | None:
        """What the model is asked again; None where it had come to its end, or has made calls: it goes on from them."""
        answer, calls = self._answer, self._interrupted.response.events.items.call_count
        if self.asks_anew:
            return request
        if not self._interrupted.was_stopped or not answer.broke_off or answer.asked is None or calls:
            return None
        return _after(answer.asked, answer.text, ChatMessage("user", CONTINUE))

    def _end(self) -> Iterator[ChatEvent]:
        """What comes after the text."""
        answer = self._answer
        if self._interrupted.was_stopped:
            yield from () if answer.broke_off else answer.calls
            if answer.usage is not None:
                yield answer.usage
        yield answer.finish or ChatFinish("stop")


def _speakable(texts: Sequence[str]) -> str:
    """These texts as one; "" if there is not a letter in them."""
    text = reduce(joined, map(str.strip, texts), "")
    return text if any(map(str.isalnum, text)) else ""


def _put_together(begin: str, rest: str) -> str:
    """Two parts of one text, whose space may have been lost where it was cut; Chinese has none."""
    pair = begin[-1:] + rest[:1]
    spaced = len(pair) == 2 and not any(each.isspace() or east_asian_width(each) in "WF" for each in pair)
    return f"{begin} {rest}" if spaced else begin + rest


def _after(request: ChatRequest, said: str, *more: ChatMessage) -> ChatRequest:
    """The same request when the model has said this, perhaps after the beginning of the same answer."""
    messages = list(request.messages)
    if messages and messages[-1].role == "assistant" and not messages[-1].tool_calls:
        said = _put_together(messages.pop().content, said)
    if not said.strip():
        return request
    return replace(request, messages=(*messages, ChatMessage("assistant", said), *more))
