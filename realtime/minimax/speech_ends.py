"""Whether the end that the platform reports is the end of the oldest text, or one was doubled or lost. Pure.

On the ordinary socket nothing but the order says which text a frame belongs to (docs/minimax/t2a-websocket.md 1.4), so
one end too many or too few would give every later text the sound of another one. A final frame tells how long the sound
was and how many characters were billed; word times tell which text is spoken. Their numbers are trusted only as long as
they have agreed with what was received. When nothing comes any more, the words or the length of the sound tell whether
only the end is missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from realtime.core.characters import PAUSE_MARK, count_pronounceable, is_wide, pronounceable
from realtime.errors import ProviderUnavailable
from realtime.minimax.speech_lengths import ExpectedLengths

AGREE_MS = 100.0  # by which the sound may differ from what the final frame says
_NARROW_MS = 1000.0 / 15  # a character at the usual speed (docs/minimax/t2a-websocket.md 5)
_WIDE_MS = 1000.0 / 4.5
_FASTEST, _SLOWEST = 0.25, 6.0  # of the usual time: what a voice may need
_SLOWEST_MORE_MS = 2000.0  # on top of the slowest
_MOST_MS = 1e8
_HAN = re.compile("[\u4e00-\u9fff]")


class OpenText(Protocol):
    """A text that was sent, and what was received for it so far."""

    @property
    def text(self) -> str: ...
    @property
    def has_audio(self) -> bool: ...
    @property
    def audio_ms(self) -> float | None:
        """None where it cannot be told from the bytes."""

    @property
    def timed_ms(self) -> float:
        """The latest time of its subtitles."""

    @property
    def timed_to(self) -> int:
        """The character after the last one that has a time; 0 without times."""

    @property
    def timed_end_ms(self) -> float:
        """When its last word ends that has a time, from the start of the text."""


class TextEnds:
    """Judges the ends of one session, in order."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._lengths = ExpectedLengths(speed)
        self._ended = 0
        self.silent = False  # no sound came for any text that the last end has closed
        self._trusted: bool | None = None  # whether lengths agree with the sound; None: nothing is known yet
        self._last: Mapping[str, Any] = {}
        self._surplus_ms = 0.0  # sound of the next text that came before the end of the one before it
        self._more: tuple[str, float] | None = None  # the first text, and the sound it had more than told

    def __repr__(self) -> str:
        return f"<TextEnds {self._ended} trusted={self._trusted}>"

    def judge(self, info: Any, open: Sequence[OpenText]) -> int:
        """How many of the open texts this end closes: 1; 0 if it repeats an earlier end; more if ends were lost.

        Raises ProviderUnavailable if it is the end of something else.
        """
        info = info if isinstance(info, dict) else {}
        early_ms = self._surplus_ms
        count = self._judge(info, open)
        self.silent = not early_ms and not any(each.has_audio for each in open[:count])
        if count:
            self._ended += count
            self._last = info
        return count

    def skipped(self) -> None:
        """The platform has ended a text without speaking it."""
        self._ended += 1

    def all_received(self, open: Sequence[OpenText]) -> bool:
        """Whether nothing is missing of these texts but their ends. For when nothing comes any more."""
        received_ms = self._surplus_ms
        for each in open:
            if each.audio_ms is None:
                return False
            received_ms += each.audio_ms
        if any(each.timed_to for each in open):
            return len(open) == 1 and _all_words_received(open[0])
        received_ms += self._shifted_ms()
        return self._lengths.complete([each.text for each in open], received_ms)

    @property
    def expected_ms(self) -> Callable[[str], float] | None:
        """How long a text should sound; None before a text has ended."""
        return self._lengths.expected_ms if self._lengths.learnt else None

    def _shifted_ms(self) -> float:
        """How long the last end says that its sound was, if every end since the first was that of the next text.

        It was, if the first had as much sound too much as the first text needs: its own end was lost.
        """
        if self._more is None or not self._lengths.complete([self._more[0]], self._more[1]):
            return 0.0
        return _length_ms(self._last) or 0.0

    def _judge(self, info: Mapping[str, Any], open: Sequence[OpenText]) -> int:
        received_ms, length_ms = open[0].audio_ms, _length_ms(info)
        if received_ms is None or length_ms is None:
            count = self._by_its_words(open[0])
            self._lengths.learn(open[0].text, received_ms or 0.0)
            return count
        received_ms += self._surplus_ms
        if not received_ms and not length_ms and pronounceable(open[0].text):
            # That no sound has no length shows nothing, and tells nothing of how fast the voice speaks
            return 1
        if abs(received_ms - length_ms) <= AGREE_MS:
            self._trusted = self._trusted is not False
            self._surplus_ms = 0.0
            if self._more is None:
                self._lengths.learn(open[0].text, received_ms)
            return 1
        if self._trusted and info == self._last:
            return 0
        if count := self._lost(info, length_ms, received_ms, open):
            self._surplus_ms, self._more = 0.0, None
            return count
        if self._trusted and received_ms < length_ms:
            raise _odd(f"{received_ms:.0f} ms of sound came for a text of {length_ms:.0f} ms")
        return self._unexplained(received_ms - length_ms, open)

    def _unexplained(self, surplus_ms: float, open: Sequence[OpenText]) -> int:
        """More sound than the platform says: of the next text, or its lengths are not what we think."""
        if self._trusted and len(open) > 1:
            self._surplus_ms = surplus_ms
            return 1
        if self._trusted is None and surplus_ms > 0:
            self._more = open[0].text, surplus_ms
        self._trusted, self._surplus_ms = False, 0.0
        return self._by_its_words(open[0])

    def _lost(
        self, info: Mapping[str, Any], length_ms: float, received_ms: float, open: Sequence[OpenText]
    ) -> int:
        """How many texts have ended, if the end of the first of them never came; else 0."""
        if self._trusted is False:
            return 0
        of_head = _billed(info, open[0].text)
        possible = [
            (not _billed(info, open[count - 1].text), count)
            for count in range(2, len(open) + 1)
            if self._plausible(length_ms, [open[count - 1]])
            and self._plausible(received_ms - length_ms, open[: count - 1])
        ]
        if not possible:
            return 0
        unbilled, count = min(possible)
        if of_head and (unbilled or self._trusted is None):
            return 0
        return 0 if unbilled and self._trusted is None else count

    def _plausible(self, ms: float, texts: Sequence[OpenText]) -> bool:
        """Whether these texts can be spoken in this time."""
        usual_ms = sum(map(_usual_ms, (each.text for each in texts))) / self._speed
        pauses_ms = sum(map(_pauses_ms, (each.text for each in texts)))
        most_ms = _SLOWEST * usual_ms + pauses_ms + _SLOWEST_MORE_MS
        return max(AGREE_MS, _FASTEST * usual_ms) <= ms <= most_ms

    def _by_its_words(self, head: OpenText) -> int:
        """Without a length: an end that came before the sound, or before the last words, is another one's."""
        if self._ended and not head.has_audio and pronounceable(head.text):
            raise _odd("the end of a text came before its sound")
        if (
            self._ended
            and head.timed_to
            and count_pronounceable(head.text[head.timed_to :]) > max(12, count_pronounceable(head.text) // 3)
        ):
            raise _odd("the end of a text came before its last words")
        return 1


def speaks_of_next(subtitle: Any, head: OpenText, following: OpenText) -> bool:
    """Whether this subtitle belongs to the next text, so that the end of the oldest one was lost."""
    return any(_is_of_next(entry, head, following) for entry in _entries(subtitle))


def _is_of_next(entry: Mapping[str, Any], head: OpenText, following: OpenText) -> bool:
    spelled, begin, end_ms = entry.get("text"), entry.get("text_begin"), entry.get("time_end")
    if not isinstance(spelled, str) or not isinstance(begin, int) or not pronounceable(spelled):
        return False
    if begin < 0 or following.text[:begin].strip() or not following.text.startswith(spelled, begin):
        return False
    goes_back = isinstance(end_ms, int | float) and end_ms < head.timed_ms - 1
    return head.has_audio and (goes_back or spelled.strip() not in head.text)


def _all_words_received(text: OpenText) -> bool:
    """Whether the word times reach to the end of this text, and its sound as far as they do."""
    received_ms = text.audio_ms or 0.0
    return not pronounceable(text.text[text.timed_to :]) and received_ms >= text.timed_end_ms - AGREE_MS


def _entries(subtitle: Any) -> Iterator[Mapping[str, Any]]:
    for entry in subtitle if isinstance(subtitle, list) else [subtitle]:
        if isinstance(entry, dict):
            yield entry


def _length_ms(info: Mapping[str, Any]) -> float | None:
    value = info.get("audio_length")
    return float(value) if isinstance(value, int | float) and 0 <= value < _MOST_MS else None


def _billed(info: Mapping[str, Any], text: str) -> bool:
    """Whether the billed characters are those of this text, by the older rule or the newer one."""
    return info.get("usage_characters") in (len(text), len(text) + len(_HAN.findall(text)))


def _usual_ms(text: str) -> float:
    spoken = PAUSE_MARK.sub("", text)
    return sum(_WIDE_MS if is_wide(char) else _NARROW_MS for char in spoken if pronounceable(char))


def _pauses_ms(text: str) -> float:
    return sum(1000 * float(mark) for mark in PAUSE_MARK.findall(text))


def _odd(problem: str) -> ProviderUnavailable:
    return ProviderUnavailable(f"MiniMax: the speech service lost count of the texts: {problem}.")
