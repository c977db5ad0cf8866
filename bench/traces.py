"""Generated token streams: the texts of replies with arrival times, in the patterns of real chat models.

Patterns follow docs/minimax/chat.md 4 and latency.md 2: single tokens, a few large bursts per second, slow streams.
Everything is generated from a seed; a trace is only times and texts.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from realtime.core.characters import UNSPACED

_TOKEN = re.compile(
    rf"[{UNSPACED}]{{1,2}}|['’](?:m|s|t|re|ve|ll|d)\b| ?[^\W\d_{UNSPACED}]{{1,12}}| ?\d{{1,3}}|\n+| ?[^\w\s]|\s|.",
    re.S,
)


@dataclass(frozen=True, slots=True)
class Trace:
    """One streamed reply: (seconds after the first delta, text) in order, and the end of the stream."""

    deltas: tuple[tuple[float, str], ...]
    finish_s: float

    def arrival_s(self, position: int) -> float:
        """When the character at `position` arrived."""
        for at_s, text in self.deltas:
            position -= len(text)
            if position < 0:
                return at_s
        return self.finish_s

    @property
    def text(self) -> str:
        return "".join(text for _, text in self.deltas)


@dataclass(frozen=True, slots=True)
class Stream:
    """A pattern: ranges of the seconds between deltas, the tokens per delta, and the tokens of the first delta."""

    name: str
    gap_s: tuple[float, float]
    tokens: tuple[int, int] = (1, 1)
    first: tuple[int, int] = (1, 1)

    def trace(self, text: str, rng: random.Random) -> Trace:
        tokens = tokenize(text, rng)
        deltas: list[tuple[float, str]] = []
        now_s, position = 0.0, 0
        while position < len(tokens):
            low, high = self.first if not deltas else self.tokens
            count = rng.randint(low, high)
            deltas.append((now_s, "".join(tokens[position : position + count])))
            position += count
            if position < len(tokens):
                now_s += rng.uniform(*self.gap_s)
        return Trace(tuple(deltas), now_s)


def tokenize(text: str, rng: random.Random) -> list[str]:
    """Tokens of about the size of a chat model's: 3.6 English characters, 1.5 to 1.7 Chinese ones."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text):
        token = match.group()
        if len(token) == 2 and re.fullmatch(rf"[{UNSPACED}]+", token) and rng.random() < 0.25:
            tokens += token
        else:
            tokens.append(token)
    return tokens


TOKEN_20MS = Stream("token/20ms", (0.02, 0.02))
FAST = Stream("200 tok/s", (0.003, 0.007))
STEADY = Stream("60 tok/s", (0.01, 0.024))
BURSTS = Stream("bursts", (0.2, 0.5), (10, 40), (1, 2))
SMALL_BURSTS = Stream("bursts 25/s", (0.03, 0.05), (2, 4), (1, 2))
SLOW = Stream("12 tok/s", (0.06, 0.105))
CRAWL = Stream("5 tok/s", (0.15, 0.25))


_CLAUSE_END = re.compile(rf"[.!?;:,…—]+[\"')\]”’]*(?=\s|$|[{UNSPACED}])|[。！？；：，、…]+[”’」』）]*|\n")
_NO_END = re.compile(r"(?:\b(?:Dr|Mr|Mrs|St|e\.g|i\.e|[a-zA-Z](?:\.[a-zA-Z])+|\d)\.)$")


def clause_floor_s(trace: Trace) -> float:
    """When the first clause of docs/architecture.md 2.2 is complete: the lower bound for every chunker with that rule.

    Computed from the complete text, independently of the chunker.
    """
    text = trace.text
    for position in range(len(text)):
        words = len(re.findall(rf"[^\W_{UNSPACED}]+(?:['’.,:-][^\W_{UNSPACED}]+)*", text[: position + 1]))
        wide = len(re.findall(rf"[{UNSPACED}]", text[: position + 1]))
        if words >= 8 or wide >= 16:
            return trace.arrival_s(position)
        end = _CLAUSE_END.match(text, position)
        if end and not _NO_END.search(text[: position + 1]):
            enough = words >= 3 or wide >= 2 or (words + wide > 0 and end.group()[0] in ".!?。！？\n")
            if enough:
                return trace.arrival_s(position)
    return trace.finish_s
