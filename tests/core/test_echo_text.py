"""Texts that repeat what a loudspeaker was saying, and texts of a listener who speaks meanwhile."""

import re
from difflib import SequenceMatcher

import pytest

from realtime.core import echo_text
from realtime.core.echo_text import repeats
from realtime.core.sent_sound import SaidWord
from tests.each import each

SAID = "once there was a small dog that lived by the sea with an old man"


WORD_S, LATEST_S = 0.3, 1.3
ASKED = "Would you like Tuesday at noon, or Wednesday at nine?"


def spoken(text):
    """Each word, or each Chinese character, takes as long."""
    pieces = re.findall(r"\s*(?:[\u4e00-\u9fff]|[0-9.,]+|[^\s\u4e00-\u9fff0-9]+)[，。？]*", text)
    assert "".join(pieces) == text
    return [SaidWord(word, at * WORD_S, (at + 1) * WORD_S) for at, word in enumerate(pieces)]


def is_repeated(text, said, *, began_s=0.0, few=False):
    return repeats(text, spoken(said), began_s, LATEST_S, few=few)


@pytest.mark.parametrize(
    ("text", "said", "few", "is_echo"),
    [
        ("There was a small dog", SAID, False, True),
        ("once their was a smell dog.", SAID, False, True),  # misread
        ("Dog that lived by the see", SAID, False, True),
        ("有一只小狗住在海边", "从前有一只小狗，住在海边。", False, True),
        ("Small dog.", SAID, True, True),
        ("Small dog.", SAID, False, False),  # perhaps the listener asks
        ("Sea?", SAID, False, False),
        ("Please tell me about the weather", SAID, False, False),
        ("by the sea with an old man stop", SAID, False, False),  # a command that was not said
        ("There was a small stop dog", "there was a small stop sign and a dog", False, True),
        (
            "Stop it now.",
            "they could not stop it in the end",
            False,
            False,
        ),  # half of it was said by accident
        ("Stop it in the end", "they could not stop it in the end", False, True),
        ("我想知道现在几点", "从前有一只小狗，住在海边。", False, False),
        ("man old an with sea the by", SAID, False, False),  # not in this order
        ("", SAID, True, False),
        ("Once there was a dog", "", True, False),
    ],
)
def test_what_repeats_the_words_of_the_reply_is_an_echo(text, said, few, is_echo):
    assert is_repeated(text, said, few=few) is is_echo


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("会议在十二月二十五号", "会议在12月25号，请您准时参加。"),
        ("二零二六年", "2026年"),
        ("价格是一千二百九十九点五元", "价格是1299.5元，请您付款谢谢。"),
        ("价格是一千二百", "价格是1299.5元，请您付款谢谢。"),  # and the rest was not heard yet
        ("请问您还需要什么帮助吗", "請問您還需要什麼幫助嗎？我們隨時為您服務。"),
        ("他在座位上做作业", "她在坐位上做作业。"),
        ("It costs 1299 dollars", "It costs 1,299 dollars."),
        ("It costs one thousand two hundred ninety-nine dollars", "It costs 1,299 dollars."),
        ("The train leaves at nine thirty", "The train leaves at 9:30."),
        ("Number twenty-five is next", "Number 25 is next."),
        ("我喜欢iPhone十三", "我喜欢 iPhone 13。"),
    ],
)
def test_what_is_spelled_otherwise_sounds_the_same(text, said):
    assert is_repeated(text, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("我要买那个房子", "我不卖这间房。"),
        ("我说的是十七号", "会议在25号下午。"),
        ("橋を渡ります", "喬は笑いました。"),
    ],
)
def test_other_words_do_not(text, said):
    assert not is_repeated(text, said)


@pytest.mark.parametrize("text", ["Wednesday at nine.", "Yes, Wednesday at nine.", "or Wednesday at nine"])
def test_whoever_takes_an_option_says_it_later_than_an_echo(text):
    option_s = spoken(ASKED)[-3].start_s - (len(text.split()) - 3) * WORD_S
    for late_s, is_echo in ((0.05, True), (0.9, True), (1.6, False), (3.0, False)):
        assert is_repeated(text, ASKED, began_s=option_s + late_s) is is_echo


