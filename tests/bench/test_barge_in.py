"""The recordings that interrupt in `bench.barge_in`."""

from __future__ import annotations

import numpy as np

from bench import barge_in
from tests.clips import RATE, Clip, require_clips


def said(transcript: str, before: np.ndarray) -> Clip:
    """Three seconds of a tone, after some other sound."""
    tone = np.sin(np.arange(3 * RATE)) * 10_000
    return Clip(transcript, "en", transcript, np.concatenate((before, tone)).astype(np.int16), recorded=False)


def test_only_sentences_interrupt_and_their_onset_is_known(monkeypatch) -> None:
    silence, noise = np.zeros(RATE), np.random.default_rng(1).normal(0, 180, RATE)  # 32 dB below the tone
    found = [
        said("Stop here, let us go on.", silence),
        said("So nobody knows where this begins.", noise),
        said("Yes.", silence),
    ]
    monkeypatch.setattr(barge_in, "clips", lambda language: found)
    (speech,) = barge_in.continued_speech()
    assert speech.name == "Stop here, let us go on."
    assert abs(speech.onset_ms - 1000) <= 10
    assert len(speech.samples) / 24_000 <= barge_in.MAX_S


def test_there_are_recordings_that_interrupt() -> None:
    require_clips("en")
    assert len(barge_in.continued_speech()) >= 10
