"""What stands inside the values of a written call belongs to them, and a long call costs no more than a long text."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.written_calls import WrittenCalls
from tests.minimax.test_written_calls import INVOKE, JSON, PARIS, read

BEGIN, END = "<minimax:tool_call>", "</minimax:tool_call>"


def in_tags(value: str, name: str = "city") -> str:
    return f'{BEGIN}<invoke name="get_weather"><parameter name="{name}">{value}</parameter></invoke>{END}'


@pytest.mark.parametrize(
    "value",
    [
        "a </invoke> b", f"a {END} b", "a </tool_call> b", 'see <invoke name="now"></invoke> ok', "[/TOOL_CALL] x",
        '[{"a": "</invoke>", "b": "]"}] x', "</function> x", "<function=now> x", "<|tool_call_end|> x",
    ],
)  # fmt: skip
def test_an_ending_inside_a_value_belongs_to_the_value(value: str) -> None:
    text = f"One moment. {in_tags(value)} Done."
    expected = ("One moment.  Done.", [("get_weather", {"city": value})])
    assert read([text]) == expected
    assert read(list(text)) == expected


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (f'{BEGIN}<invoke name="get_weather"><parameter name="city">Paris</invoke>{END}', [PARIS]),
        (
            f'{BEGIN}<invoke name="get_weather"><parameter name="city">Paris</invoke>{INVOKE}{END}',
            [PARIS, PARIS],
        ),
        (f'{BEGIN}<invoke name="get_weather"><parameter name="city">Paris</invoke>\n{END}\n', [PARIS]),
        ('<invoke name="get_weather"><parameter name="city">Paris</invoke>', [PARIS]),
    ],
)
def test_a_value_without_its_end_ends_with_its_call(text: str, calls: list[Any]) -> None:
    assert read([text + " Done."])[1] == calls
    assert read([text + " Done."])[0].strip() == "Done."


def test_a_limit_inside_a_value_runs_nothing_although_an_ending_stands_in_it() -> None:
    text = f'{BEGIN}<invoke name="get_weather"><parameter name="city">a </invoke> b {END} c'
    assert read([text], cut=True) == ("", [])


@pytest.mark.parametrize("value", ["if (a < b) { </x> }", "<b>[1]</b>", "", "a\nb", "]] >"])
def test_the_frame_of_cdata_is_not_part_of_the_value(value: str) -> None:
    assert read([in_tags(f"<![CDATA[{value}]]>")]) == ("", [("get_weather", {"city": value.strip()})])


def test_a_parameter_that_comes_again_makes_a_list() -> None:
    def twice(name: str, *values: str) -> str:
        return "".join(f'<parameter name="{name}">{value}</parameter>' for value in values)

    body = twice("city", "a", "b", "c") + twice("days", "1", "2") + twice("hours", "3", "4")
    expected = {"city": ["a", "b", "c"], "days": [1, 2], "hours": [3, 4]}
    assert read([f'<invoke name="get_weather">{body}</invoke>']) == ("", [("get_weather", expected)])


@pytest.mark.parametrize(
    "text",
    [
        f"[TOOL_CALLS][{JSON}]",
        f"[TOOL_CALLS] [{JSON}]",
        '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}',
        f"<|tool_call|>[{JSON}]<|/tool_call|>",
        f"<|tool_call|>[{JSON}]",
        '<|python_tag|>{"name": "get_weather", "parameters": {"city": "Paris"}}<|eom_id|>',
        "<tool_call>\n{'name': 'get_weather', 'arguments': {'city': 'Paris'}}\n</tool_call>",
        f"<tool_call>\n{JSON}}}\n</tool_call>",
        f"<tool_call>\n{JSON[:-1]}\n</tool_call>",
    ],
)
def test_more_ways_to_write_one_call(text: str) -> None:
    assert read([text]) == ("", [PARIS])
    assert read(list(text)) == ("", [PARIS])


def test_two_calls_with_the_mark_of_mistral() -> None:
    one = '[TOOL_CALLS]get_weather[ARGS]{"city": "Paris"}'
    assert read([one + one]) == ("", [PARIS, PARIS])
    assert read(list(one + one)) == ("", [PARIS, PARIS])


@pytest.mark.parametrize(
    "text", ["Use [TOOL_CALLS] first.", "<|python_tag|>print(1)", "<|tool_call|> is a token."]
)
def test_marks_without_a_call_are_text(text: str) -> None:
    assert read([text]) == (text, [])


LONG = {
    "tags": in_tags("x </b> " * 3_000),
    "JSON": '<tool_call>{"name": "get_weather", "arguments": {"city": "'
    + "x \\n{ " * 3_000
    + '"}}</tool_call>',
    "code": '```ts\nfunctions.get_weather({"city": "' + "x ` " * 5_000 + '"})\n```',
    "ticks": "`" * 20_000,
    "an attribute": '<invoke name="' + "x" * 20_000,
    "blanks": BEGIN + " " * 20_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_call_is_not_read_anew_with_each_delta(text: str) -> None:
    written = WrittenCalls({"get_weather": {}})
    longest = 0
    for at in range(0, len(text), 10):
        written.feed(text[at : at + 10])
        longest = max(longest, len(written._pending))
    assert longest < 1_000


@given(st.integers(0, 500), st.integers(1, 40), st.sampled_from(["x", "\\n", "</b> ", "{", "` "]))
def test_the_size_of_the_deltas_does_not_matter(length: int, step: int, unit: str) -> None:
    for text in (
        in_tags(unit * length) + " a",
        '<tool_call>{"name": "now", "x": "' + unit * length + '"}</tool_call> a',
    ):
        assert read([text[at : at + step] for at in range(0, len(text), step)]) == read([text])


PROSE = [
    "The beginning <function= is too short.",
    "The beginning <invoke name= has no end.",
    'It begins with <invoke name="get_weather" and so on.',
    "<tool_call>now is the time for all good men.",
    "[TOOL_CALLS] get_weather is the tool that I would call here.",
    "<tool_call> get_weather, then the city.",
    "<minimax:tool_call>nowhere to go",
]


@pytest.mark.parametrize("text", PROSE)
def test_a_beginning_with_prose_behind_it_is_text_at_once(text: str) -> None:
    schemas: dict[str, Any] = {"get_weather": {}, "now": {}}
    assert read([text], schemas=schemas) == (text, [])
    written, out, held = WrittenCalls(schemas), "", 0
    for end, character in enumerate(text, 1):
        out += "".join(piece for piece in written.feed(character) if isinstance(piece, str))
        held = max(held, end - len(out))
    assert held < 40, "the text was held back"


def test_a_call_right_behind_a_code_fence_may_be_cut_anywhere() -> None:
    text = f"```{BEGIN}{INVOKE}{END}\n```"
    for at in range(len(text)):
        assert read([text[:at], text[at:]]) == ("", [PARIS])
