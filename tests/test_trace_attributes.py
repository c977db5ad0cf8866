"""What the spans of a turn say of it."""

import json
from dataclasses import replace

import pytest

from realtime import trace_attributes
from realtime.core.messages import ChatMessage, ChatRequest, ChatUsage
from realtime.core.turn_marks import Marks
from realtime.settings import Settings
from realtime.turn_report import ReplyReport, ToolRun

REPLY = ReplyReport(
    response_id="resp_1",
    conversation_id="conv_1",
    session_id="sess_1",
    model="MiniMax-M3",
    spoken=True,
    out_of_band=False,
    tool_round=0,
    marks=Marks("response_create", 10.0),
    ended_s=12.0,
    status="completed",
    error_code="",
    finish_reason="stop",
    usage=ChatUsage(10, 5, cached_tokens=3, reasoning_tokens=2),
    tools=(),
    trace_ids=("a",),
    asked=None,
    said="",
)
RUN = ToolRun("get_weather", "call_1", '{"city":"Oslo"}', 10.0, 11.0, "four degrees")


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "minimax"),
        ({"chat_provider": "minimax"}, "minimax"),
        ({"chat_base_url": "http://user:pass@ollama.example:11434/v1", "chat_model": "m"}, "ollama.example"),
        ({"chat_provider": "mine:argument"}, "mine"),
    ],
)
def test_the_provider_is_named_without_a_key(settings, name):
    assert trace_attributes.provider_name(Settings(**settings)) == name


def test_the_tokens_of_all_replies_are_added():
    told = trace_attributes.of_turn([REPLY, replace(REPLY, response_id="resp_2", trace_ids=())])
    assert told["gen_ai.usage.input_tokens"] == 20
    assert told["gen_ai.usage.output_tokens"] == 10
    assert told["gen_ai.usage.cache_read.input_tokens"] == 6
    assert told["gen_ai.usage.reasoning.output_tokens"] == 4
    assert told["realtime.response_ids"] == ("resp_1", "resp_2")
    assert told["realtime.upstream_trace_ids"] == ("a",)


def test_what_is_not_known_is_left_out():
    told = trace_attributes.of_turn([replace(REPLY, usage=None, finish_reason=None, trace_ids=())])
    assert not [name for name in told if "usage" in name or "finish" in name or "trace_ids" in name]


def test_content_is_what_was_said_since_the_last_answer():
    said = (
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", "1"),
        ("user", "Two?"),
        ("user", "And three?"),
    )
    asked = ChatRequest(tuple(ChatMessage(role, text) for role, text in said))
    told = trace_attributes.content_of([replace(REPLY, asked=asked, said="2 and 3")])
    messages = json.loads(told["gen_ai.input.messages"])
    assert [part["content"] for each in messages for part in each["parts"]] == ["Two?", "And three?"]
    assert json.loads(told["gen_ai.system_instructions"]) == [{"type": "text", "content": "Be brief."}]
    (answer,) = json.loads(told["gen_ai.output.messages"])
    assert answer["parts"] == [{"type": "text", "content": "2 and 3"}]


def test_content_is_cut_and_can_always_be_sent():
    asked = ChatRequest((ChatMessage("user", "x" * 100_000, images=("data:image/png;base64,AAAA",)),))
    told = trace_attributes.content_of([replace(REPLY, asked=asked, said="half a pair: \ud83d")])
    assert len(told["gen_ai.input.messages"]) < trace_attributes.MAX_CONTENT + 100
    assert "base64" not in told["gen_ai.input.messages"]
    for text in told.values():
        text.encode()
    trace_attributes.of_tool(replace(RUN, output="\ud83d"), content=True)["gen_ai.tool.call.result"].encode()


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({}, ""),
        ({"output": ""}, ""),
        ({"output": '{"error":"get_weather did not answer in 10 s."}'}, "tool_error"),
        ({"ended_s": None, "output": ""}, "cancelled"),
    ],
)
def test_why_a_tool_gave_nothing(change, error):
    assert trace_attributes.tool_error(replace(RUN, **change)) == error
