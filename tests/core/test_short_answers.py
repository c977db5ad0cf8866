"""Texts that are a short answer, and what a transcriber invents for noise."""

import pytest

from realtime.core.short_answers import is_short_answer


@pytest.mark.parametrize(
    "text",
    [
        "Yes.",
        "No.",
        "no no",
        "Okay",
        "one",
        "Two...",
        "1, 2, 3.",
        "one two three",
        "twenty-one",
        "停",
        "对",
        "二十一",
        "Stop.",
    ],
)
def test_a_short_answer(text):
    assert is_short_answer(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mmm",
        "Hmm.",
        "stars.",
        "the finding.",
        "and",
        "Thank you for watching.",
        "to find you all",
        "1 2 3 4 5 6 7",
        "♪",
    ],
)
def test_no_short_answer(text):
    assert not is_short_answer(text)
