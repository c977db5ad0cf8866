"""What a client asked for with `response.create`, kept for a server that goes on with the response."""

from __future__ import annotations

import msgspec
import pytest

from realtime.protocol.kept_options import MAX_INPUT_BYTES, differing
from realtime.protocol.response_options import read_response_params, response_options
from realtime.protocol.session_config import FunctionTool, SessionConfig

CONFIG = SessionConfig(instructions="Be brief.", voice="v1", tools=(FunctionTool("look"),))
USUAL = response_options(CONFIG)
TEXT = [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello."}]}]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"output_modalities": ["text"], "metadata": {"a": "b"}},
        {"instructions": "", "temperature": 0.5, "max_output_tokens": 100},
        {"max_output_tokens": "inf", "parallel_tool_calls": False},
        {"audio": {"output": {"voice": {"id": "voice_1"}, "format": {"type": "audio/pcmu"}}}},
        {"audio": {"output": {"voice": "v2"}}, "reasoning": {"effort": "low"}},
        {"tools": [], "tool_choice": "none"},
        {"tool_choice": {"type": "function", "name": "look"}},
        {"input": TEXT},
        {"input": [{"type": "item_reference", "id": "item_1"}]},
    ],
)
def test_it_is_the_same_when_it_is_read_again(asked: dict) -> None:
    options = response_options(CONFIG, read_response_params(asked, "response"))
    kept = differing(options, USUAL, ours=())
    assert (kept is None) is (not asked)
    read = msgspec.json.decode(msgspec.json.encode(kept or {}))
    again = response_options(CONFIG, read_response_params(read, "response"))
    if "input" in asked:
        assert msgspec.json.encode(again.input) == msgspec.json.encode(options.input)
    else:
        assert again == options


def test_tools_of_the_server_are_no_wish_of_the_client_and_a_long_question_is_left_out() -> None:
    params = read_response_params(
        {"tools": [{"type": "function", "name": "own"}, {"name": "ours"}]}, "response"
    )
    kept = differing(response_options(CONFIG, params), USUAL, ours={"ours"})
    assert kept is not None
    assert [tool["name"] for tool in kept["tools"]] == ["own"]
    long = [{**TEXT[0], "content": [{"type": "input_text", "text": "a" * MAX_INPUT_BYTES}]}]
    params = read_response_params({"input": long}, "response")
    assert differing(response_options(CONFIG, params), USUAL, ours=()) is None
