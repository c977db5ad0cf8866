"""What clients do to the conversation directly: create, retrieve, truncate and delete items."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

import msgspec
import numpy as np
from msgspec import UNSET

from realtime.context import Context
from realtime.core import conversation as core
from realtime.core.audio import AudioFormat, PcmDecoder, Resampler
from realtime.core.audio_buffer import Samples
from realtime.core.conversation import ConversationError
from realtime.core.cut_messages import fair_limit
from realtime.core.cut_text import cut_characters
from realtime.errors import ProtocolError
from realtime.protocol import client_events
from realtime.protocol import server_events as events
from realtime.protocol.echo import echoed
from realtime.protocol.objects import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputText,
    Item,
    ItemPart,
    MessageItem,
    OutputAudio,
    OutputText,
)
from realtime.providers.base import VAD_RATE
from realtime.translate import to_core_format, to_core_item, to_wire_item

MAX_ITEM_CHARS = 200_000  # text of one item, all parts together
FEW_PARTS = 50  # of an item: no step of the work on them takes a millisecond
PIECE_BYTES = 192_000  # of a recording, worked on at once
MAX_UNREAD_S = 600.0  # of recordings that wait for their text, each second 32 kB

Recordings = Mapping[int, Samples]  # at VAD_RATE, by the index of their part
Transcribe = Callable[[str, Recordings], None]


@dataclass(frozen=True, slots=True)
class NewItem:
    """An item of a client, ready to be put into the conversation."""

    item: core.Item
    echo: Item  # as it is sent back
    recordings: Recordings  # its sound that came without words

    @property
    def sound_s(self) -> float:
        return sum(map(len, self.recordings.values())) / VAD_RATE


class ItemEvents:
    """Carries out item events.

    `sent_ms(item_id)` is how much audio of an item has left, if it is a reply's; `unread_s()` how many seconds of
    recordings wait for their text.
    """

    def __init__(
        self,
        context: Context,
        *,
        transcribe: Transcribe,
        unread_s: Callable[[], float],
        sent_ms: Callable[[str], float | None],
    ) -> None:
        self._context = context
        self._conversation = context.conversation
        self._outbox = context.outbox
        self._transcribe = transcribe
        self._unread_s = unread_s
        self._sent_ms = sent_ms

    def receive(self, event: client_events.ItemEvent, new: NewItem | None = None) -> None:
        """Carry out one event; `new` is its item, prepared. Raises ProtocolError; nothing has changed then."""
        try:
            match event:
                case client_events.ConversationItemCreate(previous_item_id=previous):
                    assert new is not None, "the item of this event was not prepared"
                    self._create(new, previous)
                case client_events.ConversationItemRetrieve(item_id=item_id):
                    item = echoed(to_wire_item(self._conversation.get(item_id)))
                    self._outbox.put(events.ConversationItemRetrieved(item=item))
                case client_events.ConversationItemTruncate():
                    self._truncate(event)
                case client_events.ConversationItemDelete(item_id=item_id):
                    self._context.remove_item(item_id)
                case _:
                    assert_never(event)
        except ConversationError as error:
            raise ProtocolError(error.message, code=error.code, param=error.param) from error

    def _create(self, new: NewItem, previous: str | None) -> None:
        if new.recordings and (unread_s := self._unread_s()) and unread_s + new.sound_s > MAX_UNREAD_S:
            raise ProtocolError(
                f"Recordings of {unread_s:.0f} s wait to be transcribed, and only {MAX_UNREAD_S:.0f} s may: send this"
                " item again after a transcription is completed, or with its transcript.",
                code="rate_limit_exceeded",
                param="item",
                type="rate_limit_error",
            )
        after = self._context.add_item(new.item, previous)
        self._outbox.put(events.ConversationItemAdded(previous_item_id=after, item=new.echo))
        self._outbox.put(events.ConversationItemDone(previous_item_id=after, item=new.echo))
        if new.recordings:
            self._transcribe(new.item.id, new.recordings)

    def _complete(self, item: Item) -> Item:
        """With the ids that the client left to us."""
        if not item.id:
            item = msgspec.structs.replace(item, id=self._context.new_id("item"))
        if isinstance(item, FunctionCallItem) and not item.call_id:
            item = msgspec.structs.replace(item, call_id=self._context.new_id("call"))
        return item

    async def prepared(self, event: client_events.ClientEvent) -> NewItem | None:
        """The item of an event that creates one, in steps: one of many parts takes longer than others can wait."""
        if not isinstance(event, client_events.ConversationItemCreate):
            return None
        recordings = await self._recordings(event.item)
        item = _without_audio(self._complete(event.item))
        await _let_others_work(item)
        item = _without_excess(item)
        await _let_others_work(item)
        echo = echoed(item)
        await _let_others_work(item)
        return NewItem(to_core_item(item), echo, recordings)

    async def _recordings(self, item: Item) -> Recordings:
        """The sound of the audio parts that came without words. Others work meanwhile."""
        if not isinstance(item, MessageItem):
            return {}
        format = to_core_format(self._context.config.input_format)
        found = {}
        for index, part in enumerate(item.content):
            if isinstance(part, InputAudio) and part.audio is not UNSET and part.transcript is None:
                found[index] = np.concatenate(await resampled(part.audio, format))
        return found

    def _truncate(self, event: client_events.ConversationItemTruncate) -> None:
        if event.content_index != 0:
            raise ConversationError(
                "invalid_value",
                "A spoken item has one content part: content_index must be 0.",
                "content_index",
            )
        end_ms = self._conversation.truncate(event.item_id, event.audio_end_ms, self._sent_ms(event.item_id))
        self._outbox.put(events.ConversationItemTruncated(item_id=event.item_id, audio_end_ms=int(end_ms)))


async def resampled(audio: bytes, format: AudioFormat) -> list[Samples]:
    """A recording at VAD_RATE, made in pieces: others work meanwhile."""
    decoder, resampler, pieces = PcmDecoder(format), Resampler(format.rate, VAD_RATE), []
    for start in range(0, max(1, len(audio)), PIECE_BYTES):
        last = start + PIECE_BYTES >= len(audio)
        pieces.append(resampler.feed(decoder.feed(audio[start : start + PIECE_BYTES]), last=last))
        if not last:
            await asyncio.sleep(0)
    return pieces


async def _let_others_work(item: Item) -> None:
    if isinstance(item, MessageItem) and len(item.content) > FEW_PARTS:
        await asyncio.sleep(0)


def _without_excess(item: Item) -> Item:
    """With all texts together within MAX_ITEM_CHARS: the longest ones are cut, and say so."""
    match item:
        case FunctionCallItem():
            return msgspec.structs.replace(item, arguments=cut_characters(item.arguments, MAX_ITEM_CHARS))
        case FunctionCallOutputItem():
            return msgspec.structs.replace(item, output=cut_characters(item.output, MAX_ITEM_CHARS))
    sizes = sorted((len(text_of(part)) for part in item.content), reverse=True)
    if sum(sizes) <= MAX_ITEM_CHARS:
        return item
    limit = fair_limit(sizes, MAX_ITEM_CHARS)
    return msgspec.structs.replace(item, content=tuple(_cut(part, limit) for part in item.content))


def _cut(part: ItemPart, limit: int) -> ItemPart:
    match part:
        case InputText(text) | OutputText(text):
            return msgspec.structs.replace(part, text=cut_characters(text, limit))
        case InputAudio(transcript) | OutputAudio(transcript):
            shorter = None if transcript is None else cut_characters(transcript, limit)
            return msgspec.structs.replace(part, transcript=shorter)
        case _:
            return part


def text_of(part: ItemPart) -> str:
    """The words of a content part."""
    match part:
        case InputText(text) | OutputText(text):
            return text
        case InputAudio(transcript) | OutputAudio(transcript):
            return transcript or ""
        case _:
            return ""


def _without_audio(item: Item) -> Item:
    if not isinstance(item, MessageItem):
        return item
    content = tuple(
        InputAudio(part.transcript) if isinstance(part, InputAudio) else part for part in item.content
    )
    return msgspec.structs.replace(item, content=content)
