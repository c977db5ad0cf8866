"""Decodes JSON to typed client events, and encodes typed server events to JSON. Invalid input raises ProtocolError.

Knows the fields of every event; does not know what a session allows at this moment. How large an event may be is
checked before it is decoded (`raw_events.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import msgspec

from realtime.blocks import LongBytes
from realtime.errors import ProtocolError
from realtime.protocol import checks, client_json
from realtime.protocol.broken_events import MAX_EVENT_ID_CHARS, id_at_the_ends, id_in, id_in_broken
from realtime.protocol.checks import Fields
from realtime.protocol.client_events import (
    AnyClientEvent,
    ConversationItemCreate,
    ConversationItemDelete,
    ConversationItemRetrieve,
    ConversationItemTruncate,
    InputAudioBufferAppend,
    InputAudioBufferClear,
    InputAudioBufferCommit,
    OutputAudioBufferClear,
    OutputAudioBufferPlayed,
    ResponseCancel,
    ResponseCreate,
    SessionUpdate,
)
from realtime.protocol.items import read_id, read_item
from realtime.protocol.raw_events import MAX_EVENT_BYTES, UNCHECKED_BYTES, LargeData, check_values, too_large
from realtime.protocol.response_options import ResponseParams, read_response_params
from realtime.protocol.server_events import ServerEvent

MAX_TYPE_SHOWN = 80  # characters of an unknown event type that the error repeats
AT_ONCE_BYTES = 256 * 1024  # of an append: decoded in about a millisecond


class NotAnEvent(ProtocolError):
    """The message is too large, or not JSON, or not an object with a string `type`.

    A hundred in a row end the session.
    """


# --- client to server ----------------------------------------------------------------------------------------


class _Append(msgspec.Struct, tag_field="type", tag="input_audio_buffer.append", forbid_unknown_fields=True):
    """The most frequent event, in the form that needs no further check."""

    audio: bytes
    event_id: str | None = None


_append_decoder = msgspec.json.Decoder(_Append)


def decode(data: str | bytes) -> AnyClientEvent:
    """One client message, checked.

    Raises ProtocolError with `code`, `param` and the client's `event_id`; its subclass NotAnEvent if the message
    is no event at all.
    """
    steps = decode_in_steps(data)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            event: AnyClientEvent = end.value
            return event


def decode_in_steps(data: str | LongBytes) -> Generator[None, None, AnyClientEvent]:
    """Like `decode`, in steps of a few milliseconds. Small messages, and appends of a usual size, take one step."""
    append = usual_append(data)
    if append is not None:
        return append
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) <= UNCHECKED_BYTES:
        return _read((yield from _parse(raw[:])))
    return (yield from _decode_checked(raw))


def usual_append(data: str | LongBytes) -> InputAudioBufferAppend | None:
    """An append as nearly all clients send it, quickly; None for everything else."""
    if len(data) > AT_ONCE_BYTES:
        return None
    try:
        append = _append_decoder.decode(data[:])
    except (ValueError, RecursionError):  # DecodeError and UnicodeError are ValueErrors
        return None
    if append.event_id is not None and len(append.event_id) > MAX_EVENT_ID_CHARS:
        return None
    return InputAudioBufferAppend(audio=append.audio, event_id=append.event_id)


def _decode_checked(raw: LongBytes) -> Generator[None, None, AnyClientEvent]:
    """A message that may be too large to be built, or to be decoded at once."""
    large = LargeData(raw)
    try:
        if len(raw) > AT_ONCE_BYTES:
            yield from large.take_out()
        rest = large.rest or raw[:]
        yield from check_values(rest)
        message = yield from _parse(rest)
        yield
        if not (yield from large.put_back(message)):
            if len(raw) > MAX_EVENT_BYTES:
                raise too_large(len(raw))
            message = yield from _parse(raw[:])
    except NotAnEvent:
        raise
    except ProtocolError as error:
        raise NotAnEvent(error.message, event_id=id_at_the_ends(raw)) from None
    event = _read(message)
    yield
    return event


def _read(message: Any) -> AnyClientEvent:
    if isinstance(message, dict) and client_json.too_deep(message):
        raise checks.invalid(client_json.TOO_DEEP, None, event_id=id_in(message))
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        problem = "Invalid value: expected a JSON object with a string 'type'."
        raise NotAnEvent(problem, param="type", event_id=id_in(message))
    sent = Fields(message, "")
    kind = sent.pop("type")
    event_id = sent.pop("event_id")
    try:
        checks.text("" if event_id is None else event_id, "event_id", max_chars=MAX_EVENT_ID_CHARS)
    except ProtocolError as error:
        error.event_id = id_in(message)
        raise
    reader = _READERS.get(kind)
    try:
        if reader is None:
            raise checks.not_among(kind[:MAX_TYPE_SHOWN], list(_READERS), "type")
        event = reader(sent, event_id)
        sent.close()
    except ProtocolError as error:
        error.event_id = event_id
        raise
    return event


def _parse(data: bytes) -> Generator[None, None, Any]:
    try:
        return (yield from client_json.parse_in_steps(data, "the message"))
    except client_json.NotJson as error:
        raise NotAnEvent(str(error), event_id=id_in_broken(data)) from None


_EventReader = Callable[[Fields, str | None], AnyClientEvent]


def _session_update(sent: Fields, event_id: str | None) -> SessionUpdate:
    return SessionUpdate(event_id=event_id, session=sent.required("session", checks.plain_object))


def _append(sent: Fields, event_id: str | None) -> InputAudioBufferAppend:
    return InputAudioBufferAppend(event_id=event_id, audio=sent.required("audio", checks.base64_bytes))


def _played(sent: Fields, event_id: str | None) -> OutputAudioBufferPlayed:
    state: Any = sent.optional("state", checks.choice(["playing", "drained", "flushed"]), "playing")
    return OutputAudioBufferPlayed(
        event_id=event_id,
        item_id=sent.required("item_id", checks.text),
        content_index=sent.optional("content_index", checks.integer(), 0),
        played_ms=sent.required("played_ms", checks.integer()),
        state=state,
    )


def _item_create(sent: Fields, event_id: str | None) -> ConversationItemCreate:
    return ConversationItemCreate(
        event_id=event_id,
        previous_item_id=sent.maybe("previous_item_id", checks.text),
        item=sent.required("item", read_item),
    )


def _item_truncate(sent: Fields, event_id: str | None) -> ConversationItemTruncate:
    return ConversationItemTruncate(
        event_id=event_id,
        item_id=sent.required("item_id", checks.text),
        content_index=sent.required("content_index", checks.integer()),
        audio_end_ms=sent.required("audio_end_ms", checks.integer()),
    )


def _response_create(sent: Fields, event_id: str | None) -> ResponseCreate:
    params = sent.maybe("response", read_response_params)
    return ResponseCreate(event_id=event_id, response=params or ResponseParams())


_READERS: dict[str, _EventReader] = {
    "session.update": _session_update,
    "input_audio_buffer.append": _append,
    "input_audio_buffer.commit": lambda _, event_id: InputAudioBufferCommit(event_id=event_id),
    "input_audio_buffer.clear": lambda _, event_id: InputAudioBufferClear(event_id=event_id),
    "output_audio_buffer.clear": lambda _, event_id: OutputAudioBufferClear(event_id=event_id),
    "output_audio_buffer.played": _played,
    "conversation.item.create": _item_create,
    "conversation.item.retrieve": lambda sent, event_id: ConversationItemRetrieve(
        event_id=event_id, item_id=sent.required("item_id", checks.text)
    ),
    "conversation.item.truncate": _item_truncate,
    "conversation.item.delete": lambda sent, event_id: ConversationItemDelete(
        event_id=event_id, item_id=sent.required("item_id", checks.text)
    ),
    "response.create": _response_create,
    "response.cancel": lambda sent, event_id: ResponseCancel(
        event_id=event_id, response_id=sent.maybe("response_id", read_id)
    ),
}


# --- server to client ----------------------------------------------------------------------------------------

_encoder = msgspec.json.Encoder()


def size_bytes(event: ServerEvent) -> int:
    """About how long this event is as JSON, without its id."""
    return len(_encoder.encode(event))


def encode_bytes(event: ServerEvent, event_id: str, seq: int | None = None) -> bytes:
    """One server event as UTF-8 JSON with its id; `seq` is its number for a client that asked for `resume`."""
    if seq is None:
        return _encoder.encode(msgspec.structs.replace(event, event_id=event_id))
    return _encoder.encode(msgspec.structs.replace(event, event_id=event_id, seq=seq))


def encode(event: ServerEvent, event_id: str, seq: int | None = None) -> str:
    """Like `encode_bytes`, as text."""
    return encode_bytes(event, event_id, seq).decode()
