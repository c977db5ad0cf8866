"""Words of any length are compared with the tables in a time that grows with the length alone.

Counted are the characters that are looked up, not the time: a busy machine is slow.
"""

import pytest

from realtime.core import short_words
from realtime.core.interruption import has_words

LENGTH = 20_000  # characters
MOST_LOOKED_UP = 300  # for each character of the text
REPEATED = "嗯|对的|不用|不用谢谢|はい|아니|ค่ะ|ok|ha|no|mhm".split("|")
ASKED = (
    short_words.is_backchannel,
    short_words.may_become_backchannel,
    short_words.is_hum,
    short_words.takes_turn,
    short_words.ends_with_command,
    short_words.is_whole_answer,
    short_words.ends_a_hum,
    short_words.has_several_words,
    short_words.begins_like_hum,
)


class Counted(frozenset):
    """A table that counts how many characters it was asked about."""

    characters = 0

    def __contains__(self, phrase):
        Counted.characters += len(phrase)
        return super().__contains__(phrase)


@pytest.fixture
def looked_up(monkeypatch):
    for table in (
        "_BACKCHANNELS",
        "_TURN_WORDS",
        "_WHOLE_ANSWERS",
        "_PIECES",
        "_HUMS",
        "_ENGLISH",
        "_BEGINNINGS",
    ):
        monkeypatch.setattr(short_words, table, Counted(getattr(short_words, table)))
    Counted.characters = 0
    return Counted


@pytest.mark.parametrize("rule", ASKED)
def test_a_long_word_is_looked_up_piece_by_piece(looked_up, rule):
    for unit in REPEATED:
        looked_up.characters = 0
        rule(unit * (LENGTH // len(unit)) + "的")
        assert looked_up.characters <= MOST_LOOKED_UP * LENGTH, unit


@pytest.mark.parametrize(
    "rule", [short_words.is_backchannel, short_words.may_become_backchannel, short_words.ends_with_command]
)
def test_so_are_many_words(looked_up, rule):
    rule("mm " * (LENGTH // 3))
    assert looked_up.characters <= MOST_LOOKED_UP * LENGTH


@pytest.mark.parametrize(
    ("text", "interrupts"), [("嗯" * LENGTH + "的", True), ("はい" * LENGTH, False), ("对的" * LENGTH, False)]
)
def test_what_is_said_again_and_again_for_long_is_still_a_murmur_or_none(text, interrupts):
    assert has_words(text, 900, whole=True, sure=True, before_answer=False) is interrupts


@pytest.mark.parametrize("text", ["不用" * LENGTH + "谢谢", "好的" * LENGTH])
def test_so_is_a_whole_answer(text):
    assert short_words.is_whole_answer(text)
    assert not short_words.is_whole_answer(f"{text}的")
