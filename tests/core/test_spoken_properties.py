"""What holds for all that a voice can say: what was heard grows, and ends with everything."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.messages import WordTime
from realtime.core.spoken import SpokenPart
from realtime.core.wordbreak import atoms

WORDS = ["a", "don't", "Oslo,", "well-known", "(yes)", "3.14", "e\u0301te\u0301", "😀", "👩‍👩‍👧", "🇳🇴🇸🇪", "👍🏽", "中文", "好。",
         "「はい」", "안녕", "—", "...", "138-2256-7788", "http://x.y/z?a=1"]  # fmt: skip


@dataclass(frozen=True)
class Spec:
    """One chunk as it may arrive: `words` are pairs of atom index and length in milliseconds."""

    text: str
    ms: float
    durations: list[int] | None
    finished: bool


specs = st.lists(
    st.builds(
        Spec,
        text=st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(
            lambda words: " ".join(words) + " "
        ),
        ms=st.floats(0, 3000),
        durations=st.none() | st.lists(st.integers(0, 500), min_size=12, max_size=12),
        finished=st.just(True),
    ),
    max_size=4,
)


def build(chunks: list[Spec]) -> SpokenPart:
    part = SpokenPart()
    for index, chunk in enumerate(chunks):
        part.begin_chunk(index, chunk.text)
        part.add_audio(index, chunk.ms)
        if chunk.durations is not None:
            times, begin, clock = [], 0, 0
            for end, ms in zip(atoms(chunk.text), chunk.durations, strict=False):
                times.append(WordTime(begin, end, clock, clock + ms))
                begin, clock = end, clock + ms
            part.set_words(index, times)
        if chunk.finished:
            part.finish_chunk(index)
    return part


moments = st.floats(-10, 15_000)


@given(specs, st.lists(moments, max_size=10), st.booleans())
def test_what_was_heard_only_grows_with_time(chunks, played, closed):
    """heard is a prefix of the text, later is never less, and it never ends in the middle of a word, but of a long number or an address."""
    part = build(chunks)
    if closed:
        part.close()
    words, before = part.text.split(), ""
    for ms in sorted(played):
        heard = part.heard(ms)
        assert part.text.startswith(heard)
        assert heard.startswith(before)
        before = heard
        if not heard or not part.text[len(heard) :].strip():
            continue
        after = part.text[len(heard)]
        assert not unicodedata.category(after).startswith("M")
        assert "\u200d" not in (heard[-1], after)
        last = heard.split()[-1]
        if last.isascii() and not last.endswith(("-", "/", "x.", "7788")):
            assert heard.split() == words[: len(heard.split())]


# Before words of 10 ms and more: times of old records are whole milliseconds
gaps = st.sampled_from([0, 0, 0, 40, 120])


@given(
    st.lists(st.lists(st.tuples(st.integers(10, 500), gaps), min_size=1, max_size=8), min_size=1, max_size=3),
    st.floats(0, 8000),
    st.booleans(),
    st.booleans(),
)
def test_where_a_sound_breaks_off_no_word_is_lost_and_at_most_one_is_said_again(
    chunks: list[list[tuple[int, int]]], arrived_ms: float, finished: bool, older: bool
):
    """`older`: after the record of a server that wrote the middles of words alone."""
    part, spans, begin_ms = SpokenPart(), [], 0.0
    for index, chunk in enumerate(chunks):
        text, times, clock = "", [], 0
        for ms, gap_ms in chunk:
            times.append(WordTime(len(text), len(text) + 4, clock + gap_ms, clock + gap_ms + ms))
            text, clock = f"{text}word ", clock + gap_ms + ms
        part.begin_chunk(index, text)
        part.add_audio(index, clock)
        part.set_words(index, times)
        if finished or index < len(chunks) - 1:
            part.finish_chunk(index)
        spans += [(begin_ms + time.start_ms, begin_ms + time.end_ms) for time in times]
        begin_ms += clock
    arrived_ms = min(arrived_ms, part.audio_ms)
    if older:
        part = SpokenPart.restored(*part.measured()[:5])
    at_ms = part.last_whole_ms(arrived_ms)
    goes_on_after = len(part.heard(at_ms).split())
    whole = sum(end_ms <= arrived_ms for _, end_ms in spans)
    assert at_ms <= arrived_ms
    assert goes_on_after <= whole, "a word is lost"
    begun = sum(start_ms < arrived_ms for start_ms, _ in spans)
    assert begun - goes_on_after <= (2 if older else 1) or not finished, "more than one word is said again"
    if finished and not older:
        assert goes_on_after == whole


@given(specs, moments)
def test_what_goes_on_after_a_sound_that_broke_off_is_never_less_than_its_middle_says(chunks, arrived_ms):
    """Whatever the times: the words up to there have been heard, and one more at most counts as heard."""
    part = build(chunks)
    at_ms = part.last_whole_ms(arrived_ms)
    assert 0 <= at_ms <= max(0.0, arrived_ms)
    assert part.heard(arrived_ms).startswith(part.heard(at_ms))
    again = SpokenPart.restored(*part.measured())
    assert again.last_whole_ms(arrived_ms) == at_ms


@given(specs, moments, st.lists(moments, max_size=5))
def test_a_part_that_ends_early_is_all_that_was_heard_of_the_whole_one(chunks, until_ms, played):
    part = build(chunks)
    shorter = part.until(until_ms)
    assert (shorter.text, shorter.closed) == (part.heard(until_ms), True)
    assert shorter.audio_ms <= max(0.0, until_ms)
    for ms in played:
        assert shorter.heard(ms) == part.heard(min(ms, until_ms))


@given(specs)
def test_all_that_was_said_is_heard_at_the_end(chunks):
    part = build(chunks)
    if part.audio_ms >= 1:
        assert part.heard(part.audio_ms) == part.text.rstrip()
        assert part.heard(part.last_whole_ms(part.audio_ms)) == part.text.rstrip()
    assert part.heard(0) == ""


@given(specs, moments)
def test_closing_changes_no_answer(chunks, played_ms):
    part = build(chunks)
    before = part.heard(played_ms)
    part.close()
    assert part.heard(played_ms) == before


@given(specs.flatmap(lambda chunks: st.tuples(st.just(chunks), st.integers(0, 4))))
def test_every_word_is_told_once_and_in_order(case):
    """Told chunk by chunk, with some unfinished at the end: the joined text is the transcript."""
    chunks, unfinished = case
    part, told = SpokenPart(), []
    for index, chunk in enumerate(chunks):
        part.begin_chunk(index, chunk.text)
        part.add_audio(index, chunk.ms)
        told += part.new_words()
        if index < len(chunks) - unfinished:
            part.finish_chunk(index)
        told += part.new_words()
    told += part.new_words(final=True)
    assert "".join(word.text for word in told) == part.text
    times = [ms for word in told for ms in (word.start_ms, word.end_ms)]
    assert times == sorted(times)
    if not unfinished:
        assert all(ms <= part.audio_ms for ms in times)


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.integers(-5, 40), max_size=40), st.data())
def test_nonsense_from_a_voice_breaks_nothing(text, spoken, offsets, data):
    """Word times and offsets out of range, out of order, overlapping: still a prefix, still every word once."""
    part = SpokenPart()
    part.begin_chunk(0, text, spoken, offsets)
    part.add_audio(0, 1000)
    place, moment = st.integers(-3, 35), st.floats(-100, 2000)
    part.set_words(0, data.draw(st.lists(st.builds(WordTime, place, place, moment, moment), max_size=6)))
    told = part.new_words()
    part.finish_chunk(0)
    for played_ms in (1, 500, 999):
        assert text.startswith(part.heard(played_ms))
    assert part.heard(1000) == text.rstrip()
    told += part.new_words()
    assert "".join(word.text for word in told) == text


# -- where text may be cut --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("", []),
        ("Hi there.", ["Hi ", "there."]),
        ("  Hi  there ", ["  Hi  ", "there "]),
        ("don't e.g. 3.14 well-known", ["don't ", "e.g. ", "3.14 ", "well-known"]),
        ("他说：“好”。然后", ["他", "说：", "“好”。", "然", "后"]),
        ("我用iPhone，很好", ["我", "用", "iPhone，", "很", "好"]),
        ("これは「本」です。", ["こ", "れ", "は", "「本」", "で", "す。"]),
        ("안녕 세계", ["안녕 ", "세계"]),
        ("e\u0301a 👩‍👩‍👧 👍🏽", ["e\u0301a ", "👩‍👩‍👧 ", "👍🏽"]),
    ],
)
def test_text_is_cut_at_spaces_and_between_han_characters(text, cut):
    ends = atoms(text)
    assert [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)] == cut


@given(st.text())
def test_cuts_rise_and_end_with_the_text(text):
    ends = atoms(text)
    assert ends == sorted(set(ends))
    assert not text or ends[-1] == len(text)
