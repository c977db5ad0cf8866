"""Every event a client may send: one class each, named after its type, with checked values.

`codec.decode` makes them from JSON. `session` stays a plain object: what may change depends on the session.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from realtime.blocks import LongBytes
from realtime.protocol.objects import Item
from realtime.protocol.response_options import ResponseParams

ROOT = "root"  # the `previous_item_id` for the start of the conversation

PlaybackState = Literal["playing", "drained", "flushed"]


class ClientEvent(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every client event may have: an id that errors repeat."""

    event_id: str | None = None


class SessionUpdate(ClientEvent, frozen=True, kw_only=True, tag="session.update"):
    """`session` is input for `session_config.apply`."""

    session: dict[str, Any]


class InputAudioBufferAppend(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """`audio`: bytes in the session's input format, decoded from base64."""

    audio: LongBytes


class InputAudioBufferCommit(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    pass


class InputAudioBufferClear(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    pass


class OutputAudioBufferClear(ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    pass


class OutputAudioBufferPlayed(ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.played"):
    """How much the client's speaker has played, in milliseconds of the part's audio."""

    item_id: str
    content_index: int = 0
    played_ms: int
    state: PlaybackState = "playing"


class ConversationItemCreate(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.create"):
    """`previous_item_id`: None appends, ROOT puts the item first. If `item.id` is empty, the server makes an id."""

    item: Item
    previous_item_id: str | None = None


class ConversationItemRetrieve(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.retrieve"):
    item_id: str


class ConversationItemTruncate(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.truncate"):
    item_id: str
    content_index: int
    audio_end_ms: int


class ConversationItemDelete(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.delete"):
    item_id: str


class ResponseCreate(ClientEvent, frozen=True, kw_only=True, tag="response.create"):
    """`response` is input for `response_options`."""

    response: ResponseParams = ResponseParams()


class ResponseCancel(ClientEvent, frozen=True, kw_only=True, tag="response.cancel"):
    response_id: str | None = None


ItemEvent = (
    ConversationItemCreate | ConversationItemRetrieve | ConversationItemTruncate | ConversationItemDelete
)

ControlEvent = (  # all but sound
    SessionUpdate
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | OutputAudioBufferClear
    | OutputAudioBufferPlayed
    | ItemEvent
    | ResponseCreate
    | ResponseCancel
)

# Each has a reader in `codec.py`
AnyClientEvent = InputAudioBufferAppend | ControlEvent
