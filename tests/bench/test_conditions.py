"""The sounds of the benchmark of turns: each condition is what its name says, and the truth follows each change."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bench import conditions
from bench.conditions import (
    AFTER_MS,
    BEFORE_MS,
    CONDITIONS,
    LONGEST_S,
    ROOM_NOISE,
    SPEEDS,
    VOICES,
    Sound,
    hesitating,
    places_of,
    room,
    sound_of,
    speech_of,
)
from tests.clips import RATE, Clip

PEAK = 4_000.0
LEAD_MS, SAID_MS, TRAIL_MS = 200, 3_000, 300
NOISY = [name for name in CONDITIONS if name.startswith(("pink", "babble"))]


def tone(ms: int, hertz: float = 700.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(ms * RATE // 1000) / RATE) * PEAK


def recording(name: str, *parts: np.ndarray | int) -> Clip:
    """Sounds, and the milliseconds of silence between them."""
    sounds = [np.zeros(part * RATE // 1000) if isinstance(part, int) else part for part in parts]
    return Clip(name, "en", "", np.concatenate(sounds).astype(np.int16), recorded=True)


def spoken(name: str = "spoken", hertz: float = 700.0) -> Clip:
    return recording(name, LEAD_MS, tone(SAID_MS, hertz), TRAIL_MS)


OTHERS = [spoken(f"other_{number}", 1_000.0 + 100 * number) for number in range(VOICES + 2)]
END_MS = BEFORE_MS + LEAD_MS + SAID_MS


@pytest.fixture(autouse=True)
def _no_speech_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conditions, "_speeches", {})


def rms(samples: np.ndarray) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()))


def decibels(ratio: float) -> float:
    return 20 * float(np.log10(ratio))


def between(sound: Sound, from_ms: float, to_ms: float) -> np.ndarray:
    return sound.samples[int(from_ms * RATE / 1000) : int(to_ms * RATE / 1000)]


def last_loud_ms(sound: Sound) -> float:
    return float(np.flatnonzero(np.abs(sound.samples) > PEAK / 8)[-1]) * 1000 / RATE


def power(samples: np.ndarray, hertz: float) -> float:
    """The share of the power that is within 20 Hz of this frequency."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    near = np.abs(np.fft.rfftfreq(len(samples), 1 / RATE) - hertz) < 20
    return float(spectrum[near].sum() / spectrum.sum())


def noise_of(condition: str, clip: Clip, others: Sequence[Clip]) -> np.ndarray:
    """What the condition adds to the clean sound, and the difference of two quiet rooms."""
    noisy, clean = (sound_of(clip, name, others) for name in (condition, "clean"))
    return noisy.samples.astype(np.float64) - clean.samples


def test_a_clean_sound_is_the_recording_between_silences_and_ends_where_it_says() -> None:
    sound = sound_of(spoken(), "clean", OTHERS)
    assert sound.end_ms == END_MS
    assert last_loud_ms(sound) == pytest.approx(END_MS, abs=1)
    assert len(sound.samples) == (BEFORE_MS + LEAD_MS + SAID_MS + TRAIL_MS + AFTER_MS) * RATE // 1000
    assert rms(between(sound, 0, BEFORE_MS)) == pytest.approx(ROOM_NOISE, rel=0.1)
    assert rms(between(sound, END_MS + 10, 1e9)) == pytest.approx(ROOM_NOISE, rel=0.1)


@pytest.mark.parametrize("condition", NOISY)
def test_the_noise_is_so_many_decibels_below_the_voice_as_its_name_says(condition: str) -> None:
    named = float(re.findall(r"[\d.]+", condition)[0])
    voice = rms(between(sound_of(spoken(), "clean", OTHERS), 800, END_MS))
    noise = noise_of(condition, spoken(), OTHERS)
    assert decibels(voice / rms(noise)) == pytest.approx(named, abs=0.15)


@pytest.mark.parametrize("condition", NOISY)
def test_the_noise_lasts_from_the_beginning_to_the_end(condition: str) -> None:
    noise = noise_of(condition, spoken(), OTHERS)
    parts = [rms(part) for part in np.array_split(noise, 4)]
    assert max(parts) < 2 * min(parts)


def test_noise_is_measured_against_the_voice_and_not_against_its_pauses() -> None:
    paused = recording("paused", tone(1_000), 600, tone(1_000), 600)
    assert speech_of(paused).level == pytest.approx(PEAK / np.sqrt(2), rel=0.01)


