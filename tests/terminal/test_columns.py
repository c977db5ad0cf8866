"""Words at the right edge of a terminal: never split, whatever the fragments and the script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from realtime_client.columns import Wrap, columns


def wrapped(fragments, width, indent=0):
    """The lines on a terminal of this width, which are what a terminal would show."""
    wrap, text = Wrap(lambda: width, indent), ""
    for fragment in fragments:
        for step in wrap.feed(fragment):
            if isinstance(step, int):
                while step > 0:
                    step -= columns(text[-1])
                    text = text[:-1]
                assert step == 0
            else:
                text += step
    return text.split("\n")


@pytest.mark.parametrize(
    ("text", "wide"),
    [
        ("abc", 3),
        ("你好", 4),
        ("é", 1),
        ("e\u0301", 1),
        ("🙂", 2),
        ("\U0001fae8\U0001faea", 4),  # the second is newer than the tables of most Pythons
        ("\U0003fffd\u0378", 3),  # not assigned: in a plane of Han characters, and among the Greek ones
        ("نمی\u200cخواهم", 8),
        ("ｱ", 1),
        ("Ａ", 2),
        ("한글", 4),
        ("a\u200bb", 2),
        ("", 0),
    ],
)
def test_the_columns_of_a_text(text, wide):
    assert columns(text) == wide


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("We went down to the harbour", 12, ["We went ", "down to the", "harbour"]),
        ("It is noon.", 12, ["It is noon."]),
        ("It is noon.", 11, ["It is ", "noon."]),
        ("a" * 25, 11, ["a" * 10, "a" * 10, "a" * 5]),
        ("see " + "a" * 25, 11, ["see", "a" * 10, "a" * 10, "a" * 5]),
        ("今天天气很好我们去海边", 11, ["今天天气很", "好我们去海", "边"]),
        ("今天天气好，我们去", 11, ["今天天气", "好，我们去"]),
        ("go to 北京 now", 10, ["go to 北", "京 now"]),
        ("one\ntwo three", 10, ["one", "two three"]),
        ("Привет, как дела?", 12, ["Привет, как", "дела?"]),
    ],
)
def test_lines_end_between_words(text, width, lines):
    assert [line.rstrip() for line in wrapped([text], width)] == [line.rstrip() for line in lines]


def test_following_lines_are_indented_where_there_is_room():
    lines = wrapped(["assistant One two three four five six"], 31, 10)
    assert [line.rstrip() for line in lines] == ["assistant One two three four", " " * 10 + "five six"]
    assert wrapped(["assistant One two three"], 14, 10) == ["assistant One", "two three"]


def test_without_a_width_nothing_is_changed():
    assert list(Wrap(lambda: None, 10).feed("a  b" * 100)) == ["a  b" * 100]


WORDS = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=12), max_size=30
)


@given(WORDS, st.integers(2, 60), st.data())
def test_no_line_is_too_long_and_nothing_is_lost(words, width, data):
    text = " ".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    fragments = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    lines = wrapped(fragments, width)
    assert all(columns(line) <= max(2, width - 1) for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.text("abcdefgh", min_size=1, max_size=9), max_size=30), st.integers(20, 60), st.data())
def test_no_word_that_fits_is_split(words, width, data):
    text = " ".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=10)))
    fragments = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert " ".join(wrapped(fragments, width)).split() == words
