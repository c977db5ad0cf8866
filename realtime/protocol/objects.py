"""The objects inside events: items, their content, responses, usage. Field names are those of the protocol.

Only values: this module knows no order of events. A field that is UNSET is left out of the JSON. None becomes `null`
and is used only where the protocol allows null.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

ItemStatus = Literal["in_progress", "completed", "incomplete"]
ItemRole = Literal["system", "user", "assistant"]
ResponseStatus = Literal["in_progress", "completed", "cancelled", "incomplete", "failed"]
ImageDetail = Literal["auto", "low", "high"]

# --- content of items ----------------------------------------------------------------------------------------


class InputText(Struct, frozen=True, tag_field="type", tag="input_text"):
    """Text by the user or the system."""

    text: str


class InputAudio(Struct, frozen=True, tag_field="type", tag="input_audio"):
    """Speech of the user. `transcript` is null until it is known. `audio` is set only if a client sent it."""

    transcript: str | None = None
    audio: bytes | UnsetType = UNSET


class InputImage(Struct, frozen=True, tag_field="type", tag="input_image"):
    """An image from the user, as a data URI. Left out where a client gets back what it has sent itself."""

    image_url: str | UnsetType = UNSET
    detail: ImageDetail | UnsetType = UNSET


class OutputText(Struct, frozen=True, tag_field="type", tag="output_text"):
    """Text by the assistant."""

    text: str


class OutputAudio(Struct, frozen=True, tag_field="type", tag="output_audio"):
    """Speech of the assistant, as text."""

    transcript: str


ItemPart = InputText | InputAudio | InputImage | OutputText | OutputAudio

# --- items ---------------------------------------------------------------------------------------------------


class MessageItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A spoken or written message. `id` is empty only if a client created the item without one."""

    id: str = ""
    object: Literal["realtime.item"] = "realtime.item"
    status: ItemStatus = "completed"
    role: ItemRole
    content: tuple[ItemPart, ...] = ()


class FunctionCallItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """The model calls a function. `arguments` is "" until they are complete."""

    id: str = ""
    object: Literal["realtime.item"] = "realtime.item"
    status: ItemStatus = "completed"
    name: str
    call_id: str = ""
    arguments: str = ""


class FunctionCallOutputItem(Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"):
    """What the function returned."""

    id: str = ""
    object: Literal["realtime.item"] = "realtime.item"
    status: ItemStatus = "completed"
    call_id: str
    output: str


Item = MessageItem | FunctionCallItem | FunctionCallOutputItem


class ItemReference(Struct, frozen=True, kw_only=True, tag_field="type", tag="item_reference"):
    """In `response.create.input`: an item of the conversation, by its id."""

    id: str


# --- parts of a response (fewer fields than content of items) -------------------------------------------------


class AudioPart(Struct, frozen=True, tag_field="type", tag="audio"):
    """The content part of a spoken reply."""

    transcript: str = ""


class TextPart(Struct, frozen=True, tag_field="type", tag="text"):
    """The content part of a written reply."""

    text: str = ""


ResponsePart = AudioPart | TextPart

# --- responses -----------------------------------------------------------------------------------------------


class FailureObject(Struct, frozen=True, kw_only=True):
    """Why a response or a transcription failed."""

    type: str = "server_error"
    code: str
    message: str


class StatusDetails(Struct, frozen=True, kw_only=True):
    """How a response ended. Made by `cancelled`, `incomplete` and `failed`."""

    type: Literal["cancelled", "incomplete", "failed"]
    reason: (
        Literal["turn_detected", "client_cancelled", "max_output_tokens", "content_filter"] | UnsetType
    ) = UNSET
    error: FailureObject | UnsetType = UNSET


def cancelled(reason: Literal["turn_detected", "client_cancelled"]) -> StatusDetails:
    return StatusDetails(type="cancelled", reason=reason)


def incomplete(reason: Literal["max_output_tokens", "content_filter"]) -> StatusDetails:
    return StatusDetails(type="incomplete", reason=reason)


def failed(code: str, message: str, *, type: str = "server_error") -> StatusDetails:
    return StatusDetails(type="failed", error=FailureObject(type=type, code=code, message=message))


class TokenDetails(Struct, frozen=True, kw_only=True):
    """Tokens by kind."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputTokenDetails(Struct, frozen=True, kw_only=True):
    """Tokens of the prompt by kind."""

    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: TokenDetails = TokenDetails()


class OutputTokenDetails(Struct, frozen=True, kw_only=True):
    """Tokens of the answer by kind."""

    text_tokens: int = 0
    audio_tokens: int = 0


class Usage(Struct, frozen=True, kw_only=True):
    """Token counts of one response; no null inside."""

    total_tokens: int
    input_tokens: int
    output_tokens: int
    input_token_details: InputTokenDetails
    output_token_details: OutputTokenDetails


def text_usage(input_tokens: int, output_tokens: int, cached_tokens: int = 0) -> Usage:
    """Usage of a model that counts text tokens only."""
    return Usage(
        total_tokens=input_tokens + output_tokens,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        input_token_details=InputTokenDetails(
            text_tokens=input_tokens,
            cached_tokens=cached_tokens,
            cached_tokens_details=TokenDetails(text_tokens=cached_tokens),
        ),
        output_token_details=OutputTokenDetails(text_tokens=output_tokens),
    )


class ResponseAudioOutput(Struct, frozen=True, kw_only=True):
    """Format (as `AudioFormat.to_wire` gives it) and voice of a spoken response."""

    format: dict[str, Any]
    voice: str


class ResponseAudio(Struct, frozen=True, kw_only=True):
    output: ResponseAudioOutput


class ResponseObject(Struct, frozen=True, kw_only=True):
    """One reply. Written replies have no `audio`; `conversation_id` is null for out-of-band replies."""

    id: str
    object: Literal["realtime.response"] = "realtime.response"
    status: ResponseStatus = "in_progress"
    status_details: StatusDetails | None = None
    output: tuple[Item, ...] = ()
    conversation_id: str | None
    output_modalities: tuple[str, ...] = ("audio",)
    max_output_tokens: int | Literal["inf"] = "inf"
    audio: ResponseAudio | UnsetType = UNSET
    metadata: dict[str, str] | None = None
    usage: Usage | None = None


# --- the rest ------------------------------------------------------------------------------------------------


class ConversationObject(Struct, frozen=True, kw_only=True):
    id: str
    object: Literal["realtime.conversation"] = "realtime.conversation"


class ErrorObject(Struct, frozen=True, kw_only=True):
    """`error` of the `error` event. `event_id` is that of the client event that caused it."""

    type: str = "invalid_request_error"
    code: str | None = None
    message: str
    param: str | None = None
    event_id: str | None = None


class DurationUsage(Struct, frozen=True, kw_only=True, tag_field="type", tag="duration"):
    """Length of the audio that was transcribed."""

    seconds: float


class RateLimit(Struct, frozen=True, kw_only=True):
    name: Literal["requests", "tokens"]
    limit: int
    remaining: int
    reset_seconds: float


class Word(Struct, frozen=True, kw_only=True):
    """One word with its spaces and punctuation; milliseconds from the start of the part's audio."""

    text: str
    start_ms: int
    end_ms: int
