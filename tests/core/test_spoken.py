"""The ledger of a spoken reply: what was heard after so many milliseconds, and when each word sounds."""

from __future__ import annotations

import pytest

from realtime.core.messages import WordTime
from realtime.core.spoken import SpokenPart


def timed(spoken: str, *words: tuple[str, float, float]) -> list[WordTime]:
    """Word times by the words themselves, found one after the other."""
    times, place = [], 0
    for word, start_ms, end_ms in words:
        begin = spoken.index(word, place)
        place = begin + len(word)
        times.append(WordTime(begin, place, start_ms, end_ms))
    return times


def say(
    part: SpokenPart, index: int, text: str, ms: float, *words: tuple[str, float, float], finish=True
) -> None:
    part.begin_chunk(index, text)
    part.add_audio(index, ms)
    if words:
        part.set_words(index, timed(text, *words))
    if finish:
        part.finish_chunk(index)


def one(text: str, ms: float, *words: tuple[str, float, float], finish=True) -> SpokenPart:
    part = SpokenPart()
    say(part, 0, text, ms, *words, finish=finish)
    return part


NOON = ("It ", 40, 190), ("is", 190, 310), ("noon", 310, 820)


# -- what was heard, by the voice's own times -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [(-5, ""), (0, ""), (114, ""), (115, "It"), (249, "It"), (250, "It is"), (564, "It is"), (565, "It is noon."),
     (900, "It is noon."), (10_000, "It is noon.")],
)  # fmt: skip
def test_a_word_counts_from_its_midpoint(played_ms, heard):
    assert one("It is noon.", 900, *NOON).heard(played_ms) == heard


def test_punctuation_goes_with_its_word():
    part = one(
        'Well, the "old" (town) !', 2000,
        ("Well", 0, 400), ("the", 400, 600), ("old", 600, 1000), ("town", 1000, 1600),
    )  # fmt: skip
    kept = [part.heard(ms) for ms in (300, 550, 850, 1400)]
    assert kept == ["Well,", "Well, the", 'Well, the "old"', 'Well, the "old" (town) !']


def test_marks_that_are_not_spoken_are_heard_with_the_next_word_and_at_the_end_with_the_last():
    part = one("Hi 😀 there ☀️", 1000, ("Hi", 0, 300), ("there", 300, 800))
    assert [part.heard(ms) for ms in (200, 600)] == ["Hi", "Hi 😀 there ☀️"]


def test_han_characters_count_each_for_itself():
    part = one("今天好。", 1000, ("今", 0, 200), ("天", 200, 400), ("好", 400, 900))
    assert [part.heard(ms) for ms in (99, 100, 300, 650)] == ["", "今", "今天", "今天好。"]


def test_a_time_for_several_characters_keeps_them_together():
    part = one("今天好", 1000, ("今天", 0, 400), ("好", 400, 900))
    assert [part.heard(ms) for ms in (100, 200)] == ["", "今天"]


def test_times_inside_a_word_do_not_split_it():
    """A voice may report syllables, or a name and its ending; history keeps words."""
    part = one("don't panic", 1000, ("don", 0, 200), ("'t", 200, 300), ("pan", 300, 500), ("ic", 500, 700))
    assert [part.heard(ms) for ms in (149, 150, 499, 500)] == ["", "don't", "don't", "don't panic"]


