"""How long nothing is guessed after a refusal."""

import pytest

from realtime.core.guess_pause import LONGEST_PAUSE_S, PAUSE_S, GuessPause


@pytest.mark.parametrize(
    ("wait_s", "pause_s"), [(None, PAUSE_S), (2.0, PAUSE_S), (25.0, 25.0), (3600.0, LONGEST_PAUSE_S)]
)
def test_a_refusal_counts_for_a_while(wait_s, pause_s):
    pause = GuessPause()
    assert not pause.holds(0.0)
    pause.refused(100.0, wait_s)
    assert pause.holds(100.0 + pause_s - 0.1)
    assert not pause.holds(100.0 + pause_s)


def test_a_later_refusal_does_not_shorten_it():
    pause = GuessPause()
    pause.refused(100.0, 50.0)
    pause.refused(101.0)
    assert pause.holds(149.0)
