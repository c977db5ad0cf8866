"""A call that the model writes as text is run and never shown; text about calls is text."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import ChatEvent, ChatFinish, TextDelta, Tool, ToolCallDelta
from realtime.minimax.anthropic_stream import AnthropicDecoder
from realtime.minimax.chat_call import ChatCall, Dialect
from realtime.minimax.chat_dialect import decoder_for
from realtime.minimax.chat_stream import ChatDecoder
from realtime.minimax.written_calls import WrittenCalls
from realtime.minimax.written_forms import MARK as M
from realtime.minimax.written_forms import WrittenCall
from tests.each import each
from tests.minimax.written_forms_of_others import FORMS

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "days": {"type": "integer"},
        "metric": {"type": "boolean"},
        "where": {"type": "object", "properties": {"lat": {"type": "number"}, "name": {"type": "string"}}},
        "hours": {"type": "array", "items": {"type": "integer"}},
        "unit": {"type": ["string", "null"]},
    },
    "required": ["city"],
}
SCHEMAS: dict[str, dict[str, Any]] = {"get_weather": WEATHER, "now": {"type": "object", "properties": {}}}
PARIS = ("get_weather", {"city": "Paris"})


def read(
    fragments: list[str], *, cut: bool = False, schemas: Any = SCHEMAS
) -> tuple[str, list[tuple[str, Any]]]:
    """The text and the calls."""
    written = WrittenCalls(schemas)
    pieces = [piece for fragment in fragments for piece in written.feed(fragment)] + written.finish(cut=cut)
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    calls = [(piece.name, json.loads(piece.arguments)) for piece in pieces if isinstance(piece, WrittenCall)]
    return text, calls


def fragments_of(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(at % (len(text) + 1) for at in cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


INVOKE = '<invoke name="get_weather"><parameter name="city">Paris</parameter></invoke>'
M3 = f'{M}<invoke name="get_weather">{M}<city>Paris{M}</city>{M}</invoke>'
JSON = '{"name": "get_weather", "arguments": {"city": "Paris"}}'

ONE_CALL = {
    **FORMS,
    "M2": f"<minimax:tool_call>{INVOKE}</minimax:tool_call>",
    "M2 over lines": "<minimax:tool_call>\n<invoke name=\"get_weather\">\n<parameter name=\"city\">\n  Paris\n</parameter>\n"
    "</invoke>\n</minimax:tool_call>\n",
    "M2 without its wrapper": INVOKE,
    "M2, only the wrapper's end missing": f"<minimax:tool_call>\n{INVOKE}\n",
    "M2, all ends missing": '<minimax:tool_call><invoke name="get_weather"><parameter name="city">Paris',
    "M2, an end cut": '<minimax:tool_call><invoke name="get_weather"><parameter name="city">Paris</param',
    "M2, inner ends missing": '<minimax:tool_call><invoke name="get_weather"><parameter name="city">Paris</minimax:tool_call>',
    "single quotes": "<minimax:tool_call><invoke name='get_weather'><parameter name='city'>Paris</parameter></invoke></minimax:tool_call>",
    "curly quotes": "<minimax:tool_call><invoke name=“get_weather”><parameter name=“city”>Paris</parameter></invoke></minimax:tool_call>",
    "no quotes": "<minimax:tool_call><invoke name=get_weather><parameter name=city>Paris</parameter></invoke></minimax:tool_call>",
    "more attributes": '<invoke name="get_weather"><parameter name="city" type="string">Paris</parameter></invoke>',
    "JSON in invoke": '<minimax:tool_call><invoke name="get_weather">{"city": "Paris"}</invoke></minimax:tool_call>',
    "JSON in M2's wrapper": '<minimax:tool_call>{"name":"get_weather","parameters":{"city":"Paris"}}</minimax:tool_call>',
    "names and parameters": "<minimax:tool_call><tool_name>get_weather</tool_name>"
    '<parameters>{"city":"Paris"}</parameters></minimax:tool_call>',
    "M2 writes M1's wrapper": f"<tool_calls>\n{INVOKE}\n</tool_calls>",
    "M1": f"<tool_calls>\n{JSON}\n</tool_calls>",
    "M1 without its end": f"<tool_calls>\n{JSON}",
    "M1, JSON cut": '<tool_calls>\n{"name": "get_weather", "arguments": {"city": "Paris"',
    "M1, arguments as a text": '<tool_calls>\n{"name": "get_weather", "arguments": "{\\"city\\": \\"Paris\\"}"}\n</tool_calls>',
    "the API's own form": '<tool_call>{"type":"function","function":{"name":"get_weather","arguments":{"city":"Paris"}}}</tool_call>',
    "a list": f"<tool_calls>[{JSON}]</tool_calls>",
    "M3": f"{M}<tool_call>\n{M3}\n{M}</tool_call>",
    "M3 without its marks": f"{M}<tool_call>\n{M3}\n{M}</tool_call>".replace(M, ""),
    "M3 without its wrapper": M3,
    "M3 forgets a bracket": M3.replace("<invoke", "invoke"),
    "M3 without its ends": f'{M}<tool_call>{M}<invoke name="get_weather">{M}<city>Paris',
    "Text-01": '<function_call>```typescript\nfunctions.get_weather({"city": "Paris"})\n```',
    "Text-01 without its token": '```typescript\nfunctions.get_weather({"city": "Paris"})\n```',
    "M2.7's brackets": '[TOOL_CALL]\n{tool => "get_weather", args => {\n  --city "Paris"\n}}\n[/TOOL_CALL]',
    "M2.5's brackets": '[TOOL_CALL]\n{tool => "get_weather", args => {city: "Paris"}}\n[/TOOL_CALL]',
    "Hermes": f"<tool_call>\n{JSON}\n</tool_call>",
    "Qwen": "<tool_call>\n<function=get_weather>\n<parameter=city>\nParis\n</parameter>\n</function>\n</tool_call>",
    "GLM": "<tool_call>get_weather\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>"
    '{"city": "Paris"}<|tool_call_end|><|tool_calls_section_end|>',
    "blanks in tags": '<minimax:tool_call >\n<invoke  name = "get_weather" >\n<parameter  name = "city" >Paris</parameter></invoke>',
    "M3 forgets an opening tag": f'{M}<tool_call>{M}<invoke name="get_weather">{M}Paris{M}</city>{M}</invoke>{M}</tool_call>',
    "the tool's name as a tag": "<minimax:tool_call>\n<get_weather>\n<city>Paris</city>\n</get_weather>\n</minimax:tool_call>",
    "in a code fence": f"```xml\n<minimax:tool_call>\n{INVOKE}\n</minimax:tool_call>\n```",
    "in a fence without a language": f"```\n<tool_calls>\n{JSON}\n</tool_calls>\n```\n",
}  # fmt: skip


@each(ONE_CALL)
def test_every_form_is_a_call_and_no_text(form: str) -> None:
    assert read([ONE_CALL[form]]) == ("", [PARIS])
    assert read(list(ONE_CALL[form])) == ("", [PARIS])


@each(ONE_CALL)
def test_words_before_it_are_text(form: str) -> None:
    assert read(["One moment.\n" + ONE_CALL[form]]) == ("One moment.\n", [PARIS])


@given(st.sampled_from(sorted(ONE_CALL)), st.lists(st.integers(0, 500), max_size=30), st.booleans())
def test_the_cuts_do_not_matter(form: str, cuts: list[int], cut: bool) -> None:
    text = "I use `x < 3` and [1].\n" + ONE_CALL[form]
    assert read(fragments_of(text, cuts), cut=cut) == read([text], cut=cut)


MARKUP = st.sampled_from(
    [*ONE_CALL.values(), "<minimax:tool_call>", "</minimax:tool_call>", "<invoke name=", '"foo">', "</invoke>", M, M[:4], "<tool_calls>", "```", "`", "```xml\n", "<", "[", "]", "{", "\n", " and ", "word. ", "<b>x</b>", "functions.now("]
)  # fmt: skip


@given(st.lists(MARKUP, max_size=6), st.lists(st.integers(0, 900), max_size=30), st.booleans())
def test_the_cuts_do_not_matter_for_any_text(pieces: list[str], cuts: list[int], cut: bool) -> None:
    text = "".join(pieces)
    assert read(fragments_of(text, cuts), cut=cut) == read([text], cut=cut)


@given(st.lists(MARKUP, max_size=6), st.lists(st.integers(0, 900), max_size=30))
def test_without_tools_all_is_text(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    assert read(fragments_of(text, cuts), schemas={}) == (text, [])


@given(
    st.text(alphabet="ab `<>[]{}\n/.minvoketl_:|=\"'", max_size=60), st.lists(st.integers(0, 60), max_size=9)
)
def test_a_text_without_calls_comes_out_as_it_is(text: str, cuts: list[int]) -> None:
    if not any(opening in text for opening in ("invoke name", "tool_call", "<function", "[TOOL", M)):
        assert read(fragments_of(text, cuts)) == (text, [])


TEXT_ABOUT_CALLS = [
    "The `<minimax:tool_call>` tag wraps a call.",
    "The <minimax:tool_call> tag wraps a call, </minimax:tool_call> ends it.",
    'Write `<invoke name="get_weather"><parameter name="city">Paris</parameter></invoke>` to call it.',
    'Write <invoke name="foo"><parameter name="a">1</parameter></invoke> to call it.',
    '```xml\n<minimax:tool_call>\n<invoke name="foo">\n</invoke>\n</minimax:tool_call>\n```\nThat is the form.',
    '```python\ntext = \'<invoke name="get_weather"></invoke>\'\n```',
    "Use <tool_calls> for M1 and <tool_call> for M3.",
    "5 < 6, a[1] < b[2], ]] and <b>bold</b>",
    "<function=name> is how it begins.",
    "A JSON call is {\"name\": \"get_weather\", \"arguments\": {}}.",
    "functions.get_weather is a tool.",
    "[TOOL] and [TOOL_CALLING] are words.",
    "``<minimax:tool_call>{\"name\": \"now\"}</minimax:tool_call>``",
    "```typescript\nfunction f() {}\n```",
    "  \n\n",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXT_ABOUT_CALLS)
def test_text_about_calls_is_text(text: str) -> None:
    assert read([text]) == (text, []) == read(list(text))


@pytest.mark.parametrize(
    "text",
    [
        '<minimax:tool_call><invoke name="foo"><parameter name="a">1</parameter></invoke></minimax:tool_call>',
        '<tool_calls>\n{"name": "foo", "arguments": {}}\n</tool_calls>\n',
        f'{M}<tool_call>{M}<invoke name="foo">{M}</invoke>{M}</tool_call>',
        "<minimax:tool_call>\n<invoke na",
        "<minimax:tool_call>",
        f"{M}<",
        '<tool_calls>\n{"name": "get_weather", "argu',
        '<minimax:tool_call>\n<invoke name="get_we',
    ],
)
def test_a_call_that_cannot_be_run_is_not_read_out(text: str) -> None:
    assert read(["Well.\n" + text]) == ("Well.\n", []) == read(["Well.\n", *text])


def test_a_call_that_the_limit_cut_is_not_run_but_a_whole_one_before_it_is() -> None:
    text = f'<minimax:tool_call>{INVOKE}<invoke name="get_weather"><parameter name="city">Rom'
    assert read([text], cut=True) == ("", [PARIS])
    assert read([text]) == ("", [PARIS, ("get_weather", {"city": "Rom"})])


def test_several_calls_come_in_order() -> None:
    two = [PARIS, ("now", {})]
    assert read([f'<minimax:tool_call>\n{INVOKE}\n<invoke name="now">\n</invoke>\n</minimax:tool_call>']) == (
        "",
        two,
    )
    assert read([f'<tool_calls>\n{JSON}\n{{"name": "now", "arguments": {{}}}}\n</tool_calls>']) == ("", two)
    assert read([f'{M}<tool_call>{M3}{M}<invoke name="now">{M}</invoke>{M}</tool_call>']) == ("", two)
    assert read([f'<tool_call>{JSON}</tool_call>\n<tool_call>{{"name":"now"}}</tool_call>']) == ("", two)
    assert read([f'{INVOKE}\n<invoke name="now"/>']) == ("", two)


def test_text_behind_a_call_is_text() -> None:
    assert read([f"<minimax:tool_call>{INVOKE}</minimax:tool_call>\nDone."]) == ("\nDone.", [PARIS])
    assert read([f"<minimax:tool_call>{INVOKE} It rains."]) == (" It rains.", [PARIS])
    assert read([f"<tool_calls>\n{JSON}\nIt rains."]) == ("It rains.", [PARIS])


@pytest.mark.parametrize("value", ["a </tool_calls> b", "{[", '\\"quoted\\"', "</invoke>", "`x`", "\n"])
def test_what_stands_in_a_json_text_ends_nothing(value: str) -> None:
    text = '<tool_calls>\n{"name": "get_weather", "arguments": {"city": "x' + value + '"}}\n</tool_calls>'
    calls = [("get_weather", {"city": "x" + value.replace("\\", "")})]
    assert read([text]) == ("", calls) == read(list(text))


def call_with(name: str, value: str) -> str:
    return f'<invoke name="get_weather"><parameter name="{name}">{value}</parameter></invoke>'


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("days", "3", 3), ("days", " 3 ", 3), ("days", "3.0", 3), ("days", "three", "three"), ("days", "null", None),
        ("metric", "true", True), ("metric", "False", False), ("metric", "1", True),
        ("city", "3", "3"), ("city", "true", "true"), ("city", "Tom & <b>Jerry</b>", "Tom & <b>Jerry</b>"),
        ("city", "São \"Paulo\"", "São \"Paulo\""), ("city", "", ""),
        ("where", '{"lat": 1.5}', {"lat": 1.5}), ("where", "<lat>1.5</lat><name>7</name>", {"lat": 1.5, "name": "7"}),
        ("hours", "[1, 2]", [1, 2]), ("hours", "<item>1</item><item>2</item>", [1, 2]), ("hours", "x", "x"),
        ("unit", "null", None), ("unit", "C", "C"), ("other", "5", "5"),
    ],
)  # fmt: skip
def test_arguments_have_the_types_of_the_schema(name: str, written: str, value: Any) -> None:
    assert read([call_with(name, written)]) == ("", [("get_weather", {name: value})])


def test_m3_writes_objects_and_lists_as_tags() -> None:
    text = (
        f'{M}<tool_call>{M}<invoke name="get_weather">{M}<city>a <b>{M}</city>{M}<hours>{M}<item>1{M}</item>'
        f"{M}<item>2{M}</item>{M}</hours>{M}<where>{M}<lat>2{M}</lat>{M}<name>2{M}</name>{M}</where>{M}</invoke>"
    )
    expected = {"city": "a <b>", "hours": [1, 2], "where": {"lat": 2, "name": "2"}}
    assert read([text]) == ("", [("get_weather", expected)])


@pytest.mark.parametrize(
    ("schema", "written", "value"),
    [
        ({"enum": [1, 2]}, "2", 2),
        ({"enum": ["1", "null"]}, "null", "null"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "7", 7),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "seven", "seven"),
        ({"$ref": "#/$defs/count"}, "7", 7),
        ({"$ref": "#/$defs/self"}, "7", "7"),
        ({"properties": {"a": {}}}, '{"a": 1}', {"a": 1}),
        ({"items": {"type": "number"}}, "[1.5]", [1.5]),
        ({"type": "number"}, "1e3", 1000.0),
        ({"type": "number"}, "nan", "nan"),
        ({"type": "int"}, "5", 5),
        (True, "5", "5"),
    ],
)
def test_all_that_a_schema_can_say(schema: Any, written: str, value: Any) -> None:
    defs = {"count": {"type": "integer"}, "self": {"$ref": "#/$defs/self"}}
    tool = {"type": "object", "properties": {"a": schema}, "$defs": defs}
    text = f'<invoke name="f"><parameter name="a">{written}</parameter></invoke>'
    assert read([text], schemas={"f": tool}) == ("", [("f", {"a": value})])


def test_only_what_could_be_a_call_is_held_back() -> None:
    written = WrittenCalls(SCHEMAS)
    assert written.feed("5 < 6 and <b") == ["5 < 6 and <b"]
    assert written.feed("r> <inv") == ["r> "]
    assert written.feed("ented") == ["<invented"]
    assert written.feed(" <minimax:tool_call> is") == [" <minimax:tool_call> is"]


# -- through the decoders


def payload(content: str, finish: str | None = None) -> bytes:
    return msgspec.json.encode(
        {"choices": [{"index": 0, "delta": {"content": content}, "finish_reason": finish}]}
    )


def decoded(fragments: list[str], finish: str = "stop", **options: Any) -> list[ChatEvent]:
    options.setdefault("schemas", SCHEMAS)
    decoder = ChatDecoder(new_id=lambda: "call_new", **options)
    events = [event for fragment in fragments for event in decoder.feed(payload(fragment))]
    return events + decoder.feed(payload("", finish)) + decoder.end()


def test_a_stream_with_a_written_call_ends_for_the_tool() -> None:
    events = decoded(
        ["<think>hm</think>\n\nOne moment.", "\n<minimax:tool", f"_call>{INVOKE}</minimax:tool_call>"]
    )
    assert events == [
        TextDelta("One moment."),
        TextDelta("\n"),
        ToolCallDelta(0, "call_new", "get_weather", '{"city":"Paris"}'),
        ChatFinish("tool_calls", {"think": "hm"}),
    ]


def test_a_whole_answer_with_a_written_call() -> None:
    message = {"content": f"One moment.\n<minimax:tool_call>{INVOKE}</minimax:tool_call>"}
    body = msgspec.json.encode({"choices": [{"message": message, "finish_reason": "stop"}]})
    events = ChatDecoder(new_id=lambda: "call_new", schemas=SCHEMAS).feed_whole(body)
    assert events[1:] == [
        ToolCallDelta(0, "call_new", "get_weather", '{"city":"Paris"}'),
        ChatFinish("tool_calls"),
    ]


def test_the_limit_of_calls_counts_written_ones() -> None:
    events = decoded([INVOKE, '<invoke name="now"/>'], max_calls=1)
    assert [event.name for event in events if isinstance(event, ToolCallDelta)] == ["get_weather"]


def test_a_call_that_comes_in_both_ways_is_run_once() -> None:
    function = {"name": "get_weather", "arguments": '{"city": "Paris"}'}
    structured = {"choices": [{"delta": {"tool_calls": [{"id": "c", "index": 0, "function": function}]}}]}
    for order in (
        (payload(INVOKE), msgspec.json.encode(structured)),
        (msgspec.json.encode(structured), payload(INVOKE)),
    ):
        decoder = ChatDecoder(schemas=SCHEMAS)
        events = [event for one in order for event in decoder.feed(one)] + decoder.end()
        assert len([event for event in events if isinstance(event, ToolCallDelta)]) == 1


def test_a_call_in_thinking_that_never_closed_is_run_and_the_thinking_is_not_shown() -> None:
    events = decoded([f"<think>I need the weather.\n<minimax:tool_call>{INVOKE}</minimax:tool_call>"])
    assert [type(event) for event in events] == [ToolCallDelta, ChatFinish]


def test_a_call_in_closed_thinking_is_only_a_thought() -> None:
    assert decoded([f"<think>{INVOKE}</think>No."])[:-1] == [TextDelta("No.")]


def test_the_anthropic_dialect_reads_them_too() -> None:
    decoder = AnthropicDecoder(schemas=SCHEMAS, new_id=lambda: "call_new")
    deltas = [
        {"type": "text_delta", "text": text} for text in ("One moment.", "<minimax:", f"tool_call>{INVOKE}")
    ]
    events = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    events.append({"type": "message_delta", "delta": {"stop_reason": "end_turn"}})
    assert [one for event in events for one in decoder.feed(msgspec.json.encode(event))] == [
        TextDelta("One moment."),
        ToolCallDelta(0, "call_new", "get_weather", '{"city":"Paris"}'),
        ChatFinish("tool_calls"),
    ]


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("choice", "runs"), [("auto", True), ("get_weather", True), ("none", False)])
def test_a_tool_counts_if_the_request_offered_it(dialect: Dialect, choice: str, runs: bool) -> None:
    call = ChatCall(
        "MiniMax-M2.7", (), tools=(Tool("get_weather", "", WEATHER),), tool_choice=choice, dialect=dialect
    )
    decoder = decoder_for(call, "test")
    if dialect is Dialect.ANTHROPIC:
        delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": INVOKE}}
        events = decoder.feed(msgspec.json.encode(delta))
    else:
        events = decoder.feed(payload(INVOKE))
    events += decoder.end()
    assert isinstance(events[0], ToolCallDelta) is runs
    assert isinstance(events[0], TextDelta) is not runs
