"""The body of a chat request, by the platform's rules."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.messages import ChatMessage, Tool, ToolCall
from realtime.minimax.chat_call import ChatCall, Dialect
from realtime.minimax.chat_request import request_body
from realtime.minimax.models import Endpoint, traits_of

HELLO = (ChatMessage("user", "Hello"),)
WEATHER = Tool("get_weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})


def body(dialect: Dialect = Dialect.MINIMAX, model: str = "MiniMax-M3", **fields: Any) -> dict[str, Any]:
    return request_body(ChatCall(model, fields.pop("messages", HELLO), dialect=dialect, **fields))


def test_m3_does_not_think_by_default() -> None:
    sent = body()
    assert sent["thinking"] == {"type": "disabled"}
    assert sent["reasoning_split"] is True
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["stream"] is True


def test_effort_turns_thinking_on_where_it_can_be_chosen() -> None:
    assert body(reasoning_effort="high")["thinking"] == {"type": "adaptive"}
    assert body(reasoning_effort="minimal")["thinking"] == {"type": "disabled"}
    flash = body(model="MiniMax-M3.1-Flash-Preview", reasoning_effort="minimal")
    assert (flash["thinking"], flash["reasoning_effort"]) == ({"type": "adaptive"}, "low")
    assert "thinking" not in body(model="MiniMax-M2.7", reasoning_effort="high")


@pytest.mark.parametrize(("asked", "sent"), [(0.0, 0.01), (0.7, 0.7), (1.6, 1.0)])
def test_temperature_fits_both_documented_ranges(asked: float, sent: float) -> None:
    assert body(temperature=asked)["temperature"] == sent
    assert body(Dialect.OPENAI, temperature=asked)["temperature"] == asked


def test_fields_without_a_value_are_not_sent() -> None:
    assert not {"temperature", "max_completion_tokens", "tools", "tool_choice"} & body().keys()
    assert body(max_output_tokens=50)["max_completion_tokens"] == 50


def test_all_system_messages_become_one_at_the_front() -> None:
    sent = body(
        messages=(
            ChatMessage("system", "A"),
            *HELLO,
            ChatMessage("system", "B"),
            {"role": "system", "content": "C"},
        )
    )
    assert sent["messages"] == [
        {"role": "system", "content": "A\n\nB\n\nC"},
        {"role": "user", "content": "Hello"},
    ]


def test_tools_always_have_parameters() -> None:
    (tool,) = body(tools=(Tool("now"),))["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}}


def test_tool_choice_is_expressed_without_its_field() -> None:
    tools = (WEATHER, Tool("now"))
    assert "tools" not in body(tools=tools, tool_choice="none")
    named = body(tools=tools, tool_choice="now")
    assert [t["function"]["name"] for t in named["tools"]] == ["now"]
    assert "now" in named["messages"][0]["content"]
    assert len(body(tools=tools, tool_choice="required")["tools"]) == 2
    assert all(
        "tool_choice" not in body(tools=tools, tool_choice=c) for c in ("auto", "none", "required", "now")
    )


def test_other_services_get_the_tool_choice_fields() -> None:
    sent = body(Dialect.OPENAI, tools=(WEATHER,), tool_choice="get_weather", parallel_tool_calls=False)
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "get_weather"}}
    assert sent["parallel_tool_calls"] is False
    assert "reasoning_split" not in sent
    assert "thinking" not in sent


CALL = ToolCall("c1", "get_weather", '{"city":"Paris"}')


def test_a_tool_loop_goes_back_with_its_reasoning() -> None:
    reasoning = {"reasoning_details": [{"text": "hm"}], "reasoning_content": "hm"}
    history = (
        *HELLO,
        ChatMessage("assistant", tool_calls=(CALL,), reasoning=reasoning),
        ChatMessage("tool", "sunny", tool_call_id="c1"),
    )
    _, asked, answered = body(messages=history)["messages"]
    assert asked["reasoning_details"] == [{"text": "hm"}]
    assert asked["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    assert answered == {"role": "tool", "content": "sunny", "tool_call_id": "c1"}
    assert "reasoning_details" not in body(Dialect.OPENAI, messages=history)["messages"][1]


def test_thinking_from_content_goes_back_into_content() -> None:
    history = (ChatMessage("assistant", "Five", reasoning={"think": "2+3"}),)
    assert body(messages=history)["messages"][0]["content"] == "<think>2+3</think>\n\nFive"


def test_results_follow_their_calls_and_orphans_are_left_out() -> None:
    history = (
        ChatMessage("tool", "orphan", tool_call_id="c9"),
        ChatMessage("assistant", tool_calls=(ToolCall("c0", "x", "{}"),)),
        ChatMessage("assistant", "Let me see.", tool_calls=(CALL, ToolCall("c2", "y", "{}"))),
        ChatMessage("user", "Hurry"),
        ChatMessage("tool", "sunny", tool_call_id="c1"),
    )
    sent = body(messages=history)["messages"]
    assert [m["role"] for m in sent] == ["assistant", "tool", "user"]
    assert [c["id"] for c in sent[0]["tool_calls"]] == ["c1"]


def test_two_calls_of_one_id_keep_their_own_results() -> None:
    call = ChatMessage("assistant", tool_calls=(ToolCall("c1", "f", "{}"),))
    results = [ChatMessage("tool", text, tool_call_id="c1") for text in ("one", "two")]
    sent = body(messages=(call, results[0], call, results[1], call))
    assert [message.get("content") for message in sent["messages"] if message["role"] == "tool"] == [
        "one",
        "two",
    ]
    assert [message["role"] for message in sent["messages"]] == ["assistant", "tool"] * 2


def test_images_are_sent_only_to_models_that_take_them() -> None:
    message = (ChatMessage("user", "What is this?", images=("data:image/png;base64,AA",)),)
    parts = body(messages=message)["messages"][0]["content"]
    assert parts == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
    ]
    assert body(model="MiniMax-M2.7", messages=message)["messages"][0]["content"] == "What is this?"


@pytest.mark.parametrize(
    ("model", "endpoint"),
    [
        ("MiniMax-M3", Endpoint.COMPLETIONS), ("MiniMax-M2.7-highspeed", Endpoint.COMPLETIONS),
        ("M2-her", Endpoint.NATIVE), ("MiniMax-M1", Endpoint.NATIVE), ("MiniMax-Text-01", Endpoint.NATIVE),
    ],
)  # fmt: skip
def test_the_native_address_is_for_the_old_models(model: str, endpoint: Endpoint) -> None:
    assert traits_of(model).endpoint is endpoint


def test_extra_fields_override_the_others() -> None:
    assert body(extra={"top_p": 0.9, "stream_options": {}})["stream_options"] == {}


def test_the_other_options_have_their_fields() -> None:
    sent = body(top_p=0.0, service_tier="priority", thinking="adaptive")
    assert (sent["top_p"], sent["service_tier"], sent["thinking"]) == (0.01, "priority", {"type": "adaptive"})
    assert body(Dialect.OPENAI, top_p=0.0)["top_p"] == 0.0
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    assert body(model="MiniMax-Text-01", response_format=wanted)["response_format"] == wanted


def test_a_whole_answer_is_asked_for_without_options_of_a_stream() -> None:
    sent = request_body(ChatCall("MiniMax-M3", HELLO), stream=False)
    assert sent["stream"] is False
    assert "stream_options" not in sent
