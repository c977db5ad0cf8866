"""The session's settings: defaults, merging, the session object, and the options of one response."""

from __future__ import annotations

import pytest

from realtime.protocol.response_options import ResponseParams
from realtime.protocol.session_config import (
    AudioFormat,
    FunctionTool,
    NoiseReduction,
    SemanticVad,
    ServerVad,
    SessionConfig,
    ToolChoice,
    Transcription,
    Truncation,
    apply,
    extensions_from_query,
    response_options,
)
from tests.protocol.session_kit import DEFAULTS, changed, echo, nested, refusal
from tests.protocol.wire_examples import FROM_CLIENT, FROM_SERVER

# -- the session object -----------------------------------------------------------------------------------------------


def test_the_defaults_are_the_documented_ones():
    created = next(event for event in FROM_SERVER if event["type"] == "session.created")
    assert echo(SessionConfig()) == created["session"]


def test_the_documented_update_gives_the_documented_session():
    update = next(event for event in FROM_CLIENT if event.get("event_id") == "c1")
    updated = next(event for event in FROM_SERVER if event["type"] == "session.updated")
    assert echo(apply(SessionConfig(), update["session"])) == updated["session"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("instructions", "Sing."),
        ("instructions", ""),
        ("output_modalities", ["text"]),
        ("tools", [{"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}]),
        ("tools", [{"type": "function", "name": "f"}]),
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "name": "f"}),
        ("parallel_tool_calls", False),
        ("max_output_tokens", 4096),
        ("max_output_tokens", "inf"),
        ("temperature", 0.7),
        ("truncation", "disabled"),
        ("truncation", {"type": "retention_ratio", "retention_ratio": 0.5}),
        (
            "truncation",
            {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 9}},
        ),
        ("reasoning", {"effort": "low"}),
        ("prompt", {"id": "p", "version": "2", "variables": {"name": "Ada"}}),
        ("tracing", "auto"),
        ("tracing", {"workflow_name": "w", "group_id": "g", "metadata": {"a": 1}}),
        ("include", ["item.input_audio_transcription.logprobs"]),
        ("audio.input.format", {"type": "audio/pcmu"}),
        ("audio.input.format", {"type": "audio/pcm", "rate": 24000}),
        ("audio.input.transcription", {"model": "whisper-1", "language": "de", "prompt": "names"}),
        ("audio.input.transcription", {"language": "zh"}),
        ("audio.input.transcription", {"delay": "low", "keywords": ["a"], "languages": ["en", "zh"]}),
        ("audio.input.transcription", {}),
        ("audio.input.noise_reduction", {"type": "near_field", "strength": 0.3}),
        ("audio.output.format", {"type": "audio/pcma"}),
        ("audio.output.voice", "marin"),
        ("audio.output.voice", "cloned_voice_7"),
        ("audio.output.speed", 1.5),
    ],
)
def test_a_setting_is_returned_as_it_was_sent(path, value):
    after = echo(changed(nested(path, value)))
    for key in path.split("."):
        after = after[key]
    assert after == value


def test_optional_settings_are_not_returned_if_never_sent():
    absent = {"parallel_tool_calls", "temperature", "reasoning", "include", "extensions", "resume_window_s"}
    assert absent.isdisjoint(echo(DEFAULTS))


def test_only_tracing_and_prompt_are_null_by_default():
    nulls = {key for key, value in echo(DEFAULTS).items() if value is None}
    assert nulls == {"tracing", "prompt"}


# -- merging ----------------------------------------------------------------------------------------------------------


