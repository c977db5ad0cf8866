"""Server events as JSON: their fields and names, checked with strict models of the stock client."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol import server_events as events
from realtime.protocol import session_config
from realtime.protocol.codec import encode, encode_bytes
from realtime.protocol.objects import (
    AudioPart,
    ConversationObject,
    DurationUsage,
    FailureObject,
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    MessageItem,
    OutputAudio,
    OutputText,
    RateLimit,
    ResponseAudio,
    ResponseAudioOutput,
    ResponseObject,
    TextPart,
    Word,
    cancelled,
    failed,
    incomplete,
    text_usage,
)
from realtime.protocol.session_config import AudioFormat, SessionConfig
from tests.each import each
from tests.protocol.wire_examples import FROM_SERVER
from tests.server.stock_types import check_event

CLASSES: dict[str, type[events.ServerEvent]] = {
    member.__struct_config__.tag: member for member in get_args(events.AnyServerEvent)
}


decode_server = msgspec.json.Decoder(events.AnyServerEvent).decode  # as a strict client would


def wire(event: events.ServerEvent, seq: int | None = None) -> dict[str, Any]:
    return json.loads(encode(event, "event_1", seq))


# -- documented examples ---------------------------------------------------------------------------------------------------------


@each(FROM_SERVER)
def test_every_documented_example_survives_decoding_and_encoding(example):
    """The JSON is equal after decoding an example into our classes and encoding it again."""
    event = decode_server(json.dumps(example))
    assert json.loads(encode(event, example["event_id"])) == example


@each(FROM_SERVER)
def test_the_stock_client_accepts_every_example(example):
    check_event(example)


def test_each_class_is_named_after_its_event():
    for kind, cls in CLASSES.items():
        assert cls.__name__ == ("ErrorEvent" if kind == "error" else re.sub(r"(?:^|[._])(.)", _upper, kind))


def _upper(match: re.Match[str]) -> str:
    return match[1].upper()


def test_every_event_that_clients_need_has_a_class():
    needed = """session.created session.updated conversation.created conversation.item.added conversation.item.done
        conversation.item.deleted conversation.item.retrieved conversation.item.truncated
        input_audio_buffer.committed input_audio_buffer.cleared input_audio_buffer.speech_started
        input_audio_buffer.speech_stopped input_audio_buffer.timeout_triggered
        conversation.item.input_audio_transcription.delta conversation.item.input_audio_transcription.completed
        conversation.item.input_audio_transcription.failed response.created response.done
        response.output_item.added response.output_item.done response.content_part.added response.content_part.done
        response.output_text.delta response.output_text.done response.output_audio.delta response.output_audio.done
        response.output_audio_transcript.delta response.output_audio_transcript.done
        response.function_call_arguments.delta response.function_call_arguments.done error rate_limits.updated
        output_audio_buffer.started output_audio_buffer.stopped output_audio_buffer.cleared
        output_audio_buffer.gain_changed
        response.output_audio_words.delta response.latency.done session.resumed""".split()
    assert set(CLASSES) == set(needed)


# -- random instances -------------------------------------------------------------------------------------------------

ids = st.text("abcXYZ019_-", min_size=1, max_size=12)
texts = st.text(max_size=20)
counts = st.integers(0, 2**31)
statuses = st.sampled_from(["in_progress", "completed", "incomplete"])
images = st.builds(
    InputImage, image_url=texts, detail=st.sampled_from(["auto", "low", "high", msgspec.UNSET])
)
contents = {
    "system": st.builds(InputText, texts),
    "user": st.builds(InputText, texts) | st.builds(InputAudio, st.none() | texts) | images,
    "assistant": st.builds(OutputText, texts) | st.builds(OutputAudio, texts),
}
items = st.one_of(
    *(
        st.builds(
            MessageItem,
            id=ids,
            status=statuses,
            role=st.just(role),
            content=st.lists(content, max_size=3).map(tuple),
        )
        for role, content in contents.items()
    ),
    st.builds(FunctionCallItem, id=ids, status=statuses, name=ids, call_id=ids, arguments=texts),
    st.builds(FunctionCallOutputItem, id=ids, status=statuses, call_id=ids, output=texts),
)
failures = st.builds(FailureObject, code=ids, message=texts)
details = st.one_of(
    st.none(),
    st.sampled_from(["turn_detected", "client_cancelled"]).map(cancelled),
    st.sampled_from(["max_output_tokens", "content_filter"]).map(incomplete),
    st.builds(failed, ids, texts),
)
voices = st.builds(
    ResponseAudio,
    output=st.builds(
        ResponseAudioOutput, format=st.sampled_from(AudioFormat).map(AudioFormat.to_wire), voice=ids
    ),
)
responses = st.builds(
    ResponseObject,
    id=ids,
    status=st.sampled_from(["in_progress", "completed", "cancelled", "incomplete", "failed"]),
    status_details=details,
    output=st.lists(items, max_size=2).map(tuple),
    conversation_id=st.none() | ids,
    output_modalities=st.sampled_from([("audio",), ("text",)]),
    max_output_tokens=st.just("inf") | st.integers(1, 4096),
    audio=voices | st.just(msgspec.UNSET),
    metadata=st.none() | st.dictionaries(ids, texts, max_size=3),
    usage=st.none() | st.builds(text_usage, counts, counts, counts),
)
moments = st.integers(0, 3_600_000)
errors = st.builds(ProtocolError, texts, code=ids, param=st.none() | ids, event_id=st.none() | ids)
by_field: dict[str, st.SearchStrategy[Any]] = {
    "session": st.just(session_config.to_wire(SessionConfig(), session_id="s", expires_at=1, model="m")),
    "conversation": st.builds(ConversationObject, id=ids),
    "error": failures,
    "rate_limits": st.lists(
        st.builds(
            RateLimit,
            name=st.sampled_from(["requests", "tokens"]),
            limit=counts,
            remaining=counts,
            reset_seconds=st.floats(0, 100),
        )
    ).map(tuple),
    "item": items,
    "response": responses,
    "part": st.builds(AudioPart, texts) | st.builds(TextPart, texts),
    "usage": st.builds(DurationUsage, seconds=st.floats(0, 100)),
    "logprobs": st.just(msgspec.UNSET),
    "source": st.sampled_from(["aligned", "estimated"]),
    "words": st.lists(st.builds(Word, text=texts, start_ms=moments, end_ms=moments)).map(tuple),
    "origin": st.sampled_from(["speech_ended", "response_create"]),
    "marks": st.dictionaries(ids, st.integers(-1000, 10_000)),
    "previous_item_id": st.none() | ids,
    "last_event_id": ids,
    "stream": st.just(msgspec.UNSET) | st.integers(1, 255),
    "restored": st.sampled_from([msgspec.UNSET, True]),
    "start_time": st.just(msgspec.UNSET) | st.floats(0, 100),
}


def instances(kind: str) -> st.SearchStrategy[events.ServerEvent]:
    """Random events of one class; the strategies follow its field names and types."""
    cls = CLASSES[kind]
    if kind == "error":
        return errors.map(events.ErrorEvent.of)
    given_types = {field.name: field.type for field in msgspec.structs.fields(cls)}
    by_type = {int: moments, bytes: st.binary()}
    strategies = {
        name: by_field[name] if name in by_field else by_type.get(kind_of, texts)
        for name, kind_of in given_types.items()
        if name not in ("event_id", "seq")
    }
    return st.builds(cls, **strategies)


@pytest.mark.parametrize("kind", CLASSES)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_the_stock_client_accepts_random_events_of_every_class(kind, data):
    """Random events pass the strict types, have null only where it is allowed, and can be decoded again."""
    event = data.draw(instances(kind))
    sent = encode(event, "event_1", seq := data.draw(st.none() | counts))
    check_event(json.loads(sent))
    assert encode(decode_server(sent), "event_1", seq) == sent


# -- details ----------------------------------------------------------------------------------------------------------


def test_audio_is_encoded_as_base64():
    audio = bytes(range(256)) * 3
    event = events.ResponseOutputAudioDelta(response_id="r", item_id="i", delta=audio)
    assert wire(event) == {
        "type": "response.output_audio.delta",
        "event_id": "event_1",
        "response_id": "r",
        "item_id": "i",
        "output_index": 0,
        "content_index": 0,
        "delta": base64.b64encode(audio).decode(),
    }


def test_seq_is_present_only_if_given():
    event = events.InputAudioBufferCleared()
    assert wire(event) == {"type": "input_audio_buffer.cleared", "event_id": "event_1"}
    assert wire(event, 7) == {"type": "input_audio_buffer.cleared", "event_id": "event_1", "seq": 7}


def test_text_and_bytes_are_the_same_message():
    event = events.ResponseOutputTextDelta(response_id="r", item_id="i", delta='中文 é 😀 \n"')
    assert encode_bytes(event, "event_1", 3).decode() == encode(event, "event_1", 3)
    assert wire(event)["delta"] == '中文 é 😀 \n"'


def test_fields_of_extensions_are_left_out_if_unset():
    truncated = events.ConversationItemTruncated(item_id="i", audio_end_ms=620)
    assert "transcript" not in wire(truncated)
    added = events.ResponseContentPartAdded(response_id="r", item_id="i", part=AudioPart())
    assert "stream" not in wire(added)
    assert wire(added)["part"] == {"type": "audio", "transcript": ""}


def test_an_unknown_transcript_is_null_and_not_absent():
    item = MessageItem(id="i", role="user", content=(InputAudio(),))
    added = wire(events.ConversationItemAdded(previous_item_id=None, item=item))
    assert added["previous_item_id"] is None
    assert added["item"]["content"] == [{"type": "input_audio", "transcript": None}]


def test_an_error_names_the_client_event_that_was_wrong():
    error = ProtocolError("No.", code="unknown_parameter", param="session.x", event_id="c1")
    assert wire(events.ErrorEvent.of(error))["error"] == {
        "type": "invalid_request_error",
        "code": "unknown_parameter",
        "message": "No.",
        "param": "session.x",
        "event_id": "c1",
    }
    bare = wire(events.ErrorEvent.of(ProtocolError("No.", type="server_error")))["error"]
    assert (bare["type"], bare["param"], bare["event_id"]) == ("server_error", None, None)


def test_status_details_carry_the_reason():
    ends = {
        "cancelled": cancelled("turn_detected"),
        "incomplete": incomplete("content_filter"),
        "failed": failed("upstream_timeout", "The chat model did not answer."),
    }
    details = {
        status: wire(
            events.ResponseDone(
                response=ResponseObject(id="r", status=status, status_details=end, conversation_id=None)
            )
        )["response"]["status_details"]
        for status, end in ends.items()
    }
    assert details == {
        "cancelled": {"type": "cancelled", "reason": "turn_detected"},
        "incomplete": {"type": "incomplete", "reason": "content_filter"},
        "failed": {
            "type": "failed",
            "error": {
                "type": "server_error",
                "code": "upstream_timeout",
                "message": "The chat model did not answer.",
            },
        },
    }


def test_usage_counts_text_tokens():
    usage = msgspec.to_builtins(text_usage(33, 7, cached_tokens=5))
    assert (usage["total_tokens"], usage["input_tokens"], usage["output_tokens"]) == (40, 33, 7)
    assert usage["input_token_details"]["cached_tokens_details"]["text_tokens"] == 5
    assert usage["output_token_details"] == {"text_tokens": 7, "audio_tokens": 0}


def test_last_event_id_is_null_if_the_client_sent_no_event():
    resumed = events.SessionResumed(session={}, from_seq=1, input_audio_ms=0, last_event_id=None)
    assert wire(resumed)["last_event_id"] is None


def test_an_unknown_server_event_is_not_decoded():
    with pytest.raises(msgspec.DecodeError):
        decode_server('{"type":"response.audio.delta","event_id":"e"}')
