"""Thinking never becomes visible, and nothing visible is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.thinking import CLOSING, OPENING, Accumulator, ThinkingFilter


def filtered(fragments: list[str], *, cut: bool = False) -> str:
    thinking = ThinkingFilter()
    return "".join([thinking.feed(fragment) for fragment in fragments]) + thinking.finish(cut=cut)


def cut(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(at % (len(text) + 1) for at in cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(st.integers(0, 200), max_size=20), st.sampled_from(CLOSING))
def test_a_block_is_removed_from_any_fragments(cuts: list[int], closing: str) -> None:
    text = f"<think>\nThe user <b>greets</b> me.\n{closing}\n\nHello! 2 < 3 and a <thin line."
    assert filtered(cut(text, cuts)) == "Hello! 2 < 3 and a <thin line."


@given(st.lists(st.integers(0, 200), max_size=20), st.sampled_from(CLOSING))
def test_a_stray_closing_tag_at_the_very_start_is_removed(cuts: list[int], tag: str) -> None:
    assert filtered(cut(f" {tag}\n\nHello.", cuts)) == "Hello."


TEXT = st.text(alphabet="ab <>/think你好\n`", max_size=20)
PIECE = st.sampled_from([*OPENING, *CLOSING, "<think", "</th", " ", "\n"]) | TEXT


@given(st.lists(PIECE, max_size=10), st.lists(st.integers(0, 200), max_size=20))
def test_what_does_not_begin_with_a_tag_comes_out_as_it_is(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    if not text.lstrip().startswith((*OPENING, *CLOSING)):
        assert filtered(cut(text, cuts)) == text


@given(st.lists(PIECE, max_size=10), st.lists(st.integers(0, 200), max_size=20), st.booleans())
def test_the_cuts_do_not_matter(pieces: list[str], cuts: list[int], ended: bool) -> None:
    text = "".join(pieces)
    assert filtered(cut(text, cuts), cut=ended) == filtered([text], cut=ended)


@given(st.lists(TEXT, min_size=1, max_size=4), TEXT)
def test_blocks_in_a_row_are_thinking_and_blanks_alone_are_lost(thoughts: list[str], answer: str) -> None:
    blocks = "".join(f"<think>{thought}</think>\n\n" for thought in thoughts)
    if not any(tag in "".join(thoughts) + answer for tag in (*OPENING, *CLOSING)):
        assert filtered([blocks + answer]) == answer.lstrip()


@pytest.mark.parametrize(
    "text",
    [
        "The <think> tag opens the reasoning, and </think> closes it.",
        "`<think>` is a tag.",
        "A model writes <thinking>like this</thinking> first.",
        "Hello.</think> There.",
        "Step one.\n</think>\n\nThe answer.",
        "Use <mm:think> here.\n<mm:think>x</mm:think>",
        "1 < 2 and 3 > 2 </think",
        "<thinker> is no tag.",
        "< think > is no tag.",
        "<b>Bold</b> <think>",
        "思考标签 <think> 打开推理。</think> 关闭。",
        "\n\n <thin",
        "</thinks>",
    ],
)
def test_text_about_tags_is_text(text: str) -> None:
    assert filtered([text]) == text == filtered(list(text))


def test_unclosed_thinking_was_thinking_if_the_limit_ended_it() -> None:
    thinking = ThinkingFilter()
    assert thinking.feed("<think>\nhm") + thinking.finish(cut=True) == ""
    assert thinking.thinking == "\nhm"


@pytest.mark.parametrize(
    "text", ["<think>", "<think> opens the reasoning.", " <thinking>a</think", "<mm:think>\n<"]
)
def test_unclosed_thinking_was_text_if_the_answer_ended(text: str) -> None:
    assert filtered(list(text)) == text


def test_only_what_could_be_a_tag_is_held_back() -> None:
    thinking = ThinkingFilter()
    assert thinking.feed(" <thi") == ""
    assert thinking.feed("ng>") == " <thing>"
    assert thinking.feed(" <thi") == " <thi"


def test_blanks_behind_thinking_of_another_field_go_too() -> None:
    thinking = ThinkingFilter()
    thinking.skip_blanks()
    assert thinking.feed("\n") + thinking.feed("\nHello") + thinking.finish() == "Hello"


def accumulated(fragments: list[str]) -> str:
    accumulator = Accumulator()
    return "".join([accumulator.feed(fragment) for fragment in fragments]) + accumulator.finish()


@given(st.text(alphabet="abcdefgh ", min_size=1, max_size=60), st.lists(st.integers(0, 100), max_size=8))
def test_snapshots_become_increments(text: str, cuts: list[int]) -> None:
    edges = sorted({at % len(text) + 1 for at in cuts} | {len(text)})
    assert accumulated([text[:edge] for edge in edges]) == text


@given(st.lists(st.sampled_from(["one", " two", " three", ",", " four"]), max_size=10))
def test_increments_stay_increments(fragments: list[str]) -> None:
    assert accumulated(fragments) == "".join(fragments)


def test_an_increment_that_repeats_the_beginning_is_recognised_by_the_next_one() -> None:
    assert accumulated(["ha", "haha", " funny"]) == "hahaha funny"
    assert accumulated(["H", "Hello", "Hello there"]) == "Hello there"


def test_a_refrain_is_no_snapshot() -> None:
    assert accumulated(["la la la ", "la la la la, ", "she sang."]) == "la la la la la la la, she sang."
    assert accumulated(["I am here. ", "I am here. I am", " here."]) == "I am here. I am here. I am here."
