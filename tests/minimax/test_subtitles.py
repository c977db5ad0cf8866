"""Word times on the text that was sent, although the platform's offsets can be wrong."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import WordTime
from realtime.minimax.subtitles import SubtitleTrack, split_words


def timed(*words: tuple[str, int, int, float, float], begin: int = 0) -> dict[str, Any]:
    return {
        "text_begin": begin,
        "timestamped_words": [
            {"word": word, "word_begin": b, "word_end": e, "time_begin": s, "time_end": t}
            for word, b, e, s, t in words
        ],
    }


def spoken(text: str, words: tuple[WordTime, ...]) -> list[str]:
    return [text[word.begin : word.end] for word in words]


def test_true_offsets_are_kept() -> None:
    track = SubtitleTrack("你好世界")
    assert track.feed(timed(("你好", 0, 2, 0, 400), ("世界", 2, 4, 400, 812.5)))
    assert track.words() == (WordTime(0, 2, 0.0, 400.0), WordTime(2, 4, 400.0, 812.5))


def test_a_newer_subtitle_replaces_its_segment_and_a_new_segment_is_added() -> None:
    text = "Hello there. Bye."
    track = SubtitleTrack(text)
    track.feed(timed(("Hello", 0, 5, 0, 300)))
    track.feed(timed(("Hello", 0, 5, 0, 310), ("there", 6, 11, 310, 600)))
    track.feed(timed(("Bye", 13, 16, 900, 1200), begin=13))
    assert spoken(text, track.words()) == ["Hello", "there", "Bye"]
    assert track.words()[0].end_ms == 310


def test_parts_of_a_word_become_one() -> None:
    text = "Ask Claude now"
    track = SubtitleTrack(text)
    track.feed(
        timed(
            ("Ask", 0, 3, 0, 100),
            ("C", 4, 10, 100, 150),
            ("la", 4, 10, 150, 250),
            ("ude", 4, 10, 250, 400),
            ("now", 11, 14, 400, 600),
        )
    )
    assert track.words() == (WordTime(0, 3, 0, 100), WordTime(4, 10, 100, 400), WordTime(11, 14, 400, 600))


def test_blanks_are_no_words() -> None:
    track = SubtitleTrack("a b")
    track.feed(
        timed(("a", 0, 1, 0, 100), ("[SPACE]", 1, 2, 100, 110), ("b", 2, 3, 110, 200), (" ", 3, 3, 200, 201))
    )
    assert len(track.words()) == 2


def test_drift_after_a_pause_mark_is_repaired() -> None:
    text = "Well <#0.5#> the cat and the dog"
    plain = "Well  the cat and the dog"
    words, at = [], 0
    for word in plain.split():
        at = plain.index(word, at)
        words.append((word, at, at + len(word), at * 50.0, (at + len(word)) * 50.0))
        at += len(word)
    track = SubtitleTrack(text)
    track.feed(timed(*words))
    assert spoken(text, track.words()) == ["Well", "the", "cat", "and", "the", "dog"]
    assert [word.begin for word in track.words()] == [0, 13, 17, 21, 25, 29]


def test_a_number_spoken_as_words_keeps_its_place() -> None:
    text = "I have 42 cats"
    track = SubtitleTrack(text)
    track.feed(
        timed(
            ("I", 0, 1, 0, 100),
            ("have", 2, 6, 100, 300),
            ("forty", 7, 9, 300, 500),
            ("two", 7, 9, 500, 700),
            ("cats", 10, 14, 700, 999),
        )
    )
    assert spoken(text, track.words()) == ["I", "have", "42", "cats"]


def test_the_time_of_a_sentence_without_words_is_divided_by_characters() -> None:
    text = "One two"
    track = SubtitleTrack(text)
    track.feed(
        {"text": text, "text_begin": 0, "time_begin": 0.0, "time_end": 700.0, "timestamped_words": None}
    )
    assert track.words() == (WordTime(0, 3, 0, 300), WordTime(4, 7, 400, 700))


def test_segments_that_count_from_zero_are_shifted() -> None:
    track = SubtitleTrack("One. Two.")
    track.feed(timed(("One", 0, 3, 0, 500)))
    track.feed(timed(("Two", 5, 8, 0, 400), begin=5))
    assert track.words()[1] == WordTime(5, 8, 500, 900)


def test_a_new_run_starts_at_its_given_time() -> None:
    track = SubtitleTrack("One. Two.")
    track.feed(timed(("One", 0, 3, 0, 500)))
    track.next_run(700)
    track.feed(timed(("Two", 0, 3, 10, 400)))
    assert track.words()[1] == WordTime(5, 8, 710, 1100)


def test_malformed_subtitles_are_ignored() -> None:
    track = SubtitleTrack("x")
    for subtitle in (None, "", 3, {}, [], [None], {"timestamped_words": [None, {}]}):
        assert not track.feed(subtitle)
    assert track.words() == ()


Entries = st.lists(
    st.tuples(
        st.text("ab c你", max_size=4),
        st.integers(-5, 40),
        st.integers(-5, 40),
        st.floats(-10, 5000),
        st.floats(-10, 5000),
    ),
    max_size=8,
)


@given(st.text("ab c你 <#0.5#>", max_size=30), st.lists(st.tuples(st.integers(0, 20), Entries), max_size=4))
def test_words_never_overlap_and_times_never_decrease(
    text: str, segments: list[tuple[int, list[tuple[str, int, int, float, float]]]]
) -> None:
    track = SubtitleTrack(text)
    for begin, entries in segments:
        track.feed(timed(*entries, begin=begin))
    at, clock_ms = 0, 0.0
    for word in track.words():
        assert at <= word.begin < word.end <= len(text)
        assert clock_ms <= word.start_ms <= word.end_ms
        at, clock_ms = word.end, word.end_ms


def test_words_of_scripts_without_blanks_are_characters() -> None:
    assert split_words("hi 你好 yo") == [(0, "hi"), (3, "你"), (4, "好"), (6, "yo")]
