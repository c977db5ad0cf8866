"""The natural voice: runs of Chinese and English text in, samples and word starts out.

It chooses Kokoro's voice for a voice of the platform, and says a sentence with both languages in one voice and one go.
It knows no sockets, and not where its files came from.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .. import voice_text
from ..voice_engine import VoiceUnavailable
from ..voice_traits import CREATED_VARIANTS, SYSTEM_VARIANTS
from . import english, mandarin, numbers, pinyin
from .kokoro import FASTEST, LONGEST, RATE, SLOWEST, Samples, Utterance

ENGLISH_VOICES = {
    "female": ("af_heart", "af_bella", "af_sarah"),
    "male": ("am_michael", "am_fenrir", "am_puck"),
}
CHINESE_VOICES = {
    "female": ("zf_xiaoxiao", "zf_xiaobei", "zf_xiaoni", "zf_xiaoyi"),
    "male": ("zm_yunjian", "zm_yunxi", "zm_yunxia", "zm_yunyang"),
}
_FEMALE = frozenset((*SYSTEM_VARIANTS["female"], *CREATED_VARIANTS["female"]))
_MARKS = str.maketrans({
    "，": ", ", "。": ". ", "、": ", ", "！": "! ", "？": "? ", "：": ": ", "；": "; ", "（": " (", "）": ") ",
    "“": "“", "”": "”", "「": "“", "」": "”", "《": "“", "》": "”",
})  # fmt: skip
_WEIGHTS = dict.fromkeys("→↗↓↘ʰˈˌ", 0) | dict.fromkeys(",;:—", 4) | dict.fromkeys(".!?…", 6)
_AUDIBLE = 200  # of 32767
_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Delivery:
    """How something is said. `variant` is the espeak timbre of the voice, which tells a woman's from a man's."""

    voice_id: str
    variant: str
    speed: float = 1.0  # times the normal rate
    semitones: float = 0.0


@dataclass(frozen=True, slots=True)
class _Piece:
    """Phonemes, and the places in the segment's text where their words begin."""

    phonemes: str
    words: tuple[int, ...]

    @property
    def weight(self) -> float:
        return sum(_WEIGHTS.get(one, 2) for one in self.phonemes)


class Model(Protocol):
    """What is needed of `Kokoro`."""

    def load(self) -> None: ...

    def say(self, utterance: Utterance) -> Samples: ...


class NaturalVoice:
    """Speaks with the model. Its sound is kept by text, so a repeated sentence costs nothing."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __repr__(self) -> str:
        return f"<NaturalVoice {self._model!r}>"

    def load(self) -> None:
        """Have the model ready before the first word. What is wrong with it, `say` tells."""
        with suppress(Exception):
            self._model.load()

    def say(
        self, runs: Sequence[voice_text.Say], delivery: Delivery
    ) -> tuple[Samples, list[tuple[int, int]], int]:
        """Samples, the (offset in the segment's text, sample) of each word's start, and the rate in Hertz.

        Blocks for about half of the sound's length. Raises VoiceUnavailable.
        """
        voice = kokoro_voice(delivery, chinese=any(run.script == "han" for run in runs))
        ratio = 2.0 ** (delivery.semitones / 12)  # played faster by this, and spoken slower before
        speed = round(min(FASTEST, max(SLOWEST, delivery.speed / ratio)), 2)
        parts: list[Samples] = []
        events: list[tuple[int, int]] = []
        length = 0
        for pieces in _portions(_pieces(runs)):
            pcm = self._say(Utterance("".join(one.phonemes for one in pieces).strip(), voice, speed))
            begin, end = sounding(pcm)
            events += _starts(pieces, length + begin, end - begin)
            parts.append(pcm)
            length += len(pcm)
        return np.concatenate([*parts, np.zeros(0, np.int16)]), events, round(RATE * ratio)

    def _say(self, utterance: Utterance) -> Samples:
        try:
            return self._model.say(utterance)
        except Exception as error:  # onnxruntime's own errors have no class in common
            raise VoiceUnavailable(
                f"the natural voice cannot speak ({error}): realtime setup voice"
            ) from error


def kokoro_voice(delivery: Delivery, *, chinese: bool) -> str:
    """Kokoro's voice for a voice of the platform: always the same, of the same sex."""
    voices = CHINESE_VOICES if chinese or "Mandarin" in delivery.voice_id else ENGLISH_VOICES
    chosen = voices["female" if delivery.variant in _FEMALE else "male"]
    return chosen[zlib.crc32(delivery.voice_id.encode()) % len(chosen)]


def _pieces(runs: Sequence[voice_text.Say]) -> Iterator[_Piece]:
    for index, run in enumerate(runs):
        if index:
            yield _Piece(" ", ())
        yield from _chinese(run) if run.script == "han" else _english(run)


def _chinese(run: voice_text.Say) -> Iterator[_Piece]:
    spelled = numbers.written_out(run.text)
    said = pinyin.syllables("".join(char for char, _ in spelled))
    for (char, at), syllable in zip(spelled, said, strict=True):
        if syllable:
            yield _Piece(mandarin.phonemes(syllable), (run.origin[at],))
        elif not char.isalnum():
            yield _Piece(char.translate(_MARKS), ())


def _english(run: voice_text.Say) -> Iterator[_Piece]:
    for begin, end, phonemes in english.clauses(run.text):
        words = (found.start() for found in _WORD.finditer(run.text, begin, end))
        yield _Piece(phonemes, tuple(run.origin[at] for at in words))


def _portions(pieces: Iterator[_Piece]) -> Iterator[list[_Piece]]:
    """Pieces for one call of the model each: it takes no longer text."""
    portion: list[_Piece] = []
    length = 0
    for piece in pieces:
        if portion and length + len(piece.phonemes) > LONGEST:
            yield portion
            portion, length = [], 0
        portion.append(piece)
        length += len(piece.phonemes)
    if any(one.words for one in portion):
        yield portion


def sounding(pcm: Samples) -> tuple[int, int]:
    """From the first to the last sample that is heard: the model begins and ends with silence."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > _AUDIBLE)
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(pcm))


def _starts(pieces: Sequence[_Piece], begin: int, length: int) -> Iterator[tuple[int, int]]:
    """Where words begin, by the share of their phonemes: the model does not tell."""
    whole = sum(piece.weight for piece in pieces) or 1.0
    before = 0.0
    for piece in pieces:
        for index, at in enumerate(piece.words):
            share = before + piece.weight * index / len(piece.words)
            yield at, begin + round(length * share / whole)
        before += piece.weight
