"""A near voice and the voices behind it: what ends a turn, what begins none, and where nothing changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.near_voice import FRAME_MS, HELD_BACK_MS, NearVoice, _Lowest

SIZE = 512
NEAR, BEHIND, ROOM = -10.0, -20.0, -65.0  # dBFS
TONE = np.sin(np.arange(SIZE) / 3) * np.sqrt(2)


def frame(dbfs: float) -> np.ndarray:
    return (TONE * 32767 * 10 ** (dbfs / 20)).astype(np.int16)


class Ears:
    """Feeds frames, and says what they were taken for. The turn is opened and closed by hand."""

    def __init__(self) -> None:
        self.subject = NearVoice()

    def hear(self, dbfs, seconds, *, voiced=True, speaking=True):
        frames = int(seconds * 1000 / FRAME_MS)
        return [self.subject.feed(frame(dbfs), voiced=voiced, speaking=speaking) for _ in range(frames)]

    def talk(self, seconds=2.0, near=NEAR, gap=BEHIND):
        """Syllables of 160 ms and gaps of 96 ms, all of it speech to the detector."""
        out = []
        for _ in range(int(seconds / 0.256)):
            out += self.hear(near, 0.16) + self.hear(gap, 0.096)
        return out

    def after_a_turn(self):
        self.hear(BEHIND, 0.5)
        self.talk()
        assert any(self.hear(BEHIND, 2.0)), "its end was heard"
        return self


def test_voices_behind_are_told_from_the_near_one_within_two_seconds_of_its_end():
    ears = Ears()
    ears.hear(ROOM, 0.5, voiced=False, speaking=False)
    assert not any(ears.hear(BEHIND, 1.0)), "so far they are the only voice"
    assert not any(ears.talk())
    after = ears.hear(BEHIND, 10.0)
    assert all(after[int(2000 / FRAME_MS) :])


@pytest.mark.parametrize("floor", [ROOM, -45.0, BEHIND])
def test_a_soft_end_of_a_sentence_is_the_near_voice_where_no_speech_was_at_the_floor(floor):
    ears = Ears()
    ears.hear(floor, 2.0, voiced=False, speaking=False)
    assert not any(ears.talk(gap=floor))
    assert not any(ears.hear(max(floor, NEAR - 9), 0.8))


@pytest.mark.parametrize("dbfs", [NEAR, BEHIND, -40.0])
def test_a_voice_alone_is_never_behind_another(dbfs):
    assert not any(Ears().hear(dbfs, 20.0))


def test_a_pause_of_the_near_voice_in_a_silent_room_is_left_to_the_detector():
    ears = Ears()
    ears.talk(gap=ROOM)
    assert not any(ears.hear(ROOM, 1.0, voiced=False))


def test_voices_behind_begin_no_turn_and_the_near_voice_does():
    ears = Ears().after_a_turn()
    assert all(ears.hear(BEHIND, 5.0, speaking=False))
    assert not ears.hear(NEAR, 0.32, speaking=False)[-1]


def test_a_softer_voice_begins_a_turn_if_it_is_clearly_louder_than_all_that_was_behind():
    ears = Ears().after_a_turn()
    ears.hear(BEHIND, 5.0, speaking=False)
    assert not ears.hear(BEHIND + 5.0, 0.4, speaking=False)[-1]


def test_when_the_voices_behind_have_gone_a_soft_voice_begins_a_turn():
    ears = Ears().after_a_turn()
    ears.hear(ROOM, 5.0, voiced=False, speaking=False)
    assert not any(ears.hear(NEAR - 15.0, 0.5, speaking=False))


def test_what_was_held_back_is_counted_until_a_turn_is_open():
    ears = Ears().after_a_turn()
    assert ears.subject.held_back_ms == 0, "nothing is held back from an open turn"
    ears.hear(BEHIND, 0.1, speaking=False)
    assert ears.subject.held_back_ms == 3 * FRAME_MS
    ears.hear(BEHIND, 3.0, speaking=False)
    assert ears.subject.held_back_ms == HELD_BACK_MS
    ears.hear(NEAR, 0.32, speaking=False)
    assert ears.subject.held_back_ms == HELD_BACK_MS
    ears.hear(ROOM, 0.1, voiced=False, speaking=False)
    assert ears.subject.held_back_ms == 0


@pytest.mark.parametrize("silence_s", [0.0, 0.2])
def test_a_stream_that_begins_with_speech_knows_no_floor_but_that_speech(silence_s):
    """A soft second half of a sentence is the same voice."""
    ears = Ears()
    ears.hear(ROOM, silence_s, voiced=False, speaking=False)
    loud = ears.talk(1.0, gap=NEAR - 4)
    assert not any(loud + ears.talk(2.0, near=NEAR - 10, gap=NEAR - 14))


@pytest.mark.parametrize("below_db", [15.0, 20.0])
def test_far_below_the_near_voice_a_third_of_speech_tells_voices_behind(below_db):
    """The detector takes half of soft babble for speech: such a turn never had a silence, nor enough speech at its floor."""
    ears = Ears()
    ears.talk(3.5, gap=NEAR - below_db)
    after = [
        hidden
        for _ in range(12)
        for hidden in (
            *ears.hear(NEAR - below_db, 0.096, voiced=True),
            *ears.hear(NEAR - below_db, 0.128, voiced=False),
        )
    ]
    assert all(after[int(1000 / FRAME_MS) :])


def test_a_soft_end_of_a_sentence_with_a_third_of_speech_is_the_near_voice():
    ears = Ears()
    ears.talk(gap=BEHIND)
    assert not any(ears.hear(NEAR - 9, 0.096) + ears.hear(NEAR - 9, 1.0, voiced=False))


FAINT, SOFT = NEAR - 16.0, NEAR - 9.0  # voices behind at their loudest, and the soft end of a sentence


class Conversation(Ears):
    """Voices behind are known from a turn before, and then from the time between turns."""

    def __init__(self, between_s=5.0, voices=FAINT) -> None:
        super().__init__()
        self.behind(0.64, voices)
        self.talk(gap=voices - 3)
        assert any(self.behind(3.2, voices))
        self.behind(between_s, voices, speaking=False)

    def behind(self, seconds, voices=FAINT, *, speaking=True):
        """Voices that come and go by 6 dB."""
        out = []
        for number in range(int(seconds / 0.32)):
            out += self.hear(voices - 6 * (number % 2), 0.32, speaking=speaking)
        return out

    def soft_end(self, gap=FAINT - 3):
        """How much of a soft end of a turn is taken for voices behind, from 0 to 1."""
        assert not any(self.talk(gap=gap))
        return np.mean(self.hear(SOFT, 0.7))


def test_a_soft_end_is_the_near_voice_if_no_voice_behind_was_so_loud_before_the_turn():
    ears = Conversation()
    assert ears.soft_end() == 0
    assert all(ears.behind(2.0)[int(500 / FRAME_MS) :]), "then they are heard again"


def test_a_soft_end_is_taken_for_voices_behind_if_they_were_as_loud():
    ears = Conversation(between_s=2.0)
    ears.behind(1.0, SOFT, speaking=False)
    ears.behind(1.0, speaking=False)
    assert ears.soft_end() > 0.5


def test_what_was_heard_when_the_turn_began_is_the_near_voice_itself():
    ears = Conversation()
    ears.hear(NEAR, 0.4, speaking=False)
    assert ears.soft_end() == 0


def test_how_loud_voices_behind_become_is_not_known_after_a_moment():
    assert Conversation(between_s=1.3).soft_end() > 0.5


def test_voices_that_have_come_up_hold_a_turn_open_for_about_a_second():
    ears = Conversation()
    ears.talk(gap=FAINT - 3)
    after = ears.hear(SOFT, 5.0)
    assert not after[int(800 / FRAME_MS)]
    assert all(after[int(1300 / FRAME_MS) :])


def test_voices_that_have_come_up_before_the_end_of_the_turn_do_not_hold_it_open():
    ears = Conversation()
    ears.talk(seconds=4.0, gap=FAINT + 3.0)
    assert all(ears.hear(SOFT, 2.0)[int(500 / FRAME_MS) :])


def test_after_a_pause_what_is_soft_and_louder_than_the_voices_behind_is_theirs():
    """The near voice mostly goes on louder; the voices behind come and go."""
    ears = Conversation()
    ears.talk(gap=FAINT - 3)
    assert any(ears.behind(0.7))
    assert all(ears.hear(SOFT, 0.7))
    assert not ears.hear(NEAR, 0.3)[-1]
    assert not any(ears.hear(SOFT, 0.7))


def test_a_soft_end_hardly_louder_than_the_voices_behind_is_taken_for_theirs():
    ears = Conversation()
    ears.talk(gap=FAINT - 3)
    assert np.mean(ears.hear(FAINT + 1.0, 0.7)) > 0.5


def test_voices_that_have_gone_are_not_compared_with_those_of_another_time():
    ears = Conversation(voices=SOFT)
    ears.hear(ROOM, 5.0, voiced=False, speaking=False)
    ears.behind(2.4, speaking=False)
    ears.talk(gap=FAINT - 3)
    assert any(ears.behind(2.0))
    ears.behind(0.64, speaking=False)
    assert ears.soft_end() == 0


NOISE = NEAR - 30.0


def noise_between(ears, seconds=5.0):
    ears.hear(NOISE, seconds, voiced=False, speaking=False)


def soft_words(ears):
    """A turn whose words begin loudly and end near the noise."""
    return [behind for _ in range(4) for behind in (*ears.hear(NEAR, 0.32), *ears.hear(NOISE + 5.0, 0.6))]


def test_in_noise_where_nobody_was_heard_soft_speech_is_the_near_voice():
    """Its own soft syllables are speech at the floor: the next one was taken for voices behind."""
    ears = Ears()
    noise_between(ears)
    assert not any(soft_words(ears))


def test_a_voice_that_comes_while_somebody_speaks_holds_the_turn_open_for_about_a_second():
    ears = Ears()
    noise_between(ears)
    ears.talk(gap=NOISE)
    after = ears.hear(NOISE + 5.0, 5.0)
    assert not any(after[: int(800 / FRAME_MS)])
    assert all(after[int(1500 / FRAME_MS) :])


@pytest.mark.parametrize("below_near_db", [8.0, 12.0])
def test_a_voice_that_comes_while_somebody_speaks_does_not_hold_the_turn_open_by_its_peaks(below_near_db):
    ears = Ears()
    noise_between(ears)
    ears.talk(gap=NOISE)
    after = []
    for _ in range(20):
        after += ears.hear(NEAR - below_near_db, 0.2) + ears.hear(NOISE + 5.0, 1.0)
    hidden = "".join("x" if one else "." for one in after[int(2000 / FRAME_MS) :])
    assert "x" * int(500 / FRAME_MS) in hidden, "a pause that is long enough for an end"


def test_a_word_now_and_then_between_the_turns_is_nobody_behind():
    ears = Ears()
    noise_between(ears, 2.5)
    ears.hear(NOISE + 5.0, 0.096, speaking=False)
    noise_between(ears, 1.5)
    assert not any(soft_words(ears))


def test_short_turns_in_quick_succession_are_nobody_behind():
    """The detector hears each of them before its turn is open."""
    ears = Ears()
    noise_between(ears)
    for _ in range(5):
        ears.hear(NEAR, 0.064, speaking=False)
        assert not any(ears.hear(NEAR, 0.4))
        noise_between(ears, 1.0)
    ears.hear(NEAR, 0.064, speaking=False)
    assert not any(soft_words(ears))


def test_voices_that_have_just_gone_are_nobody_behind():
    ears = Ears()
    noise_between(ears, 3.0)
    ears.hear(NOISE + 5.0, 4.0, speaking=False)
    noise_between(ears, 3.3)
    ears.hear(NEAR, 0.064, speaking=False)
    assert not any(soft_words(ears))


def test_voices_that_were_noticed_in_a_long_turn_are_not_forgotten_for_the_quiet_before_it():
    ears = Ears()
    noise_between(ears)
    ears.talk(gap=NOISE)
    for _ in range(6):
        ears.hear(NOISE + 5.0, 3.0)
        ears.talk(seconds=1.0, gap=NOISE + 5.0)
    ears.hear(NOISE + 5.0, 0.5, speaking=False)
    ears.talk(gap=NOISE + 5.0)
    assert all(ears.hear(NOISE + 5.0, 1.0)[int(500 / FRAME_MS) :])


def test_where_somebody_was_heard_a_third_of_the_time_soft_speech_may_be_theirs():
    ears = Ears()
    for _ in range(6):
        noise_between(ears, 0.4)
        ears.hear(NOISE + 5.0, 0.2, speaking=False)
    ears.talk(seconds=3.0, gap=NOISE + 5.0)
    assert any(ears.hear(NOISE + 5.0, 1.0))


def test_in_noise_a_soft_speaker_after_a_loud_one_is_not_taken_for_voices_behind():
    ears = Ears()
    ears.hear(NOISE, 3.0, voiced=False, speaking=False)
    assert not any(ears.talk(gap=NOISE))
    ears.hear(NOISE, 6.0, voiced=False, speaking=False)
    assert not any(ears.hear(NOISE + 12.0, 0.064, speaking=False))
    assert not any(ears.talk(seconds=4.0, near=NOISE + 12.0, gap=NOISE + 9.0))


def test_voices_behind_that_have_gone_hold_back_nobody_in_noise_as_loud_as_they_were():
    ears = Ears().after_a_turn()
    assert any(ears.hear(BEHIND + 2.0, 0.5, speaking=False)), "while they are there"
    ears.hear(BEHIND, 3.0, voiced=False, speaking=False)
    assert any(ears.hear(BEHIND + 2.0, 0.5, speaking=False)), "they may only pause"
    ears.hear(BEHIND, 4.0, voiced=False, speaking=False)
    assert not any(ears.hear(BEHIND + 2.0, 0.5, speaking=False))


@given(st.floats(-30.0, 0.0), st.floats(11.0, 14.0))
def test_the_distance_decides_and_not_the_level(gain_db, distance_db):
    ears = Ears()
    assert not any(ears.talk(near=NEAR + gain_db, gap=NEAR + gain_db - distance_db))
    assert all(ears.hear(NEAR + gain_db - distance_db, 3.0)[-10:])


@given(st.lists(st.floats(-90, 0), min_size=1, max_size=60), st.integers(1, 20))
def test_the_lowest_of_the_last_values(values, length):
    lowest = _Lowest(length)
    for count, value in enumerate(values, 1):
        lowest.add(value)
        assert lowest.value == min(values[max(0, count - length) : count])


STRETCH = st.tuples(
    st.sampled_from([NEAR, BEHIND, ROOM]),
    st.booleans(),
    st.booleans(),
    st.integers(min_value=1, max_value=40),
)


@given(st.lists(STRETCH, max_size=12))
def test_quiet_frames_that_are_looked_at_together_change_no_verdict(stretches):
    """One microphone that looks at each frame at once, and one that lets quiet frames wait for each other."""
    at_once, together = NearVoice(together=1), NearVoice()
    for dbfs, voiced, speaking, frames in stretches:
        sound = frame(dbfs)
        for _ in range(frames):
            verdict = at_once.feed(sound, voiced=voiced, speaking=speaking)
            assert together.feed(sound, voiced=voiced, speaking=speaking) == verdict
            assert together.held_back_ms == at_once.held_back_ms
