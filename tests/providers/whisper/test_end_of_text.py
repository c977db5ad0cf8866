"""How sure the transcriber is of the last word and of the full stop: read from the logits of the last tokens."""

import numpy as np
import pytest

from realtime.providers.whisper.model import EndOfText, _end_of_text

WORDS = {1: " a", 2: " ho", 3: "me", 4: ".", 5: ",", 6: "家", 7: "。", 8: "?"}


class Tokenizer:
    def decode(self, ids: list[int]) -> str:
        return "".join(WORDS[token] for token in ids)


def logits(token: int, probability: float) -> np.ndarray:
    """Of two tokens that can be: this one, and token 0."""
    values = np.full(10, -1e9)
    values[token], values[0] = np.log(probability), np.log(1 - probability)
    return values


@pytest.mark.parametrize(
    ("said", "word", "stop"),
    [
        ([(1, 0.9), (2, 0.8), (3, 0.5), (4, 0.7)], 0.4, 0.7),  # a word of two tokens
        ([(1, 0.9), (2, 0.8), (5, 0.6)], 0.8, None),  # a comma is no end
        ([(1, 0.9), (2, 0.8)], 0.8, None),
        ([(6, 0.9), (6, 0.6), (7, 0.5)], 0.6, 0.5),  # one character is the last word of Chinese
        ([(1, 0.3), (8, 0.9)], 0.3, 0.9),
    ],
)
def test_the_last_word_and_the_mark_after_it(said, word, stop):
    ids = [token for token, _ in said]
    end = _end_of_text(ids, range(len(ids)), [logits(*one) for one in said], Tokenizer())
    assert end == EndOfText(pytest.approx(word), stop if stop is None else pytest.approx(stop))


def test_what_follows_the_text_does_not_count():
    """A decoder that goes on after the end of the audio: those places are not part of the text."""
    said = [(1, 0.9), (4, 0.7), (2, 0.1)]
    end = _end_of_text([1, 4, 2], [0, 1], [logits(*one) for one in said], Tokenizer())
    assert end == EndOfText(pytest.approx(0.9), pytest.approx(0.7))


def test_no_text_has_no_end():
    assert _end_of_text([], [], [], Tokenizer()) is None
