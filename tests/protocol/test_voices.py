"""Voice names: what OpenAI's clients offer selects the configured voice, everything else is the platform's."""

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.audio import speech_create_params
from openai.types.live import built_in_voice
from openai.types.realtime import realtime_audio_config_output

from realtime.errors import ProtocolError
from realtime.protocol.voices import (
    OPENAI_VOICES,
    VoiceObject,
    platform_voice,
    read_voice,
    voice_id,
)

MINE = "English_Graceful_Lady"


def literals(kind: object) -> set[str]:
    """All strings of a type's literals."""
    if typing.get_origin(kind) is typing.Literal:
        return set(typing.get_args(kind))
    return {name for part in typing.get_args(kind) for name in literals(part)}


@pytest.mark.parametrize(
    "kind", [speech_create_params.Voice, built_in_voice.BuiltInVoice, realtime_audio_config_output.Voice]
)
def test_every_name_of_the_official_types_is_known(kind):
    assert len(literals(kind)) >= 8
    assert literals(kind) <= OPENAI_VOICES


@pytest.mark.parametrize(
    "name",
    [
        "alloy",
        "Alloy",
        "SHIMMER",
        " sage ",
        "fable",
        "onyx",
        "nova",
        "marin",
        "Cedar",
        "verse",
        "ballad",
        "Willow",
    ],
)
def test_openai_names_in_any_case_select_the_configured_voice(name):
    assert platform_voice(read_voice(name, "v"), MINE) == MINE
    assert platform_voice(read_voice({"id": name}, "v"), MINE) == MINE


@pytest.mark.parametrize("name", ["voice_1234", "voice_68a1f0c9", "voice_AbC"])
def test_a_custom_voice_of_openai_selects_the_configured_voice(name):
    assert platform_voice(read_voice({"id": name}, "v"), MINE) == MINE


@pytest.mark.parametrize(
    "sent",
    [
        "voice_1234",  # as a string it is an id of the platform, perhaps a cloned voice
        {"id": "voice_agent_Female_Phone_4"},
        {"id": "captain-01"},
        "English_Graceful_Lady",
        "Chinese (Mandarin)_News_Anchor",
        "female-shaonv",
        "Grinch",
        "alloy-2",
    ],
)
def test_every_other_name_is_the_platforms(sent):
    voice = read_voice(sent, "v")
    assert platform_voice(voice, MINE) == voice_id(voice)


@given(st.text(min_size=1, max_size=40).filter(str.strip))
def test_a_name_comes_back_as_it_was_sent(name):
    for sent in (name, {"id": name}):
        voice = read_voice(sent, "session.audio.output.voice")
        assert voice_id(voice) == name


@pytest.mark.parametrize(
    "sent", [7, [], {}, {"id": 1}, {"id": ""}, "", "x" * 300, {"id": "v", "other": 1}, True]
)
def test_what_is_no_name_is_refused(sent):
    with pytest.raises(ProtocolError) as caught:
        read_voice(sent, "session.audio.output.voice")
    assert (caught.value.param or "").startswith("session.audio.output.voice")


def test_a_voice_object_is_a_value():
    assert VoiceObject("v") == VoiceObject("v")
