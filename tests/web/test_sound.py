"""What the tests of the page rely on: silence of a busy machine is forgiven, lost and doubled sound is found."""

import numpy as np
import pytest

from tests.web.sound import RATE, assert_heard

SENT = (
    np.convolve(np.random.default_rng(5).standard_normal(2 * RATE), np.ones(8) / 8, mode="same") * 9000
).astype(np.int16)
BEFORE = np.zeros(RATE // 3, np.int16)


def recorded(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate([BEFORE, *parts, BEFORE])


@pytest.mark.parametrize("pause_ms", [0, 15, 60, 700])
def test_a_pause_within_the_sound_is_forgiven(pause_ms: int) -> None:
    pause = np.zeros(RATE * pause_ms // 1000, np.int16)
    assert_heard(SENT, recorded(SENT[:20_000], pause, SENT[20_000:30_001], pause, SENT[30_001:]))


@pytest.mark.parametrize(
    "parts",
    [
        [SENT[:10_000], SENT[25_000:]],
        [SENT[:10_000], np.zeros(15_000, np.int16), SENT[25_000:]],
        [SENT[:24_000], SENT[:24_000]],
        [SENT[24_000:], SENT[:24_000]],
    ],
    ids=["lost", "silent instead", "half of it, twice", "swapped"],
)
def test_what_is_not_the_sound_is_found(parts: list[np.ndarray]) -> None:
    with pytest.raises(AssertionError, match="missing"):
        assert_heard(SENT, recorded(*parts))
