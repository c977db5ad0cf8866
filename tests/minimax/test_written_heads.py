"""A call behind a mark of plain words is run where a line is nothing else; words about such marks stay words."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.written_calls import WrittenCalls
from tests.each import each
from tests.minimax.test_written_calls import (
    JSON,
    ONE_CALL,
    PARIS,
    SCHEMAS,
    TEXT_ABOUT_CALLS,
    fragments_of,
    read,
)

ARGUMENTS = '{"city": "Paris"}'

WORDS = [
    "functools[0] is a list.",
    "functools.partial([{1: 2}])",
    f"functools[{JSON}] is how Phi writes it.",
    'functools[{"a": 1}]',
    "Action: get_weather is what I do.",
    "Action: get_weather\nAction Input: the city",
    'Action: ```json\n[{"a": 1}]\n``` and `<tool_call>`',
    'Action: ```json\n[{"tool_name": "foo", "parameters": {}}]\n```',
    "commentary to=functions.get_weather is how gpt-oss begins.",
    "to=functions.get_weather",
    "to=functions.foo json{}",
    "get_weather\nis a tool.",
    'get_weather\n{"a": 1}',
    "get_weather\n{}",
    "`get_weather`\n`{}`",
    f"get_weather\n{ARGUMENTS} are its arguments.",
    f"get_weather {ARGUMENTS}",
    f"The form is functools[{JSON}]",
    f"The form is to=functions.get_weather json{ARGUMENTS}",
    f"It begins so: {JSON}",
    f"  functools[{JSON}] and more",
    ">>> get_weather",
    "[unused11] is a token.",
    "-> tool/function_call",
    "✿FUNCTION✿: get_weather",
    "<|message_model|>get_weather",
    "assistant\n\n  to = me\n",
]  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_words_about_a_mark_are_text(text: str) -> None:
    assert read([text]) == (text, []) == read(list(text))


@pytest.mark.parametrize("text", [f" functools[{JSON}]", f"\n\n-> tool/function_call\n[{JSON}]\n"])
def test_blanks_before_the_first_words_do_not_matter(text: str) -> None:
    assert read([text]) == ("", [PARIS]) == read(list(text))


@pytest.mark.parametrize(
    "text",
    [
        f"functools[{JSON}]",
        f"to=functions.get_weather json{ARGUMENTS}<|call|>",
        f"Action: get_weather\nAction Input: {ARGUMENTS}",
        f"get_weather\n{ARGUMENTS}",
        JSON,
        f"[{JSON}]",
    ],
)
def test_text_on_the_next_line_is_text(text: str) -> None:
    assert read([f"{text}\nIt rains."]) == ("\nIt rains.", [PARIS]) == read(list(f"{text}\nIt rains."))


def test_several_calls_behind_one_mark() -> None:
    now = '{"name": "now", "arguments": {}}'
    two = [PARIS, ("now", {})]
    for text in (f"functools[{JSON}, {now}]", f"functools[{JSON}]\nfunctools[{now}]", f"{JSON}; {now}"):
        assert read([text]) == ("", two) == read(list(text))
    assert read([f"<|python_tag|>{JSON}; {now}<|eom_id|>"]) == ("", two)


@pytest.mark.parametrize("text", [f"functools[{JSON[:-9]}", f"to=functions.get_weather json{ARGUMENTS[:-5]}"])
def test_a_call_that_the_limit_cut_is_neither_run_nor_read_out(text: str) -> None:
    assert read([text], cut=True) == ("", []) == read(list(text), cut=True)


@pytest.mark.parametrize(
    "text",
    [
        'functools[{"name": "foo", "arguments": {}}]',
        '[unused11][{"name": "foo", "arguments": {}}][unused12]',
    ],
)
def test_a_call_of_a_tool_that_was_not_offered_is_not_read_out(text: str) -> None:
    assert read([text]) == ("", []) == read(list(text))


OTHERS: dict[str, Any] = {"now": {"type": "object", "properties": {}}}


@each(product(ONE_CALL, [SCHEMAS, OTHERS, {}]))
def test_no_cut_changes_what_is_said_and_run(form: str, schemas: dict[str, Any]) -> None:
    text = f"Well.\n{ONE_CALL[form]}\nDone."
    whole = read([text], schemas=schemas)
    assert all(read([text[:at], text[at:]], schemas=schemas) == whole for at in range(1, len(text), 3))
    assert read(list(text), schemas=schemas) == whole
    assert schemas or whole == (text, [])


@given(
    st.lists(
        st.sampled_from([*ONE_CALL.values(), *WORDS, *TEXT_ABOUT_CALLS, "\n", " ", "Well. ", "functools", "to=", "get_weather", "{", "[", "```"]),
        max_size=5,
    ),
    st.lists(st.integers(0, 900), max_size=9),
    st.booleans(),
)  # fmt: skip
def test_no_cut_changes_any_text(pieces: list[str], cuts: list[int], cut: bool) -> None:
    text = "".join(pieces)
    assert read(fragments_of(text, cuts), cut=cut) == read([text], cut=cut)


LONG = "long " * 4_000
LONG_CALLS = {
    "without a mark": f'{{"name": "get_weather", "arguments": {{"city": "{LONG}"}}}}',
    "functools": f'functools[{{"name": "get_weather", "arguments": {{"city": "{LONG}"}}}}]',
    "gpt-oss": f'to=functions.get_weather json{{"city": "{LONG}"}}',
    "lines": "a\n" * 4_000,
}


@pytest.mark.parametrize("text", LONG_CALLS.values(), ids=LONG_CALLS)
def test_a_long_one_is_not_read_anew_with_each_delta(text: str) -> None:
    written = WrittenCalls(SCHEMAS)
    longest = 0
    for at in range(0, len(text), 10):
        written.feed(text[at : at + 10])
        longest = max(longest, len(written._pending))
    assert longest < 1_000


@pytest.mark.parametrize(
    "text", ["As I said", "Actions speak", "function keys", "to them", "commentary is", "get_weathered"]
)
def test_words_that_begin_like_a_mark_go_out_soon(text: str) -> None:
    written = WrittenCalls(SCHEMAS)
    out = [written.feed(letter) for letter in text]
    assert "".join(str(piece) for pieces in out for piece in pieces) == text


SCHEMA = '{"type": "object", "properties": {"city": {"type": "string"}}}'
DEFINED = f'{{"name": "get_weather", "description": "The weather", "parameters": {SCHEMA}}}'


@pytest.mark.parametrize(
    "text",
    [
        DEFINED,
        f"[{DEFINED}]",
        f'{{"type": "function", "function": {DEFINED}}}',
        f'{{"type": "function", "name": "get_weather", "parameters": {SCHEMA}}}',
        f'<tools>\n{{"type": "function", "function": {DEFINED}}}\n</tools>',
        f"<tool_call>{DEFINED}</tool_call>",
        f"functools[{DEFINED}]",
    ],
)
def test_the_description_of_a_tool_is_no_call_of_it(text):
    whole = f"I have this:\n{text}\nAnything else?"
    for size in (1, 7, len(whole)):
        calls = WrittenCalls(SCHEMAS)
        parts = [whole[at : at + size] for at in range(0, len(whole), size)]
        pieces = [piece for part in parts for piece in calls.feed(part)] + calls.finish()
        assert all(isinstance(piece, str) for piece in pieces)
        assert "".join(map(str, pieces)) == whole