@pytest.mark.parametrize(
    ("number", "heard"),
    [
        ("138-2256-7788", ["", "138-", "138-2256-", "138-2256-7788"]),
        ("13822567788", ["", "138", "1382256", "13822567788"]),
        ("www.minimaxi.com/docs", ["", "www.minimaxi.", "www.minimaxi.", "www.minimaxi.com/docs"]),
        ("support@minimaxi.cn", ["", "support@", "support@minimaxi.", "support@minimaxi.cn"]),
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_long_number_or_address_is_heard_group_by_group(number: str, heard: list[str], known: bool):
    """It sounds for seconds, and a voice has one time for all of it."""
    part = one(number, 4400, *([(number, 0, 4400)] if known else []))
    assert [part.heard(ms) for ms in (300, 1800, 2800, 4300)] == heard
    assert "".join(word.text for word in part.new_words(final=True)) == number


@pytest.mark.parametrize(
    "text", ["10-20", "3.14", "1,411,780,000", "2:30-3:30", "well-known", "and/or", "v2.0.1", "12345678"]
)
def test_ordinary_words_and_numbers_stay_whole(text: str):
    part = one(text, 1000, (text, 0, 1000))
    assert [part.heard(ms) for ms in (499, 500)] == ["", text]


def test_the_groups_of_a_number_that_may_still_grow_are_not_told():
    part = one("138-2256-7788", 2000, ("138-2256-7788", 0, 2000), finish=False)
    assert part.new_words() == []
    assert part.heard(900) == "138-"


def test_the_path_of_an_address_that_is_not_said_is_heard_with_its_host():
    text, spoken = "See www.a.com/x/yz now", "See a.com now"
    offsets = [0, 1, 2, 3, 8, 9, 10, 11, 12, 18, 19, 20, 21, 22]
    part = SpokenPart()
    part.begin_chunk(0, text, spoken, offsets)
    part.add_audio(0, 1800)
    part.set_words(0, timed(spoken, ("See", 0, 300), ("a.com", 300, 1500), ("now", 1500, 1800)))
    part.finish_chunk(0)
    assert [part.heard(ms) for ms in (150, 1300, 1700)] == ["See", "See www.a.com/x/yz", text]


def test_the_text_is_kept_as_written_where_something_else_was_spoken():
    """`3 km` is said as three kilometers; history has what the transcript has."""
    text, spoken = "Go 3 km.", "Go three kilometers."
    offsets = [0, 1, 2, *[3] * 5, 4, *[5] * 10, 7, 8]
    part = SpokenPart()
    part.begin_chunk(0, text, spoken, offsets)
    part.add_audio(0, 2000)
    part.set_words(0, timed(spoken, ("Go", 0, 300), ("three", 300, 700), ("kilometers", 700, 1700)))
    part.finish_chunk(0)
    assert [part.heard(ms) for ms in (150, 500, 1200)] == ["Go", "Go 3", "Go 3 km."]


def test_text_that_was_left_out_of_the_speech_is_heard_with_what_follows_it():
    text, spoken = "See [map](http://x.y) now", "See map now"
    offsets = [0, 1, 2, 3, 5, 6, 7, 21, 22, 23, 24, 25]
    part = SpokenPart()
    part.begin_chunk(0, text, spoken, offsets)
    part.add_audio(0, 900)
    part.set_words(0, timed(spoken, ("See", 0, 300), ("map", 300, 600), ("now", 600, 900)))
    part.finish_chunk(0)
    assert [part.heard(ms) for ms in (150, 450, 750)] == ["See", "See [map](http://x.y)", text]


def test_chunks_follow_each_other_in_the_parts_own_time():
    part = one("It is noon. ", 1000, *NOON)
    say(part, 1, "Time to eat.", 800, ("Time", 0, 200), ("to", 200, 300), ("eat", 300, 700))
    assert (part.text, part.audio_ms) == ("It is noon. Time to eat.", 1800)
    assert [part.heard(ms) for ms in (999, 1099, 1100, 1250, 1800)] == [
        "It is noon.", "It is noon.", "It is noon. Time", "It is noon. Time to", "It is noon. Time to eat.",
    ]  # fmt: skip


# -- where it goes on when the sound breaks off -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrived_ms", "ms", "whole"),
    [(0, 0, ""), (189, 0, ""), (190, 190, "It"), (309, 190, "It"), (310, 310, "It is"), (819, 310, "It is"),
     (820, 820, "It is noon."), (900, 900, "It is noon."), (10_000, 900, "It is noon.")],
)  # fmt: skip
def test_a_word_that_lacks_its_end_is_not_whole(arrived_ms, ms, whole):
    part = one("It is noon.", 900, *NOON)
    assert part.last_whole_ms(arrived_ms) == ms
    assert part.heard(ms) == whole


def test_ends_of_words_are_whole_milliseconds_as_a_player_counts_them():
    part = one("It is noon.", 900, ("It ", 40, 190.6), ("is", 190.6, 310.2), ("noon", 310.2, 820))
    assert [part.last_whole_ms(ms) for ms in (189, 190, 309, 310)] == [0, 190, 190, 310]


def test_a_word_whose_end_may_still_change_is_not_whole():
    """Times come with the sound and grow with it: what follows the last one has not been said."""
    part = one("It is noon in Oslo.", 320, ("It", 40, 190), ("is", 190, 310), finish=False)
    assert part.last_whole_ms(320) == 190
    part.add_audio(0, 600)
    part.set_words(0, timed("It is noon in Oslo.", ("It", 40, 190), ("is", 190, 330), ("noon", 330, 900)))
    assert [part.last_whole_ms(ms) for ms in (329, 330, 920)] == [190, 330, 330]
    part.finish_chunk(0)
    assert part.last_whole_ms(920) == 920


def test_without_times_a_word_ends_where_the_next_one_begins():
    part = one("abcd efgh ijkl mnop", 1600)
    assert [part.last_whole_ms(ms) for ms in (399, 400, 1199, 1200, 1599, 1600)] == [
        0, 400, 800, 1200, 1200, 1600,
    ]  # fmt: skip


def test_without_times_the_last_word_is_not_whole_before_its_sound_has_ended():
    """A voice that is slower than the estimate has more to come, though all its words should be over."""
    part = one("abcd efgh ijkl mnop", 2000, finish=False)
    assert part.last_whole_ms(2000) == 1500
    part.finish_chunk(0)
    assert part.last_whole_ms(2000) == 2000


def test_where_only_middles_are_known_a_word_has_ended_before_the_next_one_is_heard():
    """As in the record of an older server. The end of a chunk is exact."""
    part = one("It is noon. ", 900, *NOON)
    say(part, 1, "Time to eat.", 800, ("Time", 0, 200), ("to", 200, 300), ("eat", 300, 700))
    older = SpokenPart.restored(*part.measured()[:5])
    for ms, whole in ((565, "It is"), (898, "It is"), (900, "It is noon."), (1160, "It is noon. Time"),
                      (1700, part.text)):  # fmt: skip
        assert older.heard(older.last_whole_ms(ms)) == whole


def test_word_times_may_come_after_the_audio():
    part = one("It is noon.", 900, finish=False)
    part.set_words(0, timed("It is noon.", *NOON))
    part.finish_chunk(0)
    assert part.heard(250) == "It is"


def test_newer_word_times_replace_older_ones():
    part = one("It is noon.", 900, ("It", 0, 800), finish=False)
    part.set_words(0, timed("It is noon.", *NOON))
    assert part.heard(250) == "It is"


# -- what was heard, where no times are known -------------------------------------------------------------------------


def test_without_times_the_text_is_shared_out_evenly_inside_the_chunk():
    part = one("abcd efgh ijkl mnop", 1600)
    assert [part.heard(ms) for ms in (199, 200, 600, 999, 1000, 1400)] == [
        "", "abcd", "abcd efgh", "abcd efgh", "abcd efgh ijkl", "abcd efgh ijkl mnop",
    ]  # fmt: skip


def test_proportion_never_crosses_into_another_chunk():
    """A slow first chunk does not lend its time to the second."""
    part = one("aaaa ", 5000)
    say(part, 1, "bbbb cccc", 500)
    assert part.heard(4999) == "aaaa"
    assert part.heard(5000) == "aaaa"
    assert part.heard(5125) == "aaaa bbbb"
    assert part.heard(5500) == "aaaa bbbb cccc"


def test_han_text_without_times_is_cut_between_characters():
    part = one("今天天气", 800)
    assert [part.heard(ms) for ms in (99, 100, 300, 500, 700)] == ["", "今", "今天", "今天天", "今天天气"]


def test_an_unfinished_chunks_is_not_squeezed_into_the_audio_so_far():
    """A hundred milliseconds of a long sentence are its first word at most, not all of it."""
    part = one("one two three four five six seven eight nine ten", 300, finish=False)
    assert part.heard(300) in ("one", "one two")


def test_the_pace_of_earlier_chunks_is_that_of_an_unfinished_one():
    slow, fast = one("abcd efgh ", 8000), one("abcd efgh ", 400)
    for part in (slow, fast):
        part.begin_chunk(1, "abcd efgh")
        part.add_audio(1, 400)
    assert slow.heard(8400) == "abcd efgh"
    assert fast.heard(800) == "abcd efgh abcd efgh"


def test_a_chunks_is_whole_once_a_later_one_sounds():
    part = one("abcd efgh ijkl ", 400, finish=False)
    part.begin_chunk(1, "mnop")
    assert part.heard(400) == "abcd efgh"
    part.add_audio(1, 100)
    assert part.heard(400) == "abcd efgh ijkl"


def test_a_part_cut_in_the_middle_keeps_estimating_the_chunks_that_broke_off():
    part = one("one two three four five six seven eight nine ten", 300, finish=False)
    before = part.heard(300)
    part.close()
    assert part.heard(300) == before
    assert part.closed


def test_a_chunks_without_sound_is_heard_with_what_precedes_it():
    part = one("Hi there. ", 500)
    say(part, 1, "😀", 0)
    assert part.heard(499) != part.text
    assert part.heard(500) == "Hi there. 😀"


def test_nothing_played_is_nothing_heard():
    assert one("😀", 0).heard(0) == ""
    assert SpokenPart().heard(500) == ""


def test_a_player_that_counts_whole_milliseconds_still_hears_the_end():
    assert one("Hi 😀", 500.9).heard(500) == "Hi 😀"


# -- closing ----------------------------------------------------------------------------------------------------------


def test_a_closed_part_still_knows_what_was_heard_and_takes_nothing_more():
    part = one("It is noon.", 900, *NOON)
    before = [part.heard(ms) for ms in range(0, 1000, 10)]
    part.close()
    part.add_audio(0, 500)
    part.set_words(0, [])
    part.finish_chunk(0)
    assert [part.heard(ms) for ms in range(0, 1000, 10)] == before
    assert (part.text, part.audio_ms) == ("It is noon.", 900)
    with pytest.raises(ValueError, match="cannot begin"):
        part.begin_chunk(1, "More.")


def test_chunks_begin_in_order():
    part = SpokenPart()
    with pytest.raises(ValueError, match="cannot begin"):
        part.begin_chunk(1, "Hi")


def test_its_repr_shows_no_text():
    part = one("secret", 500)
    assert repr(part) == "<SpokenPart 6 characters, 500 ms>"
    part.close()
    assert repr(part) == "<SpokenPart 6 characters, 500 ms, closed>"


# -- words ------------------------------------------------------------------------------------------------------------


def test_words_are_told_with_their_spaces_and_times():
    part = one("It is noon.", 900, *NOON)
    words = [(word.text, word.start_ms, word.end_ms, word.aligned) for word in part.new_words()]
    assert words == [("It ", 40, 190, True), ("is ", 190, 310, True), ("noon.", 310, 820, True)]
    assert part.new_words() == []


def test_words_of_a_later_chunks_start_where_the_earlier_one_ended():
    part = one("It is noon. ", 1000, *NOON)
    say(part, 1, "Eat.", 500, ("Eat", 20, 300))
    assert [(word.text, word.start_ms) for word in part.new_words()][-1] == ("Eat.", 1020)


def test_the_last_known_word_waits_until_it_is_settled():
    part = one("It is noon.", 400, ("It", 40, 190), ("is", 190, 310), finish=False)
    assert [word.text for word in part.new_words()] == ["It "]
    part.set_words(0, timed("It is noon.", *NOON))
    assert [word.text for word in part.new_words()] == ["is "]
    part.finish_chunk(0)
    assert [word.text for word in part.new_words()] == ["noon."]


def test_later_chunks_wait_for_earlier_ones():
    part = SpokenPart()
    part.begin_chunk(0, "It is noon. ")
    part.begin_chunk(1, "Eat.")
    part.set_words(1, timed("Eat.", ("Eat", 0, 300)))
    assert part.new_words() == []


def test_words_without_times_are_estimates_told_at_the_end_of_their_chunk():
    part = one("abcd efgh", 800, finish=False)
    assert part.new_words() == []
    part.finish_chunk(0)
    words = [(word.text, word.start_ms, word.end_ms, word.aligned) for word in part.new_words()]
    assert words == [("abcd ", 0, 400, False), ("efgh", 400, 800, False)]


def test_the_rest_of_a_half_timed_chunks_is_estimated():
    part = one("abcd efgh ijkl", 1000, ("abcd", 0, 200))
    words = [(word.text, word.start_ms, word.end_ms, word.aligned) for word in part.new_words()]
    assert words == [("abcd ", 0, 200, True), ("efgh ", 200, 600, False), ("ijkl", 600, 1000, False)]


def test_at_the_end_of_a_cut_part_all_that_was_sent_as_text_is_told():
    part = one("It is noon. ", 300, ("It", 40, 190), finish=False)
    part.begin_chunk(1, "Eat.")
    told = part.new_words() + part.new_words(final=True)
    assert "".join(word.text for word in told) == part.text == "It is noon. Eat."


@pytest.mark.parametrize("words", [(), (("It ", 40, 190), ("is", 190, 310), ("noon", 310, 930))])
def test_no_word_is_told_to_end_after_the_sound(words):
    """A player counts whole milliseconds, and a voice rounds its times: the last word would never be heard to its end."""
    part = one("It is noon.", 900.7, *words)
    assert part.new_words()[-1].end_ms == 900
    say(part, 1, " Eat.", 300.4, *[(" Eat", 20, 5000)] if words else ())
    eat = part.new_words()[-1]
    assert 901 <= eat.start_ms + (not words) <= eat.end_ms == 1201


def test_a_word_that_begins_after_the_sound_ends_with_it():
    part = one("It is noon.", 300, *NOON)
    assert [(word.start_ms, word.end_ms) for word in part.new_words()] == [(40, 190), (190, 300), (300, 300)]


def test_what_has_no_sound_yet_keeps_its_time():
    """Of a part that broke off: nobody hears it."""
    part = one("It is noon.", 300, *NOON, finish=False)
    assert part.new_words(final=True)[-1].end_ms == 820
