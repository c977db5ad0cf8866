"""A recording in any format as samples, by PyAV (of the extras `local` and `sandbox`). It blocks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from realtime.core.audio import Samples, chosen_channel
from realtime.media.mp3 import pyav

MOST_BYTES = 500_000_000  # of samples: a small file can hold days of silence


class TooLong(ValueError):
    """There is more sound in it than `MOST_BYTES`."""


def read_recording(content: bytes) -> tuple[Samples, int] | None:
    """The samples of the channel that is spoken into, and the rate in Hertz; None for what nothing here can read.

    What is broken in it is left out, and so is what follows where it was cut off. Raises TooLong.
    """
    av = pyav()
    if av is None:
        return None
    blocks, size = [], 0
    try:
        # a playlist that somebody was sent must not open anything else
        with av.open(io.BytesIO(content), options={"protocol_whitelist": "none"}) as container:
            stream = container.streams.audio[0]
            rate, layout, channels = stream.rate, stream.layout, stream.channels
            packed: Any = None
            shape: tuple[str, str, int] | None = None
            for frame in _frames(av, container, stream):
                # Files that were joined
                if shape != (shape := (frame.format.name, frame.layout.name, frame.sample_rate)):
                    packed = av.AudioResampler(format="s16", layout=layout, rate=rate)
                found = [each.to_ndarray().reshape(-1, channels) for each in packed.resample(frame)]
                blocks += found
                size += sum(each.nbytes for each in found)
                if size > MOST_BYTES:
                    break
    except (av.error.FFmpegError, IndexError, ValueError):
        return None
    if size > MOST_BYTES:
        raise TooLong
    if not blocks:
        return None
    return chosen_channel(np.concatenate(blocks), rate), rate


def _frames(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.FFmpegError):
            return
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            continue
        yield from frames
