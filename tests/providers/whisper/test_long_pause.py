"""What is said after a pause: decoded again where the text ends before it, and never said twice. Without a model."""

import numpy as np
import pytest

from realtime.providers.whisper.model import Decoded, Whisper

RATE = 16_000
FIRST_S, WORD_S = 2.0, 0.5
TONE = (np.sin(np.arange(int(FIRST_S * RATE)) / 3) * 9_000).astype(np.int16)


def spoken(pause_s: float = 1.5, last_s: float = WORD_S) -> np.ndarray:
    return np.concatenate([TONE, np.zeros(int(pause_s * RATE), np.int16), TONE[: int(last_s * RATE)]])


def decoded(
    text: str,
    reached_s: float | None = None,
    *,
    language: str = "zh",
    no_speech: float = 0.1,
    sure: float = -0.3,
):
    return Decoded(text, language, no_speech, sure, reached_s=reached_s)


class Told(Whisper):
    """It decodes what it was told, one sound after the other."""

    def __init__(self, *texts: Decoded, aligned_s: float = 0.0) -> None:
        self.texts, self.aligned_s, self.sounds_s = list(texts), aligned_s, []
        self.aligned = False

    def _decode_in(self, sound, language, beam, frames, left=None, *, draft=False):
        self.sounds_s.append(sound.sounding_s)
        return self.texts.pop(0)

    def _reached_s(self, samples, language, text):
        self.aligned = True
        return self.aligned_s


@pytest.mark.parametrize("reached_s", [FIRST_S, FIRST_S + 1.7, None])
def test_what_follows_a_long_pause_is_decoded_again_where_the_text_ends_before_it(reached_s):
    subject = Told(decoded("明天天气怎么样？", reached_s), decoded("谢谢。"), aligned_s=1.8)
    assert subject.decode(spoken(), "zh", beam=5).text == "明天天气怎么样？谢谢。"
    assert subject.sounds_s[1] == pytest.approx(WORD_S, abs=0.02)


@pytest.mark.parametrize(
    ("first", "rest", "language"),
    [
        ("明天天气怎么样？谢谢。", "谢谢", "zh"),
        ("我想去上海。是的。", "事的。", "zh"),
        ("一，二，三，四", "四。", "zh"),
        ("What is the weather? Please.", "Please?", "en"),
        ("いい天気ですね。はい。", "はい", "ja"),
    ],
)
def test_the_last_word_is_not_said_twice_where_an_alignment_gives_it_the_pause(first, rest, language):
    """A word of one token begins, for the alignment, where the word before it ends."""
    subject = Told(decoded(first, language=language), decoded(rest, language=language), aligned_s=1.8)
    assert subject.decode(spoken(), language, beam=5).text == first


@pytest.mark.parametrize(
    ("reached_s", "pause_s", "last_s"),
    [(FIRST_S + 2.0, 1.5, WORD_S), (FIRST_S, 0.8, WORD_S), (FIRST_S, 1.5, 0.2)],
)
def test_nothing_is_decoded_again_that_is_in_the_text_or_is_a_click_or_follows_a_short_pause(
    reached_s, pause_s, last_s
):
    subject = Told(decoded("明天天气怎么样？", reached_s))
    assert subject.decode(spoken(pause_s, last_s), "zh", beam=5).text == "明天天气怎么样？"


def test_a_draft_is_left_as_it_is_and_a_rest_that_is_no_speech_adds_nothing():
    first = decoded("What is the weather?", FIRST_S, language="en")
    assert Told(first).decode(spoken(), "en", beam=1, draft=True) == first
    for rest in (decoded("you", no_speech=0.9), decoded("..."), decoded("Thanks for watching!", sure=-0.9)):
        assert Told(first, rest).decode(spoken(), "en", beam=1) == first


def test_several_long_pauses_are_followed_one_after_the_other():
    subject = Told(
        *[
            decoded(text, at_s, language="en")
            for text, at_s in (("One.", 2.0), ("Two.", 0.8), ("Three.", 0.8))
        ]
    )
    pause = np.zeros(int(1.5 * RATE), np.int16)
    sound = np.concatenate([spoken(), pause, TONE[: RATE // 2]])
    found = subject.decode(sound, "en", beam=1)
    assert found.text == "One. Two. Three."


@pytest.mark.parametrize("reached_s", [2.4, 1.9])
def test_sentences_after_a_short_pause_are_decoded_again_where_the_text_ends_before_them(reached_s):
    """A timestamp is often a whole second, before or after the end of the word."""
    subject = Told(decoded("What is the weather?", reached_s), decoded("And will it rain?"))
    found = subject.decode(spoken(pause_s=0.3, last_s=2.0), "en", beam=1)
    assert found.text == "What is the weather? And will it rain?"
    assert subject.sounds_s[1] == pytest.approx(2.0, abs=0.02)


def test_the_first_pause_after_the_text_counts_whatever_its_length():
    pause, more = np.zeros(int(0.3 * RATE), np.int16), spoken(pause_s=1.5)
    sound = np.concatenate([TONE, pause, more])
    texts = (("One.", 2.0), ("Two.", 2.3), ("Three.", 0.8))
    subject = Told(*[decoded(text, at_s, language="en") for text, at_s in texts])
    assert subject.decode(sound, "en", beam=1).text == "One. Two. Three."
    assert subject.sounds_s[1] == pytest.approx(len(more) / RATE, abs=0.02)


@pytest.mark.parametrize(
    ("text", "aligned"),
    [("Yes.", True), ("It was the best of times, it was the worst of times, it was so.", False)],
)
def test_where_a_text_ends_is_looked_for_at_short_pauses_only_if_it_says_little_for_its_sound(text, aligned):
    subject = Told(decoded(text, language="en"), decoded("And now?", language="en"), aligned_s=1.8)
    found = subject.decode(spoken(pause_s=0.3, last_s=2.0), "en", beam=1)
    assert (subject.aligned, found.text.endswith("And now?")) == (aligned, aligned)
