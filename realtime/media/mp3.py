"""Speech as an MP3 file, by PyAV (of the extras `local` and `sandbox`) or else by pydub and ffmpeg (of `media`).

It blocks: call it with `asyncio.to_thread` where others wait. It knows nothing of files and of their names.
"""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np

from realtime.media.ffmpeg import pydub_segment

BITRATE = 64_000  # bits a second


def check_mp3() -> None:
    """Raises ConfigError, which says what to install, if nothing here can encode."""
    if pyav() is None:
        pydub_segment()


def encode_mp3(pcm: bytes, rate: int) -> bytes:
    """16-bit mono PCM as an MP3 file. `rate` in Hertz. Raises ConfigError as `check_mp3` does."""
    av = pyav()
    target = io.BytesIO()
    if av is None:
        segment = pydub_segment()(data=pcm, sample_width=2, frame_rate=rate, channels=1)
        segment.export(target, format="mp3", bitrate=f"{BITRATE // 1000}k")
        return target.getvalue()
    with av.open(target, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate, layout="mono", format="s16p")
        stream.bit_rate = BITRATE
        if pcm:
            frame = av.AudioFrame.from_ndarray(np.frombuffer(pcm, "<i2")[None], format="s16", layout="mono")
            frame.sample_rate = rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


def pyav() -> Any:
    """PyAV, or None."""
    try:
        return importlib.import_module("av")
    except ImportError:
        return None
