"""What a film's bytes say: size, seconds, frames a second, title, sound; and single frames of it.

It does not know which films an endpoint takes. Facts are about the first picture track.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .extras import av


class UnreadableFilm(ValueError):
    """The bytes are no film, or have no picture in them."""


@dataclass(frozen=True, slots=True)
class FilmFacts:
    """Facts of a film. `width` and `height` in pixels."""

    width: int
    height: int
    seconds: float
    fps: float  # frames a second
    title: str  # empty without one
    has_audio: bool


@contextmanager
def _opened(data: bytes) -> Iterator[Any]:
    try:
        container = av().open(io.BytesIO(data))
    except av().FFmpegError as error:
        raise UnreadableFilm("not a readable film") from error
    with container:
        if not container.streams.video:
            raise UnreadableFilm("not a film: it has no picture")
        yield container


def film_facts(data: bytes) -> FilmFacts:
    """Facts of a film. Raises UnreadableFilm, ExtraMissing."""
    with _opened(data) as container:
        stream = container.streams.video[0]
        length = (
            stream.duration * stream.time_base if stream.duration else (container.duration or 0) / 1_000_000
        )
        return FilmFacts(
            stream.width,
            stream.height,
            float(length),
            float(stream.average_rate or 0),
            container.metadata.get("title", ""),
            bool(container.streams.audio),
        )


def film_frames(data: bytes, every: int = 1) -> Iterator[NDArray[np.uint8]]:
    """Each `every`-th frame from the first, (height, width, 3) in RGB. Raises UnreadableFilm, ExtraMissing."""
    with _opened(data) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if index % every == 0:
                yield frame.to_ndarray(format="rgb24")
