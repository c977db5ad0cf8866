"""Recordings that have nothing to do with each other: no echo of one in the other is believed for long."""

import itertools

import numpy as np
import pytest

from tests.clips import clips
from tests.core.test_echo_given_back import Microphone

RATE = 16_000
SECONDS = 16.0
LOUD = 150  # mean of a frame that the detector would take for speech

# Of 57 random pairs these had an accident that was believed nearly all the time, when nothing was given back
ACCIDENTS = [
    (("en_sb_spk1_snt1", "en_jfk"), ("en_sb_spk1_snt4", "zh_aishell_0121")),
    (("en_lj_0004", "en_sb_spk1_snt2"), ("en_sb_spk1_snt1", "en_sb_spk1_snt6")),
    (("en_sb_spk1_snt4", "en_arctic_a0024"), ("en_sb_spk1_snt2", "en_jfk")),
    (("en_libri_1995", "en_sb_spk1_snt3"), ("en_lj_0013", "en_two_cities")),
]


def joined(names):
    """These recordings one after the other, again and again; any two if there are none of these names."""
    known = {clip.id: clip.samples for clip in (*clips("en"), *clips("zh"))}
    others = itertools.cycle(known.values())
    sounds = [known[name] if name in known else next(others) for name in names]
    return np.resize(np.concatenate(sounds), int(SECONDS * RATE)).astype(np.float64)


def loud(sound):
    return lambda at_s: np.abs(sound[max(0, int(at_s * RATE) - 512) : int(at_s * RATE)]).mean() > LOUD


@pytest.mark.parametrize(("reply", "near"), ACCIDENTS)
def test_an_accident_is_not_believed_for_long(reply, near):
    sound = joined(near)
    heard = Microphone(joined(reply)).hear(sound, voiced=loud(sound))
    believed = np.array([delay_s is not None for delay_s in heard.delays_s])
    assert heard.gate.delay_s is None
    assert believed.mean() < 0.25
