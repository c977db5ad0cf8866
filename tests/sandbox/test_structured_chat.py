"""Structured answers over HTTP: the field `response_format`, a schema in words, and the faults of both."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from realtime.sandbox.server import Sandbox
from tests.sandbox.chat_kit import NATIVE, OPENAI, post, quick

PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
QUESTION = "Ada Lovelace is 36 years old."
ADA = {"name": "Ada Lovelace", "age": 36}
IN_WORDS = f"Answer in JSON that fits this schema, and with nothing else:\n{json.dumps(PERSON)}"


def request_body(*messages: Any, model: str = "MiniMax-Text-01", **more: Any) -> dict[str, Any]:
    listed = [m if isinstance(m, dict) else {"role": "user", "content": m} for m in messages]
    return {"model": model, "messages": listed, **more}


def wanted(schema: Any = PERSON, **more: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "person", "schema": schema, **more}}


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox(quick()) as running:
        yield running


async def content(sandbox: Sandbox, body: dict[str, Any], path: str = NATIVE, fault: str = "") -> str:
    answer = await post(sandbox.url, path, body, fault=fault)
    assert answer.status == 200
    text = answer.json["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("path", [NATIVE, OPENAI])
async def test_text_01_obeys_response_format(sandbox: Sandbox, path: str) -> None:
    body = request_body(QUESTION, response_format=wanted(strict=True))
    assert json.loads(await content(sandbox, body, path)) == ADA


async def test_a_streamed_instance_is_the_same(sandbox: Sandbox) -> None:
    answer = await post(sandbox.url, NATIVE, request_body(QUESTION, response_format=wanted(), stream=True))
    assert len(answer.deltas) > 2
    assert json.loads(answer.content) == ADA


async def test_other_models_ignore_response_format(sandbox: Sandbox) -> None:
    for response_format in (wanted(), wanted({"type": "text"}), {"type": "nonsense"}):
        body = request_body("Hello", model="MiniMax-M3", response_format=response_format)
        body["thinking"] = {"type": "disabled"}
        assert await content(sandbox, body) == "Hello. How can I help you?"


@pytest.mark.parametrize(
    "response_format",
    [
        wanted({"type": "person"}),
        wanted("a person"),
        {"type": "json_schema"},
        {"type": "json_schema", "json_schema": {"schema": PERSON}},
        {"type": "json_schema", "json_schema": {"name": "person"}},
        {"type": "yaml"},
        "json",
    ],
)
async def test_an_invalid_schema_is_refused(sandbox: Sandbox, response_format: Any) -> None:
    body = request_body(QUESTION, response_format=response_format)
    native = await post(sandbox.url, NATIVE, body)
    assert (native.status, native.json["base_resp"]["status_code"]) == (200, 2013)
    other = await post(sandbox.url, OPENAI, body)
    assert other.status == 400
    assert other.json["error"]["message"].endswith("(2013)")


async def test_text_and_json_object_ask_for_no_schema(sandbox: Sandbox) -> None:
    for kind in ("text", "json_object"):
        body = request_body("Hello", response_format={"type": kind})
        assert await content(sandbox, body) == "Hello. How can I help you?"


@pytest.mark.parametrize("role", ["system", "user"])
async def test_a_schema_in_words_gets_fenced_json_after_the_thinking(sandbox: Sandbox, role: str) -> None:
    messages = [{"role": role, "content": IN_WORDS}, QUESTION]
    text = await content(sandbox, request_body(*messages, model="MiniMax-M2.7"), OPENAI)
    match = re.fullmatch(r"<think>\n.+\n</think>\n\n.*?```json\n(.+)\n```.*", text, re.DOTALL)
    assert match is not None
    assert json.loads(match[1]) == ADA


async def test_the_ways_to_write_json_differ_and_all_hold_the_instance(sandbox: Sandbox) -> None:
    shapes = set()
    for age in range(20, 44):
        body = request_body(
            IN_WORDS, f"Ada is {age} years old.", model="MiniMax-M3", thinking={"type": "disabled"}
        )
        text = await content(sandbox, body)
        assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == {"name": "Ada", "age": age}
        shapes.add((text.startswith("```json"), text.endswith("```")))
    assert (True, True) in shapes
    assert len(shapes) == 4


async def test_a_schema_without_a_wish_for_json_changes_nothing(sandbox: Sandbox) -> None:
    messages = [{"role": "system", "content": f"Our rules: {str(PERSON).replace(chr(39), chr(34))}"}, "Hello"]
    assert await content(sandbox, request_body(*messages)) == "Hello. How can I help you?"


async def test_an_old_schema_of_the_user_is_over_with_the_next_question(sandbox: Sandbox) -> None:
    history = [
        f"{IN_WORDS}\n{QUESTION}",
        {"role": "assistant", "content": json.dumps(ADA)},
        "What is 2 plus 3?",
    ]
    assert await content(sandbox, request_body(*history)) == "2 plus 3 is 5."


class Person(msgspec.Struct):
    name: str
    age: int


def fits(text: str) -> bool:
    try:
        msgspec.json.decode(text[text.index("{") : text.rindex("}") + 1], type=Person)
    except (msgspec.MsgspecError, ValueError):
        return False
    return True


COMPLAINT = "That is not valid: Object missing required field `name`. Send the whole JSON again, corrected."


@pytest.mark.parametrize("format_field", [True, False])
async def test_a_complaint_repairs_a_bad_answer(sandbox: Sandbox, format_field: bool) -> None:
    more = {"response_format": wanted()} if format_field else {"model": "MiniMax-M3"}
    first = [f"{IN_WORDS}\n{QUESTION}"]
    bad = await content(sandbox, request_body(*first, **more), fault="chat.bad_json")
    assert not fits(bad)
    again = [*first, {"role": "assistant", "content": bad}, COMPLAINT]
    assert fits(await content(sandbox, request_body(*again, **more), fault="chat.bad_json"))
    assert not fits(await content(sandbox, request_body(*again, **more), fault="chat.bad_json_always"))


async def test_a_repaired_answer_is_about_the_question_and_not_the_complaint(sandbox: Sandbox) -> None:
    history = [
        {"role": "system", "content": IN_WORDS}, QUESTION,
        {"role": "assistant", "content": '{"age": 3}'}, 'Wrong: "Bob" is missing at character 99.',
    ]  # fmt: skip
    text = await content(sandbox, request_body(*history, model="MiniMax-M3", thinking={"type": "disabled"}))
    assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == ADA


async def test_a_cut_answer_is_no_json(sandbox: Sandbox) -> None:
    body = request_body("7 and 8", response_format=wanted({"type": "array", "items": {"type": "integer"}}))
    assert json.loads(await content(sandbox, body)) == [7, 8]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(await content(sandbox, body, fault="chat.bad_json"))


async def test_tools_come_before_json(sandbox: Sandbox) -> None:
    tool = {
        "type": "function",
        "function": {"name": "get_weather", "description": "Weather of a city", "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}},
    }  # fmt: skip
    schema = {"type": "object", "properties": {"celsius": {"type": "integer"}}, "required": ["celsius"]}
    question = {"role": "user", "content": "What is the weather in Paris?"}
    body = request_body(question, response_format=wanted(schema), tools=[tool])
    answer = await post(sandbox.url, NATIVE, body)
    message = answer.json["choices"][0]["message"]
    call = message["tool_calls"][0]
    assert json.loads(call["function"]["arguments"]) == {"city": "Paris"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": '{"celsius": 21}'}
    done = request_body(question, message, result, response_format=wanted(schema), tools=[tool])
    assert json.loads(await content(sandbox, done)) == {"celsius": 21}


async def test_the_anthropic_path_follows_a_schema_in_words(sandbox: Sandbox) -> None:
    request_body = {
        "model": "MiniMax-M2.7",
        "system": IN_WORDS,
        "messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}],
    }
    thinking, text = (await post(sandbox.url, "/anthropic/v1/messages", request_body)).json["content"]
    assert thinking["type"] == "thinking"
    assert json.loads(text["text"][text["text"].index("{") : text["text"].rindex("}") + 1]) == ADA
    answer = await post(sandbox.url, "/anthropic/v1/messages", request_body, fault="chat.bad_json")
    assert not fits(answer.json["content"][1]["text"])


@pytest.mark.parametrize(
    "prompt",
    [
        f"Give me the person as JSON: Ada Lovelace, age 36.\nSchema: {json.dumps(PERSON)}",
        f"{QUESTION}\n\nReturn only valid JSON (no prose) that matches this schema:\n```json\n{json.dumps(PERSON, indent=1)}\n```",
        f"Respond with a JSON object that fits {json.dumps({'name': 'person', 'schema': PERSON})}. {QUESTION}",
        f"请按照下面的 JSON schema 回答：{json.dumps(PERSON)}\n{QUESTION}",
    ],
)
async def test_the_sentence_about_the_form_is_not_part_of_the_question(sandbox: Sandbox, prompt: str) -> None:
    body = request_body(prompt, model="MiniMax-M3", thinking={"type": "disabled"})
    text = await content(sandbox, body)
    assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == ADA
