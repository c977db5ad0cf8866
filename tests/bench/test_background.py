"""The benchmark of phantom answers: how loud its sounds are, and what a row of its table counts."""

from __future__ import annotations

import numpy as np
import pytest

from bench.background import FAINT, HEADS, LOUD, SOUNDS, row, sound
from bench.conditions import ROOM_NOISE
from bench.listened import Heard
from tests.clips import RATE

SECONDS = 6.0
MADE = [name for name in SOUNDS if "voice" not in name and "babble" not in name]  # from no recordings


def level_db(samples: np.ndarray) -> float:
    """Of the louder half of the tenths of a second, below the loudest that there is."""
    tenths = samples.astype(np.float64)[: len(samples) // 1600 * 1600].reshape(-1, 1600) / 32_768
    powers = np.sort((tenths**2).mean(axis=1))
    return 10 * float(np.log10(powers[len(powers) // 2 :].mean()))


@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize("wanted_db", [LOUD, FAINT])
def test_a_sound_is_as_loud_as_it_says_and_as_long(name: str, wanted_db: float) -> None:
    made = sound(name, wanted_db, SECONDS)
    assert level_db(made.samples) == pytest.approx(wanted_db, abs=0.5)
    assert len(made.samples) == SECONDS * RATE
    assert np.array_equal(made.samples, sound(name, wanted_db, SECONDS).samples), "it is always the same"
    assert made.end_ms == float("inf"), "nobody speaks, so no turn may end it"


def test_where_a_sound_pauses_the_room_is_still_there() -> None:
    samples = sound("coughs", LOUD, 20.0).samples.astype(np.float64)
    tenths = np.sqrt((samples.reshape(-1, 1600) ** 2).mean(axis=1))
    assert tenths.min() == pytest.approx(ROOM_NOISE, rel=0.1)


@pytest.mark.parametrize(("name", "falls_db"), [("white noise", 0), ("pink noise", 3), ("brown noise", 6)])
def test_noise_falls_by_as_much_in_each_octave_as_its_colour_says(name: str, falls_db: float) -> None:
    power = np.abs(np.fft.rfft(sound(name, -20.0, SECONDS).samples)) ** 2
    hertz = np.fft.rfftfreq(int(SECONDS * RATE), 1 / RATE)
    low, high = (power[(hertz >= from_hz) & (hertz < 2 * from_hz)].mean() for from_hz in (100, 800))
    assert 10 * np.log10(low / high) == pytest.approx(3 * falls_db, abs=1.0)


def cells(heard: Heard) -> dict[str, object]:
    return dict(zip(HEADS, row("coughs", -30.0, 60.0, heard), strict=True))


def test_a_turn_with_words_is_a_phantom_answer_and_one_without_is_not() -> None:
    heard = Heard(
        began_ms=[1.0, 2.0, 3.0, 4.0], ended_ms=[1.0, 2.0, 3.0, 4.0], texts=["", " Thank you. ", " \n"]
    )
    found = cells(heard)
    assert (found["turns begun"], found["without words"], found["phantom answers"]) == (4, 2, 1)
    assert (found["dBFS"], found["seconds"], found["what was read"]) == ("-30", "60", "“Thank you.”")


def test_of_many_phantom_answers_the_first_ones_are_told() -> None:
    found = cells(Heard(texts=["a", "", "b", "c", "d", "e"]))
    assert found["what was read"] == "“a”; “b”; “c”; “d” …"
    assert found["phantom answers"] == 5
    assert cells(Heard(texts=["a", "b", "c", "d"]))["what was read"] == "“a”; “b”; “c”; “d”"
    assert cells(Heard())["what was read"] == "-"
