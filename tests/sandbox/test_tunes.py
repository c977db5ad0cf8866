"""Tunes: length, sections, moods and melodies come from prompt, lyrics and seed; the words are sung on their notes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.sandbox import singing, voice_engine
from realtime.sandbox.instruments import hertz
from realtime.sandbox.singing import pitch_of, sing
from realtime.sandbox.song_words import is_minor, kind_of, parts_of, tempo_of, units
from realtime.sandbox.tunes import LONGEST_S, SHORTEST_S, Section, make_tune

pytest.importorskip("espeakng_loader")
RATE = 16_000
SONG = """[Intro]
[Verse]
The city sleeps beneath the cold silver rain
I hear the whistle of a train
[Pre-Chorus]
and slowly
[Chorus]
我们在夜里歌唱
[Drum Circus]
[Chorus]
我们在夜里歌唱
[Outro]"""
# Both pages of docs/minimax/music.md 1, as pairs where they differ.
TAGS = """Intro Verse Chorus Interlude Bridge Outro Transition Break Hook Inst Solo Drop Instrumental
Breakdown""".split()
SPELLINGS = [("Pre Chorus", "Pre-Chorus"), ("Build Up", "Build-up"), ("Inst", "Instrumental"), ("Verse 2", "verse"),
             ("副歌", "Chorus"), ("主歌", "Verse"), ("Post Chorus", "post-chorus")]  # fmt: skip


def samples(section: Section, pcm: np.ndarray) -> np.ndarray:
    return pcm[round(section.start_s * RATE) : round(section.end_s * RATE)].astype(float)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation of two recordings, -1 to 1."""
    size = min(len(a), len(b))
    return float(np.corrcoef(a[:size], b[:size])[0, 1])


def test_the_sections_are_those_of_the_lyrics_and_fill_the_tune() -> None:
    """In order, without gaps, each as long as its lines; unknown tags pass."""
    tune = make_tune("jazz, late night", SONG, rate=RATE)
    kinds = ["intro", "verse", "pre chorus", "chorus", "drum circus", "chorus", "outro"]
    assert [section.kind for section in tune.sections] == kinds
    assert tune.sections[2].tag == "Pre-Chorus"
    assert tune.sections[3].lines == ("我们在夜里歌唱",)
    assert tune.sections[0].start_s == 0
    assert tune.sections[-1].end_s == tune.seconds
    for before, after in zip(tune.sections, tune.sections[1:], strict=False):
        assert before.end_s == after.start_s > before.start_s
    verse, pre_chorus = tune.sections[1:3]
    assert verse.end_s - verse.start_s == pytest.approx(3 * (pre_chorus.end_s - pre_chorus.start_s))


def test_more_lyrics_make_a_longer_tune() -> None:
    """Twice the lines are twice the time, until the longest of the sandbox."""
    once, twice = (
        make_tune("x", "[Verse]\nla la la la la\nlo lo lo\n" * n, rate=RATE).seconds for n in (3, 6)
    )
    assert twice == pytest.approx(2 * once)
    assert make_tune("x", SONG * 20, rate=RATE).seconds == pytest.approx(LONGEST_S, abs=0.1)
    assert make_tune("x", "hello", rate=RATE).seconds >= SHORTEST_S


@given(st.text(max_size=400), st.text(max_size=100))
@settings(max_examples=30)
def test_any_lyrics_make_a_tune_within_the_bounds(lyrics: str, prompt: str) -> None:
    """Samples that can be heard, and never one above full scale."""
    tune = make_tune(prompt, lyrics, rate=8000)
    assert SHORTEST_S - 0.1 <= tune.seconds <= LONGEST_S + 0.1
    assert tune.pcm.dtype == np.int16
    assert 25_000 < np.abs(tune.pcm.astype(int)).max() < 32_000


def test_lyrics_of_the_greatest_length_still_fit() -> None:
    """3,500 letters in one line."""
    assert make_tune("x", "歌" * 3500, rate=8000).seconds == pytest.approx(LONGEST_S, abs=0.2)


def test_half_a_letter_does_no_harm() -> None:
    """JSON can hold one half of a pair, and NUL."""
    assert make_tune("\ud83d", "[\ud83d]\nla \ud83d la\0 la", rate=8000).seconds >= SHORTEST_S


def test_a_wanted_length_is_kept() -> None:
    """As for a cover: longer and shorter than the lyrics."""
    for seconds in (8.0, 45.5):
        assert make_tune("x", SONG, seconds=seconds, rate=RATE).seconds == pytest.approx(seconds, abs=0.05)
        assert make_tune("x", "la", seconds=seconds, rate=RATE).seconds == pytest.approx(seconds, abs=0.05)
    assert make_tune("x", "la", seconds=200, rate=RATE).bpm == pytest.approx(100, rel=0.1)


