"""How sure the transcriber is of the last word and of the mark after it."""

from types import SimpleNamespace

import numpy as np
import pytest

from realtime.providers.whisper.ends import EndOfText, end_of_text, other_mark, probability

WORDS = {1: " a", 2: " ho", 3: "me", 4: ".", 5: ",", 6: "家", 7: "。", 8: "?"}


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
    likely = [one for _, one in said]
    end = end_of_text([token for token, _ in said], likely.__getitem__, WORDS.__getitem__)
    assert end == EndOfText(pytest.approx(word), stop if stop is None else pytest.approx(stop))


def test_no_text_has_no_end():
    assert end_of_text([], [].__getitem__, WORDS.__getitem__) is None


def test_only_the_end_is_looked_at():
    """A probability over all tokens is a thousandth of a second of work."""
    asked = []

    def likely(place):
        asked.append(place)
        return 0.5

    end_of_text([1, 1, 1, 2, 4], likely, WORDS.__getitem__)
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
        ("你好", None),
        ("Yes,", None),
        ("", None),
    ],
)
def test_the_other_mark_that_may_end_a_text(text, other):
    assert other_mark(text) == other


def test_the_probability_of_a_token_among_all():
    logits = np.log(np.array([0.2, 0.5, 0.3])) + 7.0
    assert probability(logits.reshape(1, -1), 1) == pytest.approx(0.5)


class Signs:
    """A tokenizer whose tokens are characters, and an aligner that gives each token of a text the same probability."""

    def __init__(self, probabilities: list[float]) -> None:
        self.probabilities = probabilities  # of one text after the other
        self.texts: list[str] = []

    def encode(self, text):
        return [ord(character) for character in text]

    def decode(self, tokens):
        return "".join(map(chr, tokens))

    def align(self, encoded, before, texts, frames):
        assert (encoded.shape, before, frames) == ([1, 5, 4], [1, 2], [10])
        ((text,), probability) = texts, self.probabilities[len(self.texts)]
        self.texts.append(self.decode(text))
        return [SimpleNamespace(text_token_probs=[probability] * len(text))]


@pytest.mark.parametrize(
    ("text", "probabilities", "aligned", "likely"),
    [
        (
            "好吗。",
            [0.3, 0.6],
            ["好吗。", "好吗?"],
            [0.3, 0.3, 0.9],
        ),  # whether it asks is no doubt that it ends
        ("好吗?", [0.3, 0.6], ["好吗?", "好吗。"], [0.3, 0.3, 0.9]),
        ("好吗。", [0.9], ["好吗。"], [0.9, 0.9, 0.9]),  # sure enough
        ("你好", [0.4], ["你好"], [0.4, 0.4]),
        ("", [], [], []),
    ],
)
def test_how_likely_the_text_of_several_beams_is(text, probabilities, aligned, likely):
    pytest.importorskip("faster_whisper", reason="pip install 'minimax-realtime[local]'")
    from realtime.providers.whisper.model import Whisper

    signs = Signs(probabilities)
    model = object.__new__(Whisper)
    model._model = SimpleNamespace(model=signs)
    encoded = np.zeros((1, 5, 4), np.float32)
    assert model._likely(encoded, [1, 2], signs.encode(text), signs) == pytest.approx(likely)
    assert signs.texts == aligned
