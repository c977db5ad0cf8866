"""What was sent to a listener, by the time at which it would be played."""

import numpy as np
import pytest

from realtime.core.messages import WordTime
from realtime.core.sent_sound import KEEP_S, LONGEST_S, RATE, SentSound, unknown
from realtime.core.spoken import SpokenPart


def tone(seconds, rate=RATE, level=1000):
    return np.full(round(seconds * rate), level, np.int16)


def test_sound_follows_what_was_sent_before_it():
    sent = SentSound()
    sent.sent(tone(1.0, level=1), RATE, 10.0)
    sent.sent(tone(1.0, level=2), RATE, 10.1)  # long before the first has been played
    assert set(sent.read(10.0, RATE)) == {1}
    assert set(sent.read(11.0, RATE)) == {2}
    assert not sent.read(12.0, RATE).any()


@pytest.mark.parametrize("rate", [8_000, 16_000, 24_000, 44_100])
def test_every_rate_becomes_one(rate):
    sent = SentSound()
    for number in range(10):
        sent.sent(tone(0.1, rate), rate, 10.0 + number / 10)
    middle = sent.read(10.2, RATE // 2)
    assert np.allclose(middle, 1000, atol=20)


def test_after_a_cut_nothing_sounds_and_the_next_reply_begins_at_once():
    sent = SentSound()
    assert sent.silent_since(0.0), "nothing was ever sent"
    sent.sent(tone(5.0), RATE, 10.0)
    sent.cut(11.0)
    assert sent.sounds(10.5, 11.5)
    assert not sent.sounds(11.1, 20.0)
    assert sent.silent_since(11.0)
    assert not sent.silent_since(10.9)
    sent.sent(tone(1.0, level=7), RATE, 12.0)
    assert set(sent.read(12.0, RATE)) == {7}


def test_little_is_kept_of_what_has_been_played_and_of_what_is_far_ahead():
    sent = SentSound()
    for number in range(100):
        sent.sent(tone(1.0), RATE, 10.0 + number)
    assert not sent.sounds(0.0, 109.0 - KEEP_S - 1.0)
    for _ in range(100):
        sent.sent(tone(1.0), RATE, 110.0)
    assert not sent.sounds(110.0 + LONGEST_S + 1.0, 1_000.0)


def said(sent, from_s, to_s):
    return [(word.text.strip(), word.start_s, word.end_s) for word in sent.said(from_s, to_s)]


def test_the_words_of_any_time_are_known():
    part = SpokenPart()
    part.begin_chunk(0, "one two three four")
    part.set_words(0, [WordTime(*at) for at in ((0, 3, 0, 1000), (4, 7, 1000, 2000), (8, 13, 2000, 3000))])
    part.add_audio(0, 4000.0)
    part.finish_chunk(0)
    sent = SentSound()
    for number in range(4):
        sent.sent(tone(1.0), RATE, 50.0, part, number * 1000.0)
    words = [("two", 51.0, 52.0), ("three", 52.0, 53.0)]
    assert said(sent, 50.9, 52.8) == words
    part.close()
    assert said(sent, 50.9, 52.8) == words
    assert said(sent, 60.0, 61.0) == []
    sent.sent_again(part, 2000.0, 55.0)
    assert said(sent, 50.9, 56.0) == [words[0], ("three", 55.0, 56.0)]


def test_any_time_is_found_among_many_pieces_and_the_silences_between_them():
    sent, expected = SentSound(), np.zeros(RATE * 6, np.float32)
    for number in range(20):  # of 50 ms; after every fifth a silence of 0.3 s
        begin = number * 400 + number // 5 * 2_400
        expected[begin : begin + 400] = number + 1
        sent.sent(np.full(400, number + 1, np.int16), RATE, (begin + 0.4) / RATE)
    for first in range(0, 16_000, 123):
        from_s, to_s = (first + 0.4) / RATE, (first + 300.4) / RATE  # nobody depends on how a time is rounded
        assert (sent.read(from_s, 700) == expected[first : first + 700]).all()
        assert sent.sounds(from_s, to_s) == expected[first : first + 300].any()


def test_what_is_sent_again_plays_from_then_on_and_what_was_sent_after_it_later_too():
    first, second, sent = SpokenPart(), SpokenPart(), SentSound()
    for number in range(4):
        sent.sent(tone(1.0, level=number + 1), RATE, 10.0, first, number * 1000.0)
    sent.sent(tone(1.0, level=9), RATE, 10.0, second, 0.0)
    sent.sent_again(first, 1000.0, 15.0)
    levels = [set(sent.read(10.0 + second_s, RATE)) for second_s in range(10)]
    assert levels == [{1}, {0}, {0}, {0}, {0}, {2}, {3}, {4}, {9}, {0}]
    sent.sent(tone(1.0, level=5), RATE, 15.0)
    assert set(sent.read(19.0, RATE)) == {5}, "what comes now follows it"


def test_what_is_sent_again_plays_no_sooner_than_it_would_have():
    part, sent = SpokenPart(), SentSound()
    for number in range(4):
        sent.sent(tone(1.0, level=number + 1), RATE, 10.0, part, number * 1000.0)
    sent.sent_again(part, 2000.0, 10.5)  # the player still has 1.5 s
    assert set(sent.read(12.0, RATE)) == {3}
    sent.sent_again(SpokenPart(), 0.0, 20.0)
    assert set(sent.read(12.0, RATE)) == {3}


def test_of_sound_that_is_unknown_the_words_are_known():
    part, sent = SpokenPart(), SentSound()
    part.begin_chunk(0, "one two")
    part.set_words(0, [WordTime(0, 3, 0, 1000), WordTime(4, 7, 1000, 2000)])
    part.add_audio(0, 2000.0)
    part.finish_chunk(0)
    sent.sent(unknown(1500.0), RATE, 50.0, part, 500.0)
    assert said(sent, 50.6, 52.0) == [("two", 50.5, 51.5)]
    assert sent.sounds(51.0, 51.1)
    assert not sent.read(50.0, RATE * 2).any()
    sent.cut(51.0)
    assert sent.silent_since(51.0)
