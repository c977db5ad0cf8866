"""When a turn is over: a probability from text, doubts and sound, and the silence that it asks for."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core import turn_end
from realtime.core.endpointing import FADE_MS, FADED_MS, FRAME_MS
from realtime.core.turn_end import (
    AGREED_MS,
    CURVE,
    FACTOR,
    LEAST_ANEW_MS,
    MOST_ALONE,
    MOST_QUESTIONS,
    MOST_UNLIKELY,
    STRETCH_MS,
    EarlyAnswer,
    Evidence,
    probability_over,
    silence_ms,
    waits,
    worth_asking,
    worth_asking_in_pause,
)

EAGERNESS = ["low", "medium", "high", "auto"]
DONE = Evidence("What time is it?", last_word=0.98, stop=0.9)
TEXTS = (None, "", "Done.", "Done", "and", "好的。", "我很好", "因为")
doubts = st.none() | st.floats(0, 1)


def test_a_whole_sentence_that_nobody_doubts_ends_the_turn_soonest():
    assert silence_ms(DONE, "auto") <= 400
    assert silence_ms(Evidence("and"), "auto") >= 1_200


@pytest.mark.parametrize(
    "open_",
    [
        Evidence("It was my report.", last_word=0.98, stop=0.45),  # the transcriber doubts the full stop
        Evidence("predecessors of the troop.", last_word=0.27, stop=0.72),  # ... or the last word
        Evidence("It was the.", last_word=0.98, stop=0.9),
        Evidence("I think, um.", last_word=0.98, stop=0.9),
        Evidence("My number is five, five, two.", last_word=0.98, stop=0.9),
        Evidence("I need eggs, milk, tea.", last_word=0.98, stop=0.9),
        Evidence("My number is 079.", last_word=0.98, stop=0.72),
        Evidence("It is spelled S-M-I.", last_word=0.98, stop=0.9),
        Evidence("138-2256。", last_word=0.98, stop=0.9),
        Evidence("等一下", last_word=0.94, acoustic=0.9),  # to have time
        Evidence("It was my reports from the north", last_word=0.98),
    ],
)
def test_what_may_go_on_has_more_time_than_most_hesitations_take(open_):
    assert probability_over(open_) < 0.5
    assert silence_ms(open_, "auto") > 800


@pytest.mark.parametrize(
    "text", ["My phone number is 138.", "My number is 138, 2256.", "My PIN is 47,", "我的电话是一三八"]
)
def test_between_the_groups_of_a_number_are_900_ms_however_sure_everybody_is(text):
    assert silence_ms(Evidence(text, last_word=1.0, stop=1.0, acoustic=1.0), "auto") >= 900


def test_a_word_that_ends_few_sentences_ends_one_where_the_stop_is_sure():
    for text in ("Turn it on.", "I like that.", "That is what I am looking for."):
        sure, unsure, untold = (Evidence(text, 0.95, stop) for stop in (0.9, 0.45, None))
        assert (
            silence_ms(sure, "auto") < 500 < 1_000 < silence_ms(untold, "auto") < silence_ms(unsure, "auto")
        )
        assert worth_asking(sure, same_ms=0)
        assert not worth_asking(untold, same_ms=AGREED_MS)


@pytest.mark.parametrize(
    "text", ["好的", "不要", "是的", "没有", "yes", "no", "stop", "okay", "нет", "三点", "五十块"]
)
def test_a_short_answer_without_a_mark_is_hardly_slower_than_one_with_it(text):
    assert 400 < silence_ms(Evidence(text, 0.85, None, 0.8), "auto") <= 600
    assert silence_ms(Evidence(text), "auto") <= 600


@pytest.mark.parametrize(
    ("text", "word", "stop"),
    [("No.", 0.53, 0.37), ("Stop.", 0.44, 0.45), ("Yes.", 0.69, 0.56), ("3 o'clock.", 0.36, 0.43)],
)
def test_the_doubts_about_a_short_answer_do_not_hold_its_turn(text, word, stop):
    assert 400 < silence_ms(Evidence(text, word, stop, 0.87), "auto") <= 600
    assert silence_ms(Evidence(text, 0.98, 0.95), "auto") <= 400, "sure doubts shorten it as ever"
    assert silence_ms(Evidence("Wait.", word, stop, 0.87), "auto") > 800, "people go on"


ASKED = (
    ("Where are you going?", "The library|To my sister's|Home"),
    ("What would you like to drink?", "Apple juice|Tea"),
    ("你想吃什么？", "饺子|甜的|两碗米饭"),
    ("什么时候？", "后天上午|周三"),
    ("What's your name?", "Susan|Tom Baker"),
    ("Is that all?", "yes|no thanks"),
)


@given(
    st.sampled_from([(question, text) for question, texts in ASKED for text in texts.split("|")]),
    st.floats(0, 1),
    doubts,
    doubts,
)
def test_a_mark_never_makes_an_answer_slower(asked, stop, word, sound):
    question, text = asked
    bare = Evidence(text, word, None, sound, before=question)
    mark = "." if text.isascii() else "。"
    marked = replace(bare, text=text + mark, stop=stop)
    assert silence_ms(marked, "auto") <= silence_ms(bare, "auto")


def test_a_sweet_one_with_a_doubted_mark_is_no_slower_than_without():
    bare = Evidence("甜的", before="你想吃什么？")
    assert silence_ms(replace(bare, text="甜的。", stop=0.0), "auto") <= silence_ms(bare, "auto")


def test_the_unmarked_text_is_judged_only_where_that_may_change_something(monkeypatch):
    judged = []
    judge = turn_end.judge
    monkeypatch.setattr(turn_end, "judge", lambda text, before: judged.append(text) or judge(text, before))
    asked = Evidence(before="What would you like to drink?")
    silence_ms(replace(asked, text="Water.", last_word=0.9, stop=0.9), "auto")
    silence_ms(replace(asked, text=f"{'Some water and ' * 4}tea.", last_word=0.9, stop=0.1), "auto")
    assert len(judged) == 2, "no doubt, and too long for an answer"
    silence_ms(replace(asked, text="Water.", last_word=0.9, stop=0.1), "auto")
    assert judged[2:] == ["Water.", "Water"]


def test_a_doubted_mark_after_no_question_is_doubted_as_ever():
    doubted = Evidence("Water.", 0.85, 0.4, 0.6)
    assert silence_ms(doubted, "auto") > 1_200
    assert silence_ms(replace(doubted, before="What would you like?"), "auto") < 900
    trails_off = replace(doubted, text="Water..", before="What would you like?")
    assert silence_ms(trails_off, "auto") > 1_200, "two dots are no full stop"


def test_who_hesitates_again_and_again_has_a_question_left_for_the_end():
    for text in ("and then I saw number 3 and", "It was the.", "So I thought..."):
        unfinished = Evidence(text, 0.9, 0.9)
        assert worth_asking_in_pause(unfinished, unlikely=MOST_UNLIKELY - 1), "it may be all there is"
        assert not worth_asking_in_pause(unfinished, unlikely=MOST_UNLIKELY)
    assert worth_asking_in_pause(DONE, unlikely=MOST_UNLIKELY)
    assert MOST_UNLIKELY + MOST_ALONE < MOST_QUESTIONS


def test_a_transcriber_without_doubts_is_believed():
    assert silence_ms(Evidence("What time is it?"), "auto") < 650
    assert (
        probability_over(Evidence("Done.")) > probability_over(Evidence()) > probability_over(Evidence("and"))
    )


def test_the_sound_counts_less_in_chinese():
    """The model calls nearly all Chinese over."""

    def change(text: str) -> float:
        return probability_over(Evidence(text, acoustic=0.99)) - probability_over(
            Evidence(text, acoustic=0.01)
        )

    assert change("It is fine.") > change("今天天气很好。") > 0


@given(
    st.sampled_from(TEXTS), doubts, doubts, doubts, st.sampled_from(EAGERNESS), st.sampled_from(EarlyAnswer)
)
def test_every_silence_is_between_the_ends_of_the_curve(text, word, stop, sound, eagerness, answer):
    wait_ms = silence_ms(Evidence(text, word, stop, sound), eagerness, answer)
    assert CURVE[-1][1] * FACTOR[eagerness] <= wait_ms + 1
    assert wait_ms <= CURVE[0][1] * FACTOR[eagerness] + STRETCH_MS


@given(
    st.sampled_from(TEXTS),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["last_word", "stop", "acoustic"]),
)
def test_more_doubt_never_means_a_shorter_silence(text, one, other, what):
    waits = [silence_ms(Evidence(text, **{what: value}), "auto") for value in sorted((one, other))]
    assert waits[0] >= waits[1]


def test_eagerness_moves_along_one_curve():
    for text, answer in itertools.product(TEXTS, EarlyAnswer):
        known = Evidence(text)
        high, auto, low = (silence_ms(known, eagerness, answer) for eagerness in ("high", "auto", "low"))
        assert high < auto < low
        assert auto == silence_ms(known, "medium", answer)


def test_the_wait_stretches_only_while_an_answer_is_made():
    needed_ms = [silence_ms(DONE, "auto", answer) for answer in EarlyAnswer]
    assert needed_ms == [needed_ms[0], needed_ms[0] + STRETCH_MS, needed_ms[0]]


@given(st.sampled_from(TEXTS), st.floats(0, 10_000), st.sampled_from(EAGERNESS), st.sampled_from(EarlyAnswer))
def test_a_turn_is_likely_over_before_it_is(text, silent_ms, eagerness, answer):
    """The voice needs that time for the first sound; but a closure inside a word is no silence."""
    known = Evidence(text, silent_ms=silent_ms)
    assert (
        FADED_MS
        < waits(known, eagerness).likely_over_ms
        < silence_ms(known, eagerness, answer) - 2 * FRAME_MS
    )


def test_what_is_likely_whole_is_likely_over_after_a_fifth_of_a_second():
    assert waits(DONE, "auto").likely_over_ms == pytest.approx(220, abs=20)
    assert waits(Evidence("I want to"), "auto").likely_over_ms > 500


def test_a_silence_that_is_just_known_never_ends_a_turn():
    """The detector follows the energy so late that the first frame of a silence may know of that much."""
    assert LEAST_ANEW_MS > FADE_MS + FRAME_MS


def test_silences_without_a_new_word_between_them_add_up():
    """Voices behind break every silence of a turn; what they say is not heard as words."""
    base_ms = silence_ms(DONE, "auto")
    assert silence_ms(replace(DONE, silent_ms=100), "auto") == base_ms - 100
    assert silence_ms(replace(DONE, silent_ms=4_000), "auto") == LEAST_ANEW_MS
    making_ms = silence_ms(replace(DONE, silent_ms=100), "auto", EarlyAnswer.IN_THE_MAKING)
    assert making_ms == base_ms + STRETCH_MS - 100


@given(st.sampled_from(TEXTS), st.floats(0, 10_000), st.sampled_from(EAGERNESS), st.sampled_from(EarlyAnswer))
def test_some_silence_is_always_heard(text, silent_ms, eagerness, answer):
    wait_ms = silence_ms(Evidence(text, silent_ms=silent_ms), eagerness, answer)
    assert LEAST_ANEW_MS <= wait_ms <= silence_ms(Evidence(text), eagerness, answer)


@pytest.mark.parametrize(
    ("known", "alone", "agreed"),
    [
        (DONE, True, True),
        (Evidence("What time is it?", last_word=0.9, stop=0.7), False, True),
        (Evidence("What time is it?", last_word=0.3, stop=0.2), False, False),
        (Evidence("What time is", last_word=0.98), False, False),
    ],
)
def test_a_question_is_worth_it_sooner_where_two_decodes_agree(known, alone, agreed):
    assert (worth_asking(known, same_ms=0), worth_asking(known, same_ms=1)) == (alone, agreed)
    assert worth_asking(known, same_ms=0, asked=MOST_ALONE - 1) == alone
    assert not worth_asking(known, same_ms=0, asked=MOST_ALONE), "questions are left for the end"
    assert not worth_asking(known, same_ms=AGREED_MS - 1, asked=MOST_ALONE), "of nearly the same sound"
    assert worth_asking(known, same_ms=AGREED_MS, asked=MOST_ALONE) == agreed
