"""Answers that are long, or made of one thing a thousand times: said as short ones are, in time that grows with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from realtime.core import chunker, clauses
from realtime.core.chunker import Chunker
from realtime.core.clauses import find_cuts
from realtime.core.normalize import SpeechNormalizer
from realtime.core.wording import Wording, WordingBuffer


def said(text: str, size: int) -> str:
    """What is said of `text`, which comes in deltas of so many characters."""
    normalizer = SpeechNormalizer()
    parts = [normalizer.feed(text[start : start + size]) for start in range(0, len(text), size)]
    parts.append(normalizer.finish())
    assert "".join(part.text for part in parts) == text
    return "".join(part.said for part in parts)


LONG = {
    "an address": ("https://example.com/" + "a" * 900 + " is it.", "example.com is it."),
    "a table row": ("| a |\n|---|\n| " + "long cell, " * 90 + "|\nEnd.", "End."),
    "a line of dashes": ("-" * 900 + "\nEnd.", "End."),
    "stars": ("a " + "*" * 900 + "b", "a " + "*" * 900 + "b"),
    "a word": ("x" * 2000, "x" * 2000),
    "brackets": ("[" * 1000, "[" * 1000),
    "code": ("```\n" + "x = f(1)\n" * 300 + "```\nDone.", "Done."),
    "money words": ("It costs $$ a lot, or $$ more.", "It costs $$ a lot, or $$ more."),
}


@pytest.mark.parametrize(("text", "spoken"), LONG.values(), ids=LONG.keys())
@pytest.mark.parametrize("size", [1, 7, 399, 100_000])
def test_a_long_construct_is_said_alike_in_all_deltas(text: str, spoken: str, size: int) -> None:
    assert said(text, size) == spoken


def test_what_stands_far_behind_does_not_move_a_cut() -> None:
    text = "Dr. Lee came at 5 p.m. Monday, and 我们去北京看看。 Then he left. " * 20
    longer = find_cuts(text + "Word. " * 5000, final=True)
    assert longer == [cut for cut in find_cuts(text, final=True) if cut.end <= longer[-1].end]


def test_chunks_of_a_long_text_measure_only_what_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "我们今天去北京看看。" * 800
    measured = 0

    def counting(measure: Callable[[str], clauses.Size]) -> Callable[[str], clauses.Size]:
        def count(text: str) -> clauses.Size:
            nonlocal measured
            measured += len(text)
            return measure(text)

        return count

    monkeypatch.setattr(chunker, "measure", counting(clauses.measure))
    cutter = Chunker()
    cutter.feed(Wording.plain(text), 0.0)
    cutter.finish()
    now_s, chunks = 0.0, []
    while not cutter.done:
        now_s += 1.0
        for chunk in cutter.poll(now_s):
            chunks.append(chunk)
            cutter.audio(chunk.index, 200.0 * len(chunk.spoken), complete=True, now_s=now_s)
    assert "".join(chunk.text for chunk in chunks) == text
    assert measured < len(text) + 2500 * (len(chunks) + 1)  # not the whole rest for each chunk


def test_offsets_stay_right_after_many_pieces() -> None:
    buffer = WordingBuffer()
    for _ in range(100):
        buffer.append(Wording("**ab** ", "ab ", (2, 3, 6)))
    for _ in range(100):
        piece = buffer.take(3)
        assert (piece.text, piece.said, piece.offsets) == ("**ab** ", "ab ", (2, 3, 6))
