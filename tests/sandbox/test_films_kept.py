"""The sandbox makes the same film once: the last ones are kept."""

from __future__ import annotations

from typing import Any

import pytest

from realtime.sandbox import film_inputs
from realtime.sandbox.film_inputs import FilmPlan, Picture, filmed


async def test_the_last_films_are_made_once_and_older_ones_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(prompt: str, **_: Any) -> bytes:
        made.append(prompt)
        return prompt.encode()

    monkeypatch.setattr(film_inputs, "make_film", make)
    monkeypatch.setattr(film_inputs, "_FILMS", {})
    for prompt in "abacadaeba":  # only b is older than four others when it is asked for again
        assert await filmed(FilmPlan(prompt, 1.0, 64, 64)) == prompt.encode()
    assert "".join(made) == "abcdeb"
    await filmed(FilmPlan("a", 1.0, 64, 64, first=Picture(b"another", 64, 64)))
    await filmed(FilmPlan("a", 1.0, 64, 64, watermark=True))
    assert "".join(made) == "abcdebaa"
