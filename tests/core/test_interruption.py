"""Which texts interrupt, in the middle of speech and at its end."""

from __future__ import annotations

import pytest

from realtime.core.interruption import has_words, may_interrupt
from tests.each import each

MIDDLE, END = False, True


@pytest.mark.parametrize(
    ("text", "speech_ms", "whole", "sure", "guess", "interrupts"),
    [
        ("What about Paris", 300, MIDDLE, True, False, True),
        ("What about Paris", 300, MIDDLE, False, True, False),
        ("What about Paris", 900, MIDDLE, False, True, True),
        ("What about Paris", 300, END, False, True, True),
        ("What about Paris", 300, MIDDLE, False, False, True),
        ("Stop", 300, MIDDLE, False, True, True),
        ("等一下", 300, MIDDLE, False, True, True),
        ("No", 300, MIDDLE, True, False, True),
        ("I", 300, MIDDLE, True, False, False),
        ("I see", 500, END, True, False, False),
        ("I", 500, END, True, False, True),
        ("I want", 600, MIDDLE, True, False, True),
        ("Got", 300, MIDDLE, True, False, False),
        ("Got a question", 600, MIDDLE, True, False, True),
        ("原来", 600, MIDDLE, True, False, False),
        ("原来你在", 900, MIDDLE, True, False, True),
        ("Yeah, but", 600, MIDDLE, True, False, True),
        ("灯", 300, END, False, True, True),
        ("Emme", 600, END, False, True, False),
    ],
)
def test_a_text_that_may_break_off_inside_a_word_waits_for_the_next_one(
    text, speech_ms, whole, sure, guess, interrupts
):
    assert has_words(text, speech_ms, whole=whole, sure=sure, guess=guess, before_answer=False) is interrupts


def test_a_voice_may_interrupt_from_150_ms_on_and_later_after_a_murmur():
    assert not may_interrupt(149, 0)
    assert may_interrupt(150, 0)
    assert not may_interrupt(760, 320)
    assert may_interrupt(780, 320)


@pytest.mark.parametrize(
    ("text", "speech_ms", "interrupts"),
    [
        ("M. M. Sun", 600, False),  # what a transcriber believes a "mm-hmm" to be
        ("Mm hm the", 600, False),
        ("M. M. Sun", 1_000, True),  # too long for one
        ("Mm. Mm. Stop.", 600, True),
        ("Mm. Tuesday", 600, True),  # one hum, and an answer
        ("M. M. Sun is down", 600, True),
    ],
)
def test_a_word_after_two_hums_belongs_to_them(text, speech_ms, interrupts):
    assert has_words(text, speech_ms, whole=True, sure=True, before_answer=False) is interrupts


@pytest.mark.parametrize(
    ("text", "speech_ms", "whole", "sure", "interrupts"),
    [
        ("Five.", 200, END, True, True),
        ("七", 150, END, True, True),
        ("Five.", 140, END, True, False),
        ("Five.", 200, MIDDLE, True, False),
        ("Five.", 200, END, False, False),  # a click or a knock may be read as any word
        ("Yes.", 200, END, False, True),
        ("M. M. Sun", 200, END, True, False),
        ("Mm-hmm.", 200, END, True, False),
        ("", 200, END, True, False),
    ],
)
def test_before_the_answer_any_short_word_is_more_of_the_turn_if_it_is_sure(
    text, speech_ms, whole, sure, interrupts
):
    assert has_words(text, speech_ms, whole=whole, sure=sure, before_answer=True) is interrupts


def test_while_an_answer_is_heard_only_few_short_words_are_believed():
    assert not has_words("Five.", 200, whole=True, sure=True, before_answer=False)
    assert has_words("No.", 200, whole=True, sure=True, before_answer=False)


HUMS = "Um,|Umm|Hmm,|Mm,|Hm.|Uhm,|Mm-hmm.|Uh,|M.|Mm, mm,|Mm, okay,|Hm, yeah,".split("|")
COMMANDS = "no.|wait.|why?|Hold on.|next.|sorry?|Listen.|halt|不|等等|cancel|nein".split("|")


@each([f"{hum} {command}" for hum in HUMS for command in COMMANDS])
def test_a_command_after_a_hum_is_a_command_however_much_it_is_doubted(text):
    for speech_ms in (160, 450):
        assert has_words(text, speech_ms, whole=True, sure=False, before_answer=False)


@each("Um, yes.|Mm, right.|Hm, sun|Um, home.|M. M. Sun|Mm, okay.|Hm, one".split("|"))
def test_another_word_in_doubt_after_a_hum_may_be_more_of_it(text):
    assert not has_words(text, 450, whole=True, sure=False, before_answer=False)
