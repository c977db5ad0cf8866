"""A model that says nothing in particular: sound as long as its phonemes, and what it was asked for."""

from __future__ import annotations

import numpy as np

from realtime.sandbox.natural.kokoro import Samples, Utterance

SILENCE = 2400  # samples before and after, as the real one has them
SOUND = 1200  # samples for each phoneme


class FakeModel:
    """`asked` are the utterances so far."""

    def __init__(self) -> None:
        self.asked: list[Utterance] = []

    def load(self) -> None:
        pass

    def say(self, utterance: Utterance) -> Samples:
        self.asked.append(utterance)
        quiet = np.zeros(SILENCE, np.int16)
        return np.concatenate([quiet, np.full(SOUND * len(utterance.phonemes), 5000, np.int16), quiet])

    @property
    def phonemes(self) -> str:
        return " | ".join(one.phonemes for one in self.asked)
