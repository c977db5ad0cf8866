"""Items and responses of a client as objects: what is kept, what is a default, what is refused."""

from __future__ import annotations

import pytest

from realtime.protocol.objects import (
    FunctionCallItem,
    FunctionCallOutputItem,
    InputAudio,
    InputImage,
    InputText,
    ItemReference,
    MessageItem,
    OutputAudio,
    OutputText,
)
from realtime.protocol.response_options import ResponseParams
from realtime.protocol.session_values import AudioFormat, FunctionTool, ToolChoice
from realtime.protocol.voices import VoiceObject
from tests.protocol.events_kit import create, event, item_refusal, user


def test_items_keep_the_values_of_the_client():
    message = create(
        id="msg_9", status="incomplete", object="realtime.item", **user({"type": "input_text", "text": "Hi"})
    )
    assert message == MessageItem(id="msg_9", status="incomplete", role="user", content=(InputText("Hi"),))
    call = create(type="function_call", id="f", name="weather", call_id="call_1", arguments='{"city":"Oslo"}')
    assert call == FunctionCallItem(id="f", name="weather", call_id="call_1", arguments='{"city":"Oslo"}')
    output = create(type="function_call_output", call_id="call_1", output="4")
    assert output == FunctionCallOutputItem(call_id="call_1", output="4")


def test_an_item_without_id_and_status_is_completed_and_has_an_empty_id():
    message = create(**user())
    assert (message.id, message.status) == ("", "completed")
    assert create(type="function_call", name="f", arguments="{}").call_id == ""


def test_audio_is_decoded_only_if_there_is_no_transcript():
    said, recorded = create(
        **user(
            {"type": "input_audio", "transcript": "Hi", "audio": "?"},
            {"type": "input_audio", "audio": "AAAA"},
        )
    ).content
    assert said == InputAudio("Hi")
    assert recorded == InputAudio(None, b"\x00\x00\x00")


@pytest.mark.parametrize("blank", ["", " ", "\n"])
def test_a_blank_transcript_beside_audio_says_nothing(blank):
    part = {"type": "input_audio", "transcript": blank}
    audios = ({"audio": "AAAA"}, {}, {"audio": ""}, {"audio": None})
    recorded, *said = create(**user(*({**part, **each} for each in audios))).content
    assert recorded == InputAudio(None, b"\x00\x00\x00")
    assert said == [InputAudio(blank)] * 3


def test_images_are_data_uris():
    url = "data:image/png;base64,iVBORw0KGgo="
    (image,) = create(**user({"type": "input_image", "image_url": url, "detail": "low"})).content
    assert image == InputImage(url, "low")


def test_the_role_developer_becomes_system():
    assert (
        create(type="message", role="developer", content=[{"type": "input_text", "text": "x"}]).role
        == "system"
    )


def test_beta_content_types_of_the_assistant_are_accepted():
    message = create(
        type="message",
        role="assistant",
        content=[
            {"type": "text", "text": "a"},
            {"type": "audio", "transcript": "b"},
            {"type": "output_audio"},
        ],
    )
    assert message.content == (OutputText("a"), OutputAudio("b"), OutputAudio(""))


def test_null_is_accepted_in_keys_of_other_item_types():
    """Some clients write every field that any item type has."""
    part = {
        "type": "input_text",
        "text": "Hi",
        "audio": None,
        "transcript": None,
        "image_url": None,
        "detail": None,
    }
    item = {
        "id": None,
        "status": None,
        "object": None,
        "call_id": None,
        "name": None,
        "arguments": None,
        "output": None,
    }
    assert create(**user(part), **item) == MessageItem(role="user", content=(InputText("Hi"),))


def test_a_text_may_have_any_length():
    long = "x" * 1_000_000
    assert create(**user({"type": "input_text", "text": long})).content == (InputText(long),)
    assert create(type="function_call", name="f", arguments=long).arguments == long
    assert create(type="function_call_output", call_id="c", output=long).output == long


def test_a_message_has_at_most_1_000_parts():
    part = {"type": "input_text", "text": "x"}
    assert len(create(**user(*[part] * 1_000)).content) == 1_000
    error = item_refusal(**user(*[part] * 1_001))
    assert (error.code, error.param) == ("invalid_value", "item.content")
    assert "several items" in error.message


# -- responses --------------------------------------------------------------------------------------------------------


def test_a_response_may_override_every_option():
    created = event(
        "response.create",
        response={
            "instructions": "",
            "tools": [
                {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
            ],
            "tool_choice": {"type": "function", "name": "f"},
            "parallel_tool_calls": False,
            "max_output_tokens": "inf",
            "output_modalities": ["text"],
            "reasoning": {"effort": "low"},
            "prompt": {"id": "p"},
            "temperature": 0.5,
            "audio": {"output": {"format": {"type": "audio/pcmu"}, "voice": {"id": "v"}, "speed": 9}},
            "conversation": "none",
            "input": [user({"type": "input_text", "text": "Hi"}), {"type": "item_reference", "id": "item_1"}],
            "metadata": {"topic": "mood"},
        },
    )
    assert created.response == ResponseParams(
        instructions="",
        tools=(FunctionTool("f", "d", {"type": "object"}),),
        tool_choice=ToolChoice("function", "f"),
        parallel_tool_calls=False,
        max_output_tokens="inf",
        output_modality="text",
        reasoning_effort="low",
        temperature=0.5,
        output_format=AudioFormat.PCMU,
        voice=VoiceObject("v"),
        conversation="none",
        input=(MessageItem(role="user", content=(InputText("Hi"),)), ItemReference(id="item_1")),
        metadata={"topic": "mood"},
    )


def test_null_overrides_nothing():
    fields = [
        "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "output_modalities",
        "reasoning", "prompt", "temperature", "audio", "conversation", "input", "metadata",
    ]  # fmt: skip
    assert event("response.create", response=dict.fromkeys(fields)).response == ResponseParams()
    assert event("response.create", response={"audio": {"output": None}}).response == ResponseParams()


def test_an_empty_input_is_not_the_same_as_no_input():
    assert event("response.create", response={"input": []}).response.input == ()
