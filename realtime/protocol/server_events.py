"""Every event the server sends: one class each, named after its type. Knows no order of events and no clock.

`codec.encode` fills in `event_id`, and `seq` if the client asked for `resume`.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Raw, Struct, UnsetType

from realtime.errors import ProtocolError
from realtime.protocol.objects import (
    ConversationObject,
    DurationUsage,
    ErrorObject,
    FailureObject,
    Item,
    RateLimit,
    ResponseObject,
    ResponsePart,
    Word,
)


class ServerEvent(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What every server event has."""

    event_id: str = ""
    seq: int | UnsetType = UNSET


SessionObject = dict[str, Any] | Raw  # Raw: already JSON, so that many events can share it

# --- session and errors --------------------------------------------------------------------------------------


class SessionCreated(ServerEvent, frozen=True, kw_only=True, tag="session.created"):
    session: SessionObject


class SessionUpdated(ServerEvent, frozen=True, kw_only=True, tag="session.updated"):
    session: SessionObject


class SessionResumed(ServerEvent, frozen=True, kw_only=True, tag="session.resumed"):
    session: SessionObject
    from_seq: int
    input_audio_ms: int
    last_event_id: str | None
    restored: bool | UnsetType = UNSET  # by another server


class ConversationCreated(ServerEvent, frozen=True, kw_only=True, tag="conversation.created"):
    conversation: ConversationObject


class ErrorEvent(ServerEvent, frozen=True, kw_only=True, tag="error"):
    error: ErrorObject

    @classmethod
    def of(cls, error: ProtocolError) -> ErrorEvent:
        """The event that reports a client's mistake to it."""
        return cls(
            error=ErrorObject(
                type=error.type,
                code=error.code,
                message=error.message,
                param=error.param,
                event_id=error.event_id,
            )
        )


class RateLimitsUpdated(ServerEvent, frozen=True, kw_only=True, tag="rate_limits.updated"):
    rate_limits: tuple[RateLimit, ...]


# --- input audio ---------------------------------------------------------------------------------------------


class InputAudioBufferSpeechStarted(
    ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_started"
):
    audio_start_ms: int
    item_id: str


class InputAudioBufferSpeechStopped(
    ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.speech_stopped"
):
    audio_end_ms: int
    item_id: str


