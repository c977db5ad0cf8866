"""The replay buffer: which messages it returns, and its limits."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.protocol.server_events import ResponseOutputAudioDelta
from realtime.server.replay import AFTER_PLAYED_S, MAX_ITEMS, Gap, ReplayBuffer, Sent, sent_event


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


# -- sound ---------------------------------------------------------------------------------------------------------


def sound(seq: int, item_id: str = "item_a", *, ms: float = 100.0) -> Sent:
    """A message of `ms` of sound at 24 kHz, as the server sends it in JSON."""
    pcm = seq.to_bytes(2, "little") * int(24 * ms)
    event = ResponseOutputAudioDelta(
        response_id="resp_a", item_id=item_id, output_index=0, content_index=0, delta=pcm
    )
    return sent_event(event, seq, ms)


def test_sound_is_kept_once_and_sent_again_as_it_was():
    buffer = ReplayBuffer()
    messages = [sound(seq) for seq in range(1, 21)]
    for message in messages:
        buffer.keep(message)
    assert buffer.size_bytes == 20 * 4_800  # and not the base64 of it in JSON
    assert buffer.after(0) == tuple(messages)
    assert json.loads(buffer.after(19)[0].data)["seq"] == 20


def test_what_the_client_has_played_and_what_came_before_is_dropped():
    buffer = ReplayBuffer()
    for seq in range(1, 11):
        buffer.keep(sound(seq) if seq % 2 else Sent(seq, b"{}"))  # sound of 100 ms in every second message
    buffer.played("item_none", 10_000)
    assert len(buffer) == 10
    buffer.played("item_a", 199)
    assert [message.seq for message in buffer.after(1)] == list(range(2, 11))
    buffer.played("item_a", 200)
    assert [message.seq for message in buffer.after(3)] == list(range(4, 11))
    with pytest.raises(Gap):
        buffer.after(2)
    for seq in (11, 12):
        buffer.keep(sound(seq, "item_b"))
    buffer.played("item_b", 100)  # a player plays one after the other: it has all of the first
    assert [message.seq for message in buffer.after(11)] == [12]
    buffer.played("item_a", 500)
    assert len(buffer) == 1


def test_without_the_players_word_sound_goes_some_time_after_it_must_have_been_played():
    buffer = ReplayBuffer()
    for seq in range(1, 101):  # 10 s of sound within a second
        buffer.keep(sound(seq), now_s=seq / 100)
    buffer.supposed(AFTER_PLAYED_S)
    assert len(buffer) == 100
    buffer.supposed(AFTER_PLAYED_S + 2.05)
    assert len(buffer) == 80
    buffer.paused(3.0)  # a lost connection: nothing was played meanwhile
    buffer.supposed(AFTER_PLAYED_S + 5.05)
    assert len(buffer) == 80
    buffer.supposed(AFTER_PLAYED_S + 13.1)
    assert (len(buffer), buffer.audio_ms) == (0, 0.0)


def test_an_answer_of_half_a_minute_weighs_less_than_a_megabyte_for_a_player_that_tells():
    """As it is sent: at most 12 s ahead of the listener (docs/architecture.md 2.2)."""
    buffer, most = ReplayBuffer(), 0
    for seq in range(1, 361):
        buffer.keep(sound(seq))
        buffer.played("item_a", max(0, seq * 100 - 12_000))
        most = max(most, buffer.size_bytes)
    assert most < 600_000


@given(st.lists(st.sampled_from("abAB12 "), max_size=40), st.integers(0, 3_000))
def test_whatever_was_dropped_the_rest_is_whole_and_unchanged(kinds, played_ms):
    buffer, messages = ReplayBuffer(max_audio_ms=1_500), []
    for seq, kind in enumerate(kinds, 1):
        item_id, ms = f"item_{kind.lower()}", 100.0 if kind.islower() else 250.0
        messages.append(sound(seq, item_id, ms=ms) if kind.isalpha() else Sent(seq, kind.encode()))
        buffer.keep(messages[-1], now_s=seq / 10)
        if kind == "1":
            buffer.played("item_a", played_ms)
        if kind == "2":
            buffer.supposed(played_ms / 100)
        kept = len(buffer)
        assert buffer.after(seq - kept) == tuple(messages[seq - kept :])
        assert buffer.audio_ms == sum(message.audio_ms for message in messages[seq - kept :])


def test_the_sound_of_answers_that_come_in_turn_ends_where_it_ends():
    """One of them was played to its end so far, and dropped, when another one began: it goes on at its own position."""
    buffer = ReplayBuffer()
    for seq in range(1, 11):
        buffer.keep(sound(seq))
    buffer.played("item_a", 1_000)
    assert len(buffer) == 0
    for seq in range(11, 31):
        buffer.keep(sound(seq, "item_b" if seq % 2 else "item_a"))
    buffer.played("item_a", 1_000)  # said again
    assert len(buffer) == 20
    buffer.played("item_a", 1_100)
    assert [message.seq for message in buffer.after(12)] == list(range(13, 31))


def test_positions_are_kept_of_the_latest_items_only():
    buffer = ReplayBuffer()
    for number in range(3 * MAX_ITEMS):
        buffer.keep(sound(number + 1, f"item_{number}"))
    assert len(buffer._end_ms) == MAX_ITEMS


def test_sound_that_is_sent_again_is_played_after_that():
    """The server noticed late that the connection was lost: what it sent meanwhile, nobody has heard."""
    buffer = ReplayBuffer()
    for seq in range(1, 61):
        buffer.keep(sound(seq))
    buffer.received(20)
    buffer.sent_again(now_s=10.0)
    buffer.supposed(AFTER_PLAYED_S + 10.0)
    assert len(buffer) == 40
    buffer.supposed(AFTER_PLAYED_S + 13.05)
    assert len(buffer) == 10
    buffer.keep(sound(61))  # is heard after these
    buffer.supposed(AFTER_PLAYED_S + 14.05)
    assert [message.seq for message in buffer.after(60)] == [61]


@pytest.mark.parametrize("ahead_s", [2, 12])
def test_an_answer_of_three_minutes_weighs_less_than_a_megabyte_for_a_player_that_tells_nothing(ahead_s: int):
    buffer, most = ReplayBuffer(), 0
    for seq in range(1, 1_801):
        now_s = max(0.0, seq / 10 - ahead_s)
        buffer.keep(sound(seq), now_s)
        if seq % 20 == 0:
            buffer.supposed(now_s)
        most = max(most, buffer.size_bytes)
        assert buffer.has(max(0, seq - 10 * (ahead_s + 5))), "all that may not have been played for 5 s"
    assert most < 1_000_000
