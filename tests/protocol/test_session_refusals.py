"""Values of `session.update` that are refused, each with the path of its field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import ProtocolError
from realtime.protocol.session_config import apply
from tests.protocol.session_kit import DEFAULTS, changed, echo, nested, refusal
from tests.server.stock_types import check_event


@pytest.mark.parametrize(
    ("key", "current"),
    [
        ("modalities", "output_modalities"),
        ("voice", "audio.output.voice"),
        ("input_audio_format", "audio.input.format"),
        ("output_audio_format", "audio.output.format"),
        ("input_audio_transcription", "audio.input.transcription"),
        ("input_audio_noise_reduction", "audio.input.noise_reduction"),
        ("turn_detection", "audio.input.turn_detection"),
        ("max_response_output_tokens", "max_output_tokens"),
    ],
)
def test_the_error_for_a_beta_name_names_the_current_one(key, current):
    error = refusal({key: None, "instructions": 5})
    assert (error.code, error.param) == ("unknown_parameter", f"session.{key}")
    assert error.message == f"Unknown parameter: 'session.{key}'. Use 'session.{current}' instead."


@pytest.mark.parametrize(
    "path", ["colour", "audio.echo", "audio.input.gain", "audio.output.pitch", "audio.input.format.bits",
             "audio.input.turn_detection.mood", "audio.input.transcription.font", "truncation.x", "tool_choice.x",
             "tools[0].x", "reasoning.x", "prompt.x", "tracing.x"],
)  # fmt: skip
def test_the_error_for_an_unknown_name_has_its_path(path):
    complete: dict[str, Any] = {
        "audio": {
            "input": {"format": {"type": "audio/pcm"}, "turn_detection": {}, "transcription": {}},
            "output": {},
        },
        "truncation": {"type": "retention_ratio", "retention_ratio": 1},
        "tool_choice": {"type": "function", "name": "f"},
        "tools": [{"name": "f"}],
        "reasoning": {},
        "prompt": {"id": "p"},
        "tracing": {},
    }
    changed(complete)
    node: Any = complete
    *parents, last = path.replace("[0]", ".0").split(".")
    for key in parents:
        node = node[int(key)] if key.isdigit() else node[key]
    node[last] = None
    error = refusal(complete)
    assert (error.code, error.param) == ("unknown_parameter", f"session.{path}")
    assert error.message == f"Unknown parameter: 'session.{path}'."


@pytest.mark.parametrize(
    ("path", "value", "at"),
    [
        ("type", "transcription", None),
        ("type", 1, None),
        ("model", 1, None),
        ("instructions", 5, None),
        ("instructions", "x" * 65_537, None),
        ("output_modalities", "audio", None),
        ("output_modalities", [], None),
        ("output_modalities", ["video"], "output_modalities[0]"),
        ("tools", {}, None),
        ("tools", [{"type": "mcp", "server_label": "x"}], "tools[0].type"),
        ("tools", [{"name": "f"}, {"name": 5}], "tools[1].name"),
        ("tools", [{"name": "f", "parameters": "x"}], "tools[0].parameters"),
        ("tool_choice", "maybe", None),
        ("tool_choice", 5, None),
        ("tool_choice", {"type": "mcp", "server_label": "x"}, "tool_choice.type"),
        ("parallel_tool_calls", 1, None),
        ("max_output_tokens", 0, None),
        ("max_output_tokens", 4097, None),
        ("max_output_tokens", "many", None),
        ("max_output_tokens", True, None),
        ("temperature", 2.1, None),
        ("temperature", "hot", None),
        ("truncation", "never", None),
        ("truncation", 5, None),
        ("truncation", {"type": "retention_ratio", "retention_ratio": 1.1}, "truncation.retention_ratio"),
        ("truncation", {"type": "retention_ratio", "retention_ratio": 1, "token_limits": 5}, "truncation.token_limits"),
        ("reasoning", {"effort": "immense"}, "reasoning.effort"),
        ("prompt", "p", None),
        ("tracing", "off", None),
        ("tracing", 5, None),
        ("include", ["everything"], "include[0]"),
        ("audio", [], None),
        ("audio.input", 5, None),
        ("audio.input.format", "pcm16", None),
        ("audio.input.format", {"type": "audio/opus"}, "audio.input.format.type"),
        ("audio.input.format", {"type": "audio/pcm", "rate": 16000}, "audio.input.format.rate"),
        ("audio.input.transcription", {"language": 5}, "audio.input.transcription.language"),
        ("audio.input.transcription", {"keywords": [5]}, "audio.input.transcription.keywords[0]"),
        ("audio.input.noise_reduction", {"type": "loud"}, "audio.input.noise_reduction.type"),
        ("audio.input.noise_reduction", {"type": "near_field", "strength": 2}, "audio.input.noise_reduction.strength"),
        ("audio.input.turn_detection", "none", None),
        ("audio.input.turn_detection", {"type": "push_to_talk"}, "audio.input.turn_detection.type"),
        ("audio.input.turn_detection", {"threshold": 1.5}, "audio.input.turn_detection.threshold"),
        ("audio.input.turn_detection", {"prefix_padding_ms": -1}, "audio.input.turn_detection.prefix_padding_ms"),
        ("audio.input.turn_detection", {"silence_duration_ms": 0.5}, "audio.input.turn_detection.silence_duration_ms"),
        ("audio.input.turn_detection", {"idle_timeout_ms": 4999}, "audio.input.turn_detection.idle_timeout_ms"),
        ("audio.input.turn_detection", {"idle_timeout_ms": 30001}, "audio.input.turn_detection.idle_timeout_ms"),
        ("audio.input.turn_detection", {"create_response": "yes"}, "audio.input.turn_detection.create_response"),
        (
            "audio.input.turn_detection",
            {"type": "semantic_vad", "eagerness": "extreme"},
            "audio.input.turn_detection.eagerness",
        ),
        ("audio.output.voice", 5, None),
        ("audio.output.voice", "", None),
        ("audio.output.speed", 0.2, None),
        ("audio.output.speed", 1.6, None),
        ("extensions", "words", None),
        ("extensions", [5], "extensions[0]"),
    ],
)  # fmt: skip
def test_the_error_for_a_wrong_value_has_its_path(path, value, at):
    error = refusal(nested(path, value))
    assert (error.code, error.param) == ("invalid_value", f"session.{at or path}")
    assert len(error.message) < 500


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


paths = st.sampled_from(
    [
        "instructions", "output_modalities", "tools", "tool_choice", "max_output_tokens", "truncation", "tracing",
        "prompt", "include", "extensions", "audio", "audio.input", "audio.input.format", "audio.input.transcription",
        "audio.input.noise_reduction", "audio.input.turn_detection", "audio.output.voice", "audio.output.speed",
    ]
)  # fmt: skip


@given(paths, json_values)
def test_random_updates_leave_the_session_object_valid(path, value):
    """Either a ProtocolError, or a session object that the stock client accepts."""
    try:
        after = apply(DEFAULTS, nested(path, value))
    except ProtocolError:
        after = DEFAULTS
    check_event({"type": "session.updated", "event_id": "e", "session": echo(after)})