class InputAudioBufferCommitted(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.committed"):
    item_id: str
    previous_item_id: str | None


class InputAudioBufferCleared(ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.cleared"):
    pass


class InputAudioBufferTimeoutTriggered(
    ServerEvent, frozen=True, kw_only=True, tag="input_audio_buffer.timeout_triggered"
):
    audio_start_ms: int
    audio_end_ms: int
    item_id: str


# --- conversation --------------------------------------------------------------------------------------------


class ConversationItemAdded(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.added"):
    previous_item_id: str | None
    item: Item


class ConversationItemDone(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.done"):
    previous_item_id: str | None
    item: Item


class ConversationItemRetrieved(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.retrieved"):
    item: Item


class ConversationItemDeleted(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.deleted"):
    item_id: str


class ConversationItemTruncated(ServerEvent, frozen=True, kw_only=True, tag="conversation.item.truncated"):
    """`transcript` is set only for clients that asked for `playback`."""

    item_id: str
    content_index: int = 0
    audio_end_ms: int
    transcript: str | UnsetType = UNSET


class ConversationItemInputAudioTranscriptionDelta(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.delta"
):
    item_id: str
    content_index: int = 0
    delta: str


class ConversationItemInputAudioTranscriptionCompleted(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.completed"
):
    item_id: str
    content_index: int = 0
    transcript: str
    usage: DurationUsage
    logprobs: list[dict[str, Any]] | UnsetType = UNSET


class ConversationItemInputAudioTranscriptionFailed(
    ServerEvent, frozen=True, kw_only=True, tag="conversation.item.input_audio_transcription.failed"
):
    item_id: str
    content_index: int = 0
    error: FailureObject


# --- responses -----------------------------------------------------------------------------------------------


class ResponseCreated(ServerEvent, frozen=True, kw_only=True, tag="response.created"):
    response: ResponseObject


class ResponseDone(ServerEvent, frozen=True, kw_only=True, tag="response.done"):
    response: ResponseObject


class ResponseOutputItemAdded(ServerEvent, frozen=True, kw_only=True, tag="response.output_item.added"):
    response_id: str
    output_index: int = 0
    item: Item


class ResponseOutputItemDone(ServerEvent, frozen=True, kw_only=True, tag="response.output_item.done"):
    response_id: str
    output_index: int = 0
    item: Item


class PartEvent(ServerEvent, frozen=True, kw_only=True):
    """The fields that name a content part, in every delta and done event."""

    response_id: str
    item_id: str
    output_index: int = 0
    content_index: int = 0


class ResponseContentPartAdded(PartEvent, frozen=True, kw_only=True, tag="response.content_part.added"):
    """`stream` is the stream number of this part's binary frames, if binary audio was negotiated."""

    part: ResponsePart
    stream: int | UnsetType = UNSET


class ResponseContentPartDone(PartEvent, frozen=True, kw_only=True, tag="response.content_part.done"):
    part: ResponsePart


class ResponseOutputTextDelta(PartEvent, frozen=True, kw_only=True, tag="response.output_text.delta"):
    delta: str


class ResponseOutputTextDone(PartEvent, frozen=True, kw_only=True, tag="response.output_text.done"):
    text: str


class ResponseOutputAudioTranscriptDelta(
    PartEvent, frozen=True, kw_only=True, tag="response.output_audio_transcript.delta"
):
    """`start_time` in seconds: set only if the client asked for `words` and the time is known."""

    delta: str
    start_time: float | UnsetType = UNSET


class ResponseOutputAudioTranscriptDone(
    PartEvent, frozen=True, kw_only=True, tag="response.output_audio_transcript.done"
):
    transcript: str


class ResponseOutputAudioDelta(PartEvent, frozen=True, kw_only=True, tag="response.output_audio.delta"):
    """`delta` is raw audio; the codec encodes it as base64."""

    delta: bytes


class ResponseOutputAudioDone(PartEvent, frozen=True, kw_only=True, tag="response.output_audio.done"):
    pass


class ResponseFunctionCallArgumentsDelta(
    ServerEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.delta"
):
    response_id: str
    item_id: str
    output_index: int
    call_id: str
    delta: str


class ResponseFunctionCallArgumentsDone(
    ServerEvent, frozen=True, kw_only=True, tag="response.function_call_arguments.done"
):
    response_id: str
    item_id: str
    output_index: int
    call_id: str
    name: str
    arguments: str


# --- extensions ----------------------------------------------------------------------------------------------


class OutputAudioBufferStarted(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.started"):
    response_id: str


class OutputAudioBufferStopped(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.stopped"):
    response_id: str


class OutputAudioBufferCleared(ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.cleared"):
    response_id: str


class OutputAudioBufferGainChanged(
    ServerEvent, frozen=True, kw_only=True, tag="output_audio_buffer.gain_changed"
):
    """`gain_db`: how loud the client should play from now on; 0 is as it was sent."""

    response_id: str
    gain_db: int


class ResponseOutputAudioWordsDelta(
    PartEvent, frozen=True, kw_only=True, tag="response.output_audio_words.delta"
):
    source: Literal["aligned", "estimated"]
    words: tuple[Word, ...]


class ResponseLatencyDone(ServerEvent, frozen=True, kw_only=True, tag="response.latency.done"):
    """`marks`: milliseconds after `origin`, by the name of the mark."""

    response_id: str
    origin: Literal["speech_ended", "response_create"]
    marks: dict[str, int]


AnyServerEvent = (
    SessionCreated
    | SessionUpdated
    | SessionResumed
    | ConversationCreated
    | ErrorEvent
    | RateLimitsUpdated
    | InputAudioBufferSpeechStarted
    | InputAudioBufferSpeechStopped
    | InputAudioBufferCommitted
    | InputAudioBufferCleared
    | InputAudioBufferTimeoutTriggered
    | ConversationItemAdded
    | ConversationItemDone
    | ConversationItemRetrieved
    | ConversationItemDeleted
    | ConversationItemTruncated
    | ConversationItemInputAudioTranscriptionDelta
    | ConversationItemInputAudioTranscriptionCompleted
    | ConversationItemInputAudioTranscriptionFailed
    | ResponseCreated
    | ResponseDone
    | ResponseOutputItemAdded
    | ResponseOutputItemDone
    | ResponseContentPartAdded
    | ResponseContentPartDone
    | ResponseOutputTextDelta
    | ResponseOutputTextDone
    | ResponseOutputAudioTranscriptDelta
    | ResponseOutputAudioTranscriptDone
    | ResponseOutputAudioDelta
    | ResponseOutputAudioDone
    | ResponseFunctionCallArgumentsDelta
    | ResponseFunctionCallArgumentsDone
    | OutputAudioBufferStarted
    | OutputAudioBufferStopped
    | OutputAudioBufferCleared
    | OutputAudioBufferGainChanged
    | ResponseOutputAudioWordsDelta
    | ResponseLatencyDone
)
