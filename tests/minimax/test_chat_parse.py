"""Structured answers from a scripted server: how the schema is told, what is asked again, what fails."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from realtime.core.messages import Tool
from realtime.errors import InvalidArgument, ProviderRejected
from realtime.minimax import MiniMax, ParseFailed
from tests.minimax.scripted import Reply, Scripted, scripted


class Invoice(msgspec.Struct):
    total: float


def says(text: str, finish: str = "stop") -> Reply:
    choice = {"finish_reason": finish, "index": 0, "message": {"content": text, "role": "assistant"}}
    return Reply(msgspec.json.encode({"id": "t1", "choices": [choice]}), 200, "application/json")


GOOD = says('{"total": 5}')
BAD = says('<think>{"total": 1}</think>{"total": "five"}')


async def parse(server: Scripted, shape: Any = Invoice, **options: Any) -> Any:
    async with MiniMax("k", server.url) as mm:
        return await mm.chat.parse("What do I owe?", shape, **options)


def sent(server: Scripted) -> list[dict[str, Any]]:
    return [msgspec.json.decode(body) for _, body in server.requests]


async def test_most_models_get_the_schema_in_words() -> None:
    async with scripted(GOOD) as server:
        assert await parse(server) == Invoice(5.0)
    (body,) = sent(server)
    assert "response_format" not in body
    system, question = body["messages"]
    assert system["role"] == "system"
    assert '"total":{"type":"number"}' in system["content"]
    assert question == {"role": "user", "content": "What do I owe?"}


async def test_text_01_gets_the_field() -> None:
    async with scripted(GOOD) as server:
        assert await parse(server, model="MiniMax-Text-01") == Invoice(5.0)
    (body,) = sent(server)
    assert body["response_format"]["type"] == "json_schema"
    assert body["response_format"]["json_schema"]["name"] == "Invoice"
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["total"]
    assert [message["role"] for message in body["messages"]] == ["user"]


async def test_a_schema_gives_plain_data() -> None:
    async with scripted(GOOD) as server:
        assert await parse(server, {"type": "object", "required": ["total"]}) == {"total": 5}


async def test_a_complaint_goes_back_with_the_answer() -> None:
    async with scripted(BAD, says("```json\n{}\n```"), GOOD) as server:
        assert await parse(server) == Invoice(5.0)
    assert len(sent(server)) == 3
    _, _, said, wish, again, second_wish = sent(server)[2]["messages"]
    assert said == {"role": "assistant", "content": '<think>{"total": 1}</think>\n\n{"total": "five"}'}
    assert "$.total" in wish["content"]
    assert again["content"] == "```json\n{}\n```"
    assert "total" in second_wish["content"]


async def test_after_three_tries_the_text_comes_with_the_error() -> None:
    async with scripted(BAD, BAD, says("I would rather not."), GOOD) as server:
        with pytest.raises(ParseFailed) as caught:
            await parse(server)
    assert len(server.requests) == 3
    error = caught.value
    assert isinstance(error, ProviderRejected)
    assert (error.text, error.tries, error.trace_id) == ("I would rather not.", 3, "t1")
    assert "JSON" in error.complaint
    assert not error.retryable


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (says('{"total": 5', "length"), "limit of 9 tokens"),
        (says("12", "length"), "cut off"),
        (says("", "content_filter"), "sensitive"),
    ],
)
async def test_what_would_only_happen_again_is_not_asked_again(reply: Reply, words: str) -> None:
    async with scripted(reply, GOOD) as server:
        with pytest.raises(ParseFailed, match=words) as caught:
            await parse(server, int, max_output_tokens=9)
        assert len(server.requests) == 1
    assert caught.value.answer.finish != "stop"


async def test_it_works_in_the_anthropic_dialect() -> None:
    body = {"id": "a1", "content": [{"type": "text", "text": '{"total": 2}'}], "stop_reason": "end_turn"}
    async with scripted(Reply(msgspec.json.encode(body), 200, "application/json")) as server:
        assert await parse(server, dialect="anthropic", model="MiniMax-Text-01") == Invoice(2.0)
    assert server.requests[0][0] == "/anthropic/v1/messages"
    assert "total" in sent(server)[0]["system"][0]["text"]
    assert "response_format" not in sent(server)[0]


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tools": [Tool("f")]}, "tools"),
        ({"model": "MiniMax-Text-01", "response_format": {"type": "json_object"}}, "response_format"),
        ({"shape": print}, "shape"),
    ],
)
async def test_what_makes_no_sense_together_is_refused(options: dict[str, Any], param: str) -> None:
    async with scripted(GOOD) as server:
        with pytest.raises(InvalidArgument) as caught:
            await parse(server, **options)
        assert server.requests == []
    assert caught.value.param == param
