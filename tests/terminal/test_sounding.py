"""What the tests of devices rely on: a pause of the machine is forgiven, lost and doubled sound is found."""

import numpy as np
import pytest

from tests.terminal.sounding import RATE, sounding, wrong_pieces

SAID = np.clip(
    np.convolve(np.random.default_rng(8).standard_normal(RATE), np.ones(12) / 12, mode="same") * 12_000,
    -30_000,
    30_000,
).astype(np.int16)


def silence(ms):
    return np.zeros(RATE * ms // 1000, np.int16)


def test_the_sound_between_silence_is_all_there():
    found = sounding(np.concatenate([silence(300), SAID, silence(500)]))
    assert found.pauses == 0
    assert abs(len(found.sound) - len(SAID)) < 10
    assert wrong_pieces(found.sound, SAID) == []


def test_a_pause_is_counted_and_tears_no_more_than_its_piece():
    recorded = np.concatenate([SAID[:7_000], silence(70), SAID[7_000:20_000], silence(10), SAID[20_000:]])
    assert sounding(recorded).pauses == 2
    assert set(wrong_pieces(recorded, SAID)) <= {7_000 // 2_400, 20_000 // 2_400}


@pytest.mark.parametrize(
    "recorded",
    [
        np.concatenate([SAID[:4_800], SAID[7_200:]]),
        np.concatenate([SAID[:4_800], SAID[2_400:]]),
        np.concatenate([SAID[:4_800], silence(40), SAID[9_600:]]),
        SAID[::-1],
        silence(1000),
    ],
    ids=["lost", "doubled", "lost in a pause", "another sound", "nothing"],
)
def test_what_is_not_the_sound_is_found(recorded):
    assert len(wrong_pieces(recorded, SAID)) > 2 * sounding(recorded).pauses
