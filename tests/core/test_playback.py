"""Where the listener is, from what was sent and what the player says. Seconds are any clock's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.playback import Playback


def sent(*packets: tuple[float, float]) -> Playback:
    """A playback with these (second, milliseconds) handed to the socket."""
    playback = Playback()
    for at_s, ms in packets:
        playback.sent(ms, at_s)
    return playback


def test_nothing_is_heard_before_anything_was_sent():
    playback = Playback()
    assert playback.heard_ms(100) == 0
    assert playback.remaining_s(100) == 0


def test_without_a_word_of_the_player_audio_sounds_from_the_moment_it_left():
    playback = sent((10, 500), (10.1, 500))
    assert playback.heard_ms(10) == 0
    assert playback.heard_ms(10.4) == pytest.approx(400)
    assert playback.remaining_s(10.4) == pytest.approx(0.6)


def test_nobody_hears_more_than_was_sent():
    playback = sent((10, 500))
    assert playback.heard_ms(20) == 500
    assert playback.remaining_s(20) == 0


def test_a_dry_spell_is_not_heard():
    """Sent until 10.5, dry until 12, then a second more."""
    playback = sent((10, 500), (12, 1000))
    assert playback.heard_ms(12) == 500
    assert playback.heard_ms(12.3) == pytest.approx(800)
    assert playback.remaining_s(12.3) == pytest.approx(0.7)


def test_a_dry_spell_after_an_acknowledgement_is_not_heard_either():
    playback = sent((10, 500))
    playback.ack(300, 10.4)
    playback.sent(1000, 12)
    assert playback.heard_ms(12.3) == pytest.approx(800)


def test_a_reply_behind_another_one_waits_for_it():
    playback = Playback(not_before_s=15)
    playback.sent(500, 10)
    playback.sent(500, 10.1)
    assert playback.heard_ms(14.9) == 0
    assert playback.remaining_s(14) == pytest.approx(2.0)
    assert playback.heard_ms(15.6) == pytest.approx(600)


def test_a_reply_behind_another_one_waits_longer_if_the_listener_was_away():
    playback = Playback(not_before_s=15)
    playback.shift(10)
    playback.sent(500, 12)
    assert playback.heard_ms(24.9) == 0
    assert playback.heard_ms(25.2) == pytest.approx(200)


def test_an_acknowledgement_moves_the_estimate_both_ways():
    playback = sent((10, 5000))
    playback.ack(300, 10.5)
    assert playback.heard_ms(10.5) == 300
    assert playback.heard_ms(10.7) == pytest.approx(500)
    playback.ack(900, 10.8)
    assert playback.heard_ms(10.8) == 900
    assert playback.remaining_s(10.8) == pytest.approx(4.1)


def test_a_step_backwards_is_ignored():
    playback = sent((10, 5000))
    assert playback.ack(800, 11)
    assert playback.ack(700, 11.1) is False
    assert playback.heard_ms(11.1) == pytest.approx(900)


def test_a_flush_is_exact_and_final_even_with_a_position_behind():
    playback = sent((10, 5000))
    playback.ack(620, 10.7)
    assert playback.ack(600, 10.8, flushed=True)
    assert playback.heard_ms(99) == 620
    assert playback.remaining_s(10.8) == 0


def test_a_position_beyond_what_was_sent_is_not_believed():
    playback = sent((10, 500))
    playback.ack(9000, 10.2)
    assert playback.heard_ms(10.2) == 500


def test_drained_ends_it_until_more_audio_comes():
    playback = sent((10, 500))
    playback.ack(500, 10.6, drained=True)
    assert playback.remaining_s(10.6) == 0
    playback.sent(500, 11)
    assert playback.remaining_s(11) == pytest.approx(0.5)
    assert playback.heard_ms(11.2) == pytest.approx(700)


def test_a_moment_before_the_last_acknowledgement_counts_at_least_that():
    """The cut came first, the player's word about a later position after it: it has been heard all the same."""
    playback = sent((10, 5000))
    playback.ack(800, 11)
    assert playback.heard_ms(10.5) == 800


def test_time_away_does_not_count():
    playback = sent((10, 5000))
    playback.shift(3)
    assert playback.heard_ms(13.4) == pytest.approx(400)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["sent", "ack", "look"]), st.floats(0, 2), st.floats(0, 3000, allow_nan=False)
        ),
        max_size=40,
    )
)
def test_the_position_never_passes_what_was_sent_and_only_acknowledgements_take_it_back(steps):
    playback, now_s, before = Playback(), 0.0, 0.0
    for kind, wait_s, ms in steps:
        now_s += wait_s
        if kind == "sent":
            playback.sent(ms, now_s)
        elif kind == "ack":
            playback.ack(ms, now_s)
            before = 0.0
        heard = playback.heard_ms(now_s)
        assert before - 1e-6 <= heard <= playback.sent_ms
        assert playback.remaining_s(now_s) >= 0
        before = heard


def test_a_player_that_claims_more_than_it_got_is_not_believed():
    for how in ({}, {"drained": True}, {"flushed": True}):
        playback = Playback()
        playback.sent(1000, 0.0)
        playback.ack(5000, 0.5, **how)
        assert (playback.acked_ms, playback.heard_ms(0.5)) == (1000, 1000)


def test_a_player_that_has_told_a_position_and_not_the_end_may_not_have_all_of_it():
    playback = Playback()
    playback.sent(1000, 0.0)
    assert not playback.untold(1.0), "one that tells nothing"
    playback.ack(250, 0.25)
    assert [playback.untold(at_s) for at_s in (0.5, 40.9, 41.1)] == [True, True, False]
    playback.ack(999.5, 2.0)
    assert not playback.untold(2.0), "players count whole milliseconds"


def test_a_player_that_has_told_the_end_has_all_of_it():
    for end in ({"drained": True}, {"flushed": True}):
        playback = Playback()
        playback.sent(1000, 0.0)
        playback.ack(250, 0.25, **end)
        assert not playback.untold(0.5)


def test_what_is_sent_again_has_not_been_heard():
    playback = Playback()
    playback.sent(5_000, 10.0)
    assert playback.heard_ms(14.0) == 4_000
    playback.sent_again(3_000, 14.0)  # 2 s had arrived
    assert playback.heard_ms(14.0) == 2_000
    assert playback.remaining_s(14.0) == 3.0
    playback.sent_again(5_000, 14.0)
    assert playback.waits_s(13.0) == 1.0
    assert playback.heard_ms(15.0) == 1_000


def test_what_is_sent_again_behind_other_sound_waits_for_it():
    playback = Playback()
    playback.sent(5_000, 10.0)
    playback.sent_again(2_000, 11.0)  # the player still has 2 s of what had arrived
    assert playback.heard_ms(12.0) == 2_000
    playback.ack(2_500, 12.0)
    playback.sent_again(5_000, 12.0)
    assert playback.heard_ms(12.0) == 2_500, "the player's word counts"
