"""An echo is believed for as long as it is confirmed, and its loudness is that of what was really played."""

import numpy as np
import pytest

from realtime.core.echo import EchoGate
from realtime.core.sent_sound import GAIN_FOLLOWS_S, SentSound
from tests.core.test_echo import FRAME, RATE, START_S, in_room, voice

FRAMES_S = RATE / FRAME
DUCK = 10 ** (-12 / 20)


class Microphone:
    """What the gate says of each frame, and the delay that it knows after it. All of the sound was sent at once."""

    def __init__(self, sent_sound):
        self.sent = SentSound()
        self.sent.sent(sent_sound.astype(np.int16), RATE, START_S)
        self.gate = EchoGate(self.sent)
        self.verdicts, self.delays_s = [], []

    def hear(self, sound, voiced=lambda at_s: True, gains=()):
        """`voiced`: whether the detector takes a time for speech; `gains`: at which the player is told what, in dB."""
        noisy = sound + np.random.default_rng(8).normal(0, 4.0, len(sound))
        samples, gains = np.clip(np.round(noisy), -32768, 32767).astype(np.int16), list(gains)
        for end in range(FRAME, len(samples) + 1, FRAME):
            while gains and end / RATE >= gains[0][0]:
                self.sent.set_gain(gains[0][1], START_S + gains.pop(0)[0])
            newest = samples[:end]
            is_voiced = voiced(end / RATE)
            if not is_voiced and self.gate.delay_s is None:
                self.gate.skip()
                self.verdicts.append(False)
            else:
                feed = self.gate.feed
                at_s = START_S + end / RATE
                self.verdicts.append(
                    feed(at_s, lambda count, newest=newest: newest[-count:], voiced=is_voiced)
                )
            self.delays_s.append(self.gate.delay_s)
        return self

    def hidden(self, from_s, to_s):
        """The share of these frames that were taken for nothing but an echo."""
        return np.mean(self.verdicts[int(from_s * FRAMES_S) : int(to_s * FRAMES_S)])

    def knows(self, at_s):
        return self.delays_s[int(at_s * FRAMES_S) - 1] is not None


def test_an_echo_that_is_there_is_kept():
    sound = voice(1, 20.0)
    heard = Microphone(sound).hear(in_room(sound, -30, 150))
    assert all(heard.knows(at_s) for at_s in range(2, 20))
    assert heard.hidden(2.0, 20.0) > 0.95


@pytest.mark.parametrize("speaks", [True, False])
def test_an_echo_that_is_gone_is_given_back_whether_somebody_speaks_or_not(speaks):
    sound, near = voice(1, 12.0), np.zeros(12 * RATE)
    echo = in_room(sound, -20, 150)
    echo[3 * RATE :] = 0.0
    if speaks:
        near[3 * RATE :] = voice(2, 9.0) * 10 ** (-14 / 20)
    heard = Microphone(sound).hear(echo + near, voiced=lambda at_s: at_s < 3 or speaks)
    assert heard.knows(2.9)
    assert not heard.knows(9.0)
    assert not heard.gate.only_echo(START_S + 8.0, START_S + 12.0)
    assert heard.gate.in_vain, "a word that was said is believed to be the listener's again"


def test_an_echo_that_was_given_back_is_found_again():
    sound = voice(1, 14.0)
    echo = in_room(sound, -20, 150)
    echo[3 * RATE : 9 * RATE] = 0.0
    heard = Microphone(sound).hear(echo, voiced=lambda at_s: at_s < 3 or at_s >= 9)
    assert not heard.knows(8.9)
    assert heard.hidden(10.5, 14.0) > 0.9


def test_a_short_sound_that_both_have_by_chance_does_not_hide_a_voice_for_long():
    sound, near = voice(1, 10.0), voice(2, 10.0)
    begin = int(0.6 * RATE)
    near[begin : begin + RATE // 2] = sound[begin - RATE // 10 :][: RATE // 2]  # 0.1 s later
    heard = Microphone(sound).hear(near)
    assert heard.gate.delay_s is None
    assert heard.hidden(4.0, 10.0) == 0


def test_a_clock_that_drifts_is_followed():
    """A player that is 200 ppm too slow has moved the echo by 8 ms in the end."""
    sound = voice(1, 40.0)
    echo = in_room(sound, -20, 150)
    times = np.arange(len(echo)) / 1.0002
    heard = Microphone(sound).hear(np.interp(times, np.arange(len(echo)), echo))
    assert heard.gate.delay_s == pytest.approx(0.158, abs=0.003)
    assert heard.hidden(30.0, 40.0) > 0.95


@pytest.mark.parametrize("obeys", [True, False])
def test_an_echo_that_is_found_while_the_reply_is_quieter_is_no_voice_when_it_comes_back(obeys):
    sound = voice(1, 8.0)
    sound[: int(1.2 * RATE)] = 0.0  # nothing is said before the reply goes down at 1 s
    echo = in_room(sound, -20, 150)
    if obeys:
        echo[RATE : 4 * RATE] *= DUCK
    heard = Microphone(sound).hear(echo, voiced=lambda at_s: at_s > 1.4, gains=[(1.0, -12), (4.0, 0)])
    assert heard.knows(2.5)
    assert heard.hidden(4.0, 8.0) > 0.95, "as loud as before is no voice"


def test_an_echo_that_goes_down_and_up_is_as_loud_as_it_was():
    sound = voice(1, 8.0)
    echo = in_room(sound, -20, 150)
    echo[3 * RATE : 5 * RATE] *= DUCK
    heard = Microphone(sound).hear(echo, gains=[(3.0, -12), (5.0, 0)])
    assert heard.hidden(1.5, 8.0) > 0.95


def test_a_player_may_have_either_gain_for_a_while_after_it_was_told():
    sent = SentSound()
    assert sent.gain(5.0) == 1
    sent.set_gain(-12, 10.0)
    assert sent.gain(9.9) == 1
    assert sent.gain(10.0) is sent.gain(9.9 + GAIN_FOLLOWS_S) is None
    assert sent.gain(10.0 + GAIN_FOLLOWS_S) == pytest.approx(10**-1.2)
    sent.set_gain(0, 12.0)
    assert sent.gain(11.9) == pytest.approx(10**-1.2)
    assert sent.gain(12.0 + GAIN_FOLLOWS_S) == 1
