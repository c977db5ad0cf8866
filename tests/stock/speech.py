"""The speech of the stock clients' users: recordings at 24 kHz, as arrays or as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.clips import RATE, clip, clips, have_recordings

WIRE_RATE = 24_000  # Hertz
QUESTION = "en_sb_spk1_snt5"  # "Sunday is the best part of the week."
INTERRUPTION = "en_sb_spk1_snt4"  # "A thin stripe runs down the middle."


def spoken(name: str) -> np.ndarray:
    """One recording, int16 at 24 kHz; the sandbox's voice if there are no recordings."""
    import soxr

    chosen = clip(name) if have_recordings() else clips("en")[2]
    return np.asarray(soxr.resample(chosen.samples, RATE, WIRE_RATE)).astype("<i2")


def said(name: str) -> str:
    """The text of a recording."""
    return (clip(name) if have_recordings() else clips("en")[2]).transcript


def files(folder: Path) -> dict[str, str]:
    """Raw PCM files by the names that the scripts use."""
    paths = {}
    for name, source in (("question", QUESTION), ("interruption", INTERRUPTION)):
        path = folder / f"{name}.pcm"
        path.write_bytes(spoken(source).tobytes())
        paths[name] = str(path)
    return paths
