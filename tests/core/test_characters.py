"""What can be pronounced, what is seen as one character, and which scripts have no blanks."""

from __future__ import annotations

import itertools
import sys
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from realtime.core.characters import (
    HAN,
    HANGUL,
    KANA,
    count_pronounceable,
    inside_grapheme,
    is_invisible,
    is_unspaced,
    is_wide,
    joined,
    pronounceable,
)
from realtime.core.spoken_form import spoken_form
from realtime.core.wordbreak import atoms, sound_weight

ASSIGNED = [
    char
    for char in map(chr, range(sys.maxunicode + 1))
    if unicodedata.category(char) not in ("Cn", "Co", "Cs")
]

PRONOUNCEABLE = [
    "Hello",
    "ā",
    "你好",
    "々",
    "か",
    "한",
    "ก",
    "7",
    "٣",
    "(laughs)",
    "<#0.5#> 5",
    "50%",
    "ー",
    "<#1.2.3#>",
    "<# 1 #>",
]
NUMBERS = ["½", "²", "Ⅷ", "①", "⑳", "❶", "㊀", "⑴", "〇"]
UNPRONOUNCEABLE = ["", " \n", "...", "·・。", "😀 !", "👨‍👩‍👧", "🇫🇷", "✓", "★", "→", "♪", "©", "™", "ℹ", "㊗", "🅰", "_", "\u3164",
                   "\ufe0f", "\u0301", "<#0.5#>", "<#0.5#><#12#>!", "%", "+", "€", "°"]  # fmt: skip


@pytest.mark.parametrize("text", PRONOUNCEABLE + NUMBERS)
def test_letters_and_numbers_can_be_pronounced(text: str) -> None:
    assert pronounceable(text)
    assert spoken_form(text)[0]


@pytest.mark.parametrize("text", UNPRONOUNCEABLE)
def test_marks_signs_emoji_and_pauses_cannot(text: str) -> None:
    assert not pronounceable(text)
    assert spoken_form(text) == ("", (len(text),))


def test_every_character_alone_is_spoken_exactly_if_it_can_be_pronounced() -> None:
    for char in ASSIGNED:
        assert spoken_form(char)[0] == (char if pronounceable(char) else ""), hex(ord(char))
        assert count_pronounceable(char) == pronounceable(char)
        assert not (pronounceable(char) and is_invisible(char))


def test_what_is_pronounced_takes_time_and_a_wide_character_the_most() -> None:
    for char in ASSIGNED:
        if pronounceable(char):
            assert sound_weight(char) == (4 if is_wide(char) else 3 if char.isdigit() else 1), hex(ord(char))


SCRIPTS = {
    "HIRAGANA": KANA,
    "KATAKANA": KANA,
    "HANGUL": HANGUL,
    "CJK UNIFIED": HAN,
    "CJK COMPATIBILITY IDEOGRAPH": HAN,
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_letter_of_a_script_is_known(script: str) -> None:
    """Han and kana are written without blanks; Hangul is wide all the same."""
    for char in ASSIGNED:
        if pronounceable(char) and unicodedata.name(char, "").startswith(f"{script} "):
            assert is_wide(char), hex(ord(char))
            assert is_unspaced(char) is (script != "HANGUL")


@pytest.mark.parametrize("char", ["a", "é", "ก", "1", "①", "，", "。", "Ａ", "１", "😀", "-"])
def test_what_is_written_with_blanks_or_is_no_letter_is_narrow(char: str) -> None:
    assert not is_unspaced(char)
    assert not is_wide(char)


GRAPHEMES = {
    "flags": "🇫🇷|🇩🇪|🇺🇸",
    "half a flag": "🇫🇷|🇩|a|🇩🇪",
    "the flag of Scotland": "🏴󠁧󠁢󠁳󠁣󠁴󠁿|🏴󠁧󠁢󠁳󠁣󠁴󠁿",
    "families": "👨‍👩‍👧‍👦|👩‍👩‍👧",
    "tones of skin": "👍🏽|👩🏽‍🚀|👋",
    "joined signs": "❤️‍🔥|🏳️‍🌈|🙂‍↔️|a",
    "a joiner between letters": "你\u200d|好|a\u200d|b",
    "keycaps": "1️⃣|#️⃣|2",
    "accents": "e\u0301|a\u0328\u0301|ß| \u0301",
    "line ends": "a|\r\n|\n|\r|b|\n|\u0301",
    "variation selectors": "好\ufe00|的|葛\U000e0100|城",
    "voiced kana": "か\u3099|き|ｶﾞ|ﾊﾟ",
    "Hangul syllables": "한|국|어",
    "Hangul jamo": "\u1112\u1161\u11ab|\u1100\u116e\u11a8|가\u11a8|각\u11a8|각|\u1161\u11a8|가",
    "Devanagari": "क्ष|त्रि|य| |हि|न्दी|प्र|त्ये|क",
    "a half form asked for": "क्\u200dष|क्\u200c|ष",
    "Bengali": "ক্ষ|মা",
    "Telugu": "క్ష|ణం",
    "Malayalam": "ന്ത്ര",
    "Tamil, which joins nothing": "த|மி|ழ்|நா|டு",
    "Khmer": "ខ្មែ|រ",
    "Thai": "น้ำ|กำ|ลั|ง|ทำ",
    "Lao": "ນຳ້",
    "Hebrew": "שָׁ|ל|וֹ|ם",
    "Arabic": "مُ|حَ|مَّ|د",
    "Persian": "ن|م|ی\u200c|خ|و",
}  # fmt: skip


@pytest.mark.parametrize("marked", GRAPHEMES.values(), ids=GRAPHEMES.keys())
def test_a_grapheme_is_one(marked: str) -> None:
    """The extended grapheme clusters of UAX 29."""
    graphemes = marked.split("|")
    text = "".join(graphemes)
    between = [place for place in range(1, len(text)) if not inside_grapheme(text, place)]
    assert between == list(itertools.accumulate(map(len, graphemes)))[:-1]


@given(st.text(max_size=30))
def test_the_ends_of_a_text_split_nothing_and_no_atom_ends_inside_a_grapheme(text: str) -> None:
    assert not inside_grapheme(text, 0)
    assert not inside_grapheme(text, len(text))
    assert not any(inside_grapheme(text, end) for end in atoms(text))


@given(st.text(st.sampled_from("a好😀<#>01.5 \u200b\u3164①·"), max_size=20))
@example("<😀#1#>")
@example("<\u200b#0.5#>")
def test_leaving_characters_out_never_makes_a_pause_mark(text: str) -> None:
    spoken, _ = spoken_form(text)
    assert pronounceable(text) == pronounceable(spoken) == (spoken != "")


@pytest.mark.parametrize(
    ("text", "following", "both"),
    [
        ("It rains.", "Still?", "It rains. Still?"),
        ("下雨了。", "还在下？", "下雨了。还在下？"),
        ("下雨了。It rains.", "Still?", "下雨了。It rains. Still?"),
        ("一共 30", "块钱", "一共 30块钱"),
        ("비가 와요.", "아직도?", "비가 와요. 아직도?"),
        ("", "Still?", "Still?"),
        ("It rains.", "", "It rains."),
    ],
)
def test_what_was_said_next_follows_a_blank_but_in_a_script_that_has_none(
    text: str, following: str, both: str
) -> None:
    assert joined(text, following) == both
