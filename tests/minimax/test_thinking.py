"""Thinking never becomes visible, and nothing visible is lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.minimax.thinking import CLOSING, Accumulator, ThinkingFilter


def filtered(fragments: list[str]) -> str:
    thinking = ThinkingFilter()
    return "".join([thinking.feed(fragment) for fragment in fragments]) + thinking.finish()


def cut(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(at % (len(text) + 1) for at in cuts), len(text)]
    return [text[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(st.integers(0, 200), max_size=20), st.sampled_from(CLOSING))
def test_a_block_is_removed_from_any_fragments(cuts: list[int], closing: str) -> None:
    text = f"<think>\nThe user <b>greets</b> me.\n{closing}\n\nHello! 2 < 3 and a <thin line."
    assert filtered(cut(text, cuts)) == "Hello! 2 < 3 and a <thin line."


@given(st.lists(st.integers(0, 200), max_size=20), st.sampled_from(CLOSING))
def test_stray_closing_tags_are_removed(cuts: list[int], tag: str) -> None:
    assert filtered(cut(f"{tag}\n\nHello.{tag} There.", cuts)) == "Hello. There."


@given(st.lists(st.text(alphabet="ab <>/think你好\n", max_size=8), max_size=10))
def test_text_without_tags_passes_unchanged(fragments: list[str]) -> None:
    text = "".join(fragments)
    if "think" not in text:
        assert filtered(fragments) == text.lstrip("\r\n")


@pytest.mark.parametrize("end", ["<th", "</mm:thin", "<"])
def test_the_beginning_of_a_tag_at_the_end_was_text(end: str) -> None:
    assert filtered(["a ", end]) == f"a {end}"


def test_unclosed_thinking_is_not_visible_and_is_kept() -> None:
    thinking = ThinkingFilter()
    assert thinking.feed("<think>\nhm") + thinking.finish() == ""
    assert thinking.thinking == "\nhm"


def test_words_before_a_stray_tag_are_kept() -> None:
    assert filtered(["Hel", "lo</thi", "nk> there."]) == "Hello there."


def test_only_what_could_be_a_tag_is_held_back() -> None:
    thinking = ThinkingFilter()
    assert thinking.feed("one <two") == "one <two"
    assert thinking.feed(" <thi") == " "
    assert thinking.feed("ng>") == "<thing>"


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
