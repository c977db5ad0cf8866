"""What a short sound may be instead of what was read: measured numbers are in docs/turn-taking.md."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.core.likely_murmurs import LIKELIER, MURMURS, NEARLY, OBJECTIONS, compared, likely_murmur
from realtime.core.short_words import is_backchannel, takes_turn

DOUBT, SURE = -1.2, -0.6


@pytest.mark.parametrize("text", ["As high.", "C.", "An Entom", "See.", "In M. Humb", "Bye.", "write"])
def test_a_doubtful_word_is_compared(text):
    assert compared(text, "en", DOUBT)[1:] == MURMURS["en"] + OBJECTIONS["en"]
    assert compared(text, "en", SURE) == ()
    assert compared(text, "de", DOUBT) == (), "in no table"
    assert compared(text, None, DOUBT) == ()


@pytest.mark.parametrize(
    ("text", "language", "sentence"),
    [
        ("c", "en", "C."),
        ("As high.", "en", "As high."),
        ("here", "en", "Here."),
        ("名牌", "zh", "名牌。"),
    ],
)
def test_what_was_read_is_compared_as_a_sentence_like_the_others(text, language, sentence):
    assert compared(text, language, DOUBT)[0] == sentence


@pytest.mark.parametrize(
    "text", ["Yeah.", "Mm-hmm.", "Stop.", "No.", "Why?", "7.", "", "twenty-one", "The child"]
)
def test_what_is_known_for_what_it_is_need_not_be_compared(text):
    assert compared(text, "en", DOUBT) == ()


def test_the_tables_are_what_they_say():
    for language, murmurs in MURMURS.items():
        assert all(is_backchannel(text) and not takes_turn(text) for text in murmurs)
        assert all(takes_turn(text) for text in OBJECTIONS[language])


def of_rivals(murmur, objection, language="en"):
    """Each murmur and each objection less likely than the first."""
    murmurs = [murmur - index for index in range(len(MURMURS[language]))]
    return murmurs + [objection - index for index in range(len(OBJECTIONS[language]))]


@pytest.mark.parametrize(
    ("language", "read", "murmur", "objection", "found"),
    [
        ("en", -3.0, -6.6, -8.0, "Yeah."),  # "A sign.", said "Uh-huh."
        ("en", -1.9, -5.1, -9.0, "Yeah."),  # "C.", said "I see."
        ("en", -1.3, -10.0, -1.4, None),  # "Wait."
        ("en", -2.7, -6.9, -8.0, None),  # "Red."
        ("en", -7.0, -6.0, -5.5, None),  # an objection is likelier
        ("zh", -3.5, -5.8, -12.0, "嗯。"),  # 名牌, said 明白
        ("zh", -3.0, -5.0, -7.0, None),  # 沉吗, said 什么: too near to an objection
    ],
)
def test_a_murmur_is_nearly_as_likely_as_what_was_read_and_likelier_than_an_objection(
    language, read, murmur, objection, found
):
    assert likely_murmur(language, [read, *of_rivals(murmur, objection, language)]) == found


MOST = max(len(MURMURS[language]) + len(OBJECTIONS[language]) for language in MURMURS)


@given(
    st.sampled_from(sorted(MURMURS)),
    st.floats(-40, 0),
    st.lists(st.floats(-40, 0), min_size=MOST, max_size=MOST),
)
def test_the_likeliest_murmur_is_found_exactly_where_it_is_likely_enough(language, read, likelihoods):
    murmurs = dict(zip(MURMURS[language], likelihoods, strict=False))
    objections = likelihoods[len(murmurs) : len(murmurs) + len(OBJECTIONS[language])]
    found = likely_murmur(language, [read, *murmurs.values(), *objections])
    best = max(murmurs.values())
    likely = best >= read - NEARLY and best >= max(objections) + LIKELIER[language]
    assert (found is not None) is likely
    assert found is None or murmurs[found] == best
