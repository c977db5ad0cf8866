"""The subtitles of a finished piece of speech: the platform's JSON in, lines with times out. Pure.

The same array is behind `data.subtitle_file` of speech and in the `.titles` members of long speech
(docs/minimax/t2a-http.md 2, t2a-async.md 3). Subtitles of a running stream are in `subtitles`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from realtime.errors import ProviderUnavailable
from realtime.minimax.json_text import decode_json


@dataclass(frozen=True, slots=True)
class SubtitleWord:
    """One word as it is written, with the milliseconds at which it is spoken."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class SubtitleLine:
    """One sentence or part of one. Times are milliseconds from the start of the audio; `words` may be empty."""

    text: str
    start_ms: float
    end_ms: float
    words: tuple[SubtitleWord, ...] = field(default=(), repr=False)


def read_lines(content: bytes) -> tuple[SubtitleLine, ...]:
    """The lines of a subtitle file. Raises ProviderUnavailable for what is not JSON."""
    try:
        entries = decode_json(content)
    except msgspec.DecodeError as error:
        raise ProviderUnavailable("MiniMax: the subtitles are not JSON.") from error
    if isinstance(entries, Mapping):  # one line alone
        entries = [entries]
    return lines_of(entries if isinstance(entries, list) else ())


def lines_of(entries: Iterable[Any]) -> tuple[SubtitleLine, ...]:
    """The lines in order; an entry without a text is left out, and no line ends before it starts."""
    found = []
    for entry in entries:
        if not isinstance(entry, Mapping) or not str(entry.get("text") or "").strip():
            continue
        start_ms = _ms(entry.get("time_begin"))
        end_ms = max(start_ms, _ms(entry.get("time_end")))
        words = tuple(_words(entry.get("timestamped_words") or ()))
        found.append(SubtitleLine(str(entry["text"]), start_ms, end_ms, words))
    return tuple(found)


def _words(entries: Iterable[Any]) -> Iterable[SubtitleWord]:
    for entry in entries:
        if isinstance(entry, Mapping) and str(entry.get("word") or "").strip():
            start_ms = _ms(entry.get("time_begin"))
            yield SubtitleWord(str(entry["word"]), start_ms, max(start_ms, _ms(entry.get("time_end"))))


def _ms(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        return 0.0
    return float(value)
