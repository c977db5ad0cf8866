"""What is known of the language of one speaker, and what a decode has to find out."""

import numpy as np
import pytest

from realtime.listening.spoken_language import LANGUAGE_AFTER, SHORT_S, TELLS_S, SpokenLanguage
from realtime.providers.base import VAD_RATE, Transcript

SURE, DOUBTED = -0.2, -3.0


def sound(seconds: float) -> np.ndarray:
    return np.full(round(seconds * VAD_RATE), 3000, np.int16)


WORD, LITTLE, SENTENCE = sound(SHORT_S - 0.1), sound(TELLS_S - 0.1), sound(TELLS_S + 0.1)


def text(language: str, log_probability: float = SURE) -> Transcript:
    return Transcript("你好。" if language == "zh" else "Words.", language, log_probability)


def utterance(subject: SpokenLanguage, language: str, samples: np.ndarray = SENTENCE) -> None:
    subject.began()
    subject.ended(text(language), samples)


@pytest.mark.parametrize(
    ("samples", "log_probability", "found"),
    [(SENTENCE, SURE, "zh"), (LITTLE, SURE, None), (SENTENCE, DOUBTED, None)],
)
def test_an_utterance_has_told_its_language_with_enough_sound_of_which_the_text_is_sure(
    samples, log_probability, found
):
    subject = SpokenLanguage()
    subject.began()
    subject.read(text("zh", log_probability), samples, subject.utterance)
    assert subject.found == subject.assumed(SENTENCE) == found


def test_a_late_text_tells_nothing_about_the_next_utterance():
    subject = SpokenLanguage()
    subject.began()
    before = subject.utterance
    subject.began()
    subject.read(text("zh"), SENTENCE, before)
    assert subject.found is None


def test_a_word_is_in_the_language_of_the_last_utterances_and_more_than_a_word_tells_its_own():
    subject = SpokenLanguage()
    for count in range(LANGUAGE_AFTER):
        assert subject.assumed(WORD) is None, f"after {count} utterances"
        utterance(subject, "zh")
    assert subject.assumed(WORD) == "zh"
    assert subject.assumed(SENTENCE) is None


def test_a_doubt_makes_every_language_possible_again():
    subject = SpokenLanguage()
    for _ in range(LANGUAGE_AFTER):
        utterance(subject, "zh")
    subject.read(text("zh"), SENTENCE, subject.utterance)
    subject.doubted()
    assert (subject.found, subject.assumed(WORD)) == (None, None)


def test_the_languages_that_were_spoken_have_the_newest_last_and_one_word_proves_nothing():
    subject = SpokenLanguage()
    for language, samples in (("zh", SENTENCE), ("en", SENTENCE), ("de", WORD), ("zh", SENTENCE)):
        utterance(subject, language, samples)
    assert subject.spoken == ("en", "zh")


def test_a_doubtful_text_of_little_sound_proves_no_language_and_that_of_a_sentence_does():
    subject = SpokenLanguage()
    for language, log_probability, samples in (
        ("zh", -1.1, LITTLE),
        ("en", -0.9, LITTLE),
        ("de", -1.1, SENTENCE),
    ):
        subject.began()
        subject.ended(text(language, log_probability), samples)
    assert subject.spoken == ("en", "de")


def test_a_text_that_has_no_letter_of_its_language_tells_nothing():
    subject = SpokenLanguage()
    for _ in range(LANGUAGE_AFTER):
        utterance(subject, "en")
    for written in ("OK", "stop", "7", ""):
        for samples in (WORD, SENTENCE):
            subject.began()
            subject.ended(Transcript(written, "zh", SURE), samples)
    assert subject.assumed(WORD) == "en"
    assert subject.spoken == ("en",)


def test_nor_does_the_open_utterance_learn_from_such_a_text():
    subject = SpokenLanguage()
    subject.began()
    subject.read(Transcript("Netflix, Netflix.", "zh", SURE), SENTENCE, subject.utterance)
    assert subject.found is None
    subject.read(Transcript("Netflix, Netflix.", "en", SURE), SENTENCE, subject.utterance)
    assert subject.found == "en"


def test_a_text_without_a_language_makes_every_language_possible():
    subject = SpokenLanguage()
    for _ in range(LANGUAGE_AFTER):
        utterance(subject, "en")
    subject.began()
    subject.ended(Transcript("Words."), SENTENCE)
    assert subject.assumed(WORD) is None
    assert subject.spoken == ("en",)
