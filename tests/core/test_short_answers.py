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
    (
        "2567890|256,7890|8-0. 9-6|one two|twenty-one|二二五六|9527 6688 1003|12:30|256停|我的号码是2567890|room 12|"
        "2021|1984 2003|二零二四|一百二十三|one hundred and two|my number is 555 1234|138-2256。|079.|"
        "2 plus 3|12加5|三点四十五分|10点30分"
    ).split("|"),
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
        "千万不要",
        "千万",
        "百万",
        "万一",
        "一个一个",
        "one of the two",
        "One or two people.",
        "© BF-WATCH TV 2021",
        "© 2021",
        "Copyright 2019",
        "Copyright 2019 Mooji Media Ltd",
        "Copyright 2019, 2021 Mooji",
        "谢谢观看 2024",
        "谢谢 二零二四",
        "In 2016, I was there.",
        "Thanks for 100 subscribers!",
        "。。。",
    ],
)
def test_not_mostly_digits(text):
    assert not is_mostly_digits(text)
