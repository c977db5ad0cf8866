"""Whole answers from a scripted server: decoding, flags, checks before sending, and what is sent again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.core.messages import ChatMessage, ChatUsage, Tool, ToolCall
from realtime.errors import AnswerLost, InvalidArgument, ProviderError, ProviderUnavailable
from realtime.minimax import ChatAnswer, MiniMax
from realtime.providers import openai_chat
from realtime.settings import Settings
from tests.minimax.scripted import Reply, scripted

# docs/minimax/chat.md 3
WHOLE: dict[str, Any] = {
    "id": "0a4f8c21b7d94e6f8a13c5d7e9f01b2c",
    "choices": [
        {
            "finish_reason": "stop",
            "index": 0,
            "message": {
                "content": "<think>\nA greeting.\n</think>\n\nHello!",
                "role": "assistant",
                "name": "MiniMax AI",
                "audio_content": "",
            },
        }
    ],
    "created": 1790000000,
    "model": "MiniMax-M2.7",
    "object": "chat.completion",
    "usage": {
        "total_tokens": 43, "total_characters": 0, "prompt_tokens": 22, "completion_tokens": 21,
        "completion_tokens_details": {"reasoning_tokens": 12}, "prompt_tokens_details": {"cached_tokens": 0},
    },
    "input_sensitive": False,
    "output_sensitive": False,
    "input_sensitive_type": 0,
    "output_sensitive_type": 0,
    "output_sensitive_int": 0,
    "base_resp": {"status_code": 0, "status_msg": ""},
}  # fmt: skip


def whole(message: dict[str, Any] | None = None, finish: str = "stop", **more: Any) -> Reply:
    choice = {"finish_reason": finish, "index": 0, "message": message or WHOLE["choices"][0]["message"]}
    return Reply(msgspec.json.encode({**WHOLE, "choices": [choice], **more}), 200, "application/json")


def refusal(code: int, status: int = 200) -> Reply:
    body = {"base_resp": {"status_code": code, "status_msg": "no"}}
    return Reply(msgspec.json.encode(body), status, "application/json")


async def ask(*replies: Reply, messages: Any = "Hello", **options: Any) -> tuple[ChatAnswer, list[Any]]:
    async with scripted(*replies) as server, MiniMax("key-1", server.url) as mm:
        mm.chat._jitter = lambda: -0.5  # no pause between tries
        answer = await mm.chat.complete(messages, **options)
        return answer, [(path, msgspec.json.decode(body)) for path, body in server.requests]


async def test_a_whole_answer_has_the_shape_of_the_documents() -> None:
    answer, (sent,) = await ask(whole())
    assert answer == ChatAnswer(
        text="Hello!",
        thinking="\nA greeting.\n",
        tool_calls=(),
        finish="stop",
        usage=ChatUsage(22, 21, reasoning_tokens=12),
        model="MiniMax-M2.7",
        reasoning={"think": "\nA greeting.\n"},
        raw=WHOLE,
        trace_id="0a4f8c21b7d94e6f8a13c5d7e9f01b2c",
    )
    assert sent[0] == "/v1/chat/completions"
    assert sent[1]["messages"] == [{"role": "user", "content": "Hello"}]
    assert sent[1]["stream"] is False


async def test_tool_calls_come_whole_and_go_back_with_the_answer() -> None:
    message = {
        "content": "",
        "role": "assistant",
        "reasoning_content": "Weather.",
        "tool_calls": [
            {"id": "c_1", "type": "function", "function": {"name": "a", "arguments": '{"x": 1}'}, "index": 0},
            {"id": "c_2", "type": "function", "function": {"name": "b", "arguments": ""}, "index": 1},
        ],
    }
    answer, _ = await ask(whole(message, "tool_calls"))
    assert answer.tool_calls == (ToolCall("c_1", "a", '{"x": 1}'), ToolCall("c_2", "b", "{}"))
    assert answer.finish == "tool_calls"
    assert answer.thinking == "Weather."
    assert answer.message == ChatMessage(
        "assistant", "", tool_calls=answer.tool_calls, reasoning={"reasoning_content": "Weather."}
    )


async def test_sensitive_flags_are_shown() -> None:
    answer, _ = await ask(
        whole(input_sensitive=True, input_sensitive_type=5, output_sensitive=True, output_sensitive_type=3)
    )
    assert (answer.input_sensitive, answer.input_sensitive_type) == (True, 5)
    assert (answer.output_sensitive, answer.output_sensitive_type) == (True, 3)


async def test_sensitive_content_that_was_refused_is_an_error() -> None:
    with pytest.raises(ProviderError) as caught:
        await ask(refusal(1027))
    assert caught.value.code == "content_filter"


async def test_unknown_fields_and_missing_ones_do_no_harm() -> None:
    body = {"choices": [{"message": {"content": "Hi", "new": 1}}], "news": [2]}
    answer, _ = await ask(Reply(msgspec.json.encode(body), 200, "application/json"))
    assert (answer.text, answer.finish, answer.usage, answer.model) == ("Hi", "stop", None, "")
    assert answer.raw == body


@pytest.mark.parametrize("code", [1002, 1039, 2045, 2064])
async def test_what_was_surely_refused_is_sent_again(code: int) -> None:
    answer, sent = await ask(refusal(code), refusal(code), whole())
    assert answer.text == "Hello!"
    assert len(sent) == 3


@pytest.mark.parametrize("reply", [refusal(1000), Reply(b"<html>", 502, "text/html"), refusal(2013)])
async def test_what_may_have_been_answered_is_not_sent_again(reply: Reply) -> None:
    async with scripted(reply, whole()) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(ProviderError):
            await mm.chat.complete("Hello")
        assert len(server.requests) == 1


async def test_a_lost_answer_says_that_it_may_have_been_charged() -> None:
    async with scripted(Reply(b"{", cut=True), whole()) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(AnswerLost, match="charged"):
            await mm.chat.complete("Hello")
        assert len(server.requests) == 1


async def test_a_service_that_cannot_be_reached_has_charged_nothing() -> None:
    async with MiniMax("k", "http://127.0.0.1:9") as mm:
        mm.chat._jitter = lambda: -0.5
        with pytest.raises(ProviderUnavailable) as caught:
            await mm.chat.complete("Hello")
    assert not isinstance(caught.value, AnswerLost)


async def test_the_time_limit_is_kept() -> None:
    hold = Reply(b" ", content_type="application/json", hold=True)
    async with scripted(hold) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(AnswerLost, match=r"0\.2 s"):
            await mm.chat.complete("Hello", timeout_s=0.2)


@pytest.mark.parametrize("body", [b"no json", b'{"choices": []}', b"[]", b'{"choices":[{"message":3}]}'])
async def test_a_body_without_an_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(ProviderUnavailable):
        await ask(Reply(body, 200, "application/json"))


STRING_TOOL = Tool("f", "", {"type": "string"})


@pytest.mark.parametrize(
    ("options", "param", "words"),
    [
        ({"temperature": 2.1}, "temperature", "2.1; allowed: a number from 0 to 2"),
        ({"temperature": float("nan")}, "temperature", "nan"),
        ({"top_p": -0.1}, "top_p", "from 0 to 1"),
        ({"max_output_tokens": 0}, "max_output_tokens", "1 or more"),
        ({"max_output_tokens": 1.5}, "max_output_tokens", "whole number"),
        ({"extra": {"n": 2}}, "n", "one answer"),
        ({"thinking": "on"}, "thinking", "adaptive or disabled"),
        ({"thinking": "disabled", "model": "MiniMax-M3.1-Flash-Preview"}, "thinking", "always thinks"),
        ({"response_format": {"type": "json_schema"}}, "response_format", "MiniMax-Text-01"),
        ({"tools": [STRING_TOOL]}, "tools[0].parameters.type", "object"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools[0].parameters", "schema"),
        ({"tools": [{"function": {"parameters": {"type": "object"}}}]}, "tools[0].name", "a name"),
        ({"messages": []}, "messages", "one message"),
        ({"messages": ["Hello"]}, "messages[0]", "ChatMessage"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "user, assistant, tool"),
        ({"messages": [{"role": "group", "content": "x"}]}, "messages[0].role", "'group'"),
        ({"dialect": "latin"}, "dialect", "openai or anthropic"),
    ],
)
async def test_what_would_be_refused_is_not_sent(options: dict[str, Any], param: str, words: str) -> None:
    options.setdefault("messages", "Hello")
    async with scripted(whole()) as server, MiniMax("k", server.url) as mm:
        with pytest.raises(InvalidArgument) as caught:
            await mm.chat.complete(**options)
        with pytest.raises(InvalidArgument):
            await anext(mm.chat.stream(**options))
        assert server.requests == []
    assert caught.value.param == param
    assert words in str(caught.value)


async def test_the_edges_of_the_ranges_are_allowed() -> None:
    for options in ({"temperature": 0, "top_p": 0}, {"temperature": 2.0, "top_p": 1}, {"extra": {"n": 1}}):
        answer, _ = await ask(whole(), max_output_tokens=1, **options)
        assert answer.text == "Hello!"


async def test_role_play_roles_are_for_their_model() -> None:
    messages = [{"role": "user_system", "content": "x"}, {"role": "user", "content": "Hi"}]
    _, ((path, body),) = await ask(whole(), messages=messages, model="M2-her")
    assert path == "/v1/text/chatcompletion_v2"
    assert body["messages"] == messages


async def test_tools_may_be_mappings_of_both_styles() -> None:
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}}
    tools = [
        {"type": "function", "function": {"name": "a", "description": "d", "parameters": schema}},
        {"name": "b", "input_schema": schema},
        Tool("c"),
    ]
    _, ((_, body),) = await ask(whole(), tools=tools)
    sent = [tool["function"] for tool in body["tools"]]
    assert [(tool["name"], tool["parameters"]["properties"]) for tool in sent] == [
        ("a", schema["properties"]),
        ("b", schema["properties"]),
        ("c", {}),
    ]


async def test_other_services_have_rules_of_their_own() -> None:
    async with scripted(whole()) as server:
        settings = Settings(chat_base_url=server.url, chat_model="m", chat_api_key="k")
        chat = openai_chat.create(settings)._chat
        answer = await chat.complete("Hello", temperature=3.0, dialect="openai")
        await chat.aclose()
        path, body = server.requests[0]
    assert answer.text == "Hello!"
    assert path == "/v1/chat/completions"
    assert msgspec.json.decode(body)["temperature"] == 3.0
