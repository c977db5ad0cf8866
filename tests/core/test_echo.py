"""The echo of what was sent, in the microphone: found by its sound at any delay and level, and told from a voice."""

import functools

import numpy as np
import pytest

from realtime.core.echo import EchoGate
from realtime.core.sent_sound import SentSound

RATE = 16_000
FRAME = 512
SECONDS = 3.0
START_S = 100.0


@functools.cache
def voice(seed, seconds=SECONDS):
    """Something like speech: syllables of changing vowels, whose harmonics move, and hisses between them."""
    rng = np.random.default_rng(seed)
    parts = []
    while sum(map(len, parts)) < seconds * RATE:
        time_s = np.arange(int(rng.uniform(0.08, 0.25) * RATE)) / RATE
        pitch = rng.uniform(90, 220) * (1 + rng.uniform(-0.3, 0.3) * time_s)
        phase, peaks = 2 * np.pi * np.cumsum(pitch) / RATE, rng.uniform((250, 800), (900, 2800))
        loud = [sum(np.exp(-(((n * 150 - peak) / 200) ** 2)) for peak in peaks) + 0.02 for n in range(1, 24)]
        vowel = sum(level * np.sin(n * phase + n) for n, level in enumerate(loud, 1))
        hiss = rng.normal(0, 0.4, int(rng.uniform(0.02, 0.08) * RATE))
        parts += [vowel * np.hanning(len(vowel)), hiss, np.zeros(int(rng.uniform(0.0, 0.06) * RATE))]
    sound = np.concatenate(parts)[: int(seconds * RATE)]
    return 2000 * sound / np.sqrt((sound**2).mean())


def in_room(sound, level_db, delay_ms, seed=3):
    rng = np.random.default_rng(seed)
    tail = rng.normal(0, 1, RATE // 4) * np.exp(-np.arange(RATE // 4) / RATE / 0.05)
    tail /= np.sqrt((tail**2).sum())
    tail[0] += 1.0
    echo = np.convolve(sound, tail)[: len(sound)] / np.sqrt(2) * 10 ** (level_db / 20)
    return np.concatenate((np.zeros(int(delay_ms * RATE / 1000)), echo))[: len(sound)]


def heard(sent_sound, microphone, noise=4.0):
    """What the gate says of each frame; all of the sound was sent at once, and the detector hears speech throughout."""
    sent = SentSound()
    sent.sent(sent_sound.astype(np.int16), RATE, START_S)
    gate = EchoGate(sent)
    noisy = microphone + np.random.default_rng(8).normal(0, noise, len(microphone))
    samples = np.clip(np.round(noisy), -32768, 32767).astype(np.int16)
    verdicts = []
    for end in range(FRAME, len(samples) + 1, FRAME):
        newest = samples[:end]
        at_s = START_S + end / RATE
        verdicts.append(gate.feed(at_s, lambda count, newest=newest: newest[-count:], voiced=True))
    return gate, np.array(verdicts)


@pytest.mark.parametrize("delay_ms", [0, 50, 300, 640])
@pytest.mark.parametrize("level_db", [-6, -42])
def test_an_echo_is_found_at_its_delay_and_hides_nothing_else(level_db, delay_ms):
    sound = voice(1)
    gate, verdicts = heard(sound, in_room(sound, level_db, delay_ms))
    assert gate.delay_s == pytest.approx(delay_ms / 1000, abs=0.005)
    later = verdicts[int((delay_ms / 1000 + 1.0) * RATE / FRAME) :]
    assert later.mean() > 0.95
    assert gate.only_echo(START_S + delay_ms / 1000, START_S + SECONDS)


@pytest.mark.parametrize("level_db", [-6, -24])
def test_a_voice_6_db_above_the_echo_is_heard(level_db):
    sound, near = voice(1, 6.0), np.zeros(6 * RATE)
    near[3 * RATE : 5 * RATE] = voice(2, 2.0) * 10 ** ((level_db + 6) / 20)
    gate, verdicts = heard(sound, in_room(sound, level_db, 150) + near)
    frames = RATE / FRAME
    assert verdicts[int(1.5 * frames) : int(3 * frames)].mean() > 0.95
    assert verdicts[int(3.1 * frames) : int(4.9 * frames)].mean() < 0.35
    assert not gate.only_echo(START_S + 3.0, START_S + 5.0)


def test_a_voice_without_an_echo_is_never_hidden():
    gate, verdicts = heard(voice(1), voice(2))
    assert gate.delay_s is None
    assert not verdicts.any()
    assert gate.in_vain > 3


def test_of_sound_that_nobody_knows_a_search_proves_nothing():
    """Another server has sent it, and the player plays on."""
    gate, verdicts = heard(np.zeros(int(SECONDS * RATE)), voice(2))
    assert not verdicts.any()
    assert not gate.in_vain, "its words tell"


def test_without_sent_sound_nothing_is_calculated():
    gate = EchoGate(SentSound())

    def newest(count):
        raise AssertionError("nobody needs the samples")

    assert not gate.feed(START_S, newest, voiced=True)


def test_an_echo_that_gets_louder_is_followed_and_one_that_is_gone_hides_no_voice():
    sound = voice(1, 6.0)
    echo = in_room(sound, -30, 150)
    louder = echo.copy()
    louder[2 * RATE :] *= 10 ** (20 / 20)
    _, verdicts = heard(sound, louder)
    frames = RATE / FRAME
    assert verdicts[int(3.5 * frames) :].mean() > 0.9
    gone = echo * 10
    gone[2 * RATE :] = 0.0
    gone[4 * RATE :] += voice(2, 2.0) * 10 ** (-16 / 20)  # softer than the echo was
    _, verdicts = heard(sound, gone)
    assert verdicts[int(4.5 * frames) :].mean() < 0.35


def test_a_voice_is_no_echo_of_a_sound_that_nobody_can_hear():
    """A reply that is almost silence has a spectrum like anything: its echo cannot be louder than itself."""
    tone = 12_000 * np.sin(np.arange(int(SECONDS * RATE)) / 3)
    gate, verdicts = heard(np.ones(len(tone)), tone)
    assert gate.delay_s is None
    assert not verdicts.any()