def test_pink_noise_loses_3_db_in_each_octave() -> None:
    noise = noise_of("pink 10 dB", spoken(), OTHERS)
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
    levels = [spectrum[(hertz >= low) & (hertz < 2 * low)].sum() for low in (100, 200, 400, 800)]
    assert decibels(np.sqrt(levels[0] / levels[-1])) == pytest.approx(0, abs=1), "as much in each octave"


def test_babble_is_made_of_some_other_recordings_and_never_of_the_speaker() -> None:
    noise = noise_of("babble 10 dB", spoken(), [spoken(), *OTHERS])
    shares = [power(noise, 1_000.0 + 100 * number) for number in range(len(OTHERS))]
    assert sum(share > 0.1 for share in shares) == VOICES
    assert power(noise_of("babble 10 dB", spoken(), [spoken(), *OTHERS[:2]]), 700.0) < 0.01


def test_babble_leaves_out_the_silence_around_other_recordings_and_their_loudness() -> None:
    soft = recording("soft", 900, tone(2_000, 1_000.0) / 10, 900)
    noise = noise_of("babble 10 dB", spoken(), [soft, spoken("loud", 1_500.0)])
    assert power(noise, 1_000.0) == pytest.approx(power(noise, 1_500.0), rel=0.1)


@pytest.mark.parametrize(("condition", "gain_db"), [("-20 dB", -20), ("+6 dB", 6)])
def test_a_level_is_changed_by_as_much_as_its_name_says(condition: str, gain_db: float) -> None:
    clean, changed = (sound_of(spoken(), name, OTHERS) for name in ("clean", condition))
    ratio = rms(between(changed, 800, END_MS)) / rms(between(clean, 800, END_MS))
    assert decibels(ratio) == pytest.approx(gain_db, abs=0.05)
    assert changed.end_ms == clean.end_ms
    assert rms(between(changed, 0, BEFORE_MS)) == pytest.approx(ROOM_NOISE, rel=0.1), "the room is as loud"


def test_what_is_too_loud_for_16_bits_is_clipped_and_does_not_wrap() -> None:
    loud = Clip("loud", "en", "", np.full(RATE, 30_000, np.int16), recorded=True)
    assert sound_of(loud, "+6 dB", OTHERS).samples.min() > -200
    assert sound_of(loud, "+6 dB", OTHERS).samples.max() == 32_767


@pytest.mark.parametrize(("condition", "speed"), SPEEDS.items())
def test_a_faster_voice_ends_sooner_and_the_truth_says_so(condition: str, speed: float) -> None:
    assert float(condition.split()[1]) == speed
    sound = sound_of(spoken(), condition, OTHERS)
    assert sound.end_ms == pytest.approx(BEFORE_MS + (LEAD_MS + SAID_MS) / speed, abs=0.1)
    assert last_loud_ms(sound) == pytest.approx(sound.end_ms, abs=2)
    assert power(between(sound, 1_000, 3_000), 700.0 * speed) > 0.99


def test_a_telephone_takes_only_what_is_between_300_and_3400_hertz() -> None:
    clip = recording("telephone", tone(1_000, 200.0) + tone(1_000, 1_000.0) + tone(1_000, 5_000.0))
    sound = sound_of(clip, "telephone", OTHERS)
    voice = between(sound, BEFORE_MS + 100, BEFORE_MS + 900)
    assert power(voice, 1_000.0) > 0.99
    assert rms(voice) == pytest.approx(PEAK / np.sqrt(2), rel=0.03)
    assert last_loud_ms(sound) == pytest.approx(sound.end_ms, abs=5)


