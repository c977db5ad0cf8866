"""The replay buffer: which messages it returns, and its limits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.server.replay import Gap, ReplayBuffer, Sent


def filled(count: int, *, first: int = 1, size: int = 10, audio_ms: float = 0.0, **limits) -> ReplayBuffer:
    buffer = ReplayBuffer(**limits)
    for seq in range(first, first + count):
        buffer.keep(Sent(seq, b"x" * size, audio_ms=audio_ms))
    return buffer


def test_it_returns_the_messages_after_a_number_in_order():
    assert [message.seq for message in filled(5).after(2)] == [3, 4, 5]
    assert filled(5).after(5) == ()
    assert len(filled(5).after(0)) == 5


@pytest.mark.parametrize("seq", [6, 1000, -1])
def test_a_number_that_was_never_sent_is_a_gap(seq):
    with pytest.raises(Gap):
        filled(5).after(seq)


def test_dropped_messages_are_a_gap():
    buffer = filled(10, size=100, max_bytes=350)
    assert [message.seq for message in buffer.after(7)] == [8, 9, 10]
    with pytest.raises(Gap):
        buffer.after(6)


def test_numbers_before_the_first_kept_one_are_a_gap():
    buffer = filled(3, first=11)
    assert len(buffer.after(10)) == 3
    with pytest.raises(Gap):
        buffer.after(9)


def test_an_empty_buffer_has_a_gap_for_every_number():
    with pytest.raises(Gap):
        ReplayBuffer().after(0)
    buffer = filled(3)
    buffer.clear()
    with pytest.raises(Gap):
        buffer.after(3)


def test_a_skipped_number_raises_value_error():
    with pytest.raises(ValueError, match="does not follow"):
        filled(3).keep(Sent(5, b""))


def test_a_message_larger_than_the_buffer_leaves_it_consistent():
    buffer = filled(3, max_bytes=100)
    buffer.keep(Sent(4, b"x" * 200))
    assert buffer.after(4) == ()
    with pytest.raises(Gap):
        buffer.after(3)


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from([0.0, 20.0, 200.0])), max_size=60))
def test_it_stays_within_its_limits_and_has_no_gaps(messages):
    buffer = ReplayBuffer(max_audio_ms=1_000, max_bytes=2_000)
    for seq, (size, audio_ms) in enumerate(messages, 1):
        buffer.keep(Sent(seq, b"x" * size, audio_ms=audio_ms))
        assert buffer.size_bytes <= 2_000
        assert buffer.audio_ms <= 1_000
        kept = buffer.after(seq - len(buffer))
        assert [message.seq for message in kept] == list(range(seq - len(buffer) + 1, seq + 1))
        assert buffer.size_bytes == sum(len(message.data) for message in kept)
