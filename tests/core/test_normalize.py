"""Markdown, tags, formulas and addresses become something to say; the voice gets only what can be pronounced."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.core.characters import pronounceable
from realtime.core.normalize import SpeechNormalizer
from realtime.core.spoken_form import spoken_form
from realtime.core.wording import Wording
from tests.each import each


def wordings(text: str, *cuts: int) -> list[Wording]:
    """`text` fed in deltas that end at `cuts`."""
    normalizer = SpeechNormalizer()
    places = [0, *sorted(cuts), len(text)]
    deltas = [text[start:end] for start, end in itertools.pairwise(places)]
    return [*map(normalizer.feed, deltas), normalizer.finish()]


def normalized(text: str, *cuts: int) -> str:
    """What is said of `text`, fed in deltas that end at `cuts`."""
    return "".join(wording.said for wording in wordings(text, *cuts))


SPOKEN = {
    "plain text": ("Hello there. How are you?", "Hello there. How are you?"),
    "emphasis": (
        "**Sure!** Here is _one_ *more* ***thing*** and ~~not~~ this.",
        "Sure! Here is one more thing and not this.",
    ),
    "headings are sentences": ("# Title\n\nText", "Title.\n\nText"),
    "bullets are sentences": ("- one\n* two\n+ three!", "one.\ntwo.\nthree!"),
    "Chinese bullets": ("- 苹果\n- 香蕉", "苹果。\n香蕉。"),
    "ordered lists keep their numbers": ("1. Mix\n2) Stir", "1. Mix.\n2. Stir."),
    "tasks": ("- [x] done\n- [ ] open", "done.\nopen."),
    "a decimal is no list": ("3.5 million", "3.5 million"),
    "quotes": ("> He said\n> so", "He said\nso"),
    "links": ("See [the page](https://example.com/a_(b)) now", "See the page now"),
    "reference links": ("See [the page][1] now", "See the page now"),
    "images": ("![A cat](cat.png) sleeps", "A cat sleeps"),
    "an exclamation before a bracket": ("Sure![^1] Yes [maybe].", "Sure! Yes [maybe]."),
    "addresses": (
        "Visit https://www.example.com/path?q=1. Or www.foo.org!",
        "Visit example.com/path. Or foo.org!",
    ),
    "an address in brackets": ("(see http://example.com/x)", "(see example.com/x)"),
    "autolinks": ("<https://example.com/x> <b>bold</b>", "example.com/x bold"),
    "inline code": ("Call `a_b * c` and ``x`y``.", "Call a_b * c and x`y."),
    "code blocks": ("Before\n```python\nprint('*')\n```\nAfter", "Before\n\nAfter"),
    "only code": ("```\nx = 1\n```", ""),
    "an open code block": ("Here:\n~~~\nx = 1", "Here:\n"),
    "tables": ("Look:\n| a | b |\n|---|---|\n| 1 | 2 |\n\nDone", "Look:\n\nDone"),
    "rules": ("One\n\n---\n\nTwo", "One\n\nTwo"),
    "comparisons": ("a < b and c > d, 2 * 3, 2*3, I <3 it", "a < b and c > d, 2 * 3, 2*3, I <3 it"),
    "line breaks": ("One<br/>Two", "One\nTwo"),
    "entities": ("Tom &amp; Jerry&nbsp;& co", "Tom & Jerry & co"),
    "snake case": ("call my_long_name now", "call my_long_name now"),
    "escapes": (r"5 \* 3 \_x", "5 * 3 _x"),
    "money": ("It costs $5, not $10.", "It costs $5, not $10."),
    "commands in formulas": (r"$\mathrm{pH}$ of $\alpha$", "pH of alpha"),
    "code that nobody closed": ("Call `a\n\n**b** now", "Call a\n\nb now"),
    "formulas": (r"So $x^2$ and $$\frac{a}{b}$$ and \(y\).", "So x^2 and a/b and y."),
    "pause marks": ("One<#0.5#>two <#1.25#> three", "One<#0.5#>two <#1.25#> three"),
    "interjections": ("Well (laughs) yes (clear-throat).", "Well (laughs) yes (clear-throat)."),
    "emoji": ("Great 😀👍🏽!", "Great 😀👍🏽!"),
    "white space": ("  One \t two \r\n\r\n\r\n  three  ", "One two\n\nthree"),
    "footnotes": ("True[^1] and known[^note].", "True and known."),
}


@each(SPOKEN.values())
def test_markup_becomes_plain_text(written: str, said: str) -> None:
    assert normalized(written) == said
    assert normalized(written, *range(1, len(written))) == said


@pytest.mark.parametrize("text", ["It begins with www", "We say http", "https:", "w", "The letter h"])
def test_a_text_that_ends_like_the_beginning_of_an_address_is_said_to_its_end(text: str) -> None:
    assert normalized(text) == normalized(text, *range(len(text))) == text


@pytest.mark.parametrize(
    "text", ["Sure!", "好的，", "Hello there.", "Well,", "Is it?", "It costs $5.", "(Yes)"]
)
def test_nothing_certain_is_held_back(text: str) -> None:
    """A clause that ends without markup is out with its last character."""
    assert SpeechNormalizer().feed(text).said == text


def test_a_lone_dollar_does_not_silence_the_rest_of_the_line() -> None:
    text = "Set $HOME to your folder, " + "and go on " * 10
    assert len(SpeechNormalizer().feed(text).said) > 100


FRAGMENTS = st.one_of(
    st.sampled_from([written for written, _ in SPOKEN.values()]),
    st.text(alphabet="ab1 .*_`~#->[]()!<$&|\\\n/:w你。", max_size=8),
    st.sampled_from(
        [
            "<think>",
            "</b>",
            "<b>",
            "```",
            "\n\n",
            "https://a.b/c",
            "**",
            "| x |",
            "<#0.5#>",
            "<br>",
            "- ",
            "1. ",
            "](a/b)",
            "[",
            "$x$",
            "\\(",
            "\\)",
            "<a href=",
            "<!--",
            "-->",
            ", ",
            ". ",
            "+ 3\n",
            "_",
            "one two three ",
        ]
    ),
)


@settings(max_examples=200)
@given(st.lists(FRAGMENTS, max_size=8).map("".join), st.data())
def test_what_is_said_does_not_depend_on_the_deltas(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    assert normalized(text, *cuts) == normalized(text)
    assert normalized(text, *range(len(text))) == normalized(text)


@settings(max_examples=200)
@given(st.lists(FRAGMENTS, max_size=8).map("".join), st.data())
def test_the_text_is_what_the_model_wrote(text: str, data: st.DataObject) -> None:
    """Character for character, and each character said leads to its place."""
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    parts = wordings(text, *cuts)
    assert "".join(part.text for part in parts) == text
    for part in parts:
        assert len(part.offsets) == len(part.said)
        assert list(part.offsets) == sorted(part.offsets)
        assert all(0 <= offset <= len(part.text) for offset in part.offsets)


FORMS = {
    "emoji go": ("Great 😀 job 👍🏽! 👨‍👩‍👧 🇫🇷", "Great job!"),
    "keycaps keep their digit": ("Press 1️⃣ now", "Press 1 now"),
    "numbers in circles stay": ("① Mix, ❷ stir ℹ️ ½ cup", "① Mix, ❷ stir ½ cup"),
    "white space is tidied": ("  a \n b\t c  ", "a\nb c"),
    "controls and zero width go": ("a\u200bb\ufeff\x07c\u00add", "abcd"),
    "joiners that shape letters stay": ("نمی\u200cخواهم", "نمی\u200cخواهم"),
    "only punctuation": ("... ! 。", ""),
    "only emoji": ("😀 ", ""),
    "nothing": ("", ""),
    "what closes an earlier chunk": ("”, he said", "he said"),
    "pauses only between": ("<#1#> One <#0.5#><#0.7#> two <#1#>.", "One <#0.5#> two."),
    "pauses the platform refuses": ("One <#100#> two <#0.001#> three", "One two three"),
    "what only looks like a pause": ("One <#x#> two <😀#1#>", "One #x#> two #1#>"),
    "interjections": ("(laughs) No.", "(laughs) No."),
}


@pytest.mark.parametrize(("text", "spoken"), FORMS.values(), ids=FORMS.keys())
def test_the_voice_gets_what_can_be_pronounced(text: str, spoken: str) -> None:
    assert spoken_form(text)[0] == spoken


@settings(max_examples=150)
@given(
    st.lists(
        st.one_of(st.text(max_size=6), st.sampled_from(["<#0.5#>", "😀", " ", "\n", "word", "你好。"])),
        max_size=9,
    ).map("".join)
)
def test_offsets_lead_back_to_the_text(text: str) -> None:
    spoken, offsets = spoken_form(text)
    assert len(offsets) == len(spoken) + 1
    assert list(offsets) == sorted(offsets)
    assert offsets[-1] == len(text)
    for char, offset in zip(spoken, offsets, strict=False):
        assert char == text[offset] or (char.isspace() and text[offset].isspace())
    assert spoken == spoken.strip()
    assert not spoken or pronounceable(spoken)
    assert not re.match(r"\s*<#[\d.]+#>|.*<#[\d.]+#>\s*$|.*<#[\d.]+#>\W*<#[\d.]+#>", spoken, re.S)
