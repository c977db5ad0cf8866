"""Tools: when the talker calls them, with which arguments, and its answers from the results."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from realtime.sandbox.talker import Reply, reply

NOW = datetime(2026, 11, 21, 15, 4)
TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def tool(
    name: str, description: str, required: list[str] | None = None, /, **properties: Any
) -> dict[str, Any]:
    wanted = list(properties) if required is None else required
    schema = {"type": "object", "properties": properties, "required": wanted}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}


UNIT = {"type": "string", "enum": ["celsius", "fahrenheit"]}
WEATHER = tool("get_weather", "Get the current weather for a city", city=TEXT)
TOOLS = [
    tool("get_weather", "Get the weather for a location", ["city"], city=TEXT, unit=UNIT),
    tool("get_time", "Get the current time, here or in a city", [], city=TEXT),
    tool("set_timer", "Start a countdown timer", minutes=WHOLE),
    tool(
        "set_light",
        "Turn a light on or off in a room",
        room={"enum": ["kitchen", "bedroom"]},
        on={"type": "boolean"},
    ),
    tool("send_email", "Send an email", to=TEXT, body=TEXT),
    tool("book_flight", "Book a flight", ["origin", "destination"], origin=TEXT, destination=TEXT, date=TEXT),
    tool("search_flights", "Search for flights", origin=TEXT, destination=TEXT),
    tool("calculate", "Evaluate an arithmetic expression", expression=TEXT),
    tool("search_web", "Search the web", query=TEXT),
    tool("add_numbers", "Add two numbers", a=NUMBER, b=NUMBER),
    tool("lookup_order", "Look up an order by its id", order_id=TEXT),
    tool("roll_dice", "Roll dice", ["sides"], sides=WHOLE),
    tool("end_call", "End the call"),
]


def ask(text: str, tools: list[dict[str, Any]] = TOOLS, **more: Any) -> Reply:
    return reply([{"role": "user", "content": text}], tools, NOW, **more)


def calls(answer: Reply) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, call.arguments) for call in answer.calls]


@pytest.mark.parametrize(
    ("said", "called"),
    [
        ("What's the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("what is the weather like in new york today", [("get_weather", {"city": "New York"})]),
        ("Is it raining in San Francisco?", [("get_weather", {"city": "San Francisco"})]),
        (
            "How's the weather in Oslo in fahrenheit?",
            [("get_weather", {"city": "Oslo", "unit": "fahrenheit"})],
        ),
        ("巴黎的天气怎么样？", [("get_weather", {"city": "巴黎"})]),
        ("今天北京天气如何", [("get_weather", {"city": "北京"})]),
        (
            "What's the weather in Paris and in Rome?",
            [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "Rome"})],
        ),
        ("北京和上海的天气怎么样", [("get_weather", {"city": "北京"}), ("get_weather", {"city": "上海"})]),
        (
            "What's the weather in Paris and what time is it in Rome?",
            [("get_weather", {"city": "Paris"}), ("get_time", {"city": "Rome"})],
        ),
        ("What time is it?", [("get_time", {})]),
        ("Set a timer for five minutes.", [("set_timer", {"minutes": 5})]),
        ("设置一个五分钟的定时器", [("set_timer", {"minutes": 5})]),
        ("Turn on the light in the kitchen.", [("set_light", {"room": "kitchen", "on": True})]),
        ("turn off the bedroom light", [("set_light", {"room": "bedroom", "on": False})]),
        (
            "Book a flight from Paris to Rome tomorrow.",
            [("book_flight", {"origin": "Paris", "destination": "Rome", "date": "tomorrow"})],
        ),
        ("What is 12 times 7?", [("calculate", {"expression": "12 * 7"})]),
        ("Add 3 and 4", [("add_numbers", {"a": 3, "b": 4})]),
        ("Search the web for cheap bicycles.", [("search_web", {"query": "cheap bicycles"})]),
        ("Where is my order A1234?", [("lookup_order", {"order_id": "A1234"})]),
        ("Roll a six sided dice", [("roll_dice", {"sides": 6})]),
        (
            "Send an email to bob@example.com saying I will be late",
            [("send_email", {"to": "bob@example.com", "body": "I will be late"})],
        ),
    ],
)
def test_a_tool_is_called_with_arguments_from_the_message(said: str, called: list[Any]) -> None:
    assert calls(ask(said)) == called


@pytest.mark.parametrize(
    "said",
    [
        "Hello!",
        "Good morning, how are you?",
        "Thank you very much.",
        "Goodbye!",
        "你好",
        "谢谢",
        "My name is Ada.",
        "I like the weather.",
        "The weather was nice yesterday.",
        "Tell me a joke.",
        "Tell me a long story.",
        "",
    ],
)
def test_no_tool_is_called_for_other_messages(said: str) -> None:
    answer = ask(said)
    assert calls(answer) == []
    assert answer.text


def test_a_missing_argument_is_asked_for_and_the_answer_makes_the_call() -> None:
    question = ask("What's the weather?", [WEATHER]).text
    assert question == "For which city?"
    history = [
        {"role": "user", "content": "What's the weather?"},
        {"role": "assistant", "content": question},
        {"role": "user", "content": "In Paris."},
    ]
    assert calls(reply(history, [WEATHER], NOW)) == [("get_weather", {"city": "Paris"})]


def test_tool_choice_is_respected() -> None:
    assert calls(ask("What's the weather in Paris?", tool_choice="none")) == []
    assert calls(ask("Hello", [WEATHER], tool_choice="required"))[0][0] == "get_weather"
    named = {"type": "function", "function": {"name": "set_timer"}}
    assert calls(ask("Hello", tool_choice=named)) == [("set_timer", {"minutes": 0})]


def test_only_one_call_without_parallel_calls() -> None:
    assert len(calls(ask("Weather in Paris and in Rome?", parallel=False))) == 1


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ('{"temperature": 21, "condition": "sunny"}', "For Paris: temperature 21, condition sunny."),
        ("It is sunny in Paris, 21 degrees.", "It is sunny in Paris, 21 degrees."),
        ("22", "For Paris: 22."),
        ('{"ok": true}', "Done for Paris."),
        ('{"error": "no such city"}', "That did not work: no such city."),
    ],
)
def test_a_result_is_answered_in_text(result: str, said: str) -> None:
    assert reply(after_call(result), [WEATHER], NOW).text == said


def test_every_result_is_in_the_answer() -> None:
    messages = after_call("sunny and warm today here", "rain and wind all day")
    text = reply(messages, [WEATHER], NOW).text
    assert "Sunny and warm" in text
    assert "Rain and wind" in text


def test_a_follow_up_calls_the_same_tool() -> None:
    messages = [
        *after_call("sunny"),
        {"role": "assistant", "content": "For Paris: sunny."},
        {"role": "user", "content": "And in Rome?"},
    ]
    assert calls(reply(messages, [WEATHER], NOW)) == [("get_weather", {"city": "Rome"})]


def after_call(*results: str) -> list[dict[str, Any]]:
    """A conversation up to the results of its calls."""
    made = [
        {
            "id": f"c{n}",
            "type": "function",
            "function": {"name": "get_weather", "arguments": json.dumps({"city": "Paris"})},
        }
        for n in range(len(results))
    ]
    tool_messages = [
        {"role": "tool", "tool_call_id": f"c{n}", "content": result} for n, result in enumerate(results)
    ]
    asked = {"role": "user", "content": "What's the weather in Paris?"}
    return [asked, {"role": "assistant", "content": "", "tool_calls": made}, *tool_messages]


@pytest.mark.parametrize(
    "schema", [{}, {"type": "object"}, {"type": "object", "properties": {"x": True}}, {"properties": []}]
)
def test_odd_schemas_raise_no_error(schema: dict[str, Any]) -> None:
    odd = {"type": "function", "function": {"name": "get_weather", "parameters": schema}}
    assert [name for name, _ in calls(ask("What's the weather?", [odd]))] in ([], ["get_weather"])


def test_after_its_results_it_answers_from_them_and_does_not_call_again():
    """Clients request a response after each result: the second time there is already an answer."""
    calls_made = [
        {"id": f"c{n}", "function": {"name": "get_weather", "arguments": json.dumps({"city": city})}}
        for n, city in enumerate(("Paris", "Rome"))
    ]
    messages = [
        {"role": "user", "content": "Weather in Paris and in Rome?"},
        {"role": "assistant", "tool_calls": calls_made[:1]},
        {"role": "tool", "tool_call_id": "c0", "content": '{"celsius": 21}'},
        {"role": "assistant", "tool_calls": calls_made[1:]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"celsius": 24}'},
        {"role": "assistant", "content": "Paris: 21."},
    ]
    answer = reply(messages, TOOLS, NOW)
    assert answer.calls == ()
    assert "21" in answer.text
    assert "24" in answer.text
