"""A voice whose words can be told from its sound, and an upstream that speaks with it.

Each word of ANSWER is a square wave with a wave length of its own. So what a listener has heard is counted word by word
and to the sample, whatever a server says of it; how loud it is does not matter. Knows no server.
"""

from __future__ import annotations

import io
import json
import re
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from aiohttp import web
from numpy.typing import NDArray

from bench.common import RATE
from bench.load_upstream import Upstream
from realtime.replying.interrupted import CONTINUE

ANSWER = (
    "Apple river table cloud, window garden pepper silver. Button market yellow candle, harbour pencil winter basket. "
    "Marble forest kettle planet, violet ladder copper meadow."
)
_WORD = re.compile(r"[A-Za-z]+")
WORDS = tuple(word.lower() for word in _WORD.findall(ANSWER))
TONE_MS, PAUSE_MS, LEAD_MS, FRAME_MS = 280, 40, 20, 100
SHORTEST, STEP = 10, 2  # samples of half a wave: of the first word, and more for each next one
LOUD = 1000
WHOLE = 0.9  # of a word's sound: it was heard
ONCE = 1.05  # parts of a word that are not more together have a pause between them, and nothing comes twice

Samples = NDArray[np.int16]


def samples_of(ms: float) -> int:
    return round(ms * RATE / 1000)


def tone(word: int) -> Samples:
    """The sound of a word, by its number in WORDS."""
    half = SHORTEST + STEP * word
    waves = np.arange(samples_of(TONE_MS)) // half % 2
    return np.where(waves == 0, 6000, -6000).astype(np.int16)


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """A word of a text: characters, and milliseconds of its sound."""

    begin: int
    end: int
    start_ms: float
    end_ms: float


def say(text: str) -> tuple[Samples, list[SpokenWord]]:
    """The sound of a text, and when each of its words sounds. Words that are not in WORDS are silent."""
    parts, words, length = [np.zeros(samples_of(LEAD_MS), np.int16)], list[SpokenWord](), samples_of(LEAD_MS)
    for found in _WORD.finditer(text):
        known = found[0].lower() in WORDS
        sound = tone(WORDS.index(found[0].lower())) if known else np.zeros(samples_of(TONE_MS), np.int16)
        start_ms = length * 1000 / RATE
        words.append(SpokenWord(found.start(), found.end(), start_ms, start_ms + TONE_MS))
        parts += [sound, np.zeros(samples_of(PAUSE_MS), np.int16)]
        length += len(sound) + samples_of(PAUSE_MS)
    return np.concatenate(parts), words


@dataclass(frozen=True, slots=True)
class HeardWord:
    """A word in the sound, by its number, with the milliseconds from the start of the sound."""

    word: int
    start_ms: float
    end_ms: float

    @property
    def share(self) -> float:
        """How much of the word it was."""
        return (self.end_ms - self.start_ms) / TONE_MS


def words_in(sound: Samples) -> list[HeardWord]:
    """The words in a sound, in order. What is cut off within two waves is not seen."""
    signs = np.sign(np.where(np.abs(sound.astype(np.int32)) > LOUD, sound, 0))
    edges = np.flatnonzero(np.diff(signs, prepend=0, append=0))
    found: list[HeardWord] = []
    runs = [(int(a), int(b)) for a, b in pairwise(edges) if signs[a] != 0]
    for word_runs in _words_of(runs):
        sizes = [end - begin for begin, end in word_runs]
        word, odd = divmod(max(set(sizes), key=sizes.count) - SHORTEST, STEP)
        if len(sizes) > 2 and not odd and 0 <= word < len(WORDS):
            found.append(HeardWord(word, word_runs[0][0] * 1000 / RATE, word_runs[-1][1] * 1000 / RATE))
    return found


def _words_of(runs: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The runs that follow each other without silence."""
    groups: list[list[tuple[int, int]]] = []
    for run in runs:
        if groups and groups[-1][-1][1] == run[0]:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


class Heard(Protocol):
    """A word, or a part of it, that was heard."""

    @property
    def word(self) -> int: ...
    @property
    def share(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a listener got of one answer."""

    lost: int  # words that were never heard whole
    repeated: int  # words that sounded more than once, also in part

    @property
    def whole(self) -> bool:
        return not self.lost


def judge(heard: Sequence[Heard]) -> Verdict:
    shares: dict[int, list[float]] = {}
    for one in heard:
        parts = shares.setdefault(one.word, [])
        if parts and parts[-1] + one.share <= ONCE:
            parts[-1] += one.share
        else:
            parts.append(one.share)
    lost = sum(max(shares.get(word, [0.0])) < WHOLE for word in range(len(WORDS)))
    return Verdict(lost, sum(len(each) > 1 for each in shares.values()))


class WordUpstream(Upstream):
    """Answers with ANSWER, goes on where it is told to, and reads in a user's speech how long it was."""

    def answer_to(self, request: bytes) -> str:
        messages = json.loads(request).get("messages") or []
        if len(messages) < 2 or CONTINUE not in str(messages[-1].get("content")):
            return ANSWER
        said = str(messages[-2].get("content") or "").rstrip()
        return ANSWER[len(said) :] if ANSWER.startswith(said) else ANSWER

    async def transcript_of(self, request: web.Request) -> str:
        form = await request.post()
        file = form["file"]
        assert isinstance(file, web.FileField)
        with wave.open(io.BytesIO(file.file.read())) as sound:
            ms = round(sound.getnframes() * 1000 / sound.getframerate())
        return f"I spoke for {ms} milliseconds."

    async def record(self, text: str) -> list[tuple[str, str]]:
        sound, words = say(text)
        size, frames = samples_of(FRAME_MS), []
        for begin in range(0, len(sound), size):
            end = min(begin + size, len(sound))
            begun = [word for word in words if word.start_ms < end * 1000 / RATE]
            audio = sound[begin:end].astype("<i2").tobytes().hex()
            frames.append(_frame({"audio": audio, "status": 1, "subtitle": _subtitle(text, begun)}))
        frames.append(_frame({"audio": "", "status": 2}, final=True, ms=len(sound) * 1000 / RATE))
        return [(frame, "") for frame in frames]


def spoken_ms(transcript: str) -> int:
    """How long the speech was that this transcript is of."""
    found = re.search(r"\d+", transcript)
    return int(found[0]) if found else 0


def _subtitle(text: str, words: Sequence[SpokenWord]) -> dict[str, Any] | None:
    if not words:
        return None
    return {
        "text": text[: words[-1].end],
        "text_begin": 0,
        "text_end": words[-1].end,
        "time_begin": words[0].start_ms,
        "time_end": words[-1].end_ms,
        "timestamped_words": [
            {
                "word": text[word.begin : word.end],
                "word_begin": word.begin,
                "word_end": word.end,
                "time_begin": word.start_ms,
                "time_end": word.end_ms,
            }
            for word in words
        ],
    }


def _frame(data: dict[str, Any], *, final: bool = False, ms: float = 0.0) -> str:
    more = {"extra_info": {"audio_length": round(ms), "audio_sample_rate": RATE}} if final else {}
    ok = {"base_resp": {"status_code": 0, "status_msg": "success"}, "trace_id": "0" * 32}
    return json.dumps(
        {"event": "task_continued", "data": data, "is_final": final, "session_id": "w", **more, **ok}
    )
