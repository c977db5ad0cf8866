"""One chunk of a spoken reply: its text, what was sent for it, what came back, and when each part of it sounds.

Has no clock and knows no other chunk.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from realtime.core.characters import pronounceable
from realtime.core.messages import WordTime
from realtime.core.stand_in import has_something_to_see
from realtime.core.wordbreak import atoms, group_ends, is_trailing_punctuation, sound_weights


@dataclass(slots=True)
class Segment:
    """A stretch of a chunk's text that is heard as one."""

    begin: int
    end: int
    start_ms: float  # from the chunk's first sample
    end_ms: float
    aligned: bool
    grows: bool = False  # of the last word that has a time, in a chunk of which more may come

    @property
    def midpoint_ms(self) -> float:
        return (self.start_ms + self.end_ms) / 2


@dataclass(slots=True, eq=False)
class SpokenChunk:
    """One request to the voice: its text, what was sent, and what came back."""

    text: str
    spoken: str
    offsets: Sequence[int]  # position in `text` of each character of `spoken`, and of its end
    audio_ms: float = 0.0
    words: Sequence[WordTime] = ()
    finished: bool = False
    atom_ends: list[int] = field(default_factory=list)
    atom_weights: list[float] = field(default_factory=list)
    groups: set[int] = field(default_factory=set)  # atoms that end inside a long number or address

    def __post_init__(self) -> None:
        self._weigh(atoms(self.text))
        if self.spoken and (groups := set(group_ends(self.text)).difference(self.atom_ends)):
            self._weigh(sorted({*self.atom_ends, *groups}))
            self.groups = {atom for atom, end in enumerate(self.atom_ends) if end in groups}
            self._join_silent_groups()

    def _weigh(self, atom_ends: list[int]) -> None:
        self.atom_ends, self.atom_weights = atom_ends, [0.0] * len(atom_ends)
        for index, weight in enumerate(sound_weights(self.spoken) if atom_ends else ()):
            self.atom_weights[self._atom_at(index)] += weight

    def _join_silent_groups(self) -> None:
        """A group for which nothing is said, such as the path of a long address, is heard with the one before it."""
        silent = {atom for atom in self.groups if not self.atom_weights[atom + 1]}
        silent |= {atom for atom in self.groups if not self.atom_weights[atom]}
        ends = [end for atom, end in enumerate(self.atom_ends) if atom not in silent]
        kept = {self.atom_ends[atom] for atom in self.groups - silent}
        self._weigh(ends)
        self.groups = {atom for atom, end in enumerate(ends) if end in kept}

    @property
    def weight(self) -> float:
        return sum(self.atom_weights)

    @property
    def only_seen(self) -> int:
        """How much of the beginning can only be seen: the lines of code or of a table before the first word said.

        Where a phrase is said in the place of the text, all of it, emoji too."""
        end = min(self.offsets[: len(self.spoken)], default=len(self.text))
        lines = self.text[:end]
        if self.spoken and end == len(self.text):
            return end if has_something_to_see(lines) else 0
        return end if any(map(str.isalnum, lines)) and (end == len(self.text) or "\n" in lines) else 0

    def _atom_at(self, spoken_index: int) -> int:
        position = min(max(self.offsets[spoken_index], 0), len(self.text) - 1)
        return bisect_right(self.atom_ends, position)

    def segments(self, duration_ms: float) -> list[Segment]:
        """The whole text as consecutive segments: with the voice's own times where known, else in proportion."""
        if not self.atom_ends:
            return []
        segments: list[Segment] = []
        next_atom, clock_ms = 0, 0.0
        for first, last, start_ms, end_ms, grows in self._timed_groups(duration_ms):
            # Unspoken text before a word (an emoji, a mark) is heard with it; punctuation with the word before.
            if segments:
                self._give_punctuation(segments[-1], next_atom, first)
            begin = segments[-1].end if segments else 0
            start_ms = max(start_ms, clock_ms)
            clock_ms = max(end_ms, start_ms)
            segments.append(Segment(begin, self.atom_ends[last], start_ms, clock_ms, True, grows))
            next_atom = last + 1
        if segments:
            next_atom = self._give_punctuation(segments[-1], next_atom, len(self.atom_ends))
        if any(self.atom_weights[next_atom:]) or not segments:
            segments.extend(self._estimated(next_atom, clock_ms, max(duration_ms, clock_ms)))
        else:
            segments[-1].end = len(self.text)
        return segments

    def _timed_spans(self) -> list[tuple[int, int, float, float]]:
        """Word times as runs of atoms (first, last, start, end); words that share an atom are one run."""
        spans: list[tuple[int, int, float, float]] = []
        for word in sorted(self.words, key=lambda word: word.begin):
            sounding = [
                index
                for index in range(max(word.begin, 0), min(word.end, len(self.spoken)))
                if pronounceable(self.spoken[index])
            ]
            if not sounding:
                continue
            first, last = sorted((self._atom_at(sounding[0]), self._atom_at(sounding[-1])))
            start_ms, end_ms = word.start_ms, word.end_ms
            while spans and first <= spans[-1][1]:
                before = spans.pop()
                first, last = min(first, before[0]), max(last, before[1])
                start_ms, end_ms = min(start_ms, before[2]), max(end_ms, before[3])
            spans.append((first, last, start_ms, end_ms))
        return spans

    def _timed_groups(self, duration_ms: float) -> Iterator[tuple[int, int, float, float, bool]]:
        """The runs, those with a long number or an address cut into its groups, which share its time.

        The time of the last run may still grow, and what is cut never does: its groups take as long as is expected.
        """
        spans = self._timed_spans()
        for number, (first, last, start_ms, end_ms) in enumerate(spans, 1):
            grows = number == len(spans) and not self.finished
            inside = self.groups.intersection(range(first, last))
            weight = max(sum(self.atom_weights[first : last + 1]), 1e-9)
            if inside and grows:
                rest = max(sum(self.atom_weights[first:]), weight)
                end_ms = max(end_ms, start_ms + (duration_ms - start_ms) * weight / rest)
            weight_ms = (end_ms - start_ms) / weight
            for end in (*sorted(inside), last):
                group_ms = weight_ms * sum(self.atom_weights[first : end + 1])
                yield first, end, start_ms, start_ms + group_ms if end < last else end_ms, grows
                first, start_ms = end + 1, start_ms + group_ms

    def _give_punctuation(self, segment: Segment, atom: int, stop: int) -> int:
        """Lengthen `segment` by the atoms from `atom` that hold only punctuation; returns the next atom."""
        while atom < stop:
            if not is_trailing_punctuation(self.text[self._begin(atom) : self.atom_ends[atom]]):
                break
            segment.end = self.atom_ends[atom]
            atom += 1
        return atom

    def _begin(self, atom: int) -> int:
        return self.atom_ends[atom - 1] if atom else 0

    def _estimated(self, atom: int, start_ms: float, end_ms: float) -> Iterator[Segment]:
        """The atoms from `atom` on, sharing the time that is left by how long each sounds."""
        total = sum(self.atom_weights[atom:])
        clock_ms = start_ms
        for index in range(atom, len(self.atom_ends)):
            share = self.atom_weights[index] / total if total else 1 / (len(self.atom_ends) - atom)
            begin_ms, clock_ms = clock_ms, min(clock_ms + share * (end_ms - start_ms), end_ms)
            yield Segment(self._begin(index), self.atom_ends[index], begin_ms, clock_ms, False)
