"""Descriptions of voices, and what is made of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.voice_designs import Description, designed_traits, new_voice_id, read_description
from realtime.sandbox.voice_traits import CREATED_VARIANTS
from tests.sandbox.voice_kit import measured, spoken

CAPTAIN = "an old captain, rough and kind"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (CAPTAIN, Description("male", "old", 0, 0, 0.5, -1)),
        ("年轻温柔的女声", Description("female", "young", 0, 0, 0.0, -1)),
        ("低沉沙哑的老年男性，语速慢", Description("male", "old", -1, -1, 1.0, 0)),
        ("A young woman with a bright, energetic voice who speaks fast", Description("female", "young", 1, 1, 0.0, 2)),
        ("a little girl", Description("female", "child", 0, 0, 0.0, 0)),
        ("a young girl", Description("female", "young", 0, 0, 0.0, 0)),
        ("快乐的老师", Description(None, None, 0, 0, 0.0, 1)),
        ("middle-aged", Description(None, "adult", 0, 0, 0.0, 0)),
        ("The manner of the theme is cold", Description(None, None, 0, 0, 0.0, -2)),
        ("xyzzy", Description(None, None, 0, 0, 0.0, 0)),
    ],
)  # fmt: skip
def test_words_of_both_languages_are_understood(text: str, meant: Description) -> None:
    """Whole words in English, anywhere in Chinese; words that hold another by chance do not count."""
    assert read_description(text) == meant


def test_gender_age_and_pitch_are_heard() -> None:
    """Each of these speaks clearly higher than the one before."""
    texts = ["a deep old man", "a young man", "a mature woman", "a child, a girl with a high voice"]
    pitches = [measured(spoken(traits=designed_traits(text))).pitch_hz or 0 for text in texts]
    assert all(higher > 1.12 * lower for lower, higher in pairwise(pitches)), pitches


def test_speed_age_and_liveliness_are_heard() -> None:
    slow, fast = (
        len(spoken(traits=designed_traits(f"a woman who speaks {how}"))) for how in ("slowly", "fast")
    )
    assert slow > 1.2 * fast
    old, young = (len(spoken(traits=designed_traits(f"{age} man"))) for age in ("old", "young"))
    assert old > 1.05 * young
    assert designed_traits("excited man").liveliness > designed_traits("calm man").liveliness + 20
    assert designed_traits(CAPTAIN).roughness > designed_traits("a captain").roughness


def test_a_description_always_gives_the_same_voice() -> None:
    """Case and blanks do not matter."""
    assert designed_traits(CAPTAIN) == designed_traits(CAPTAIN)
    assert designed_traits("  An OLD captain,\nrough and kind ") == designed_traits(CAPTAIN)


def test_different_descriptions_give_different_voices() -> None:
    """Also those that say nothing known."""
    texts = [f"voice number {n}" for n in range(20)] + ["a kind man", "a good man", "a man of the sea"]
    assert len({designed_traits(text) for text in texts}) >= len(texts) - 1


@given(st.text(max_size=80))
def test_every_description_gives_a_voice_that_the_engine_has(text: str) -> None:
    traits = designed_traits(text)
    assert any(traits.variant in names for names in CREATED_VARIANTS.values())
    assert 0 <= traits.pitch <= 99
    assert 0 <= traits.liveliness <= 100
    assert 0.6 < traits.speaking_rate < 1.4
    assert 0 <= traits.roughness <= 1


def test_an_id_has_the_documented_form() -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, 70_000, tzinfo=UTC)
    one, two = new_voice_id(now), new_voice_id(now)
    assert re.fullmatch("ttv-voice-2026010112000007-[0-9A-Za-z]{8}", one)
    assert one != two
