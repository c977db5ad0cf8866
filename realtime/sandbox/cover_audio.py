"""The recording that a cover is made from: its length, its quiet ends, and the sections that are said to be in it.

Reads any audio file with PyAV; blocking. It transcribes nothing: the lyrics are those in the file's tags, or none.
Knows neither requests nor feature ids (docs/minimax/music.md 2).
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from .extras import av
from .song_words import parts_of

RATE = 8_000  # Hertz, enough for lengths and levels
SHORTEST_S, LONGEST_S = 6.0, 360.0
TOLERANCE_S = 0.1  # codecs add some silence at both ends
LABELS = frozenset(("intro", "verse", "chorus", "bridge", "outro", "inst", "silence"))
_QUIET = 100  # of 32,767: silence below it
_BLOCK = RATE // 10
_SAME = {"pre chorus": "verse", "post chorus": "chorus", "hook": "chorus", "drop": "chorus"}
_USUAL = ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro")


class UnreadableSong(ValueError):
    """The file is no recording, or too short or too long; the message says which."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one recording. Times in seconds from its start."""

    md5: str  # of the file
    seconds: float
    sound_from_s: float  # before it is silence
    sound_until_s: float  # after it is silence
    lyrics: str  # from the file's tags, "" if there are none

    @property
    def seed(self) -> int:
        """The same for the same file."""
        return int(self.md5[:8], 16)


def read_recording(data: bytes) -> Recording:
    """Read a whole file. Blocks. Raises UnreadableSong, and ExtraMissing without PyAV."""
    lib = av()
    try:
        with lib.open(io.BytesIO(data)) as container:
            if not container.streams.audio:
                raise UnreadableSong("has no audio")
            tags = dict(container.metadata)
            levels, samples = _levels(container, lib.AudioResampler(format="s16", layout="mono", rate=RATE))
    except (lib.FFmpegError, IndexError, ValueError) as error:
        if isinstance(error, UnreadableSong):
            raise
        raise UnreadableSong("cannot be read as audio") from None
    seconds = samples / RATE
    if not SHORTEST_S - TOLERANCE_S <= seconds <= LONGEST_S + TOLERANCE_S:
        raise UnreadableSong(f"is {seconds:.1f} s long, allowed {SHORTEST_S:g} s to {LONGEST_S / 60:g} min")
    loud = np.flatnonzero(np.asarray(levels) > _QUIET)
    first, last = (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, 0)
    lyrics = next((text for name, text in tags.items() if name.lower().startswith(("lyrics", "ilyc"))), "")
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    block_s = _BLOCK / RATE
    return Recording(md5, seconds, first * block_s, min(seconds, last * block_s), lyrics)


def _levels(container: Any, resampler: Any) -> tuple[list[int], int]:
    """The loudest sample of each tenth of a second, and the number of samples; a longer file is not read on."""
    levels: list[int] = []
    samples = 0
    rest = np.zeros(0, dtype=np.int16)
    for frame in container.decode(audio=0):
        for piece in resampler.resample(frame):
            wave = piece.to_ndarray().reshape(-1)
            samples += len(wave)
            rest = np.concatenate([rest, wave])
        while len(rest) >= _BLOCK:
            levels.append(_loudest(rest[:_BLOCK]))
            rest = rest[_BLOCK:]
        if samples > (LONGEST_S + 1) * RATE:
            break
    return [*levels, *([_loudest(rest)] if len(rest) else [])], samples


def _loudest(wave: Any) -> int:
    return int(np.abs(wave.astype(np.int32)).max())


def structure(recording: Recording, lyrics: str) -> str:
    """The JSON text of `structure_result`: the sections of the lyrics, spread over the time that has sound."""
    labels = [_label(part.kind) for part in parts_of(lyrics)] or list(_USUAL)
    begin, end = recording.sound_from_s, recording.sound_until_s
    step_s = (end - begin) / len(labels)
    edges = [begin + step_s * place for place in range(len(labels))] + [end]
    spans = [(a, b, label) for (a, b), label in zip(pairwise(edges), labels, strict=True)]
    spans = [(0.0, begin, "silence"), *spans, (end, recording.seconds, "silence")]
    segments = [
        {"start": round(a, 2), "end": round(b, 2), "label": label} for a, b, label in spans if b - a > 0.05
    ]
    return json.dumps({"num_segments": len(segments), "segments": segments})


def _label(kind: str) -> str:
    kind = _SAME.get(kind, kind)
    return kind if kind in LABELS else "inst"
