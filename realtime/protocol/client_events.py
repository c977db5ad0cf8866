"""Every event a client may send, one class each, named after its type, already checked.

`codec.decode` makes them from JSON. `session` stays a plain object: what may be changed depends on the session.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from realtime.protocol.objects import Item
from realtime.protocol.response_options import ResponseParams

ROOT = "root"  # `previous_item_id` that means the front of the conversation

PlaybackState = Literal["playing", "drained", "flushed"]


class ClientEvent(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every client event may have: its own id, echoed in errors."""

    event_id: str | None = None


class SessionUpdate(ClientEvent, frozen=True, kw_only=True, tag="session.update"):
    """`session` goes to `session_config.apply`."""

    session: dict[str, Any]


class InputAudioBufferAppend(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.append"):
    """`audio` is decoded; in the session's input format."""

    audio: bytes


class InputAudioBufferCommit(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.commit"):
    pass


class InputAudioBufferClear(ClientEvent, frozen=True, kw_only=True, tag="input_audio_buffer.clear"):
    pass


class OutputAudioBufferClear(ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.clear"):
    pass


class OutputAudioBufferPlayed(ClientEvent, frozen=True, kw_only=True, tag="output_audio_buffer.played"):
    """What has left the client's speaker, in milliseconds of the part's audio."""

    item_id: str
    content_index: int = 0
    played_ms: int
    state: PlaybackState = "playing"


class ConversationItemCreate(ClientEvent, frozen=True, kw_only=True, tag="conversation.item.create"):
    """`previous_item_id`: None appends, ROOT is the front. `item.id` may be empty: the server makes one."""

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
    """`response` goes to `response_options`."""

    response: ResponseParams = ResponseParams()


class ResponseCancel(ClientEvent, frozen=True, kw_only=True, tag="response.cancel"):
    response_id: str | None = None


AnyClientEvent = (
    SessionUpdate
    | InputAudioBufferAppend
    | InputAudioBufferCommit
    | InputAudioBufferClear
    | OutputAudioBufferClear
    | OutputAudioBufferPlayed
    | ConversationItemCreate
    | ConversationItemRetrieve
    | ConversationItemTruncate
    | ConversationItemDelete
    | ResponseCreate
    | ResponseCancel
)
