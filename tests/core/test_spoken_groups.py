"""The groups of a long number or an address: found in time, and each heard for itself."""

from __future__ import annotations

import time

import pytest

from realtime.core import spoken_chunk
from realtime.core.spoken_chunk import SpokenChunk
from realtime.core.wordbreak import atoms, group_ends

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
