"""Texts that repeat what a loudspeaker was saying, and texts of a listener who speaks meanwhile."""

from difflib import SequenceMatcher

import pytest

from realtime.core import echo_text
from realtime.core.echo_text import repeats

SAID = "once there was a small dog that lived by the sea with an old man"


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
    assert repeats(text, said, few=few) is is_echo


def test_each_two_words_of_long_texts_are_compared_once(monkeypatch):
    compared = []

    class Counted(SequenceMatcher[str]):
        def __init__(self, junk, word, other, autojunk):
            compared.append((word, other))
            super().__init__(junk, word, other, autojunk)

    monkeypatch.setattr(echo_text, "SequenceMatcher", Counted)
    said = "the dogs then there them this that these those their other others " * 10
    assert repeats(said, said)
    assert 0 < len(compared) == len(set(compared))
