"""What the chat model is asked: the items that were there when its response was created, once each has its text."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial

import msgspec
import numpy as np
from msgspec import UNSET

from realtime.context import Context
from realtime.core.audio import AudioFormat
from realtime.core.conversation import Conversation, Item, Message
from realtime.core.messages import ChatRequest
from realtime.listening.user_input import UserInput
from realtime.protocol import objects as wire
from realtime.protocol.objects import ItemReference
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.chat_request import is_unread, request_about
from realtime.session.items import resampled
from realtime.translate import to_core_format, to_core_item

Reading = asyncio.Future[Item | None]  # see `UserItems.reading`


def question(
    context: Context, user: UserInput, options: ResponseOptions
) -> Callable[[], Awaitable[ChatRequest]]:
    """Of a response that is created now: it waits for the text of what is there now, and of nothing that comes later.

    Whoever awaits it gets ProviderError where there is no question.
    """
    conversation = context.conversation
    items: Callable[[], Awaitable[Sequence[Item]]]
    if options.input is None:
        there = frozenset(item.id for item in conversation.items)
        items = partial(_still_there, conversation, there, user.items.reading(there).values())
    else:
        given = [_given(item, conversation, user) for item in options.input]
        items = partial(_read, given, user, to_core_format(context.config.input_format))
    return partial(_request, context, user, options, items)


def asked_before(context: Context, options: ResponseOptions, answer_id: str | None = None) -> ChatRequest:
    """What a response was asked that has said something: nothing without a text belongs to that. `answer_id`: its item,
    if that is there. Raises ProviderError."""
    conversation, items = context.conversation, context.conversation.items
    ids = [item.id for item in items]
    if answer_id in ids:
        items = items[: ids.index(answer_id)]
    if options.input is not None:
        given = (_as_it_is(item, conversation) for item in options.input)
        items = tuple(to_core_item(each) if isinstance(each, wire.Item) else each for each in given if each)
    return request_about(context, options, items)


async def _request(
    context: Context,
    user: UserInput,
    options: ResponseOptions,
    about: Callable[[], Awaitable[Sequence[Item]]],
) -> ChatRequest:
    items = await about()
    last = next((item for item in reversed(items) if isinstance(item, Message) and item.role == "user"), None)
    if last is not None and is_unread(last):
        user.items.check(last.id)
    return request_about(context, options, items)


async def _still_there(
    conversation: Conversation, ids: frozenset[str], readings: Iterable[Reading]
) -> Sequence[Item]:
    """These items as they are after the wait: one may have been deleted, a reply cut."""
    await _all(readings)
    return [item for item in conversation.items if item.id in ids]


def _given(
    item: wire.Item | ItemReference, conversation: Conversation, user: UserInput
) -> wire.Item | Item | Reading | None:
    """An item of the response's own, or one that it refers to; None for one that is gone."""
    reading = user.items.reading([item.id]).get(item.id) if isinstance(item, ItemReference) else None
    return reading or _as_it_is(item, conversation)


def _as_it_is(item: wire.Item | ItemReference, conversation: Conversation) -> wire.Item | Item | None:
    if not isinstance(item, ItemReference):
        return item
    return conversation.get(item.id) if item.id in conversation else None


async def _read(
    given: Sequence[wire.Item | Item | Reading | None], user: UserInput, format: AudioFormat
) -> Sequence[Item]:
    """Without those that were deleted before they were read. `format`: of recordings."""
    found: list[Item | None] = []
    for each in given:
        if isinstance(each, asyncio.Future):
            await _all([each])
            found.append(each.result())
        elif isinstance(each, wire.Item):
            found.append(to_core_item(await _with_words(each, user, format)))
        else:
            found.append(each)
    return [item for item in found if item is not None]


async def _with_words(item: wire.Item, user: UserInput, format: AudioFormat) -> wire.Item:
    """With the words of recordings that came without them. Raises ProviderRejected."""
    if not isinstance(item, wire.MessageItem):
        return item
    content = []
    for part in item.content:
        if isinstance(part, wire.InputAudio) and part.audio is not UNSET and part.transcript is None:
            pieces = await resampled(part.audio, format)
            part = wire.InputAudio(await user.items.text_of(np.concatenate(pieces)))
        content.append(part)
    return msgspec.structs.replace(item, content=tuple(content))


async def _all(readings: Iterable[Reading]) -> None:
    """Others wait for them too: who is cancelled here cancels none of them."""
    if waits_for := list(readings):
        await asyncio.wait(waits_for)