def test_the_same_arguments_make_the_same_samples_and_others_do_not() -> None:
    """Seed, prompt and lyrics all count."""
    first = make_tune("pop", SONG, seed=3, rate=RATE).pcm
    assert np.array_equal(make_tune("pop", SONG, seed=3, rate=RATE).pcm, first)
    others = (("pop", SONG, 4), ("pop!", SONG, 3), ("pop", SONG.replace("train", "plane"), 3))
    for prompt, lyrics, seed in others:
        assert not np.array_equal(make_tune(prompt, lyrics, seed=seed, rate=RATE).pcm, first)


def test_a_chorus_comes_back_and_a_verse_is_another_music() -> None:
    """The same lines of the same kind sound the same; another kind has other chords and drums."""
    lyrics = "[Verse]\nla la la la la la la\n[Chorus]\nla la la la la la la\n[Chorus]\nla la la la la la la\n[Outro]"
    for instrumental in (False, True):
        tune = make_tune("rock", lyrics, rate=RATE, instrumental=instrumental)
        verse, chorus, again = (samples(section, tune.pcm) for section in tune.sections[:3])
        assert likeness(chorus, again) > 0.99
        assert abs(likeness(verse, chorus)) < 0.7


def test_an_instrumental_has_no_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no speech library at all; a song does."""

    def missing() -> None:
        raise voice_engine.VoiceUnavailable(voice_engine.INSTALL)

    singing._spoken.cache_clear()
    monkeypatch.setattr(voice_engine, "_engine", None)
    monkeypatch.setattr(voice_engine, "Engine", missing)
    assert make_tune("pop", SONG, rate=RATE, instrumental=True).seconds > SHORTEST_S
    with pytest.raises(voice_engine.VoiceUnavailable):
        make_tune("pop", SONG, rate=RATE)


@pytest.mark.parametrize(
    "line", ["every morning brings another melody", "城市在银色的雨中睡去", "l'été, it's over!"]
)
def test_each_word_is_sung_on_its_note(line: str) -> None:
    """One sound for each word or Chinese letter, within a quarter tone of the note in some octave."""
    notes = [60 + (0, 2, 4, 5, 7, 9, 11)[index % 7] for index in range(len(units(line)))]
    sounds = sing(line, notes, 0.5, 22_050)
    assert len(sounds) == len(notes)
    measured = [(pitch_of((sound * 32767).astype(np.int16), 22_050), note)
                for sound, note in zip(sounds, notes, strict=True) if len(sound) > 4000]  # fmt: skip
    assert len(measured) >= 3
    off = [abs((np.log2(pitch / hertz(note)) + 0.5) % 1 - 0.5) * 12 for pitch, note in measured]
    assert sum(semitones < 0.5 for semitones in off) >= 0.8 * len(off)
    assert all(len(sound) <= 0.53 * 22_050 for sound in sounds)


def test_a_line_without_words_is_silent() -> None:
    """Marks alone."""
    assert sing("…!", [], 0.5, RATE) == []


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_both_spellings_of_a_tag_are_one_kind(one: str, other: str) -> None:
    """Any case, hyphens, numbers, Chinese."""
    assert kind_of(one) == kind_of(other) == kind_of(other.upper())
    part = parts_of(f"[{one}] a line behind its tag\nanother")[0]
    assert (part.tag, part.lines) == (one, ("a line behind its tag", "another"))


def test_every_tag_is_a_section() -> None:
    """None is taken for text."""
    assert [part.tag for part in parts_of("\n".join(f"[{tag}]" for tag in TAGS))] == TAGS


def test_lyrics_without_tags_have_a_verse_for_each_stanza() -> None:
    """The ## of old models and lines of marks are no words."""
    parts = parts_of("##one\ntwo\n\n---\n\nthree##\n[Chorus]\nfour")
    assert [(part.tag, part.kind, part.lines) for part in parts] == [
        ("", "verse", ("one", "two")),
        ("", "verse", ("three",)),
        ("Chorus", "chorus", ("four",)),
    ]


@pytest.mark.parametrize(
    ("prompt", "bpm"),
    [("a slow sad ballad", 78), ("欢快的流行歌", 116), ("techno", 126), ("", 100), ("house, 128 BPM", 128),
     ("999bpm", 200), ("chocolate", 100), ("摇篮曲", 66)],
)  # fmt: skip
def test_mood_words_decide_the_tempo(prompt: str, bpm: int) -> None:
    """In both languages; a number in the prompt wins."""
    assert tempo_of(prompt) == bpm
    assert make_tune(prompt, SONG, rate=8000, instrumental=True).bpm == pytest.approx(bpm, rel=0.01)


def test_sad_songs_are_minor() -> None:
    """By word, not by part of a word."""
    assert [is_minor(p) for p in ("a sad song", "伤感的歌", "happy", "fortnight")] == [
        True,
        True,
        False,
        False,
    ]