@pytest.mark.parametrize("seconds", [0.3, 0.7])
def test_a_room_falls_by_60_db_in_its_time_and_is_as_strong_as_the_direct_sound(seconds: float) -> None:
    click = np.zeros(RATE)
    click[0] = 1.0
    wet = room(seconds)(click, speech_of(spoken()), [], np.random.default_rng(1))
    tail = wet[RATE // 400 :]
    assert wet[0] == pytest.approx(1.0)
    assert (tail**2).sum() == pytest.approx(1.0)
    size, quarter = int(seconds * RATE), int(seconds * RATE) // 4
    first, third = rms(wet[quarter : quarter + 800]), rms(wet[3 * quarter : 3 * quarter + 800])
    assert decibels(first / third) == pytest.approx(30, abs=1.5)
    assert np.abs(wet[size + 1 :]).max() < 1e-9


def test_the_room_of_a_condition_has_the_time_of_its_name() -> None:
    hiss = recording("hiss", LEAD_MS, np.random.default_rng(2).normal(0, PEAK / 2, SAID_MS * 16), TRAIL_MS)
    for condition in ("room 0.3 s", "room 0.7 s"):
        sound = sound_of(hiss, condition, OTHERS)
        after = [rms(between(sound, END_MS + ms, END_MS + ms + 50)) for ms in (20, 120)]
        named = float(condition.split()[1])
        assert decibels(after[0] / after[1]) == pytest.approx(60 / named * 0.1, abs=2.5)
        assert sound.end_ms == END_MS, "its end is that of the voice, not of the room"


@pytest.mark.parametrize("condition", CONDITIONS)
def test_the_same_recording_always_gives_the_same_sound(
    condition: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = sound_of(spoken(), condition, OTHERS)
    monkeypatch.setattr(conditions, "_speeches", {})
    again = sound_of(spoken(), condition, OTHERS)
    assert np.array_equal(once.samples, again.samples)
    assert (once.name, once.condition, once.end_ms) == (again.name, condition, again.end_ms)


def test_the_noise_of_two_recordings_is_not_the_same() -> None:
    one, two = (noise_of("pink 10 dB", spoken(name), OTHERS) for name in ("one", "two"))
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.1


@given(st.integers(300, 2_800), st.sampled_from([400, 800, 1_200]))
@hypothesis_settings(max_examples=25)
def test_a_hesitation_is_silence_of_its_length_at_its_place_and_nothing_is_lost(
    place_ms: int, gap_ms: int
) -> None:
    clip = spoken()
    clean, sound = sound_of(clip, "clean", OTHERS), hesitating(clip, place_ms, gap_ms, "clean", OTHERS)
    assert sound.hesitation is not None
    from_ms, to_ms = sound.hesitation
    assert to_ms - from_ms == gap_ms
    assert from_ms == pytest.approx(BEFORE_MS + place_ms, abs=80)
    assert rms(between(sound, from_ms, to_ms)) < 1.5 * ROOM_NOISE
    assert len(sound.samples) == len(clean.samples) + gap_ms * RATE // 1000
    assert sound.end_ms == clean.end_ms + gap_ms
    assert last_loud_ms(sound) == pytest.approx(sound.end_ms, abs=1)
    for heard, shift_ms, (begin_ms, end_ms) in (
        (sound, 0, (BEFORE_MS, from_ms - 9)),
        (sound, gap_ms, (to_ms + 9, sound.end_ms)),
    ):
        same = between(clean, begin_ms - shift_ms, end_ms - shift_ms).astype(np.float64)
        assert np.abs(between(heard, begin_ms, end_ms) - same).max() < 12 * ROOM_NOISE


def test_a_hesitation_is_where_it_is_quiet_near_its_place() -> None:
    dipped = recording("dipped", tone(1_000), 20, tone(1_000))
    for place_ms in (970, 1_010, 1_050):
        sound = hesitating(dipped, place_ms, 800, "clean", OTHERS)
        assert sound.hesitation is not None
        assert BEFORE_MS + 1_000 <= sound.hesitation[0] <= BEFORE_MS + 1_020
        assert sound.name == f"dipped@{place_ms}+800"


def test_a_long_recording_is_cut_in_its_longest_pause_and_ends_before_it() -> None:
    long = recording(
        "long", tone(2_000), 1_500, tone(3_500), 300, tone(2_000), 800, tone(1_500), 100, tone(4_000)
    )
    speech = speech_of(long)
    assert long.seconds > LONGEST_S
    assert speech.end_ms == 9_300
    assert len(speech.samples) / RATE == pytest.approx(9.7, abs=0.02)
    assert speech_of(recording("short", 200, tone(3_000), 200)).end_ms == 3_200


def words(*texts: str) -> list[tuple[str, float, float]]:
    return [(text, number * 1.0, number + 0.8) for number, text in enumerate(texts)]


def test_somebody_hesitates_in_the_middle_between_two_words() -> None:
    assert places_of(words(*"a b c d e f g h i j".split())) == [2_900, 5_900, 7_900]


def test_nobody_hesitates_where_the_sentence_could_be_over_or_is_too_short() -> None:
    assert places_of(words(*"a b c. d e f? g h! i j".split())) == []
    assert places_of(words(*"a b c. d e f g h i j".split())) == [5_900, 7_900]
    assert places_of(words(*"a b c d".split())) == []


@given(st.lists(st.sampled_from(["so", "well,", "yes.", "what?", "no! "]), max_size=40))
def test_a_place_is_always_between_two_words_of_the_sentence(texts: list[str]) -> None:
    said = words(*texts)
    for place_ms in places_of(said):
        before = [word for word in said if word[2] * 1000 < place_ms]
        after = [word for word in said if word[1] * 1000 > place_ms]
        assert before
        assert after
        assert len(before) + len(after) == len(said)
        assert not before[-1][0].strip().endswith((".", "?", "!"))
