"""Only words on which two guesses agree are passed on, each once, never taken back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.agreement import Agreement, ending


def feed(*guesses: str) -> list[str]:
    agreement = Agreement()
    return [agreement.feed(guess) for guess in guesses]


def test_a_first_guess_says_nothing():
    assert feed("What time") == [""]


def test_a_word_is_said_when_two_guesses_agree_on_it():
    assert feed("What time", "What time is", "What time is it?") == ["", "What time", " is"]


def test_what_changes_waits_until_it_is_repeated():
    assert feed("What climb", "What time", "What time is") == ["", "What", " time"]


def test_said_words_are_not_said_again_when_a_guess_changes_them():
    agreement = Agreement()
    for guess in ("What time", "What time", "Watt time is", "Watt time is"):
        agreement.feed(guess)
    assert agreement.said == "What time is"
    assert agreement.feed("What time is it") == ""
    assert agreement.feed("What time is it") == " it"


@pytest.mark.parametrize(
    ("told", "guess", "more"),
    [
        ("开放时间早上9点至", "开放时间早上九点至下午五点", "下午"),
        ("我在12月", "我在十二月二十五号出发", "二十五号出发"),
        ("達摩院推出", "达摩愿推出的模型", "的模型"),
        ("今天", "今日，下雨", "，下雨"),
        ("我有二十五只", "我有25只，他有30", "，他有"),
        ("It is a hundred", "This is a hundred miles", " miles"),
        ("Watt", "What time is it", " time is it"),
        ("It cost 1299 more", "It costs 1,299 more than", " than"),
        ("I have 138 but", "I have 138225 but more", " 138225 but more"),  # rather twice than not at all
        ("My time", "His time, is it", ", is it"),
        ("red green blue pink", "red grin blue", ""),  # it takes nothing back
    ],
)
def test_a_word_that_is_spelled_otherwise_stops_nothing(told, guess, more):
    *before, last = feed(told, told + " x", guess, guess)
    assert "".join(before) == told
    assert last == more


def test_a_mark_that_was_told_comes_once():
    assert feed("今天，下", "今天，明", "今日，下雨", "今日，下雨") == ["", "今天，", "", "下雨"]


@pytest.mark.parametrize(
    ("guesses", "whole"),
    [
        (("My number is 1.", "My number is 138", "My number is 13 8225."), "My number is 13822567890."),
        (("我的号码是一三八", "我的号码是138", "我的号码是1382256"), "我的号码是13822567890。"),
        (("It costs twenty", "It costs 25", "It costs 25 dollars"), "It costs 25 dollars."),
        (("It is three", "It is three point", "It is 3.14 now"), "It is 3.14 now."),
        (("I have two hundred", "I have two hundred and", "I have 250 dogs"), "I have 250 dogs."),
        (("今天2点", "今天2:30", "今天2:30开会"), "今天2:30开会。"),
        (("4.", "4, 7.", "47 1."), "47 19."),
        (("Call 555", "Call 555-12", "Call 555-1234", "Call 555-1234 to"), "Call 555-1234 today."),
    ],
)
def test_a_number_at_the_end_waits_because_it_may_grow(guesses, whole):
    told = "".join(feed(*[guess for guess in guesses for _ in range(2)]))
    assert whole.startswith(told)
    assert told + ending(told, whole) == whole


def test_a_number_is_told_with_the_word_after_it():
    assert feed("I want two", "I want two", "I want two cups", "I want two cups.") == [
        *["", "I want", "", " two cups"]
    ]
    assert feed("This one", "This one", "This one is", "This one is") == ["", "This", "", " one is"]


DIGITS = st.lists(st.integers(0, 9), min_size=1, max_size=12)


@given(DIGITS, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**12 - 1)), max_size=10), st.booleans())
def test_however_a_growing_number_is_grouped_no_digit_is_left_out(digits, steps, by_words):
    """It is guessed in other groups each time, and as words or as characters."""
    agreement, heard, told = Agreement(), 0, ""
    names = "zero one two three four five six seven eight nine".split()
    for more, groups in steps:
        heard = min(len(digits), heard + more)
        if by_words and groups & 1:
            number = " ".join(names[digit] for digit in digits[:heard])
        else:
            number = "".join(f"{' ' * (groups >> at & 1)}{digit}" for at, digit in enumerate(digits[:heard]))
        told += agreement.feed(f"My code is {number}.")
    for whole in (
        f"My code is {''.join(map(str, digits))}.",
        f"My code is {' '.join(map(str, digits))} I think.",
    ):
        assert whole.startswith(told)
        if told:
            assert told + ending(told, whole) == whole


def named(number: int, letter: str = "w") -> str:
    """A word of letters alone: a number at the end waits."""
    return letter + "".join(chr(ord("a") + int(digit)) for digit in str(number))


SPELLINGS = [(named(number), named(number, "v")) for number in range(20)]
SOUNDS = [
    ("九", "9"),
    ("院", "愿"),
    ("25", "二十五"),
    ("点", "點"),
    ("他", "她"),
    ("7", "七"),
    ("院子", "愿子"),
    ("见", "建"),
]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2**20 - 1)), max_size=12))
def test_however_words_are_respelled_each_comes_once_and_none_is_left_out(steps):
    agreement, heard, told = Agreement(), 0, ""
    for more, choice in [*steps, (20, 0), (0, 0)]:
        heard = min(20, heard + more)
        told += agreement.feed(" ".join(SPELLINGS[at][choice >> at & 1] for at in range(heard)))
        assert [word[1:] for word in told.split()] == [
            named(number)[1:] for number in range(len(told.split()))
        ]
    assert len(told.split()) == 20
    assert ending(told, " ".join(word for _, word in SPELLINGS)) == ""


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**8 - 1)), max_size=8))
def test_so_it_is_in_chinese(steps):
    agreement, heard, told, count = Agreement(), 0, "", len(SOUNDS)
    for more, choice in [*steps, (count, 0), (0, 0)]:
        heard = min(count, heard + more)
        told += agreement.feed("，".join(SOUNDS[at][choice >> at & 1] for at in range(heard)))
        pieces = [piece for piece in re.split("，", told) if piece]
        assert all(piece in SOUNDS[at] for at, piece in enumerate(pieces[:-1]))
    assert len(pieces) == count
    assert pieces[-1] in SOUNDS[-1]


def test_a_shorter_guess_takes_nothing_back():
    agreement = Agreement()
    for guess in ("a b c", "a b c", "a", "a b c", "a b c d", "a b c d"):
        agreement.feed(guess)
    assert agreement.said == "a b c d"


def test_chinese_is_said_character_by_character():
    assert feed("今天天气", "今天天气很好", "今天天气很好。") == ["", "今天天气", "很好"]


def test_korean_which_has_blanks_is_said_word_by_word():
    assert feed("오늘 날", "오늘 날씨가 좋", "오늘 날씨가 좋아요") == ["", "오늘", " 날씨가"]


def test_a_space_before_chinese_is_kept():
    assert feed("I like 今天 a lot", "I like 今天 a lot") == ["", "I like 今天 a lot"]


def test_spaces_around_a_guess_do_not_count():
    assert feed("  Hello ", "Hello", " Hello there") == ["", "Hello", ""]


@given(st.lists(st.text("ab ，今.", max_size=12), max_size=12))
def test_what_is_passed_on_joins_to_what_was_said(guesses):
    agreement, told = Agreement(), ""
    for guess in guesses:
        told += agreement.feed(guess)
        assert told == agreement.said


def test_the_mark_at_the_end_of_a_guess_waits_for_the_next_word():
    guesses = ("In passing.", "In passing.", "In passing that", "In passing, that", "In passing, that is")
    assert feed(*guesses) == ["", "In passing", "", "", ", that"]


@given(st.text("ab c今，.", min_size=1, max_size=20))
def test_the_same_guess_twice_is_said_whole(guess):
    assert "".join(feed(guess, guess)) == guess.strip().rstrip("，. ")


def follow(*steps: str) -> tuple[list[str], Agreement]:
    """A step that begins with "=" is text that was read for good."""
    agreement, told = Agreement(), []
    for step in steps:
        if step.startswith("="):
            agreement.settle(step[1:])
        else:
            told.append(agreement.feed(step))
    return told, agreement


def test_what_is_settled_and_was_not_said_yet_follows_with_the_next_guess():
    told, agreement = follow(
        "red green", "red green blue", "=Red green blue pink.", "gray", "gray black", "gray black"
    )
    assert told == ["", "red green", " blue pink.", " gray", " black"]
    assert agreement.said == "red green blue pink. gray black"


def test_words_that_were_said_beyond_what_is_settled_do_not_come_twice():
    guess = "red green blue pink gray black"
    told, agreement = follow(
        guess,
        guess,
        "=Red green blue.",
        "pink gray black",
        "pink gray black white",
        "pinc gray blak white brown",
    )
    assert told == ["", guess, "", "", ""]
    assert agreement.feed("pinc gray blak white brown") == " white brown"


def test_words_that_were_read_otherwise_count_as_said():
    told, _ = follow(
        *["it's a nice pace for us", "it's a nice pace for us"],
        "=It is a nice",
        "place for us",
        "place for us all",
        "place for us all",
    )
    assert told == ["", "it's a nice pace for us", "", "", " all"]


def test_a_guess_that_was_stuck_goes_on_after_what_is_settled():
    """What was said first is guessed otherwise from then on."""
    told, _ = follow(
        "what climb",
        "what climb",
        "what time is it now",
        "what time is it now",
        "=What time is it now?",
        "I",
        "I ask",
        "I ask",
    )
    assert told == ["", "what climb", "", " is it now", "?", " I", " ask"]


def test_two_texts_that_are_settled_between_guesses_are_one():
    told, _ = follow("=Red green.", "=Blue pink.", "gray", "gray black", "gray black")
    assert told == ["Red green. Blue pink.", " gray", " black"]


def test_settled_chinese_needs_no_blank():
    told, agreement = follow("今天天气", "今天天气很", "=今天天气很好", "我们去", "我们去公园", "我们去公园")
    assert agreement.said == "今天天气很好我们去公园"
    assert told[2:] == ["很好", "我们去", "公园"]


def test_where_nothing_was_said_in_what_is_settled_guesses_go_on():
    told, _ = follow("=", "red green", "red green", "=", "blue", "blue pink", "blue pink")
    assert told[:2] == ["", "red green"]
    assert "".join(told).endswith("pink")


WORDS = [named(number) for number in range(40)]
STEPS = st.lists(st.tuples(st.integers(0, 9), st.none() | st.floats(0, 1)), max_size=12)


@given(STEPS)
def test_however_far_the_guesses_were_each_word_comes_once(steps):
    """So many more words are heard in each step, and perhaps a part of the open ones is settled before it is guessed."""
    agreement, settled, heard, told = Agreement(), 0, 0, ""
    for more, part in [*steps, (len(WORDS), None), (0, None)]:
        heard = min(len(WORDS), heard + more)
        if part is not None:
            place = settled + round(part * (heard - settled))
            agreement.settle(" ".join(WORDS[settled:place]))
            settled = place
        told += agreement.feed(" ".join(WORDS[settled:heard]))
        assert " ".join(WORDS).startswith(told)
        assert told == agreement.said
    assert told == " ".join(WORDS)


@pytest.mark.parametrize(
    ("said", "text", "rest"),
    [
        ("What time", "What time is it?", " is it?"),
        ("It is noon", "It is noon.", "."),
        ("It is noon", "It is noon", ""),
        ("今天", "今天天气好吗？", "天气好吗？"),
        ("what time is", "What time is it?", " it?"),  # another capital is the same word
        ("What time was", "What time is it?", " it?"),
        ("My time", "What time, is it?", ", is it?"),
        ("two words", "2 words more.", " more."),
        ("Stop it now", "Stop it.", ""),
        ("Hm", "", ""),
    ],
)
def test_at_the_end_what_was_not_said_yet_follows(said, text, rest):
    assert ending(said, text) == rest


@given(st.integers(0, 400), st.integers(0, 60), st.integers(0, 3))
def test_the_end_is_found_also_in_a_long_text_with_other_words(said, more, other):
    words = [f"w{number}" for number in range(said + more)]
    told = [
        f"x{number}" if said // 4 <= number < said // 4 + other else word
        for number, word in enumerate(words[:said])
    ]
    if said > 16 * other:
        assert ending(" ".join(told), " ".join(words)).split() == words[said:]
