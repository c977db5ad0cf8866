"""How sure the transcriber is of the last word and of the mark after it."""

from types import SimpleNamespace

import numpy as np
import pytest

from realtime.providers.whisper.ends import (
    EndOfText,
    end_of_aligned,
    end_of_text,
    other_mark,
    probability,
)

# Tokens 10 to 15 are bytes of two characters: of 饕, and of the wide question mark
WORDS = {
    1: " a",
    2: " ho",
    3: "me",
    4: ".",
    5: ",",
    6: "家",
    7: "。",
    8: "?",
    9: " ",
    16: "...",
    17: "ñ",
    18: "ك",
}
BYTES = {(10, 11, 12): "饕", (13, 14, 15): "？"}


def said(tokens):
    """What these tokens say; of a part of a character what a tokenizer says of it."""
    text, rest = "", list(tokens)
    while rest:
        if (whole := BYTES.get(tuple(rest[:3]))) is not None:
            text, rest = text + whole, rest[3:]
        else:
            text, rest = text + WORDS.get(rest[0], "\ufffd"), rest[1:]
    return text


def token_of(mark):
    return next((token for token, word in WORDS.items() if word == mark), None)


@pytest.mark.parametrize(
    ("tokens", "word", "stop"),
    [
        ([(1, 0.9), (2, 0.8), (3, 0.5), (4, 0.7)], 0.4, 0.7),  # a word of two tokens
        ([(1, 0.9), (2, 0.8), (5, 0.6)], 0.8, None),  # a comma is no end
        ([(1, 0.9), (2, 0.8)], 0.8, None),
        ([(6, 0.9), (6, 0.6), (7, 0.5)], 0.6, 0.5),  # one character is the last word of Chinese
        ([(1, 0.3), (8, 0.9)], 0.3, 0.9),
        ([(1, 0.3), (8, 0.9), (9, 0.1)], 0.3, 0.9),  # a blank at the end says nothing
        ([(6, 0.9), (10, 0.5), (11, 0.8), (12, 1.0), (7, 0.6)], 0.4, 0.6),  # a character of three tokens
        ([(6, 0.9), (13, 0.5), (14, 0.8), (15, 1.0)], 0.9, 0.4),  # and a mark
        (
            [(2, 0.8), (17, 0.5), (3, 0.5), (4, 0.7)],
            0.2,
            0.7,
        ),  # a letter that is not ASCII is within its word
        ([(2, 0.8), (10, 0.5)], 0.8, None),  # a broken character
    ],
)
def test_the_last_word_and_the_mark_after_it(tokens, word, stop):
    likely = [one for _, one in tokens]
    end = end_of_text([token for token, _ in tokens], likely.__getitem__, said)
    assert end == EndOfText(pytest.approx(word), stop if stop is None else pytest.approx(stop))


def test_no_text_has_no_end():
    assert end_of_text([], [].__getitem__, said) is None
    assert end_of_aligned([], lambda tokens: [], said, token_of) is None


def test_only_the_end_is_looked_at():
    """A probability over all tokens is a thousandth of a second of work."""
    asked = []

    def likely(place):
        asked.append(place)
        return 0.5

    end_of_text([1, 1, 1, 2, 4], likely, said)
    assert asked == [4, 3]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("How are you.", "?"),
        ("How are you?", "."),
        ("Stop!", "."),
        ("你好吗?", "。"),
        ("你好吗？", "。"),
        ("今天怎么样。", "?"),
        ("كيف حالك؟", "."),
        ("آپ کیسے ہیں۔", "؟"),
        ("आप कैसे हैं।", "?"),
    ],
)
def test_the_other_mark_that_may_end_a_text(text, other):
    assert other_mark(text) == other


def test_the_probability_of_a_token_among_all():
    logits = np.log(np.array([0.2, 0.5, 0.3])) + 7.0
    assert probability(logits.reshape(1, -1), 1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("tokens", "probabilities", "aligned", "end"),
    [
        ([6, 7], [0.3, 0.6], [[6, 7], [6, 8]], (0.3, 0.9)),  # whether it asks is no doubt that it ends
        ([6, 8], [0.3, 0.6], [[6, 8], [6, 7]], (0.3, 0.9)),
        ([1, 4, 9], [0.3, 0.6], [[1, 4, 9], [1, 8]], (0.3, 0.9)),
        ([6, 7], [0.9], [[6, 7]], (0.9, 0.9)),  # sure enough
        ([6, 6], [0.4], [[6, 6]], (0.4, None)),
        ([1, 16], [0.4], [[1, 16]], (0.4, None)),  # three dots are no end
        ([6, 13, 14, 15], [0.5], [[6, 13, 14, 15]], (0.5, 0.125)),  # a mark of three tokens has no other one
        ([18, 8], [0.3], [[18, 8]], (0.3, 0.3)),  # no token is the mark that would be asked for
    ],
)
def test_the_end_of_a_text_that_is_aligned_with_its_sound(tokens, probabilities, aligned, end):
    asked = []
    words = {**WORDS, 4: ","} if tokens[0] == 18 else WORDS

    def align(text):
        asked.append(text)
        return [probabilities[len(asked) - 1]] * len(text)

    def known(mark):
        return next((token for token, word in words.items() if word == mark), None)

    found = end_of_aligned(tokens, align, said, known)
    assert (asked, (found.last_word, found.stop)) == (aligned, pytest.approx(end))


def test_a_model_that_cannot_align_loses_no_text():
    pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")
    from realtime.providers.whisper.model import Whisper

    def align(*_):
        raise RuntimeError("no alignment heads")

    model = object.__new__(Whisper)
    model._model = SimpleNamespace(model=SimpleNamespace(align=align))
    tokenizer = SimpleNamespace(decode=said, encode=lambda mark: [token_of(mark)])
    assert model._end_of_beam(np.zeros((1, 5, 4)), [1], [6, 7], tokenizer) is None
