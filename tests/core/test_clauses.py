"""Where a text may be cut: ends of sentences and clauses, and all that only looks like one."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.clauses import Boundary, find_cuts, measure

WORD, CLAUSE, SENTENCE, PARAGRAPH = Boundary.WORD, Boundary.CLAUSE, Boundary.SENTENCE, Boundary.PARAGRAPH


def parts(text: str, *, final: bool = True) -> list[str]:
    """`text` cut at every boundary stronger than a word."""
    ends = [0, *(cut.end for cut in find_cuts(text, final=final) if cut.boundary > WORD)]
    ends += [len(text)] * (ends[-1] < len(text))
    return [text[start:end] for start, end in itertools.pairwise(ends)]


CUT = {
    "sentences": "Hello there. |How are you? |Fine!",
    "clauses": "Well, |if it rains; |we stay: |all — |of us",
    "decimals and thousands": "It is 3.14 or 1,000.50 in all, |not 2.",
    "times": "At 10:30 or 9:15 a.m. we go.",
    "titles": "Dr. Smith and Mrs. Jones met Prof. Li.",
    "Latin abbreviations": "Fruit, |e.g. apples, |i.e. the red ones, |etc. are good.",
    "states": "The U.S. Army and J. K. Rowling.",
    "numbers": "See no. 5 and fig. 3 there.",
    "an afternoon that ends a sentence": "Come at 5 p.m. |Then we eat.",
    "addresses": "Go to https://a.example.com/x,y?z=1.5 or me@mail.example.com now.",
    "domains": "Try Node.js on example.com today.",
    "ellipses": "Hmm... |well… |yes.",
    "closing quotes stay": 'She said "Yes!" |and (really.) left.',
    "Chinese": "你好，|今天天气很好。|真的！|是吗？|好",
    "Chinese quotes": "他说：|“你好。”|然后走了。",
    "Chinese with Latin marks": "你好,|世界.|好",
    "Japanese": "はい、|そうです。|ありがとう！",
    "mixed": "用 Python 写，|大约 3.5 万行。|OK, |好",
    "newlines": "One\n|Two\n\n|Three",
    "list numbers": "1. Mix it.\n|2. Stir it.",
    "spaced hyphens": "Paris - |the capital - |is well-known",
    "a lower-case word after a stop": "approx. five vols. of it",
    "pause marks are not orphaned": "One. <#0.5#> Two.",
    "emoji": "Great 😀! |Yes 👍🏽.",
}


@pytest.mark.parametrize("marked", CUT.values(), ids=CUT.keys())
def test_text_is_cut_where_a_speaker_pauses(marked: str) -> None:
    assert parts(marked.replace("|", "")) == marked.split("|")


STRENGTHS = [
    ("One. Two", SENTENCE),
    ("One, two", CLAUSE),
    ("One\n\ntwo", PARAGRAPH),
    ("One\ntwo", SENTENCE),
    ("One two", WORD),
]


@pytest.mark.parametrize(("text", "boundary"), STRENGTHS)
def test_a_boundary_has_its_strength(text: str, boundary: Boundary) -> None:
    assert find_cuts(text, final=True)[0].boundary is boundary


@pytest.mark.parametrize(
    "text", ["Sure!", "Hello there.", "Is it?", "你好，", "好。", "Well then,", '"Yes!"', "Hmm…"]
)
def test_an_end_that_is_certain_needs_no_next_character(text: str) -> None:
    cuts = find_cuts(text, final=False)
    assert cuts
    assert cuts[-1].end == len(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is 3.",
        "In 2024,",
        "At 10:",
        "Ask Dr.",
        "Yes, e.g.",
        "the U.",
        "https://a.",
        "me@mail.",
        '"Yes!',
        "see http:",
        "https://a.b/c?",
        "A.",
        "Dr. ",
        "the www.",
    ],
)
def test_an_ambiguous_end_waits(text: str) -> None:
    assert all(cut.end < len(text) for cut in find_cuts(text, final=False))


@pytest.mark.parametrize("text", ["e\u0301a \u0301b", "好\ufe00的", "か\u3099き", "👨‍👩‍👧 👍🏽", "한국어 말"])
def test_no_cut_is_inside_a_grapheme(text: str) -> None:
    for cut in find_cuts(text, final=True):
        assert cut.end == len(text) or not re.match(
            "[\u0300-\u036f\u3099\ufe00\u200d\U0001f3fb-\U0001f3ff]", text[cut.end]
        )


def test_a_word_boundary_a_speaker_would_not_pause_at_is_poor() -> None:
    cuts = {cut.end: cut.poor for cut in find_cuts("We saw the cat", final=False)}
    assert cuts == {3: True, 7: False, 11: True}


WORDS_WITHOUT_SPACES = [
    "我们|明天|去|公园|看|花",
    "这个|问题|很|有意思",
    "光|从|太阳|到|地球|大约|需要|八分二十秒",
    "他|了解|成都|的|过去",
    "今天|是|星期三|下午|三点二十",
    "请|不要|着急|我|还|没|准备|好|呢",
    "大约|百分之六十|的|人",
    "其他|的|原因|现在|还|没|找到",
    "用|Python|写|的",
    "明日|は|東京タワー|に|行きます",
    "この|店|の|ラーメン|は|とても|美味しい|です",
    "お茶|を|一杯|飲みました",
]


@pytest.mark.parametrize("marked", WORDS_WITHOUT_SPACES)
def test_chinese_and_japanese_are_cut_between_words_only(marked: str) -> None:
    """Not everywhere two words meet, but nowhere else."""
    words = marked.split("|")
    between = set(itertools.accumulate(map(len, words)))
    cuts = {cut.end for cut in find_cuts("".join(words) + "，好的", final=False) if cut.boundary is WORD}
    assert cuts
    assert cuts <= between


def test_digits_weigh_more_than_letters_and_pauses_are_counted() -> None:
    assert measure("2024").narrow > measure("abcd").narrow
    assert measure("你好<#1.5#>吗").wide == 3
    assert measure("你好<#1.5#>吗").pause_ms == 1500


UNBREAKABLE = [
    "3.14",
    "1,000",
    "10:30",
    "Dr. Smith",
    "U.S.",
    "e.g.",
    "https://a.b/c,d.e?f=1",
    "a@b.example",
    "<#0.5#>",
    "don't",
    "👍🏽",
]


@settings(max_examples=200)
@given(
    st.lists(
        st.sampled_from([*UNBREAKABLE, "word", "你好", "。", ", ", ". ", "! ", "\n"]), min_size=1, max_size=12
    ).map(" ".join)
)
def test_numbers_addresses_and_marks_stay_whole(text: str) -> None:
    ends = {cut.end for cut in find_cuts(text, final=True) if cut.boundary > WORD}
    for whole in UNBREAKABLE:
        for match in re.finditer(rf"(?<!\S){re.escape(whole)}(?!\S)", text):
            assert not ends & set(range(match.start() + 1, match.end()))


@settings(max_examples=200)
@given(st.text(max_size=40), st.integers(0, 40))
def test_a_closed_cut_stays_one_when_more_comes(text: str, received: int) -> None:
    """What follows may strengthen or move an end by its white space, never take it back in the middle of a word."""
    for cut in find_cuts(text[:received], final=False):
        before, after = text[cut.end - 1 : cut.end], text[cut.end : cut.end + 1]
        if cut.closed and cut.boundary is WORD and before.isascii() and after.isascii():
            assert not (before.isalnum() and after.isalnum())
