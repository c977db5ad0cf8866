"""The player counts by sample: what waits, what was handed over, what was heard."""

import itertools
from array import array
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st
from realtime_client.playback import Playback
from realtime_client.player import PartKey, Player, Position

RATE = 24_000
A, B = PartKey("item_A"), PartKey("item_B")


def tone(ms, value=7):
    return value.to_bytes(2, "little") * (RATE * ms // 1000)


def test_what_has_arrived_is_known_until_it_was_heard_or_dropped():
    player = Player()
    assert player.received_ms(A) == 0
    player.write(A, bytes(RATE * 2))
    player.read(RATE // 10, 0.0)
    assert player.received_ms(A) == 1000
    player.write(B, bytes(RATE))
    assert player.received_ms(B) == 500
    player.end(A)
    player.drain(0.1)
    player.positions(0.5)
    assert player.received_ms(A) == 1000, "the device has it, and nobody has heard its end"
    player.positions(9.0)
    assert player.received_ms(A) == 0
    player.flush()
    assert player.received_ms(B) == 0


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6), st.integers(0, 1500), st.integers(0, 1500))
def test_a_part_that_is_trimmed_ends_there_or_where_the_device_is(arrived_ms, taken_ms, end_ms):
    """What follows it comes at once, and it is over like any other part."""
    player = Player(prebuffer_ms=0)
    for ms in arrived_ms:
        player.write(A, tone(ms))
    player.end(A)
    player.write(B, tone(50, 3))
    player.end(B)
    taken = player.read(RATE * min(taken_ms, sum(arrived_ms)) // 1000, 0.0)
    player.trim(A, end_ms)
    kept_ms = min(sum(arrived_ms), max(end_ms, len(taken) // 2 * 1000 // RATE))
    assert player.received_ms(A) == kept_ms
    assert taken + player.drain(1.0) == tone(kept_ms) + tone(50, 3)
    assert [(p.part, p.played_ms, p.drained) for p in player.positions(9.0)] == [
        (A, kept_ms, True),
        (B, 50, True),
    ]


def test_a_part_is_audible_while_it_sounds_and_not_while_it_waits_for_more():
    player = Player(prebuffer_ms=40)
    assert not player.audible
    player.write(A, tone(20))
    assert not player.audible, "too short to begin"
    player.write(A, tone(80))
    assert player.audible
    player.read(RATE // 10, 0.0)
    player.positions(0.05)
    assert player.audible
    player.read(RATE // 10, 0.1)
    player.positions(0.2)
    assert player.active
    assert not player.audible, "all that has come was heard"
    player.write(B, tone(100))
    assert not player.audible, "the first one is not over"
    player.write(A, tone(10))
    assert player.audible, "more of it has come"
    player.read(RATE // 100, 0.3)
    player.positions(0.4)
    player.end(A)
    assert player.audible, "now the second one follows"
    player.flush()
    assert not player.audible


def test_parts_that_are_over_and_unknown_ones_are_trimmed_without_a_word():
    player = Player()
    player.trim(A, 100)
    player.write(A, tone(100))
    player.flush()
    player.trim(A, 50)
    assert not player.active


async def test_what_the_server_says_to_count_is_where_the_sound_ends():
    player = Player()
    conversation = SimpleNamespace(extensions=("playback",), session={})
    playback = Playback(conversation, SimpleNamespace(player=player, now=lambda: 0.0))
    player.write(A, tone(1000))
    player.end(A)
    cut = {"type": "conversation.item.truncated", "item_id": A.item_id, "content_index": 0}
    await playback.handle({**cut, "audio_end_ms": 620, "transcript": "Well, the"})
    assert player.drain(0.0) == tone(620)


def test_nothing_to_play_is_silence():
    player = Player()
    assert player.read(240, 0.0) == bytes(480)
    assert not player.active
    assert player.positions(1.0) == []


def test_what_is_written_comes_out_once_and_in_order():
    player = Player()
    player.write(A, tone(50, 1))
    player.write(A, tone(50, 2))
    player.end(A)
    player.write(B, tone(50, 3))
    player.end(B)
    assert player.read(RATE * 150 // 1000, 0.0) == tone(50, 1) + tone(50, 2) + tone(50, 3)
    assert player.read(240, 0.15) == bytes(480)


def test_a_part_waits_for_its_first_milliseconds():
    player = Player(prebuffer_ms=40)
    player.write(A, tone(30))
    assert player.read(480, 0.0) == bytes(960)
    player.write(A, tone(10))
    assert player.read(480, 0.02) == tone(20)
    assert player.starved_ms == 0


def test_a_short_part_that_has_ended_waits_for_nothing():
    player = Player(prebuffer_ms=40)
    player.write(A, tone(10))
    player.end(A)
    assert player.read(240, 0.0) == tone(10)


def test_heard_is_handed_over_minus_what_is_still_under_way():
    """A device with 100 ms of latency: at the moment of handing over nothing has been heard."""
    player = Player()
    player.write(A, tone(200))
    player.read(4800, at_s=0.1)
    assert player.positions(0.0) == [Position(A, 0)]
    assert player.positions(0.15) == [Position(A, 50)]
    assert player.positions(0.9) == [Position(A, 200)]


def test_a_part_is_drained_when_it_ended_and_its_last_sample_sounded():
    player = Player()
    player.write(A, tone(100))
    player.read(2400, 0.0)
    player.end(A)
    player.read(240, 0.1)
    assert player.positions(0.05) == [Position(A, 50)]
    assert player.positions(0.2) == [Position(A, 100, drained=True)]
    assert player.positions(0.3) == []
    assert not player.active


def test_a_part_without_sound_drains_at_zero():
    player = Player()
    player.end(A)
    player.read(240, 0.0)
    assert player.positions(0.0) == [Position(A, 0, drained=True)]


def test_flush_silences_and_counts_what_the_device_already_holds():
    player = Player()
    player.write(A, tone(500))
    player.write(B, tone(500))
    player.read(RATE // 10, at_s=5.0)
    assert player.flush() == [Position(A, 100), Position(B, 0)]
    assert player.read(240, 5.1) == bytes(480)
    assert not player.active
    assert player.flush() == []


def test_one_part_is_flushed_and_the_next_one_plays_on():
    player = Player()
    player.write(A, tone(500))
    player.write(B, tone(500, value=9))
    player.read(RATE // 10, at_s=5.0)
    assert player.flush({A}) == [Position(A, 100)]
    assert player.read(240, 5.1) == tone(10, value=9)
    assert player.positions(5.2) == [Position(B, 10)]


def test_parts_of_which_nothing_more_comes_are_played_to_the_end_of_what_there_is():
    player = Player()
    player.write(A, tone(20))
    player.write(B, tone(20))
    assert player.end_all() == {A, B}
    player.write(B, tone(20))
    assert player.read(RATE // 10, 0.0) == tone(40) + bytes(len(tone(60)))
    assert player.positions(1.0) == [Position(A, 20, drained=True), Position(B, 20, drained=True)]


def test_late_sound_of_a_flushed_part_is_dropped():
    player = Player()
    player.write(A, tone(100))
    player.flush()
    player.write(A, tone(100))
    player.end(A)
    assert not player.active
    player.write(B, tone(100))
    assert player.read(240, 0.0) == tone(10)


def test_sound_that_comes_late_is_counted_as_starving_not_as_played():
    player = Player()
    player.write(A, tone(50))
    player.read(RATE // 10, 0.0)
    assert player.starved_ms == 50
    player.write(A, tone(50))
    player.end(A)
    player.read(RATE // 10, 0.1)
    assert player.positions(1.0) == [Position(A, 100, drained=True)]


def test_the_queue_has_a_bound():
    player = Player(max_s=1)
    player.write(A, tone(900))
    player.write(A, tone(200))
    assert player.dropped_ms == 200


@given(
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
    st.lists(st.integers(1, 3000), min_size=1, max_size=40),
    st.floats(0, 0.3),
)
def test_every_sample_is_played_once_whatever_the_block_sizes(chunks, blocks, latency_s):
    """Written, read and heard agree to the sample; positions never go back or beyond what was handed over."""
    player = Player(prebuffer_ms=0)
    sent = b"".join(bytes([1 + n % 250, 1]) * size for n, size in enumerate(chunks))
    at = 0
    for size in chunks:
        player.write(A, sent[at : at + 2 * size])
        at += 2 * size
    player.end(A)
    out, clock_s, last_ms = b"", 0.0, 0
    for block in blocks:
        out += player.read(block, clock_s + latency_s)
        clock_s += block / RATE
        for position in player.positions(clock_s):
            assert last_ms <= position.played_ms <= len(out) // 2 * 1000 // RATE
            last_ms = position.played_ms
    played = min(len(out), len(sent))
    assert out[:played] == sent[:played]
    assert not any(out[played:])
    flushed = player.flush()
    if flushed:
        assert flushed[0].played_ms == min(len(out), len(sent)) // 2 * 1000 // RATE


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 3000)), min_size=1, max_size=30))
def test_silence_inside_a_part_is_counted_to_the_sample(turns):
    """However late the sound comes: what is played is what was sent and the silence that `starved_ms` counts."""
    player, sent, out = Player(prebuffer_ms=0), 0, b""
    for size, block in turns:
        player.write(A, b"\x07\x01" * size)
        sent += size
        out += player.read(block, 0.0)
    # Before its first sample it waits
    silent = out.count(bytes(2)) - (len(out) - len(out.lstrip(bytes(1)))) // 2
    assert abs(player.starved_ms * RATE / 1000 - silent) < 0.01
    assert out.replace(bytes(2), b"") == (b"\x07\x01" * sent)[: 2 * (len(out) // 2 - out.count(bytes(2)))]


def test_draining_gives_everything_at_once_and_without_silence():
    player = Player()
    assert player.drain(0.0) == b""
    player.write(A, tone(50, 1))
    player.end(A)
    player.write(B, tone(50, 2))
    assert player.drain(0.0) == tone(50, 1) + tone(50, 2)
    assert player.drain(0.1) == b""
    assert player.starved_ms == 0
    assert player.positions(0.1) == [Position(A, 50, drained=True), Position(B, 50)]
    player.end(B)
    assert player.drain(0.1) == b""
    assert player.positions(0.1) == [Position(B, 50, drained=True)]
    assert not player.active


def test_a_gain_is_reached_by_a_ramp_and_taken_back_by_one():
    player = Player()
    player.write(A, tone(1000, 1000))
    player.set_gain(-20.0)
    ramp, low = samples(player.read(1200, 0.0)), samples(player.read(2400, 0.05))
    assert ramp[0] > 990
    assert all(0 <= first - second <= 1 for first, second in itertools.pairwise(ramp))
    assert set(low) == {100}
    player.set_gain(0.0)
    player.read(1200, 0.15)
    assert player.read(2400, 0.2) == tone(100, 1000)
    assert player.positions(0.1)[0].played_ms == 100, "how loud it is does not count"


def test_a_gain_is_kept_from_part_to_part_and_never_overflows():
    player = Player()
    player.set_gain(20.0)
    for part in (A, B):
        player.write(part, tone(100, 20_000))
        player.end(part)
    assert samples(player.read(4800, 0.0))[-1] == 32_767


def samples(pcm: bytes) -> array:
    return array("h", pcm)
