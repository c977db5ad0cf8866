"""Lyrics: the prompt's language and words, a kept title, style tags, and changes that can be seen."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.sandbox.lyrics import LONGEST_LYRICS, edit_lyrics, style_tags, themes_of, write_lyrics
from realtime.sandbox.song_words import HAN, parts_of

ANY_TEXT = st.text(st.characters(), max_size=300)  # with halves of pairs, as JSON can hold them
OLD = "[Verse]\nHello my love\nHow are you\n\n[Inst]\n\n[Chorus 2]\nLa la la\nLi li li"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("A sad song about the rain in Lisbon", ("rain", "lisbon")),
        ("写一首关于雪山日出的歌，安静", ("雪山日出",)),
    ],
)
def test_a_song_speaks_of_its_prompt_in_its_language(prompt: str, words: tuple[str, ...]) -> None:
    """Each of its subjects is in the song; every line is in one language."""
    song = write_lyrics(prompt)
    for word in words:
        assert word in song.text
    lines = [line for part in parts_of(song.text) for line in part.lines]
    assert len(lines) > 20
    assert {bool(HAN.search(line)) for line in lines} == {bool(HAN.search(prompt))}
    assert any(word in song.title.lower() for word in words)


def test_the_sections_are_those_of_a_song() -> None:
    """The chorus comes back word for word, the verse does not; music generation takes it."""
    parts = parts_of(write_lyrics("a lighthouse at night").text)
    assert [part.tag for part in parts] == [
        "Intro", "Verse", "Pre-Chorus", "Chorus", "Verse", "Chorus", "Bridge", "Chorus", "Outro",
    ]  # fmt: skip
    choruses = {part.lines for part in parts if part.kind == "chorus"}
    verses = {part.lines for part in parts if part.kind == "verse"}
    assert (len(choruses), len(verses)) == (1, 2)


@pytest.mark.parametrize("prompt", ["", "…", "写一首歌", "a song"])
def test_a_prompt_without_a_subject_makes_any_song(prompt: str) -> None:
    """In the language there is."""
    song = write_lyrics(prompt)
    assert song.title
    assert bool(HAN.search(song.text)) == bool(HAN.search(prompt))


def test_a_given_title_stays() -> None:
    """In both modes; a Chinese title decides the language where the prompt is empty."""
    assert write_lyrics("rain", title="My Song").title == "My Song"
    assert edit_lyrics("rain", OLD, title="My Song").title == "My Song"
    assert HAN.search(write_lyrics("", title="雨").text)


def test_an_edit_changes_every_section_that_has_lines() -> None:
    """The first line of each speaks of the prompt; tags and other lines stay."""
    old, new = parts_of(OLD), parts_of(edit_lyrics("make it about the ocean", OLD).text)
    assert [part.tag for part in new] == ["Verse", "Inst", "Chorus 2"]
    for before, after in zip(old, new, strict=True):
        assert after.lines[1:] == before.lines[1:]
        assert len(after.lines) == len(before.lines)
        assert not before.lines or "ocean" in after.lines[0]
    assert edit_lyrics("make it about the moon", OLD).text != edit_lyrics("make it about the ocean", OLD).text


def test_an_edit_without_lyrics_is_a_new_song() -> None:
    """It has nothing to change."""
    assert edit_lyrics("ocean", " \n") == write_lyrics("ocean")


def test_the_seed_decides() -> None:
    """The same arguments make the same song."""
    assert write_lyrics("rain", seed=1) == write_lyrics("rain", seed=1) != write_lyrics("rain", seed=2)


@given(ANY_TEXT, ANY_TEXT, st.integers())
def test_any_prompt_and_lyrics_work_and_fit_music_generation(prompt: str, lyrics: str, seed: int) -> None:
    """Braces and percent signs are letters like others."""
    for song in (write_lyrics(prompt, seed=seed), edit_lyrics(prompt, lyrics, seed=seed)):
        assert 0 < len(song.text) <= LONGEST_LYRICS
        assert song.title
        assert re.fullmatch(r"[\w&-]+(, [\w&-]+){1,3}", song.style_tags)


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("a jazz song, romantic", {"Jazz", "Romantic"}),
        ("欢快的摇滚", {"Upbeat", "Rock"}),
        ("popcorn", {"Pop"}),
    ],
)
def test_style_tags_name_what_the_prompt_names(prompt: str, named: set[str]) -> None:
    """Two to four, English as the platform's."""
    tags = style_tags(prompt).split(", ")
    assert named <= set(tags)
    assert 2 <= len(tags) <= 4
    assert len(set(tags)) == len(tags)


def test_words_of_style_are_no_subject_unless_alone() -> None:
    """A sad song about rain is not about "sad"."""
    assert themes_of("a sad song about rain") == ["rain"]
    assert themes_of("a sad song") == ["sad"]
    assert themes_of("更加欢快") == ["欢快"]