def test_an_absent_key_changes_nothing():
    once = changed({"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"speed": 1.2}}})
    twice = changed({"audio": {"output": {"voice": "v"}}, "temperature": 1}, once)
    assert (twice.input_format, twice.speed, twice.voice) == (AudioFormat.PCMU, 1.2, "v")
    assert (twice.instructions, twice.temperature) == ("Be brief.", 1.0)
    for empty in ({}, {"audio": {}}, {"audio": {"input": {}, "output": {}}}, {"type": "realtime"}):
        assert echo(changed(empty, twice)) == echo(twice)


def test_nested_values_are_replaced_and_not_merged():
    vad = {"type": "server_vad", "threshold": 0.9, "silence_duration_ms": 200, "create_response": False}
    once = changed(nested("audio.input.turn_detection", vad))
    again = changed(nested("audio.input.turn_detection", {"silence_duration_ms": 300}), once)
    assert again.turn_detection == ServerVad(silence_duration_ms=300)
    transcription = changed(nested("audio.input.transcription", {"language": "zh"}), once).transcription
    assert transcription == Transcription(language="zh")


def test_an_omitted_noise_reduction_strength_keeps_its_value():
    once = changed(nested("audio.input.noise_reduction", {"type": "near_field", "strength": 0.3}))
    again = changed(nested("audio.input.noise_reduction", {"type": "far_field"}), once)
    assert again.noise_reduction == NoiseReduction("far_field", 0.3)
    assert changed(nested("audio.input.noise_reduction", None), again).noise_reduction is None
    error = refusal(nested("audio.input.noise_reduction", {"strength": 0.3}))
    assert error.code == "missing_required_parameter"
    assert error.param == "session.audio.input.noise_reduction.type"


def test_null_switches_optional_features_off():
    on = {
        "tracing": "auto",
        "prompt": {"id": "p"},
        "audio": {"input": {"noise_reduction": {"type": "near_field"}}},
    }
    off = changed(
        {
            "tracing": None,
            "prompt": None,
            "audio": {"input": {"transcription": None, "noise_reduction": None, "turn_detection": None}},
        },
        changed(on),
    )
    assert (off.tracing, off.prompt, off.transcription, off.noise_reduction) == (None, None, None, None)
    assert off.turn_detection is None
    assert echo(off)["audio"]["input"]["turn_detection"] is None


def test_null_restores_the_default_of_other_settings():
    odd = changed(
        {
            "instructions": "Sing.",
            "output_modalities": ["text"],
            "tools": [{"name": "f"}],
            "tool_choice": "none",
            "parallel_tool_calls": False,
            "max_output_tokens": 5,
            "temperature": 1,
            "truncation": "disabled",
            "reasoning": {"effort": "high"},
            "include": [],
            "extensions": ["words"],
            "audio": {
                "input": {"format": {"type": "audio/pcmu"}},
                "output": {"format": {"type": "audio/pcmu"}, "voice": "v", "speed": 0.5},
            },
        }
    )
    patch = dict.fromkeys(echo(odd), None)
    patch["audio"] = {"input": {"format": None}, "output": {"format": None, "voice": None, "speed": None}}
    assert echo(changed(patch, odd)) == echo(DEFAULTS)


@pytest.mark.parametrize("patch", [{"audio": None}, {"audio": {"input": None, "output": None}}])
def test_a_null_object_restores_the_defaults_of_all_its_fields(patch):
    odd = changed(
        {"audio": {"input": {"turn_detection": None, "transcription": None}, "output": {"voice": "v"}}}
    )
    assert echo(changed(patch, odd)) == echo(DEFAULTS)


def test_empty_text_and_empty_lists_clear():
    full = changed({"tools": [{"name": "f"}], "include": ["item.input_audio_transcription.logprobs"]})
    cleared = changed({"instructions": "", "tools": [], "include": []}, full)
    assert (cleared.instructions, cleared.tools, cleared.include) == ("", (), ())


def test_a_rejected_update_changes_nothing():
    before = echo(DEFAULTS)
    refusal({"instructions": "Sing.", "audio": {"output": {"speed": 99}}})
    assert echo(DEFAULTS) == before


def test_sending_the_session_object_back_changes_nothing():
    """Some clients send back the complete session object."""
    config = changed(
        {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}, "extensions": ["resume"]}
    )
    assert echo(changed(echo(config), config)) == echo(config)


# -- single fields ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("both", [["audio", "text"], ["text", "audio"]])
def test_both_modalities_mean_audio(both):
    assert echo(changed({"output_modalities": both}))["output_modalities"] == ["audio"]


@pytest.mark.parametrize("voice", ["Alloy", "a voice", "voice_1234"])
def test_a_voice_is_returned_as_its_name(voice):
    for sent in (voice, {"id": voice}):  # an object in the answer breaks clients
        assert echo(changed(nested("audio.output.voice", sent)))["audio"]["output"]["voice"] == voice


def test_the_model_is_not_changed_by_an_update():
    assert echo(changed({"model": "gpt-realtime-2.1"}))["model"] == "MiniMax-M3"


def test_formats_have_rates():
    assert [(form.rate, form.sample_bytes) for form in AudioFormat] == [(24_000, 2), (8_000, 1), (8_000, 1)]
    assert changed(nested("audio.input.format", {"type": "audio/pcm"})).input_format is AudioFormat.PCM


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({}, ServerVad()),
        ({"type": None, "threshold": None, "idle_timeout_ms": None}, ServerVad()),
        ({"idle_timeout_ms": 6000, "prefix_padding_ms": 0}, ServerVad(idle_timeout_ms=6000, prefix_padding_ms=0)),
        ({"type": "server_vad", "eagerness": "high", "model_version": "x"}, ServerVad()),
        ({"type": "semantic_vad"}, SemanticVad("auto")),
        ({"type": "semantic_vad", "eagerness": "low", "threshold": 0.1, "silence_duration_ms": 1}, SemanticVad("low")),
        (
            {"type": "semantic_vad", "create_response": False, "interrupt_response": False},
            SemanticVad("auto", create_response=False, interrupt_response=False),
        ),
    ],
)  # fmt: skip
def test_turn_detection_adds_defaults_to_what_was_sent(sent, meant):
    after = changed(nested("audio.input.turn_detection", sent))
    assert after.turn_detection == meant
    assert isinstance(echo(after)["audio"]["input"]["turn_detection"]["interrupt_response"], bool)


