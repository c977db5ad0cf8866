"""The body of a request in the Anthropic dialect, by docs/minimax/anthropic.md 1."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.messages import ChatMessage, Tool, ToolCall
from realtime.errors import InvalidArgument
from realtime.minimax.chat_anthropic import anthropic_body, prompt_fields
from realtime.minimax.chat_call import ChatCall, Dialect
from realtime.minimax.chat_checks import check

HELLO = (ChatMessage("user", "Hello"),)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Tool("get_weather", "The weather", SCHEMA)
CALL = ToolCall("c1", "get_weather", '{"city": "Paris"}')


def call(*messages: Any, model: str = "MiniMax-M3", **fields: Any) -> ChatCall:
    return ChatCall(model, messages or HELLO, dialect=Dialect.ANTHROPIC, **fields)


def body(*messages: Any, **fields: Any) -> dict[str, Any]:
    return anthropic_body(call(*messages, **fields))


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def test_the_smallest_body() -> None:
    assert body() == {
        "model": "MiniMax-M3",
        "messages": [{"role": "user", "content": [text("Hello")]}],
        "thinking": {"type": "disabled"},
        "stream": True,
    }


def test_all_options_have_their_fields() -> None:
    sent = body(
        max_output_tokens=50,
        temperature=0.0,
        top_p=0.9,
        service_tier="priority",
        thinking="adaptive",
        extra={"metadata": {"user_id": "u"}},
    )
    assert (sent["max_tokens"], sent["temperature"], sent["top_p"]) == (50, 0.01, 0.9)
    assert (sent["service_tier"], sent["thinking"]) == ("priority", {"type": "adaptive"})
    assert sent["metadata"] == {"user_id": "u"}


def test_the_effort_goes_where_the_model_takes_it() -> None:
    flash = body(model="MiniMax-M3.1-Flash-Preview", reasoning_effort="high")
    assert (flash["output_config"], flash["thinking"]) == ({"effort": "high"}, {"type": "adaptive"})
    assert body(reasoning_effort="high")["thinking"] == {"type": "adaptive"}
    assert "thinking" not in body(model="MiniMax-M2.7")


def test_system_messages_become_the_system_field_in_order() -> None:
    marked = {**text("C"), "cache_control": {"type": "ephemeral"}}
    sent = body(
        ChatMessage("system", "A"),
        *HELLO,
        ChatMessage("system", "B"),
        {"role": "system", "content": [marked]},
    )
    assert sent["system"] == [text("A"), text("B"), marked]
    assert [message["role"] for message in sent["messages"]] == ["user"]


def test_a_system_text_alone_is_a_question() -> None:
    sent = body(ChatMessage("system", "Greet the user."))
    assert sent["messages"] == [{"role": "user", "content": [text("Greet the user.")]}]
    assert "system" not in sent


def test_tools_have_an_input_schema() -> None:
    assert body(tools=(WEATHER, Tool("now")))["tools"] == [
        {"name": "get_weather", "description": "The weather", "input_schema": SCHEMA},
        {"name": "now", "description": "", "input_schema": {"type": "object", "properties": {}}},
    ]


def test_only_documented_tool_choices_are_sent() -> None:
    none = body(tools=(WEATHER,), tool_choice="none")
    assert none["tool_choice"] == {"type": "none"}
    assert len(none["tools"]) == 1
    named = body(tools=(WEATHER, Tool("now")), tool_choice="now")
    assert [tool["name"] for tool in named["tools"]] == ["now"]
    assert "function now" in named["system"][0]["text"]
    assert "tool_choice" not in named


def test_a_tool_loop_goes_back_whole() -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "ab12"}
    other = ToolCall("c2", "get_weather", "")
    sent = body(
        *HELLO,
        ChatMessage("assistant", "One moment.", tool_calls=(CALL, other), reasoning={"blocks": [thought]}),
        ChatMessage("tool", "sunny", tool_call_id="c1"),
        ChatMessage("tool", "rain", tool_call_id="c2"),
        ChatMessage("user", "And?"),
    )["messages"]
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == [
        thought,
        text("One moment."),
        {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}},
        {"type": "tool_use", "id": "c2", "name": "get_weather", "input": {}},
    ]
    assert sent[2]["content"] == [
        {"type": "tool_result", "tool_use_id": "c1", "content": "sunny"},
        {"type": "tool_result", "tool_use_id": "c2", "content": "rain"},
        text("And?"),
    ]


@pytest.mark.parametrize("arguments", ["{broken", "[1]", '"x"'])
def test_broken_arguments_do_not_break_later_requests(arguments: str) -> None:
    broken = ChatMessage("assistant", tool_calls=(ToolCall("c1", "f", arguments),))
    sent = body(*HELLO, broken, ChatMessage("tool", "no", tool_call_id="c1"))
    assert sent["messages"][1]["content"][0]["input"] == {}


def test_thinking_of_the_other_dialect_is_left_out() -> None:
    sent = body(*HELLO, ChatMessage("assistant", "Five", reasoning={"reasoning_content": "2+3"}), *HELLO)
    assert sent["messages"][1]["content"] == [text("Five")]


def test_thinking_from_a_text_goes_back_into_the_text() -> None:
    sent = body(*HELLO, ChatMessage("assistant", "Five", reasoning={"think": "2+3"}), *HELLO)
    assert sent["messages"][1]["content"] == [text("<think>2+3</think>\n\nFive")]


def test_images_are_blocks_for_models_that_see() -> None:
    asked = ChatMessage("user", "What?", images=("data:image/png;base64,AA==", "https://x.org/a.jpg"))
    assert body(asked)["messages"][0]["content"] == [
        text("What?"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}},
        {"type": "image", "source": {"type": "url", "url": "https://x.org/a.jpg"}},
    ]
    assert body(asked, model="MiniMax-M2.7")["messages"][0]["content"] == [text("What?")]


def test_cache_marks_stand_at_the_ends_and_change_nothing_of_the_callers() -> None:
    blocks = [text("long")]
    sent = body(
        ChatMessage("system", "S"),
        {"role": "user", "content": blocks},
        tools=(WEATHER, Tool("now")),
        cache=True,
    )
    ends = [sent["system"][-1], sent["tools"][-1], sent["messages"][-1]["content"][-1]]
    assert all(block["cache_control"] == {"type": "ephemeral"} for block in ends)
    assert "cache_control" not in sent["tools"][0]
    assert blocks == [text("long")]


def test_empty_texts_are_left_out() -> None:
    sent = body(*HELLO, ChatMessage("assistant", " "), ChatMessage("user", "Still there?"))
    assert sent["messages"] == [{"role": "user", "content": [text("Hello"), text("Still there?")]}]


def test_a_count_is_of_the_prompt_alone() -> None:
    fields = prompt_fields(call(max_output_tokens=5, temperature=1.0, tools=(WEATHER,)))
    assert sorted(fields) == ["messages", "model", "thinking", "tools"]


def test_blocks_given_as_mappings_pass_unchanged() -> None:
    block = {"type": "mid_conv_system", "text": "x", "new": [1]}
    message = {"role": "user", "content": [block]}
    check(call(message))
    assert body(message)["messages"] == [message]


@pytest.mark.parametrize(
    ("message", "model", "param"),
    [
        ({"role": "tool", "content": "x"}, "MiniMax-M3", "messages[0].role"),
        ({"role": "group", "content": "x"}, "MiniMax-M3", "messages[0].role"),
        ({"role": "user", "content": [{"type": "image"}]}, "MiniMax-M2.7", "messages[0].content[0].type"),
        ({"role": "user", "content": [{"type": "document"}]}, "MiniMax-M3", "messages[0].content[0].type"),
        (
            {"role": "user", "content": [text("a"), {"type": "audio"}]},
            "MiniMax-M3",
            "messages[0].content[1].type",
        ),
        ({"role": "user", "content": [{"type": "tool_use"}]}, "MiniMax-M3", "messages[0].content[0].type"),
        (
            {"role": "assistant", "content": [{"type": "tool_result"}]},
            "MiniMax-M3",
            "messages[0].content[0].type",
        ),
        ({"role": "user", "content": ["x"]}, "MiniMax-M3", "messages[0].content[0]"),
    ],
)
def test_roles_and_blocks_are_checked(message: dict[str, Any], model: str, param: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        check(call(message, model=model))
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("message", "model"),
    [
        ({"role": "group", "content": "x"}, "M2-her"),
        ({"role": "user", "content": [{"type": "video"}, {"type": "tool_result"}]}, "MiniMax-M3"),
        ({"role": "assistant", "content": [{"type": "thinking"}, {"type": "tool_use"}]}, "MiniMax-M2.7"),
    ],
)
def test_what_a_model_takes_passes(message: dict[str, Any], model: str) -> None:
    check(call(message, model=model))


def test_response_format_is_refused_on_this_side() -> None:
    with pytest.raises(InvalidArgument, match="parse"):
        check(call(model="MiniMax-Text-01", response_format={"type": "json_schema"}))
