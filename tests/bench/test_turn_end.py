"""The benchmark of the end of turns: what its table counts, of which recordings, and under which heads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.conditions import GAPS_MS, LOUD_BABBLE, Sound
from bench.kept import Kept, digest
from bench.listened import Heard, Rule
from bench.turn_end import (
    HEADS,
    NOISY,
    UNFINISHED,
    Run,
    group_of,
    held_out,
    percent,
    row,
    rules,
    sounds_of,
    spread,
    tables,
    words_of,
)
from tests.clips import Clip
from tests.fakes import FakeEndOfTurnModel

RULE = Rule("the rule", {})
NAN = float("nan")


def run(*ended_ms: float, name: str = "one", condition: str = "clean", gap_ms: int = 0, **heard) -> Run:
    """Of a sentence that ends after 3 s; `gap_ms`: with a hesitation from 1 s on."""
    hesitation = (1_000.0, 1_000.0 + gap_ms) if gap_ms else None
    name = f"{name}@1000+{gap_ms}" if gap_ms else name
    sound = Sound(name, heard.pop("language", "en"), condition, np.zeros(1, np.int16), 3_000.0, hesitation)
    apart = heard.pop("apart", False)
    return Run(sound, Heard(ended_ms=list(ended_ms), **heard), apart)


def cells(*runs: Run) -> dict[str, object]:
    return dict(zip(HEADS, row(RULE, "all", runs), strict=True))


def test_natural_turns_are_counted_apart_from_hesitations_and_loud_babble() -> None:
    found = cells(
        run(1_000),
        run(3_500),
        run(3_700),
        run(3_900),
        run(1_200, gap_ms=400),
        run(1_500, condition=LOUD_BABBLE),
    )
    assert found["natural: cut"] == "25 % (1 of 4)"
    assert found["hesitations: cut"] == "100 % (1 of 1)"
    assert found["delay p50 (p90) ms"] == "700 (860)"
    assert found[f"{LOUD_BABBLE}: never ends / starts again"] == "1 / 0 of 1"


def test_each_length_of_a_hesitation_has_its_own_column() -> None:
    runs = [run(*ended, gap_ms=gap) for gap in GAPS_MS for ended in ((1_300.0,), (3_500.0,))]
    found = cells(*runs, run(3_500, gap_ms=1_200))
    assert found["hesitations: cut"] == "43 % (3 of 7)"
    assert [found[f"{gap / 1000} s"] for gap in GAPS_MS] == [
        "50 % (1 of 2)",
        "50 % (1 of 2)",
        "33 % (1 of 3)",
    ]


def test_babble_is_told_by_the_turns_that_never_end_and_those_that_it_begins() -> None:
    found = cells(
        run(condition=LOUD_BABBLE, began_ms=[500.0]),
        run(3_600, condition=LOUD_BABBLE, began_ms=[500.0, 4_000.0]),
        run(3_600, condition=LOUD_BABBLE, began_ms=[500.0]),
    )
    assert found[f"{LOUD_BABBLE}: never ends / starts again"] == "1 / 1 of 3"
    assert found["natural: cut"] == found["delay p50 (p90) ms"] == found["questions a turn, p50 (p90)"] == "-"


def test_a_recording_whose_end_is_not_known_has_no_cut_and_no_times() -> None:
    noisy = run(1_000, name=min(NOISY), sounds_ms=[1_700.0])
    assert np.isnan(noisy.delay_ms)
    found = cells(noisy)
    assert found["natural: cut"] == found["delay p50 (p90) ms"] == found["first sound p50 (p95) ms"] == "-"
    assert not run(1_000, name=min(NOISY), condition=LOUD_BABBLE).never_ends, "some turn has ended"
    assert run(name=min(NOISY), condition=LOUD_BABBLE).never_ends


def test_an_unfinished_sentence_may_be_cut_and_is_right_to_wait_long() -> None:
    late = run(5_000, name=min(UNFINISHED), sounds_ms=[5_600.0])
    assert np.isnan(late.delay_ms)
    found = cells(late, run(1_000, name=min(UNFINISHED)))
    assert found["natural: cut"] == "50 % (1 of 2)"
    assert found["delay p50 (p90) ms"] == found["first sound p50 (p95) ms"] == "-"


def test_the_first_sound_is_told_of_turns_that_were_not_cut() -> None:
    cut = run(1_000, 3_500, sounds_ms=[1_670.0, 9_000.0])
    whole = run(3_500, sounds_ms=[3_580.0])
    assert cells(cut, whole)["first sound p50 (p95) ms"] == "580 (580)"
    later = run(3_500, sounds_ms=[3_680.0])
    assert cells(cut, whole, later)["first sound p50 (p95) ms"] == "630 (675)"


def test_questions_and_speech_in_vain_are_told_for_each_natural_sound() -> None:
    answered = {"sounds_ms": [3_600.0]}
    found = cells(
        run(3_500, questions=2, spoken=3, **answered),
        run(3_500, questions=4, spoken=1, **answered),
        run(3_500, questions=8, spoken=2, **answered),
        run(1_200, questions=99, spoken=99, gap_ms=800),
    )
    assert found["questions a turn, p50 (p90)"] == "4 (7)"
    assert found["speech requests in vain a turn"] == "1.00"


def test_a_row_of_nothing_has_a_dash_in_each_cell() -> None:
    assert row(RULE, "all", []) == ["the rule", "all", *["-"] * (len(HEADS) - 2)]


def test_a_turn_that_never_ended_has_no_part_in_the_spread_of_delays() -> None:
    assert cells(run(3_400), run(), run(3_600))["delay p50 (p90) ms"] == "500 (580)"
    assert spread([NAN, NAN]) == spread([]) == "-"


@given(st.lists(st.floats(-150, 6_000), min_size=1, max_size=30), st.integers(0, 5))
def test_a_spread_is_the_median_and_the_late_percentile_of_what_is_known(
    values: list[float], unknown: int
) -> None:
    median, late = np.percentile(values, [50, 95])
    assert spread([NAN] * unknown + values, 95) == f"{median:.0f} ({late:.0f})"


@given(st.integers(0, 20), st.integers(0, 20))
def test_a_share_is_told_with_what_it_is_of(cut: int, whole: int) -> None:
    share = percent([run(1_000)] * cut + [run(3_500)] * whole)
    count = cut + whole
    assert share == (f"{100 * cut / count:.0f} % ({cut} of {count})" if count else "-")


def test_every_third_recording_by_name_is_held_out_whatever_their_order() -> None:
    every = [Clip(f"clip_{number}", "en", "", np.zeros(1, np.int16), True) for number in range(8)]
    assert held_out(every) == held_out(every[::-1]) == {"clip_0", "clip_3", "clip_6"}


def test_a_group_is_a_language_and_whether_it_is_held_out() -> None:
    assert [group_of(run(language="en", apart=apart)) for apart in (False, True)] == [
        "English",
        "English, held out",
    ]
    assert group_of(run(language="zh", apart=True)) == "Chinese, held out"


def test_the_table_has_a_row_for_all_each_group_and_on_demand_each_condition() -> None:
    runs = {
        RULE: [run(3_500), run(1_000, apart=True), run(3_500, language="zh", condition="pink 10 dB")],
    }
    short, long = (tables(runs, by_condition=by_condition) for by_condition in (False, True))
    names = [line.split(" | ")[1] for line in long.splitlines()[2:]]
    assert names == ["all", "Chinese", "English", "English, held out", "clean", "pink 10 dB"]
    assert long.startswith(short)
    assert "50 % (1 of 2)" in long.splitlines()[6]
    assert short.splitlines()[2].split(" | ")[2] == "33 % (1 of 3)"


def test_each_eagerness_is_tried_without_and_with_the_end_of_turn_model() -> None:
    assert [rule.acoustic for rule in rules(["auto", "low"], None, "chat")] == [False] * 3
    tried = rules(["auto", "low"], FakeEndOfTurnModel(), "chat")
    assert [rule.acoustic for rule in tried] == [False, False, True, False, True]
    assert [rule.detection.get("eagerness") for rule in tried] == [None, "auto", "auto", "low", "low"]
    assert {rule.speculate for rule in tried} == {"chat"}


def test_a_recording_is_made_into_each_condition_and_into_hesitations_of_each_length(tmp_path: Path) -> None:
    voice = (np.sin(np.arange(48_000) / 3) * 8_000).astype(np.int16)
    clip = Clip("sounds_of_test", "en", "", voice, True)
    words = [(f" word{number}", number * 0.25, number * 0.25 + 0.2) for number in range(10)]
    kept = Kept(tmp_path / "kept.sqlite")
    try:
        kept.put(digest("words", clip.id, clip.samples.tobytes()), words)
        assert words_of(kept, clip) == words
        made = sounds_of(kept, clip, [clip], ["clean", "+6 dB"])
        assert [sound.condition for sound in made if not sound.hesitation] == ["clean", "+6 dB"]
        hesitations = [sound for sound in made if sound.hesitation]
        assert len(hesitations) == 3 * len(GAPS_MS)
        for sound in hesitations:
            assert sound.condition == "clean"
            assert sound.name.endswith(f"+{sound.hesitation[1] - sound.hesitation[0]:.0f}")
        assert not any(sound.hesitation for sound in sounds_of(kept, clip, [clip], ["+6 dB"]))
    finally:
        kept.close()


@pytest.mark.parametrize("name", sorted(NOISY | UNFINISHED))
def test_a_recording_of_a_list_is_named_as_sounds_are(name: str) -> None:
    assert np.isnan(run(3_500, name=name).delay_ms)
    assert run(3_500, name=f"{name}_2").delay_ms == 500
