"""Texts that are a short answer, and what a transcriber invents for noise."""

import pytest

from realtime.core.short_answers import is_mostly_digits, is_short_answer


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


@pytest.mark.parametrize(
    "text",
    "2567890|256,7890|8-0. 9-6|one two|twenty-one|二二五六|9527 6688 1003|12:30|256停|我的号码是2567890|room 12".split(
        "|"
    ),
)
def test_mostly_digits(text):
    assert is_mostly_digits(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "one",
        "and",
        "one and",
        "in the room 12",
        "Oh yeah, three fuller.",
        "嗯嗯",
        "小小小小",
        "再加一勺",
        "。。。",
    ],
)
def test_not_mostly_digits(text):
    assert not is_mostly_digits(text)
