"""A recording in any format as samples, by PyAV (of the extras `local` and `sandbox`). It blocks."""

from __future__ import annotations

import io

import numpy as np

from realtime.core.audio import Samples, chosen_channel
from realtime.media.mp3 import pyav

_MOST_S = 6 * 3600  # a small file can hold days of silence


def read_recording(content: bytes) -> tuple[Samples, int] | None:
    """The samples of the channel that is spoken into, and the rate in Hertz; None for what nothing here can read."""
    av = pyav()
    if av is None:
        return None
    try:
        # a playlist that somebody was sent must not open anything else
        with av.open(io.BytesIO(content), options={"protocol_whitelist": "none"}) as container:
            stream = container.streams.audio[0]
            rate, channels = stream.rate, stream.channels
            packed = av.AudioResampler(format="s16", layout=stream.layout, rate=rate)
            blocks, left = [], _MOST_S * rate
            for frame in container.decode(stream):
                blocks += [each.to_ndarray().reshape(-1, channels) for each in packed.resample(frame)]
                left -= frame.samples
                if left < 0:
                    break
    except (av.error.FFmpegError, IndexError, ValueError):
        return None
    if not blocks:
        return None
    return chosen_channel(np.concatenate(blocks), rate), rate
