"""Only words on which two guesses agree are passed on, each once, never taken back."""

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.agreement import Agreement


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
    assert agreement.said == "What time"
    assert agreement.feed("What time is it") == ""
    assert agreement.feed("What time is it") == " is it"


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