def test_only_known_extensions_are_returned():
    config = changed({"extensions": ["resume", "unknown", "words"]})
    assert echo(config)["extensions"] == ["words", "resume"]
    assert echo(config)["resume_window_s"] == 30
    assert (config.has("words"), config.has("playback"), DEFAULTS.has("words")) == (True, False, False)
    replaced = changed({"extensions": ["latency"]}, config)
    assert echo(replaced)["extensions"] == ["latency"]
    assert echo(changed({"extensions": []}, config))["extensions"] == []


def test_extensions_can_be_set_in_the_url():
    config = extensions_from_query(DEFAULTS, "playback, words,nonsense,")
    assert config.extensions == ("playback", "words")
    assert changed({"extensions": None}, config).extensions is None


@pytest.mark.parametrize(
    "value", [",", "," * 5_000, "words," * 500, "x," * 17 + "words", "\0,\udcff, ,words"]
)
def test_extensions_in_the_url_are_no_mistake_however_many_they_are(value: str):
    config = extensions_from_query(DEFAULTS, value)
    assert config.extensions == (("words",) if "words" in value else ())


def test_the_input_format_cannot_change_while_audio_is_buffered():
    patch = nested("audio.input.format", {"type": "audio/pcmu"})
    error = refusal(patch, input_busy=True)
    assert (error.code, error.param) == ("invalid_value", "session.audio.input.format")
    same = apply(DEFAULTS, nested("audio.input.format", {"type": "audio/pcm"}), input_busy=True)
    assert same.input_format is AudioFormat.PCM
    assert apply(DEFAULTS, {"instructions": "x"}, input_busy=True).instructions == "x"


# -- one response -----------------------------------------------------------------------------------------------------


def test_a_spoken_turn_uses_the_settings_of_the_session():
    config = changed({"max_output_tokens": 50, "parallel_tool_calls": False, "reasoning": {"effort": "low"}})
    options = response_options(config)
    assert (options.instructions, options.voice, options.spoken) == ("Be brief.", "Warm_Voice", True)
    assert (options.max_output_tokens, options.parallel_tool_calls) == (50, False)
    assert (options.reasoning_effort, options.temperature) == ("low", None)
    assert (options.out_of_band, options.input, options.metadata) == (False, None, None)
    assert response_options(DEFAULTS).parallel_tool_calls is True
    assert response_options(DEFAULTS).wire_max_output_tokens == "inf"


def test_overrides_of_a_response_do_not_change_the_session():
    config = changed({"max_output_tokens": 50, "temperature": 1, "tools": [{"name": "g"}]})
    params = ResponseParams(
        instructions="",
        tools=(FunctionTool("f"),),
        tool_choice=ToolChoice("required"),
        parallel_tool_calls=False,
        max_output_tokens="inf",
        output_modality="text",
        temperature=0.0,
        output_format=AudioFormat.PCMA,
        voice="v",
        conversation="none",
        input=(),
        metadata={"topic": "mood"},
    )
    options = response_options(config, params)
    assert (options.instructions, options.tools) == ("", (FunctionTool("f"),))
    assert (options.tool_choice.mode, options.parallel_tool_calls) == ("required", False)
    assert (options.max_output_tokens, options.wire_max_output_tokens) == (None, "inf")
    assert (options.spoken, options.temperature) == (False, 0.0)
    assert (options.output_format, options.voice, options.speed) == (AudioFormat.PCMA, "v", 1.0)
    assert (options.out_of_band, options.input, options.metadata) == (True, (), {"topic": "mood"})
    assert response_options(config).max_output_tokens == 50


def test_truncation_comes_from_the_session():
    ratio = {"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": {"post_instructions": 100}}
    options = response_options(changed({"truncation": ratio}))
    assert options.truncation == Truncation("retention_ratio", 0.5, 100)
