"""What one spoken reply says, and when: the text of each chunk, how much audio was received for it, its word times.

Answers what a listener has heard after so many milliseconds of the part's own audio. Has no clock and never sees the
audio itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from realtime.core.messages import WordTime
from realtime.core.spoken_chunk import Segment, SpokenChunk
from realtime.core.word_marks import WordMarks

DEFAULT_WEIGHT_MS = 62.0  # one Latin letter, until the reply itself has shown its speaking rate


@dataclass(frozen=True, slots=True)
class SpokenWord:
    """One word with its spaces and punctuation; milliseconds from the start of the part's audio.

    `aligned`: the time comes from the voice itself, not from an estimate.
    """

    text: str
    start_ms: int
    end_ms: int
    aligned: bool


class SpokenPart:
    """What one audio part of a reply says, and when. Chunks are numbered from 0 and begun in order."""

    def __init__(self) -> None:
        self._chunks: list[SpokenChunk] = []
        self._text = ""
        self._seen = 0  # characters at its beginning that can only be seen: they count once they are sent
        self._audio_ms = 0.0
        self._told = 0  # characters of the text already given out as words
        self._told_ms = 0  # where the last of them ends
        self._marks: WordMarks | None = None  # kept instead of the chunks once the part is closed
        self._head = _Head()  # of the finished chunks: the part is measured again and again

    def __repr__(self) -> str:
        return f"<SpokenPart {len(self._text)} characters, {self._audio_ms:.0f} ms{', closed' if self.closed else ''}>"

    @property
    def text(self) -> str:
        """The transcript of every chunk begun so far."""
        return self._text

    @property
    def audio_ms(self) -> float:
        """Milliseconds of audio so far."""
        return self._audio_ms

    @property
    def closed(self) -> bool:
        """No more audio will come."""
        return self._marks is not None

    # --- writing -------------------------------------------------------------------------------------------

    def begin_chunk(
        self, index: int, text: str, spoken: str | None = None, offsets: Sequence[int] | None = None
    ) -> None:
        """Chunk `index` leaves for the voice: `text` is its transcript, `spoken` what the voice was given.

        `offsets[i]` is the place in `text` of character i of `spoken`, with one entry more for its end; without
        them the two are matched evenly. Raises ValueError if chunks do not come in order.
        """
        if self._marks is not None or index != len(self._chunks):
            raise ValueError(f"Chunk {index} cannot begin: {self!r} is at chunk {len(self._chunks)}.")
        said = text if spoken is None else spoken
        if offsets is None or len(offsets) < len(said) + 1:
            scale = len(text) / len(said) if said else 0.0
            offsets = [int(place * scale) for place in range(len(said) + 1)]
        self._chunks.append(SpokenChunk(text, said, offsets))
        if self._seen == len(self._text):  # everything before it, too
            self._seen += self._chunks[-1].only_seen
        self._text += text

    def add_audio(self, index: int, ms: float) -> None:
        """`ms` milliseconds of audio of chunk `index` were sent."""
        if self._marks is None:
            self._changes(index)
            self._chunks[index].audio_ms += ms
            self._audio_ms += ms

    def set_words(self, index: int, words: Sequence[WordTime]) -> None:
        """Word times of chunk `index` known so far; replaces what was said before about this chunk."""
        if self._marks is None:
            self._changes(index)
            self._chunks[index].words = tuple(words)

    def _changes(self, index: int) -> None:
        """A chunk is no longer what it was when it was measured."""
        if index < self._head.chunks:
            self._head = _Head()

    def finish_chunk(self, index: int) -> None:
        """No more audio or words of chunk `index` will come."""
        if self._marks is None:
            self._chunks[index].finished = True

    def close(self) -> None:
        """No more audio of the part will come, at its end or at a cut. Keeps only what `heard` needs."""
        if self._marks is None:
            self._marks = self._measure()
            self._chunks = []

    @classmethod
    def restored(
        cls,
        text: str,
        seen: int,
        audio_ms: float,
        ends: Sequence[int],
        from_ms: Sequence[float],
        whole_ms: Sequence[int] = (),
    ) -> SpokenPart:
        """A closed part, of what `measured` told of another one. `whole_ms`: () where nobody knows."""
        part = cls()
        part._text, part._seen, part._audio_ms = text, seen, audio_ms
        part._marks = WordMarks.restored(ends, from_ms, whole_ms, audio_ms)
        return part

    @classmethod
    def of_steps(cls, text: str, seen: int, audio_ms: float, steps: Sequence[int]) -> SpokenPart:
        """A closed part, of the `steps` of another one. Raises ValueError where a number is missing."""
        part = cls()
        part._text, part._seen, part._audio_ms = text, seen, audio_ms
        part._marks = WordMarks.of_steps(steps)
        return part

    # --- reading -------------------------------------------------------------------------------------------

    def heard(self, played_ms: float) -> str:
        """The words whose spoken midpoint was reached after `played_ms` milliseconds of this part.

        Word times are the voice's own where known; else proportional inside the chunk that was playing. What can only
        be seen and stands before the first word was seen when it was sent, whatever was played.
        """
        kept = (self._marks or self._measure()).kept(played_ms) if played_ms > 0 else 0
        return self._text[: max(kept, self._seen)].rstrip()

    def words_between(self, from_ms: float, to_ms: float) -> list[tuple[str, float, float]]:
        """The words that are heard in this time, each with the milliseconds from which to which it sounds."""
        spans = (self._marks or self._measure()).between(from_ms, to_ms)
        texts = ((self._text[max(span[0], self._seen) : span[1]], span[2], span[3]) for span in spans)
        return [word for word in texts if word[0]]

    def last_whole_ms(self, arrived_ms: float) -> int:
        """Where the last word ends that has sounded to its end after `arrived_ms` milliseconds; 0 if none has.

        Where the sound breaks off, what is said next begins there: no word is lost, and at most one, which lacked its
        end, is said again. `heard` of it has no other word.
        """
        return (self._marks or self._measure()).last_whole_ms(arrived_ms)

    def until(self, played_ms: float) -> SpokenPart:
        """A closed part that ends there: what has been `heard` of this one."""
        part, marks = SpokenPart(), self._marks or self._measure()
        part._text, part._seen = self.heard(played_ms), self._seen
        part._audio_ms = max(0.0, min(played_ms, self._audio_ms))
        part._marks = marks.until(played_ms) if played_ms > 0 else WordMarks()
        return part

    def measured(self) -> tuple[str, int, float, tuple[int, ...], tuple[float, ...], tuple[int, ...]]:
        """The text, how much of it can only be seen, the audio in ms, and from which ms on which end was heard, and
        heard whole."""
        return self._text, self._seen, self._audio_ms, *(self._marks or self._measure()).columns

    def steps(self) -> tuple[str, int, float, tuple[int, ...]]:
        """The same in half the room, for players, which count whole milliseconds (`core/word_marks.py`)."""
        return self._text, self._seen, self._audio_ms, (self._marks or self._measure()).steps

    def new_words(self, *, final: bool = False) -> list[SpokenWord]:
        """Words with settled times, each once and in order; their joined text is the transcript.

        `final` gives out everything that is left, before the part's end is announced and before `close`.
        """
        words: list[SpokenWord] = []
        text_begin = 0
        for number, (chunk, start_ms) in enumerate(self._placed()):
            settled = chunk.finished or final
            text_end = text_begin + len(chunk.text)
            if text_end > self._told:
                segments = chunk.segments(self._duration_ms(chunk))
                if not settled:  # the last timed word may still grow, and estimates may still become times
                    segments = [segment for segment in segments if segment.aligned and not segment.grows]
                # Players count whole milliseconds: what ended later than the sound would never be heard to its end
                last_ms = int(start_ms + chunk.audio_ms) if self._complete(number) else None
                for segment in segments:
                    self._tell(segment, text_begin, start_ms, last_ms, words)
                if self._told < text_end:
                    break
            text_begin = text_end
        return words

    def _tell(
        self,
        segment: Segment,
        text_begin: int,
        chunk_start_ms: float,
        last_ms: int | None,
        words: list[SpokenWord],
    ) -> None:
        """`last_ms`: where the chunk's sound ends, if that is known."""
        begin, end = max(text_begin + segment.begin, self._told), text_begin + segment.end
        if begin >= end:
            return
        self._told = end
        start_ms, end_ms = round(chunk_start_ms + segment.start_ms), round(chunk_start_ms + segment.end_ms)
        if last_ms is not None:
            start_ms, end_ms = min(start_ms, last_ms), min(end_ms, last_ms)
        start_ms = max(start_ms, self._told_ms)
        self._told_ms = max(end_ms, start_ms)
        words.append(SpokenWord(self._text[begin:end], start_ms, self._told_ms, segment.aligned))

    def _placed(self) -> Iterator[tuple[SpokenChunk, float]]:
        """Chunks whose first sample has a known place: all before them are complete."""
        start_ms = 0.0
        for chunk in self._chunks:
            yield chunk, start_ms
            start_ms += chunk.audio_ms

    def _complete(self, index: int) -> bool:
        """All audio of this chunk is known: it is finished, or a later one already sounds (audio is in order)."""
        return self._chunks[index].finished or any(later.audio_ms for later in self._chunks[index + 1 :])

    def _duration_ms(self, chunk: SpokenChunk) -> float:
        """How long this chunk will sound: measured if it is complete, else by the speaking rate of this reply."""
        if self._complete(self._chunks.index(chunk)):
            return chunk.audio_ms
        done = [other for other in self._chunks if other.finished and other.audio_ms and other.weight]
        said, took = sum(other.weight for other in done), sum(other.audio_ms for other in done)
        return max(chunk.audio_ms, chunk.weight * (took / said if said else DEFAULT_WEIGHT_MS))

    def _measure(self) -> WordMarks:
        while self._head.chunks < len(self._chunks) and self._chunks[self._head.chunks].finished:
            self._add_to(self._head, complete=True)
        rest = self._head.copy()
        while rest.chunks < len(self._chunks):
            complete = self._complete(rest.chunks)
            self._add_to(rest, complete=complete)
            if not complete:
                break  # nothing of a later chunk can have been heard
        return rest.marks

    def _add_to(self, head: _Head, *, complete: bool) -> None:
        """Measure the next chunk."""
        chunk = self._chunks[head.chunks]
        segments = chunk.segments(self._duration_ms(chunk))
        timed = sum(segment.aligned for segment in segments)
        for number, segment in enumerate(segments, 1):
            end_ms = segment.end_ms
            if not complete and (segment.grows or number > (timed or len(segments) - 1)):
                # The last timed word may still grow, and those after it have not been said. Without times the last
                # word of all still sounds, however slow the voice is
                end_ms = max(end_ms, chunk.audio_ms + 1)
            midpoint_ms = head.end_ms + segment.midpoint_ms
            head.marks.add(head.text_end + segment.end, midpoint_ms, head.end_ms + end_ms)
        head.chunks += 1
        head.text_end += len(chunk.text)
        head.end_ms += chunk.audio_ms
        if complete:
            head.marks.add_all(head.text_end, int(head.end_ms))  # players count whole ms


@dataclass(slots=True)
class _Head:
    """The marks of the first chunks, and where these end."""

    marks: WordMarks = field(default_factory=WordMarks)
    chunks: int = 0
    text_end: int = 0
    end_ms: float = 0.0

    def copy(self) -> _Head:
        return _Head(self.marks.copy(), self.chunks, self.text_end, self.end_ms)
