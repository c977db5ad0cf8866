"""Cuts text into chunks for the voice as it comes, by deadline: the playback clock decides (docs/architecture.md 2.2).

The first chunk leaves with the first clause. Every later one grows until the listener would run dry. An opener before
a comma ("Well, ...") is no clause, but to wait for one would delay the first sound by 100 ms: it leaves alone, as
"Sure!" does, if it is long enough and neither text nor requests are short. Nothing here waits: the caller passes the
time in, sends what `poll` returns and polls again at `deadline`. Knows nothing of speech, markdown and sockets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from realtime.core.characters import inside_grapheme, pronounceable
from realtime.core.clauses import Boundary, Cut, Size, find_cuts, measure
from realtime.core.playback_clock import Latency, PlaybackClock, SpeakingRate
from realtime.core.prebuffer import Delivery
from realtime.core.spoken_form import spoken_form
from realtime.core.wording import Wording, WordingBuffer

__all__ = ["Boundary", "Chunk", "ChunkRules", "Chunker"]


@dataclass(frozen=True, slots=True)
class ChunkRules:
    """Sizes and times of the chunker. The defaults are docs/architecture.md 2.2 where it gives numbers."""

    clause_words: int = 3  # a clause needs so many words ...
    clause_unspaced: int = 2  # ... or characters of a script without blanks
    opener_chars: int = 5  # ... or before a comma, where there is plenty, so many characters with it: "Well,"
    word_limit: int = 8  # without a clause the first chunk is cut after so many words ...
    unspaced_limit: int = 16  # ... or characters of a script without blanks
    margin_s: float = 0.03  # a later chunk leaves this much before it must ...
    margin_deviations: float = 2.5  # ... plus so many mean deviations of the latency
    half_share: float = 0.6  # with this share of the margin left, half of `least_s` will do
    least_s: float = 0.8  # a chunk by deadline holds at least so much speech, if it can
    lasting_s: float = 1.5  # a first chunk this long is not made longer at the price of a weaker end
    refill_s: float = 4.0  # complete text leaves when the listener has less than this
    lead_s: float = 12.0  # nothing is synthesised further ahead of the listener
    stretch: float = 1.3  # the last chunk may exceed its room by this, rather than leave a tail
    cap_chars: int = 300  # no chunk is longer, whatever the voice
    late_wait_s: float = 1.2  # a late chunk waits so long for a better place than between two words
    slow_supply: float = 2.0  # text slower than so many times its speech waits for the end of a phrase ...
    slow_enough: float = 1.25  # ... unless it is so many times enough for a chunk
    prebuffer_s: float = 2.0  # a voice slower than real time is given about so long before each chunk ...
    slow_opening: float = 3.0  # ... and so many times the words to find a first clause
    comfort_requests: float = 16.0  # with fewer requests left chunks grow
    silent_chars: int = 200  # text for which nothing is said is shown in pieces of about so many
    hold_s: float = 1.5  # how long the first chunk may be held when no request is left


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a reply for one request. `text` is shown, `spoken` is for the voice ("" = nothing to pronounce).

    `offsets[i]` is the position in `text` of `spoken[i]`; the last entry is `len(text)`.
    """

    index: int
    text: str
    spoken: str
    offsets: tuple[int, ...]
    boundary: Boundary


