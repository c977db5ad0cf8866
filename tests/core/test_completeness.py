"""How complete a sentence looks and sounds, and how long a silence must be after it."""

import itertools

import pytest

from realtime.core.completeness import (
    LONGEST_MS,
    WAIT_MS,
    Completeness,
    completeness_of,
    likelihood_of,
    silence_ms,
)

EAGERNESS = ["low", "medium", "high", "auto"]


@pytest.mark.parametrize(
    ("text", "completeness"),
    [
        ("What time is it?", Completeness.COMPLETE),
        ("Stop!", Completeness.COMPLETE),
        ('He said "yes."', Completeness.COMPLETE),
        ("Yes, thank you. ", Completeness.COMPLETE),
        ("今天天气怎么样？", Completeness.COMPLETE),
        ("好的。", Completeness.COMPLETE),
        ("What time is it", Completeness.OPEN),
        ("I would like to.", Completeness.OPEN),  # a full stop of the transcriber, not of the speaker
        ("今天天气很好", Completeness.OPEN),
        ("What are you looking at?", Completeness.COMPLETE),
        ("I would like to", Completeness.INCOMPLETE),
        ("because", Completeness.INCOMPLETE),
        ("First of all,", Completeness.INCOMPLETE),
        ("So I thought...", Completeness.INCOMPLETE),
        ("Well —", Completeness.INCOMPLETE),
        ("我想要", Completeness.INCOMPLETE),
        ("因为，", Completeness.INCOMPLETE),
        ("如果。", Completeness.OPEN),
        ("是的", Completeness.OPEN),
        ("有没有？", Completeness.COMPLETE),
        ("对。", Completeness.COMPLETE),
        ("我没有。", Completeness.COMPLETE),
        ("", Completeness.INCOMPLETE),
        ("   ", Completeness.INCOMPLETE),
    ],
)
def test_how_complete_a_text_looks(text, completeness):
    assert completeness_of(text) is completeness


def test_without_an_acoustic_model_the_text_decides():
    assert [silence_ms(text, "auto") for text in ("Done.", "Done", "and")] == [380, 730, 1580]
    assert silence_ms(None, "auto") == 1155
    assert [silence_ms(text, "high") for text in ("Done.", "Done", "and")] == [330, 530, 1080]


def test_the_bands_of_the_acoustic_model():
    """More than 0.7: 250 to 300 ms; 0.3 to 0.7: about 600; less: 1.2 to 1.5 s of silence of the detector
    (`docs/engines.md` 4), which begins 80 ms after the end of the voice."""
    text = "I would say it is fine"
    assert silence_ms(text, "high", 0.71) == 330
    assert silence_ms(text, "auto", 0.71) == 380
    assert silence_ms(text, "auto", 0.7) == silence_ms(text, "auto", 0.3) == 730
    assert 1280 <= silence_ms(text, "auto", 0.29) <= 1580


def test_a_sentence_that_has_ended_wins_over_a_doubting_model_after_a_while():
    assert 600 < silence_ms("It is fine.", "auto", 0.02) < silence_ms("It is fine", "auto", 0.02)


def test_a_dangling_word_is_not_overruled_by_the_sound():
    assert silence_ms("I would like to", "auto", 0.99) == 730


def test_for_chinese_the_model_shortens_less_and_still_lengthens():
    """It calls nearly all Chinese complete."""
    assert silence_ms("我想要", "auto", 0.99) >= 1200
    assert silence_ms("今天天气很好", "auto", 0.99) > silence_ms("It is fine", "auto", 0.99)
    assert silence_ms("今天天气很好。", "auto", 0.99) == 380
    assert silence_ms("今天天气很好。", "auto", 0.1) > silence_ms("今天天气很好。", "auto")


def test_the_sound_alone_helps_where_no_text_is_known_yet():
    waits = [silence_ms(None, "auto", probability) for probability in (0.9, 0.5, 0.1)]
    assert waits == sorted(waits)
    assert waits[0] < silence_ms(None, "auto") < waits[2]


def test_the_bands_have_hard_edges():
    assert [likelihood_of(p).name for p in (0.0, 0.299, 0.3, 0.7, 0.701, 1.0)] == [
        "UNLIKELY",
        "UNLIKELY",
        "MAYBE",
        "MAYBE",
        "LIKELY",
        "LIKELY",
    ]


@pytest.mark.parametrize("eagerness", EAGERNESS)
def test_more_doubt_never_means_a_shorter_wait(eagerness):
    texts = {"latin": ("Done.", "Done", "and"), "han": ("好的。", "我很好", "因为")}
    sounds = (0.9, 0.5, 0.1)
    for done, open_, incomplete in texts.values():
        for sound in (*sounds, None):
            waits = [silence_ms(text, eagerness, sound) for text in (done, open_, incomplete)]
            assert waits == sorted(waits)
        for text in (done, open_, incomplete):
            waits = [silence_ms(text, eagerness, sound) for sound in sounds]
            assert waits == sorted(waits)


@pytest.mark.parametrize("eagerness", EAGERNESS)
def test_every_wait_lies_between_the_shortest_and_the_longest(eagerness):
    for text, sound in itertools.product((None, "", "Done.", "Done", "and", "因为"), (None, 0.0, 0.5, 1.0)):
        wait_ms = silence_ms(text, eagerness, sound)
        assert WAIT_MS[eagerness][0] <= wait_ms <= min(WAIT_MS[eagerness][2], LONGEST_MS[eagerness])


def test_eagerness_is_what_it_says():
    for text, sound in itertools.product(("Done.", "Done", "and"), (None, 0.0, 0.5, 1.0)):
        high, auto, low = (silence_ms(text, eagerness, sound) for eagerness in ("high", "auto", "low"))
        assert high < auto < low
        assert auto == silence_ms(text, "medium", sound)


@pytest.mark.parametrize(
    "text",
    ["नमस्ते। ", "كيف حالك؟", "میں ٹھیک ہوں۔", "Τι κάνεις;", "Բարև։", "ሰላም።", "សួស្តី។", "I live in the U.S."],
)
def test_the_marks_of_other_scripts_complete_a_sentence(text: str) -> None:
    assert completeness_of(text) is Completeness.COMPLETE


@pytest.mark.parametrize("text", ["I need to see Dr.", "مرحبا،", "ሰላም፣", "Quiero ver a la Sra."])
def test_a_clause_mark_or_a_title_leaves_a_sentence_open(text: str) -> None:
    assert completeness_of(text) is Completeness.INCOMPLETE
