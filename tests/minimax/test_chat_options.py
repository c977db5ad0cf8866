"""The options of a chat: other vendors' forms mean what they mean there, and nothing wrong is sent or dropped silently."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.core.messages import ChatRequest, Tool
from realtime.errors import InvalidArgument
from realtime.minimax import MiniMax
from realtime.minimax.chat_call import Dialect
from realtime.minimax.chat_options import as_tool_choice, call_of
from realtime.providers.minimax.chat import _choice

TOOLS = [
    {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}},
    {"name": "now", "input_schema": {"type": "object"}},
]


def call(**options: Any) -> Any:
    return call_of("Hi", {"tools": TOOLS, **options}, model="MiniMax-M3")


@pytest.mark.parametrize(
    ("given", "choice"),
    [
        (None, "auto"), ("required", "required"), ("now", "now"),
        ({"type": "function", "function": {"name": "now"}}, "now"),
        ({"type": "function", "name": "now"}, "now"),
        ({"type": "tool", "name": "now"}, "now"),
        ({"type": "tool", "name": "now", "disable_parallel_tool_use": True}, "now"),
        ({"type": "any"}, "required"), ({"type": "auto"}, "auto"), ({"type": "none"}, "none"),
    ],
)  # fmt: skip
def test_the_forms_of_others_are_understood(given, choice):
    assert as_tool_choice(given) == call(tool_choice=given).tool_choice == choice


@pytest.mark.parametrize(
    ("choice", "parallel"),
    [
        ({"type": "auto", "disable_parallel_tool_use": True}, False),
        ({"type": "any", "disable_parallel_tool_use": True}, False),
        ({"type": "tool", "name": "now", "disable_parallel_tool_use": True}, False),
        ({"type": "auto", "disable_parallel_tool_use": False}, None),
        ({"type": "auto", "disable_parallel_tool_use": None}, None), ({"type": "auto"}, None),
    ],
)  # fmt: skip
def test_one_call_at_most_can_be_asked_for_as_at_anthropic(choice, parallel):
    asked = {} if parallel is None else {"parallel_tool_calls": parallel}
    assert call(tool_choice=choice) == call(tool_choice=as_tool_choice(choice), **asked)
    with_both = call(tool_choice=choice, parallel_tool_calls=False)
    assert with_both == call(tool_choice=as_tool_choice(choice), parallel_tool_calls=False)


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tool_choice": {"type": "auto", "disable_parallel": True}}, "tool_choice.disable_parallel"),
        ({"tool_choice": {"type": "auto", "name": "now"}}, "tool_choice.name"),
        ({"tool_choice": {"type": "tool", "name": "now", "x": 1}}, "tool_choice.x"),
        ({"tool_choice": {"type": "function", "name": "now", "disable_parallel_tool_use": True}},
         "tool_choice.disable_parallel_tool_use"),
        ({"tool_choice": {"type": "function", "function": {"name": "now", "strict": True}}}, "tool_choice.function.strict"),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": 1}}, "tool_choice.disable_parallel_tool_use"),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}, "parallel_tool_calls": True},
         "parallel_tool_calls"),
    ],
)  # fmt: skip
def test_what_a_choice_has_beside_is_not_dropped_without_a_word(options, param):
    with pytest.raises(InvalidArgument) as caught:
        call(**options)
    assert caught.value.param == param


@pytest.mark.parametrize("given", [{}, {"type": "function"}, {"type": "function", "function": "now"}, {"type": "tool"},
                                   {"type": ["x"]}, {"type": "mcp"}, "", 7, ["now"]])  # fmt: skip
def test_a_choice_that_names_nothing_is_refused(given):
    with pytest.raises(InvalidArgument) as caught:
        call(tool_choice=given)
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize(
    ("options", "param", "words"),
    [
        ({"tool_choice": "nwo"}, "tool_choice", "auto, none, required, look_up, now"),
        ({"tool_choice": "any"}, "tool_choice", "auto, none, required, look_up, now"),
        ({"tool_choice": {"type": "function", "function": {"name": "nwo"}}}, "tool_choice", "look_up, now"),
        ({"tool_choice": "required", "tools": ()}, "tool_choice", "there are no tools"),
        ({"service_tier": "gold"}, "service_tier", "standard, priority"),
        ({"reasoning_effort": "enormous"}, "reasoning_effort", "low, medium, high"),
        ({"reasoning_effort": 3}, "reasoning_effort", "a text"),
        ({"endpoint": "native"}, "endpoint", "Endpoint.NATIVE"),
        ({"cache": "yes"}, "cache", "True or False"),
        ({"parallel_tool_calls": 0}, "parallel_tool_calls", "True or False"),
        ({"max_tokens": 5}, "max_tokens", "Did you mean max_output_tokens?"),
        ({"temprature": 1}, "temprature", "Did you mean temperature?"),
        ({"stop": ["x"]}, "stop", "go into `extra`"),
        ({"model": 7}, "model", "the name of a model"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(options, param, words):
    with pytest.raises(InvalidArgument) as caught:
        call(**options)
    assert caught.value.param == param
    assert words in str(caught.value)


def test_none_is_an_option_that_was_left_out():
    left_out = (
        "tool_choice",
        "parallel_tool_calls",
        "cache",
        "reasoning_effort",
        "service_tier",
        "endpoint",
        "extra",
    )
    assert call(**dict.fromkeys(left_out)) == call()


def test_other_services_have_words_of_their_own():
    options = {"reasoning_effort": "enormous", "service_tier": "flex", "tool_choice": "nwo"}
    assert call_of("Hi", options, model="m", dialect=Dialect.OPENAI).service_tier == "flex"


@pytest.mark.parametrize("wrong", ["5", -1, True, float("nan"), b"5"])
async def test_a_wrong_time_is_refused_before_anything_is_sent(wrong: Any):
    async with MiniMax("key", "http://127.0.0.1:9") as mm:  # nobody listens there
        for ask in (
            lambda: mm.chat.complete("Hi", timeout_s=wrong),
            lambda: mm.chat.parse("Hi", {"type": "object"}, timeout_s=wrong),
            lambda: anext(mm.chat.stream("Hi", gap_timeout_s=wrong)),
            lambda: anext(mm.chat.stream("Hi", first_timeout_s=wrong)),
            lambda: mm.chat.count_tokens("Hi", timeout_s=wrong),
            lambda: mm.speech.synthesize("Hi.", timeout_s=wrong),
            lambda: mm.transcribe(b"", rate=16000, timeout_s=wrong),
            lambda: mm.video.task("7").wait(timeout_s=wrong),
        ):
            with pytest.raises(InvalidArgument) as caught:
                await ask()
            assert str(caught.value.param).endswith("timeout_s")
        with pytest.raises(InvalidArgument, match="gap_s"):
            mm.speech.synthesize_stream("Hi.", gap_s=wrong)


async def test_an_unknown_argument_of_a_stream_of_speech_is_refused():
    async with MiniMax("key", "http://127.0.0.1:9") as mm:
        with pytest.raises(InvalidArgument, match=r"no argument voise_id\. Did you mean voice_id\?"):
            mm.speech.synthesize_stream("Hi.", voise_id="v")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("choice", "tools", "asked"),
    [("now", ("now",), "now"), ("now", ("other",), "none"), ("required", (), "none"), ("required", ("now",), "required"),
     ("auto", (), "auto"), ("none", ("now",), "none")],
)  # fmt: skip
def test_in_a_conversation_a_choice_without_its_tool_offers_none(choice, tools, asked):
    assert _choice(ChatRequest((), tools=tuple(map(Tool, tools)), tool_choice=choice)) == asked
