"""Code and tables at the beginning of a reply: nobody hears them, so they count as soon as they were sent."""

import pytest

from realtime.core.spoken import SpokenPart

CODE = "```py\nx = 1\n```"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |"


@pytest.mark.parametrize(
    "answer", [CODE, TABLE, "🎉🎉", "→ ✓\n", f"{CODE}\n\n{TABLE}", "~~~\nls\n~~~", "```\nmake\n```\n"]
)
def test_an_answer_that_can_only_be_seen_was_seen(answer):
    """A phrase is said in its place, and stands at its end: who stops the phrase has seen the code."""
    part = SpokenPart()
    phrase = "Here is the code."
    part.begin_chunk(0, answer, phrase, [len(answer)] * (len(phrase) + 1))
    assert [part.heard(ms) for ms in (0, 1)] == [answer.rstrip()] * 2
    part.add_audio(0, 1000)
    part.finish_chunk(0)
    part.close()
    assert [part.heard(ms) for ms in (0, 1, 999, 1000)] == [answer.rstrip()] * 4


@pytest.mark.parametrize(
    ("text", "said", "seen"),
    [
        (f"{CODE}\nIt prints one.", "It prints one.", CODE),
        (f"{TABLE}\n\nTwo rows.", "Two rows.", TABLE),
        (f"Look: {CODE}", "Look:", ""),
        ("**Hello** you", "Hello you", ""),
        ("[Hello](https://e.org) you", "Hello you", ""),
        ("# Hello\nyou", "Hello\nyou", ""),
        ("- one\n- two", "one\ntwo", ""),
        ("<b>Hello</b>", "Hello", ""),
        ("😀 Hello", "Hello", ""),
        ("---\n\nHello", "Hello", ""),
    ],
)
def test_before_the_first_word_only_code_and_tables_count(text, said, seen):
    part = SpokenPart()
    places = [text.index(word) for word in said.split()]
    first = [max(place for place, word in zip(places, said.split(), strict=True) if said.index(word) <= at)
             for at in range(len(said))]  # fmt: skip
    part.begin_chunk(0, text, said, [*first, len(text)])
    part.add_audio(0, 1000)
    assert part.heard(0) == seen
