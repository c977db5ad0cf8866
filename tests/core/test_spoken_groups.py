"""The groups of a long number or an address: found in time, and each heard for itself."""

from __future__ import annotations

import time

import pytest

from realtime.core import spoken_chunk
from realtime.core.spoken_chunk import SpokenChunk
from realtime.core.wordbreak import atoms, group_ends, sound_weights
from tests.core.test_spoken import one

LONG = 100_000


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("1" * LONG, range(4, LONG, 4)),
        ("1-" * (LONG // 2), []),
        ("12-" * (LONG // 3) + "12", range(3, LONG, 3)),
        ("1." * (LONG // 2), []),
        ("/" * LONG, []),
        ("x.org/" + "1" * LONG, [2, *range(6, LONG + 6, 4)]),
        ("a " * (LONG // 2), []),
    ],
)
def test_the_groups_of_a_very_long_run_are_found_in_one_walk(text: str, ends: list[int]):
    """The text of a chunk also holds what is not said, such as code. A square of the length would take a minute."""
    begin_s = time.process_time()
    assert group_ends(text) == list(ends)
    assert time.process_time() - begin_s < 1.0


def test_blanks_between_very_many_words_are_found_in_one_walk():
    begin_s = time.process_time()
    assert len(atoms("  " + "a " * (5 * LONG))) == 5 * LONG
    assert time.process_time() - begin_s < 2.0


def test_where_nothing_is_said_no_groups_are_looked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(spoken_chunk, "group_ends", None)
    assert SpokenChunk("```\n138-2256-7788\n```", "", [0]).groups == set()


NUMBER = "138-2256-7788"
GROUPS = [(300, "Call"), (2000, "Call 138-"), (2800, "Call 138-2256-"), (4700, f"Call {NUMBER}")]


@pytest.mark.parametrize(
    ("arrived_ms", "words"),
    [(4800, ()), *((ms, (("Call", 0, 400), (NUMBER, 400, 4800))) for ms in (2850, 4800))],
)
@pytest.mark.parametrize("closed", [False, True])
def test_the_groups_of_a_number_that_was_cut_are_heard_as_those_of_a_whole_one(arrived_ms, words, closed):
    """Whoever interrupts does so before its chunk is finished."""
    part = one(f"Call {NUMBER}", arrived_ms, *words, finish=False)
    if closed:
        part.close()
    for played_ms, heard in GROUPS:
        assert part.heard(played_ms) == heard
    assert part.last_whole_ms(arrived_ms) <= 400 or not words, (
        "the number is said again where the sound broke off"
    )


def test_a_number_of_which_only_a_part_has_a_time_is_not_heard_before_it_has_sounded():
    """Parts of one word come one after the other, each with the place of all of it."""
    part = one(f"Call {NUMBER}", 1000, ("Call", 0, 400), (NUMBER, 400, 900), finish=False)
    part.close()
    assert part.heard(1000) == "Call 138-"
    assert part.until(1000).text == "Call 138-"


@pytest.mark.parametrize(
    ("cut_ms", "told"),
    [(900, "Call 138-"), (1500, "Call 138-"), (2500, "Call 138-2256-"), (3500, f"Call {NUMBER}")],
)
def test_a_cut_number_is_told_as_far_as_a_voice_of_310_ms_a_digit_has_said_it(cut_ms: int, told: str):
    """Of a number that is being said, parts have a time, each with the place of all of it: they show no rate."""
    cut = one(f"Call {NUMBER} now.", cut_ms, ("Call", 0, 400), (NUMBER, 400, cut_ms), finish=False)
    assert cut.heard(cut_ms) == told


def test_the_digits_of_a_number_among_chinese_take_as_long_as_a_character():
    """150 to 204 ms each, where a character takes 175."""
    assert sound_weights("请拨打138-2256-7788")[3:6] == sound_weights("请拨打")
    assert sound_weights("1984")[0] == sound_weights("1")[0] < sound_weights(NUMBER)[0]