@pytest.mark.parametrize(
    ("text", "late_s", "longer_s", "is_echo"),
    [
        ("Is that okay?", 1.2, 0.0, True),
        ("is that okai", 1.2, 0.3, True),  # misread, and the room goes on
        ("that okay?", 1.2, 0.0, False),  # two words are believed to be the listener's
        ("Is that okay?", 1.5, 0.0, False),  # no loudspeaker is so late
        ("Is that okay?", 1.2, 0.6, False),  # somebody says it slowly
        ("It opens at nine", 1.2, 0.0, False),  # not the last words
        ("Is that okay with you?", 1.2, 0.0, False),
        ("So is that okay?", 1.2, 0.0, False),
    ],
)
def test_after_all_was_said_only_the_very_last_words_are_an_echo(text, late_s, longer_s, is_echo):
    said, words = spoken("It opens at nine. Is that okay?"), len(text.split())
    began_s = (7 - words) * WORD_S + late_s
    ended_s = began_s + words * WORD_S + longer_s
    assert repeats(text, said, began_s, LATEST_S, ended_s=ended_s) is is_echo


def test_a_word_that_was_said_twice_makes_no_echo_later():
    """The first word was misread, and is found long before the others."""
    said = "a dog came by and the dog lived by the sea with an old man"
    begins_s = spoken(said)[5].start_s
    assert is_repeated("a dog lived by the sea", said, began_s=begins_s + 0.3)


def test_in_chinese_the_time_counts_as_well():
    said = "您是要明天下午三点，还是后天上午十点？"
    option_s = spoken(said)[-6].start_s
    assert is_repeated("后天上午10点", said, began_s=option_s + 0.3)
    assert not is_repeated("后天上午10点", said, began_s=option_s + 6 * WORD_S + 0.2)


def test_each_two_words_of_long_texts_are_compared_once(monkeypatch):
    compared = []

    class Counted(SequenceMatcher[str]):
        def __init__(self, junk, word, other, autojunk):
            compared.append((word, other))
            super().__init__(junk, word, other, autojunk)

    monkeypatch.setattr(echo_text, "SequenceMatcher", Counted)
    said = "the dogs then there them this that these those their other others " * 10 + "too"
    assert is_repeated(said, said)
    assert 0 < len(compared) == len(set(compared))


@pytest.mark.parametrize("unit", ["a ", "对", "dog ", "7", "a dog "])
@pytest.mark.parametrize("said", [60, 20_000])
def test_a_long_text_is_not_looked_for_where_little_was_said(monkeypatch, unit, said):
    """Counted are the places that are looked at, not the time: a busy machine is slow."""
    places = 0

    def counted(above, found, weight, next_row=echo_text._next_row):
        nonlocal places
        places += len(found)
        return next_row(above, found, weight)

    monkeypatch.setattr(echo_text, "_next_row", counted)
    long = unit * (20_000 // len(unit))
    words = [SaidWord(unit, at * WORD_S, (at + 1) * WORD_S) for at in range(said)]
    assert not repeats(long, words, 0.0, LATEST_S)
    assert repeats(unit * 50, words[:60], 0.0, LATEST_S), "what was said is found"
    assert places <= 2 * echo_text.MOST_SAID**2


def test_a_text_may_be_longer_than_what_was_said_but_not_by_much():
    said = "the small dog"
    assert is_repeated(f"{said} says", said)
    assert not is_repeated(f"{said} says that it is", said)


CLINIC = (
    "Your appointment is on Tuesday at three thirty with Doctor Patel at the north clinic, not far from here."
)


@each(
    [
        ("Not the north clinic", CLINIC.replace(", not far from here", ""), False),
        ("Tuesday at three thirty doesn't work", CLINIC, False),
        ("I can't on Tuesday at three thirty", CLINIC, False),
        ("Isn't the appointment on Tuesday at three thirty", CLINIC, False),
        ("never with Doctor Patel", CLINIC, False),
        ("with Doctor Patel instead", CLINIC, False),
        ("not far from here", CLINIC, True),  # it was said
        ("at the not clinic far from here", CLINIC, True),  # misread
        ("Your appointment isn't Tuesday at three", CLINIC, True),  # "is on", misread
    ]
)
def test_a_denial_that_was_not_said_is_the_listeners(text, said, is_echo):
    assert is_repeated(text, said, began_s=0.5) is is_echo