class Chunker:
    """Cuts one reply. `"".join(chunk.text ...)` is everything fed.

    `speaking_rate` learns from chunk to chunk, and from reply to reply where the same one is passed again.
    """

    def __init__(self, rules: ChunkRules | None = None, speaking_rate: SpeakingRate | None = None) -> None:
        self._rules = rules or ChunkRules()
        self.speaking_rate = speaking_rate or SpeakingRate()
        self._clock = PlaybackClock(self.speaking_rate, Latency())
        self._delivery = Delivery()
        self._buffer = WordingBuffer()
        self._cuts: list[Cut] | None = None
        self._speakable = False  # there may be something to pronounce in the pending text
        self._finished = False
        self._shortage = 0.0  # 0 = requests enough, 1 = none left
        self._started_s: float | None = None
        self._pending_ms = 0.0  # speech in the pending text, roughly
        self._fed_ms = 0.0  # speech in the text that came after the first delta
        self._supply = 10.0  # seconds of speech that come in a second
        self._index = 0
        self._opened = False  # something to pronounce has left
        self._last = Boundary.PARAGRAPH
        self._now_s = float("-inf")

    @property
    def _pending(self) -> str:
        """What is said in the text that has not left."""
        return self._buffer.said

    def feed(self, wording: Wording, now_s: float) -> None:
        """More text, and what is said for it."""
        self._buffer.append(wording)
        if not wording.said:
            return
        self._speakable = self._speakable or pronounceable(wording.said)
        text_ms = self.speaking_rate.expected_ms(measure(wording.said))
        self._pending_ms += text_ms
        if self._started_s is None:
            self._started_s = now_s
        else:
            self._fed_ms += text_ms
            if now_s > self._started_s:
                self._supply = self._fed_ms / 1000 / (now_s - self._started_s)
        self._cuts = None

    def finish(self, stand_in: str = "") -> None:
        """There is no more text. `stand_in` is said in the place of a text in which nothing is said."""
        if not self._opened and not pronounceable(self._pending):
            self._buffer.say_instead(stand_in)
            self._speakable = pronounceable(self._pending)
        self._finished = True
        self._cuts = None

    def latency(self, latency: Latency) -> None:
        """What is known of the time from text to first audio; what is learned later counts at once."""
        self._clock.latency = latency

    def delivery(self, delivery: Delivery) -> None:
        """How fast audio is received from the voice; what is learned later counts at once."""
        self._delivery = delivery

    def budget(self, requests_left: float) -> None:
        """How many requests the account has left now."""
        self._shortage = min(1.0, max(0.0, 1 - requests_left / self._rules.comfort_requests))

    def audio(self, index: int, received_ms: float, complete: bool, now_s: float) -> None:
        """Audio received so far of chunk `index`. Raises IndexError for a chunk that was never handed out."""
        self._clock.audio(index, received_ms, complete, now_s)

    def unheard(self, ahead_s: float, now_s: float) -> None:
        """The player has yet to play so much of the received audio; see `PlaybackClock.unheard`."""
        self._clock.unheard(ahead_s, now_s)

    def poll(self, now_s: float) -> list[Chunk]:
        """The chunks that must leave now, in order."""
        self._now_s = max(self._now_s, now_s)
        chunks: list[Chunk] = []
        while (cut := self._due()) is not None:
            chunks.append(self._take(cut))
        return chunks

    def deadline(self) -> float | None:
        """When to poll again if nothing happens before; None = only when something happens."""
        times = [due_s for due_s, cut in self._stages() if due_s > self._now_s and cut is not None]
        return min(times, default=None)

    @property
    def done(self) -> bool:
        """Finished, and everything was handed out."""
        return self._finished and not self._pending and not self._buffer.text

    # when

    def _due(self) -> Cut | None:
        for due_s, cut in self._stages():
            if due_s <= self._now_s and cut is not None:
                return cut
        return None

    def _stages(self) -> Iterator[tuple[float, Cut | None]]:
        """The moments at which the next chunk may leave, and the chunk that would."""
        if not self._pending and not self._buffer.text:
            return
        dry_s = self._clock.dry_s()
        if self._finished and not pronounceable(self._pending):
            yield float("-inf"), self._whole()
        elif not self._speakable:
            if len(self._buffer.text) >= self._rules.silent_chars:
                yield float("-inf"), self._silent()
        elif not self._opened or dry_s is None:
            yield from self._opening_stages()
        else:
            yield from self._later_stages(dry_s)

    def _opening_stages(self) -> Iterator[tuple[float, Cut | None]]:
        room_ms = self._room_ms(0.0)
        if self._finished:
            yield float("-inf"), self._fitting(room_ms)
            return
        hold_s = max(0.0, 2 * self._shortage - 1) * self._rules.hold_s
        yield float("-inf"), self._opening_cut() if hold_s <= 0 else self._full(room_ms)
        if hold_s > 0 and self._started_s is not None:
            yield self._started_s + hold_s, self._opening_cut()

    def _later_stages(self, dry_s: float) -> Iterator[tuple[float, Cut | None]]:
        rules, latency_s = self._rules, self._clock.latency.mean_s
        wait_s = latency_s + rules.margin_s + rules.margin_deviations * self._clock.latency.deviation_s
        refill_at_s = dry_s - max(rules.refill_s, wait_s)
        if self._now_s < refill_at_s:
            yield refill_at_s, _LATER
            return
        room_ms = self._room_ms(dry_s - max(self._now_s, refill_at_s))
        yield refill_at_s, self._fitting(room_ms) if self._finished else self._full(room_ms)
        if self._now_s < dry_s - wait_s:
            yield dry_s - wait_s, _LATER
            return
        least_ms = self._least_ms(wait_s)
        smooth = self._last > Boundary.WORD  # a pause would fall where a speaker may pause
        may_wait = smooth and self._supply < rules.slow_supply
        late_s = dry_s - latency_s
        half_s = late_s - rules.half_share * (wait_s - latency_s)
        if may_wait:
            yield dry_s - wait_s, self._best(least_ms, room_ms, Boundary.CLAUSE)
            yield half_s, self._preferred(rules.slow_enough * least_ms, room_ms)
        else:
            yield dry_s - wait_s, self._preferred(least_ms, room_ms)
            yield half_s, self._preferred(least_ms / 2, room_ms)
        yield late_s, self._best(0.0, room_ms, Boundary.CLAUSE)
        yield late_s + rules.late_wait_s, self._best(0.0, room_ms)

    def _least_ms(self, wait_s: float) -> float:
        """Speech a chunk should hold, so that the next one can be there in time and is not too short."""
        least_s = self._rules.least_s
        return 1000 * max(least_s, wait_s + least_s / max(0.5, self._supply)) * (1 + 2 * self._shortage)

    # where

    def _opening_cut(self) -> Cut | None:
        """The first chunk: the clauses that are there, or enough words."""
        rules = self._rules
        clauses = [cut for cut in self._find() if self._is_clause(cut)]
        if clauses:
            room_ms, wait_ms = (
                self._room_ms(0.0),
                1000 * max(rules.lasting_s, 2 * self._clock.latency.mean_s),
            )
            fitting = [cut for cut in clauses if self._ms(cut) <= room_ms] or clauses[:1]
            lasting = [cut for cut in fitting if self._ms(cut) >= wait_ms]
            return max(lasting, key=self._rank) if lasting else fitting[-1]
        return self._opening_words() or self._forced()

    def _opening_words(self) -> Cut | None:
        """Without a clause: once there are enough words, the last good place between two of them."""
        words = [cut for cut in self._find() if cut.closed]
        if not words or self._share(words[-1]) + self._share_after(words[-1]) < 1 - 1e-9:
            return None
        late = [cut for cut in words if self._share(cut) >= 0.6] or [
            cut for cut in words[-1:] if self._share(cut) >= 0.3
        ]
        return max(late, key=self._rank, default=None)

    def _share(self, cut: Cut) -> float:
        """How much of the word limit lies before the cut."""
        return self._share_of(cut.words, cut.unspaced)

    def _share_after(self, cut: Cut) -> float:
        """How much of the word limit has begun after the last cut."""
        rest = measure(self._pending[cut.end : cut.end + self._rules.cap_chars])
        return self._share_of(rest.narrow > 0, rest.wide)

    def _share_of(self, words: int, unspaced: int) -> float:
        longer = self._rules.slow_opening if self._delivery.lag else 1.0
        return (words / self._rules.word_limit + unspaced / self._rules.unspaced_limit) / longer

    def _is_clause(self, cut: Cut) -> bool:
        if cut.boundary < Boundary.CLAUSE:
            return False
        rules = self._rules
        enough = cut.words / rules.clause_words + cut.unspaced / rules.clause_unspaced >= 1
        return enough or cut.boundary >= Boundary.SENTENCE or self._is_opener(cut)

    def _is_opener(self, cut: Cut) -> bool:
        """Whether this clause, too short for one, may leave alone."""
        rules = self._rules
        plenty = self._shortage <= 0 and self._supply >= rules.slow_supply
        return plenty and cut.size.narrow >= rules.opener_chars and not cut.unspaced

    def _full(self, room_ms: float) -> Cut | None:
        """A chunk that cannot grow: there is more text than room."""
        if self._pending_ms < 0.8 * room_ms:
            return None
        cuts = [cut for cut in self._find() if cut.closed]
        if not cuts or self._ms(cuts[-1]) < room_ms:
            return self._forced()
        return self._best(room_ms * 0.4, room_ms, self._weakest()) or self._best(0.0, room_ms)

    def _fitting(self, room_ms: float) -> Cut | None:
        """The whole rest, or as much of it as there is room for."""
        if len(self._pending) <= self._rules.cap_chars * self._rules.stretch:
            whole = self._whole()
            if self._ms(whole) <= room_ms * self._rules.stretch:
                return whole
        return (
            self._best(room_ms * 0.4, room_ms, self._weakest()) or self._best(0.0, room_ms) or self._whole()
        )

    def _best(self, least_ms: float, room_ms: float, weakest: Boundary = Boundary.WORD) -> Cut | None:
        cuts = [
            cut
            for cut in self._find()
            if cut.closed and cut.boundary >= weakest and self._ms(cut) >= least_ms
        ]
        fitting = [cut for cut in cuts if self._ms(cut) <= room_ms and cut.end <= self._rules.cap_chars]
        if fitting:
            return max(fitting, key=self._rank)
        return cuts[0] if cuts and cuts[0].end <= 2 * self._rules.cap_chars else self._forced()

    def _preferred(self, least_ms: float, room_ms: float) -> Cut | None:
        """A chunk of at least so much; or of half as much, if that ends better than between two words."""
        weakest = self._weakest()
        enough, half = self._best(least_ms, room_ms, weakest), self._best(least_ms / 2, room_ms, weakest)
        if enough is None or half is None or self._rank(half)[:2] <= self._rank(enough)[:2]:
            return enough
        return half

    def _weakest(self) -> Boundary:
        """The weakest end of a chunk that still has a choice: a voice slower than real time pauses after each chunk."""
        return Boundary.CLAUSE if self._delivery.lag else Boundary.WORD

    def _forced(self) -> Cut | None:
        """A cut between two graphemes, for endless text that offers no better place."""
        places = self._find()
        cap = self._rules.cap_chars
        if len(self._pending) <= 2 * cap or (places and places[0].end <= 2 * cap):
            return None
        end = next((end for end in range(cap, 2 * cap) if not inside_grapheme(self._pending, end)), cap)
        text = self._pending[:end]
        return Cut(end, Boundary.WORD, True, True, 1, 0, measure(text)) if pronounceable(text) else None

    def _silent(self) -> Cut:
        """Text for which nothing is said, to be shown now: a table, code as it is written, a picture of symbols. What
        has begun may still become a word: "$" before "5"."""
        end = len(self._pending)
        if self._pending and not self._pending[-1].isspace():
            begun = self._pending.rsplit(None, 1)[-1]
            end -= len(begun) if len(begun) < end else 0
        return Cut(end, Boundary.PARAGRAPH, True, False, 0, 0, Size())

    def _whole(self) -> Cut:
        return Cut(len(self._pending), Boundary.END, True, False, 1, 0, measure(self._pending))

    def _find(self) -> list[Cut]:
        if self._cuts is None:
            self._cuts = find_cuts(self._pending, final=self._finished, limit=2 * self._rules.cap_chars)
        return self._cuts

    def _rank(self, cut: Cut) -> tuple[Boundary, bool, int]:
        return cut.boundary, not cut.poor, cut.end

    def _ms(self, cut: Cut) -> float:
        return self.speaking_rate.expected_ms(cut.size)

    def _room_ms(self, ahead_s: float) -> float:
        rules, lag = self._rules, self._delivery.lag
        room_s = rules.lead_s * (1 + self._shortage) - ahead_s
        if lag:
            room_s = min(room_s, rules.prebuffer_s / lag)
        return 1000 * max(rules.least_s, room_s)

    def _take(self, cut: Cut) -> Chunk:
        rest = self._pending[cut.end :]
        if self._finished and not pronounceable(rest):
            cut = self._whole()
        wording, self._cuts = self._buffer.take(cut.end), None
        self._speakable = pronounceable(self._pending)
        near = self._pending[: 3 * self._rules.cap_chars]  # no chunk is longer
        self._pending_ms = self.speaking_rate.expected_ms(measure(near))
        spoken, places = spoken_form(wording.said)
        offsets = tuple(wording.origin(place) for place in places)
        boundary = Boundary.END if self._finished and not self._pending else cut.boundary
        chunk = Chunk(self._index, wording.text, spoken, offsets, boundary)
        self._clock.sent(measure(spoken), self._now_s, silent=not spoken)
        self._index += 1
        self._opened = self._opened or bool(spoken)
        self._last = boundary
        return chunk


_LATER = Cut(0, Boundary.WORD, False, False, 0, 0, Size())  # stands for "look again then"; never taken
