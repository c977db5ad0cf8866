"""Recorded speech for tests: the clips in SPEECH_CLIPS. Without them, speech by the sandbox's voice."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

RATE = 16_000  # Hertz
FOLDER = Path(
    os.environ.get("SPEECH_CLIPS") or Path(__file__).parents[1] / ".." / "shared" / "speech"
).resolve()

SPOKEN = (  # texts for the sandbox's voice, used without recordings
    "What is the weather like in Paris today?",
    "Please tell me a short story about a dog.",
    "I would like to know the time.",
    "Thank you very much, that is all for now.",
)


@dataclass(frozen=True, slots=True)
class Clip:
    """One recording with its text."""

    id: str
    language: str  # ISO-639-1
    transcript: str
    samples: np.ndarray  # int16, 16 kHz, mono
    recorded: bool  # False: made by the sandbox's voice

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE


def have_recordings() -> bool:
    """Whether there are real recordings."""
    return (FOLDER / "manifest.json").is_file()


def require_clips(language: str | None = None) -> list[Clip]:
    """All recordings, or those of one language; skips the test if there are none."""
    if not have_recordings():
        pytest.skip(f"no recorded speech in {FOLDER} (set SPEECH_CLIPS)")
    pytest.importorskip("av", reason="recordings are FLAC: pip install 'minimax-realtime[sandbox]'")
    return [clip for clip in _recordings() if language in (None, clip.language)]


def clips(language: str = "en") -> list[Clip]:
    """The recordings of one language; for English, the sandbox's voice replaces missing ones."""
    if have_recordings() or language != "en":
        return require_clips(language)
    return list(_spoken())


def clip(id: str) -> Clip:
    """One recording by name; skips the test if it is missing."""
    return next(clip for clip in require_clips() if clip.id == id)


@cache
def _recordings() -> tuple[Clip, ...]:
    manifest = json.loads((FOLDER / "manifest.json").read_text("utf-8"))
    return tuple(
        Clip(entry["id"], entry["lang"], entry["transcript"], _read(FOLDER / entry["file"]), recorded=True)
        for entry in manifest["clips"]
    )


def _read(path: Path) -> np.ndarray:
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.int16)


@cache
def _spoken() -> tuple[Clip, ...]:
    pytest.importorskip("espeakng_loader", reason="no recordings, and no voice: install [sandbox]")
    from realtime.sandbox import voice

    made = [voice.synthesize(text, voice_id="English_Graceful_Lady", rate=RATE).pcm for text in SPOKEN]
    return tuple(
        Clip(f"spoken_{index}", "en", text, pcm, recorded=False)
        for index, (text, pcm) in enumerate(zip(SPOKEN, made, strict=True))
    )
