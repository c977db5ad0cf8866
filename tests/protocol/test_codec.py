"""JSON to client events: what is accepted, and the exact error for everything else."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol import client_events
from realtime.protocol.codec import NotAnEvent, decode
from tests.protocol.events_kit import event, item_refusal, refusal, user
from tests.protocol.wire_examples import FROM_CLIENT

# -- events -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", FROM_CLIENT, ids=lambda example: example["type"])
def test_every_documented_example_is_decoded(example):
    decoded = decode(json.dumps(example))
    assert type(decoded).__struct_config__.tag == example["type"]
    assert decoded.event_id == example.get("event_id")


def test_text_and_bytes_are_the_same_message():
    message = '{"type":"response.cancel","response_id":"resp_é"}'
    assert decode(message) == decode(message.encode()) == client_events.ResponseCancel(response_id="resp_é")


def test_appended_audio_arrives_decoded():
    audio = bytes(range(256)) * 10
    appended = event("input_audio_buffer.append", audio=base64.b64encode(audio).decode(), event_id="c2")
    assert appended == client_events.InputAudioBufferAppend(audio=audio, event_id="c2")


def test_null_stands_for_absent_in_optional_fields():
    assert event("response.cancel", event_id=None, response_id=None) == client_events.ResponseCancel()
    assert event("response.create", response=None) == client_events.ResponseCreate()
    created = event("conversation.item.create", previous_item_id=None, item=user())
    assert created.previous_item_id is None
    assert event("input_audio_buffer.append", audio="", event_id=None).audio == b""


@pytest.mark.parametrize(
    "kind", ["input_audio_buffer.commit", "input_audio_buffer.clear", "output_audio_buffer.clear"]
)
def test_events_without_fields_accept_only_an_event_id(kind):
    assert event(kind, event_id="c9").event_id == "c9"
    assert (refusal(kind, now=True).code, refusal(kind, now=True).param) == ("unknown_parameter", "now")


def test_played_events_have_defaults():
    played = event("output_audio_buffer.played", item_id="item_1", played_ms=620)
    assert played == client_events.OutputAudioBufferPlayed(
        item_id="item_1", content_index=0, played_ms=620, state="playing"
    )
    assert event("output_audio_buffer.played", item_id="i", played_ms=1, state="flushed").state == "flushed"


def test_a_whole_number_may_be_written_as_a_float():
    """JavaScript has only one kind of number."""
    truncated = event("conversation.item.truncate", item_id="i", content_index=0.0, audio_end_ms=620.0)
    assert (truncated.content_index, truncated.audio_end_ms) == (0, 620)
    assert isinstance(truncated.audio_end_ms, int)


# -- messages that are not events -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "", "{", "hello", "nul", '{"type":"response.cancel"}x', "[" * 100_000, '{"a":' * 100_000, b"\xff\xfe", b"\x00",
        '{"type":"response.cancel","a":NaN}', '{"a":1e999}', '{"type":"\udc00"}', b'{"type":"\xff"}',
    ],
    ids=lambda data: repr(data[:20]),
)  # fmt: skip
def test_invalid_json_is_an_error_without_event_id(data):
    with pytest.raises(NotAnEvent) as caught:
        decode(data)
    assert (caught.value.code, caught.value.event_id) == ("invalid_value", None)


@pytest.mark.parametrize("data", ["null", "1", '"session.update"', "[]", "{}", '{"type":1}', '{"type":null}'])
def test_json_without_a_type_is_an_error_without_event_id(data):
    with pytest.raises(NotAnEvent) as caught:
        decode(data)
    assert (caught.value.code, caught.value.param, caught.value.event_id) == ("invalid_value", "type", None)


def test_the_error_for_an_unknown_event_lists_the_known_events():
    error = refusal("response.audio.delta")
    assert (error.code, error.param) == ("invalid_value", "type")
    assert error.message.startswith(
        "Invalid value: 'response.audio.delta'. Supported values are: 'session.update', 'input_audio_buffer.append'"
    )
    assert error.message.endswith("'response.create' and 'response.cancel'.")
    assert not isinstance(error, NotAnEvent)


def test_the_error_for_a_long_event_type_is_short():
    assert len(refusal("x" * 100_000).message) < 600


@pytest.mark.parametrize("event_id", [7, ["c1"], "x" * 513])
def test_an_event_id_is_a_string_of_at_most_512_characters(event_id):
    with pytest.raises(ProtocolError) as caught:
        event("input_audio_buffer.append", audio="", event_id=event_id)
    assert (caught.value.code, caught.value.param) == ("invalid_value", "event_id")
    assert event("response.cancel", event_id="x" * 512).event_id == "x" * 512


# -- wrong fields -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "path"),
    [
        ("session.update", {}, "session"),
        ("input_audio_buffer.append", {}, "audio"),
        ("output_audio_buffer.played", {"played_ms": 1}, "item_id"),
        ("output_audio_buffer.played", {"item_id": "i"}, "played_ms"),
        ("conversation.item.create", {}, "item"),
        ("conversation.item.create", {"item": {}}, "item.type"),
        ("conversation.item.create", {"item": {"type": "message", "content": []}}, "item.role"),
        ("conversation.item.create", {"item": {"type": "message", "role": "user"}}, "item.content"),
        ("conversation.item.create", {"item": user({"text": "Hi"})}, "item.content[0].type"),
        ("conversation.item.create", {"item": user({"type": "input_text"})}, "item.content[0].text"),
        (
            "conversation.item.create",
            {"item": user({"type": "input_text", "text": None})},
            "item.content[0].text",
        ),
        ("conversation.item.create", {"item": user({"type": "input_audio"})}, "item.content[0].audio"),
        ("conversation.item.create", {"item": user({"type": "input_image"})}, "item.content[0].image_url"),
        ("conversation.item.create", {"item": {"type": "function_call", "arguments": "{}"}}, "item.name"),
        ("conversation.item.create", {"item": {"type": "function_call", "name": "f"}}, "item.arguments"),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "output": ""}},
            "item.call_id",
        ),
        (
            "conversation.item.create",
            {"item": {"type": "function_call_output", "call_id": "c"}},
            "item.output",
        ),
        ("conversation.item.retrieve", {}, "item_id"),
        ("conversation.item.delete", {"item_id": None}, "item_id"),
        ("conversation.item.truncate", {"content_index": 0, "audio_end_ms": 1}, "item_id"),
        ("conversation.item.truncate", {"item_id": "i", "audio_end_ms": 1}, "content_index"),
        ("conversation.item.truncate", {"item_id": "i", "content_index": 0}, "audio_end_ms"),
        ("response.create", {"response": {"input": [{"type": "item_reference"}]}}, "response.input[0].id"),
        ("response.create", {"response": {"tools": [{}]}}, "response.tools[0].name"),
        (
            "response.create",
            {"response": {"audio": {"output": {"format": {}}}}},
            "response.audio.output.format.type",
        ),
    ],
)
def test_a_missing_field_is_named_with_its_path(kind, fields, path):
    error = refusal(kind, **fields)
    assert (error.code, error.param) == ("missing_required_parameter", path)
    assert error.message == f"Missing required parameter: '{path}'."


@pytest.mark.parametrize(
    ("kind", "fields", "path"),
    [
        ("session.update", {"session": {}, "now": 1}, "now"),
        ("input_audio_buffer.append", {"audio": "AAAA", "format": "pcm"}, "format"),
        ("conversation.item.create", {"item": {**user(), "colour": "red"}}, "item.colour"),
        ("conversation.item.create", {"item": {**user(), "call_id": "call_1"}}, "item.call_id"),
        (
            "conversation.item.create",
            {"item": user({"type": "input_text", "text": "", "x": 1})},
            "item.content[0].x",
        ),
        ("response.create", {"response": {"loud": True}}, "response.loud"),
        ("response.create", {"response": {"audio": {"input": {}}}}, "response.audio.input"),
        ("response.create", {"response": {"audio": {"output": {"pitch": 1}}}}, "response.audio.output.pitch"),
    ],
)
def test_an_unknown_field_is_named_with_its_path(kind, fields, path):
    error = refusal(kind, **fields)
    assert (error.code, error.param) == ("unknown_parameter", path)
    assert error.message == f"Unknown parameter: '{path}'."


@pytest.mark.parametrize(
    ("kind", "fields", "path"),
    [
        ("session.update", {"session": []}, "session"),
        ("input_audio_buffer.append", {"audio": 1}, "audio"),
        ("input_audio_buffer.append", {"audio": "?"}, "audio"),
        ("input_audio_buffer.append", {"audio": "AAA"}, "audio"),
        ("input_audio_buffer.append", {"audio": "AA=A"}, "audio"),
        ("input_audio_buffer.append", {"audio": "ÄÄÄÄ"}, "audio"),
        ("output_audio_buffer.played", {"item_id": "i", "played_ms": -1}, "played_ms"),
        ("output_audio_buffer.played", {"item_id": "i", "played_ms": 1, "state": "gone"}, "state"),
        ("conversation.item.create", {"item": "Hi"}, "item"),
        ("conversation.item.create", {"item": {"type": "mcp_call"}}, "item.type"),
        ("conversation.item.create", {"item": {**user(), "role": "tool"}}, "item.role"),
        ("conversation.item.create", {"item": {**user(), "id": "x" * 129}}, "item.id"),
        ("conversation.item.create", {"item": {**user(), "id": ""}}, "item.id"),
        ("conversation.item.create", {"item": {**user(), "status": "done"}}, "item.status"),
        ("conversation.item.create", {"item": {**user(), "content": "Hi"}}, "item.content"),
        ("conversation.item.create", {"item": user("Hi")}, "item.content[0]"),
        ("conversation.item.create", {"item": user({"type": "output_text", "text": ""})}, "item.content[0].type"),
        ("conversation.item.create", {"item": user({"type": "input_text", "text": 5})}, "item.content[0].text"),
        ("conversation.item.create", {"item": user({"type": "input_audio", "audio": "?"})}, "item.content[0].audio"),
        (
            "conversation.item.create",
            {"item": user({"type": "input_image", "image_url": "file:///etc/passwd"})},
            "item.content[0].image_url",
        ),
        ("conversation.item.truncate", {"item_id": "i", "content_index": 0, "audio_end_ms": -1}, "audio_end_ms"),
        ("conversation.item.truncate", {"item_id": "i", "content_index": 0, "audio_end_ms": 0.5}, "audio_end_ms"),
        ("conversation.item.truncate", {"item_id": "i", "content_index": True, "audio_end_ms": 0}, "content_index"),
        ("response.create", {"response": "now"}, "response"),
        ("response.create", {"response": {"conversation": "other"}}, "response.conversation"),
        ("response.create", {"response": {"max_output_tokens": 0}}, "response.max_output_tokens"),
        ("response.create", {"response": {"output_modalities": []}}, "response.output_modalities"),
        ("response.create", {"response": {"output_modalities": ["video"]}}, "response.output_modalities[0]"),
        ("response.create", {"response": {"metadata": {"a": 1}}}, "response.metadata.a"),
        ("response.create", {"response": {"metadata": {"a": "x" * 513}}}, "response.metadata.a"),
        ("response.create", {"response": {"metadata": {"x" * 65: "a"}}}, "response.metadata"),
        ("response.create", {"response": {"metadata": dict.fromkeys("abcdefghijklmnopq", "")}}, "response.metadata"),
        ("response.create", {"response": {"temperature": 3}}, "response.temperature"),
        ("response.create", {"response": {"instructions": "x" * 65_537}}, "response.instructions"),
        ("response.create", {"response": {"input": [{"type": "video"}]}}, "response.input[0].type"),
        ("response.create", {"response": {"tools": [{"type": "mcp", "name": "x"}]}}, "response.tools[0].type"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_with_its_path(kind, fields, path):
    error = refusal(kind, **fields)
    assert (error.code, error.param) == ("invalid_value", path)


def test_the_error_for_a_long_parameter_name_is_short():
    error = refusal("response.create", response={"x" * 100_000: 1})
    assert error.code == "unknown_parameter"
    assert len(error.message) + len(error.param) < 1000


def test_error_messages_name_the_accepted_values():
    assert (
        item_refusal(**user({"type": "text", "text": "Hi"})).message
        == "Invalid value: 'text'. Supported values are: 'input_text', 'input_audio' and 'input_image'."
    )
    assert (
        item_refusal(**user({"type": "input_text", "text": 5})).message
        == "Invalid type for 'item.content[0].text': expected a string, but got an integer instead."
    )
    assert (
        refusal("response.create", response={"max_output_tokens": 5000}).message
        == "Invalid value: 5000. Expected an integer from 1 to 4096 for 'response.max_output_tokens'."
    )


def test_the_error_for_a_beta_name_names_the_current_one():
    error = refusal("response.create", response={"modalities": ["text"]})
    assert (error.code, error.param) == ("unknown_parameter", "response.modalities")
    assert (
        error.message == "Unknown parameter: 'response.modalities'. Use 'response.output_modalities' instead."
    )


@given(st.sampled_from(FROM_CLIENT), st.data())
def test_a_valid_event_with_one_random_value_is_decoded_or_a_protocol_error(example, data):
    """One value, at any depth, is replaced by a random one. No other exception may escape."""
    message = json.loads(json.dumps(example))
    node, key = message, data.draw(st.sampled_from(sorted(message)))
    while isinstance(node[key], (dict, list)) and node[key] and data.draw(st.booleans()):
        node = node[key]
        key = data.draw(st.sampled_from(sorted(node))) if isinstance(node, dict) else 0
    node[key] = data.draw(json_values)
    assert len(outcome(json.dumps(message))) < 1000


def outcome(data) -> str:
    try:
        return type(decode(data)).__name__
    except ProtocolError as error:
        return error.message


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.binary() | st.text() | json_values.map(json.dumps))
def test_random_messages_are_protocol_errors(data):
    with pytest.raises(ProtocolError):
        decode(data)
