"""What one node of a shared account may send by itself, when the others do not know of it.

The nodes count together at one place, which is somewhere else: it can be away, or can have forgotten. Then a node is
*alone* (nothing was heard for `SILENT_MS`) or *apart* (not all the others have been there since it came, came back or
saw that something was forgotten). Then it has no more requests in a minute than it had, and at most its share; after a
minute, its share. So all nodes together have at most what they had, and then at most the limit (docs/scale.md). Time is
an argument: `now_ms` is this node's clock, `there_ms` that of the other place.
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.core.quota import AHEAD_MS, HOLD_MS, LONGEST_WAIT_MS, SILENT_MS, WINDOW_MS, QuotaLog, share_of

UNKNOWN_NODES = 10  # a node that has never heard of the others takes it that there are so many
YOUNG_MS = 3_000  # a log that is younger may belong to nodes that have not come back yet
APART_MS = WINDOW_MS + SILENT_MS  # what was forgotten is over after so long
# After so long, all the others keep to their shares: what they had got before, for later, and then held is over as well
ALONE_MS = SILENT_MS + AHEAD_MS + HOLD_MS + WINDOW_MS
JUMP_MS = 500  # a clock that is so far ahead of what it was a window ago has been set, or runs too fast


@dataclass(frozen=True, slots=True)
class View:
    """What an answer says of all nodes."""

    nodes: int  # that are known
    there_ms: int  # when it was given
    oldest_ms: int  # the oldest of the times that they have heard, each its last one
    since_ms: int  # nothing was forgotten since then


@dataclass(frozen=True, slots=True)
class Word:
    """What an answer is to."""

    asked_ms: int  # it was said then, or later
    nodes: int  # that it told of


@dataclass(slots=True)
class _Apart:
    began_ms: int
    expected: int  # nodes that were known before everything was forgotten
    there_ms: int | None = None  # of the first answer


class OwnPart:
    """`log` has what this node has sent and holds, by its own clock."""

    def __init__(self, limit: int) -> None:
        self.log = QuotaLog(limit)
        self.heard_there_ms = 0  # the last answer on this connection; 0: none yet
        self.nodes = UNKNOWN_NODES  # as it tells the others
        self._limit = limit
        self._known = 0  # nodes, by the last answer
        self._share_of = UNKNOWN_NODES  # its share is one of so many: what it told, and what it may have told
        self._heard_ms: int | None = None
        self._since_ms: int | None = None
        # When the other clock was ahead by how much at most: the least of late
        self._ahead: list[tuple[int, int]] = []
        self._young = False  # it is new here, and those who were here before may not be back yet
        self._introduced_ms: int | None = None  # since then all the others can know of it ...
        self._introduced = False  # ... and now they do
        self._apart: _Apart | None = _Apart(0, 0)  # nobody knows of it yet
        self._room: int | None = None  # what it had when it was alone or apart ...
        self._room_heard_ms: int | None = None  # ... since this answer

    def __repr__(self) -> str:
        return f"<OwnPart {self.log!r}, {'apart' if self.apart else 'together'}>"

    @property
    def apart(self) -> bool:
        """Whether the own part counts, beside what the other place allows."""
        return self._apart is not None

    def alone(self, now_ms: int) -> bool:
        """Whether the others have its share set aside by now."""
        return self._heard_ms is None or now_ms - self._heard_ms >= SILENT_MS

    def connected(self, now_ms: int, *, same: bool) -> None:
        """There is a new connection. Unless it leads to the same place, that may know less, or have another clock."""
        self.heard_there_ms = 0
        if not same:
            self._ahead.clear()
            self._set_apart(now_ms, self._apart.expected if self._apart else 0)

    def word(self, now_ms: int) -> Word:
        """The one that is said now."""
        return Word(now_ms, self.nodes)

    def heard(self, view: View, now_ms: int, word: Word) -> bool:
        """The answer to this word has come. Returns whether something was forgotten there, so that all places must be
        written again."""
        forgotten = self._since_ms not in (None, view.since_ms) or self._jumped(view, now_ms)
        if forgotten:
            self._set_apart(now_ms, max(self._known, self._apart.expected if self._apart else 0))
            self._ahead.clear()
        self._note_ahead(now_ms, view.there_ms - word.asked_ms)
        self._heard_ms, self.heard_there_ms, self._since_ms = now_ms, view.there_ms, view.since_ms
        self._known = view.nodes
        if self._apart is not None and not self._all_were_there(self._apart, view, now_ms):
            self._share_of = max(self._share_of, view.nodes)
            self.nodes = self._share_of
        else:
            self._apart, self._room, self._room_heard_ms = None, None, None
            self.nodes = max(view.nodes, 0 if self._is_introduced(view) else UNKNOWN_NODES)
            self._share_of = max(word.nodes, self.nodes)
        return forgotten

    def take(
        self, place: str, now_ms: int, longest_wait_ms: float, *, given_ms: int | None = None
    ) -> tuple[int, bool]:
        """The wait of a request by the own log, in ms, and whether the place is taken, and open from then on.

        `given_ms`: the other place has given it from then on, as far as it knows. Without that, a node that is not
        `alone` gets no place, and learns how long it would wait if it heard nothing more: if it does, no share is aside
        for it.
        """
        self.log.give_back(place)
        limit, from_ms = self._allowed(now_ms, granted=given_ms is not None)
        if limit < 1:
            return WINDOW_MS, False
        self.log.limit = limit
        if given_ms is None and not self.alone(now_ms):
            longest_wait_ms = -1
        wait_ms = self.log.take(place, now_ms, longest_wait_ms, max(from_ms, given_ms or 0))
        return wait_ms, wait_ms <= min(longest_wait_ms, LONGEST_WAIT_MS)

    def left(self, now_ms: int) -> int:
        """How many requests it could send by itself now."""
        limit, from_ms = self._allowed(now_ms, granted=self.apart)
        return max(0, limit - len(self.log.places(now_ms))) if from_ms <= now_ms else 0

    def limit(self, now_ms: int) -> int:
        """How many requests in a minute it may send by itself."""
        return self._allowed(now_ms, granted=self.apart)[0]

    def _allowed(self, now_ms: int, *, granted: bool) -> tuple[int, int]:
        """How many requests in a minute, and from when on."""
        share = share_of(self._limit, self._share_of)
        if self._heard_ms is None:
            return share, now_ms
        from_ms = now_ms if granted else max(now_ms, self._heard_ms + SILENT_MS)
        if not granted:
            self._keep_room(now_ms, from_ms)
        if self._room is None:
            return (0 if self._young else share), from_ms
        share_from_ms = (self._room_heard_ms or 0) + ALONE_MS
        if now_ms >= share_from_ms:
            return share, from_ms
        return (min(self._room, share), from_ms) if self._room else (share, share_from_ms)

    def _keep_room(self, now_ms: int, from_ms: int) -> None:
        """What it has when it begins to act by itself. What is over by then, or soon after, others may have got."""
        if self._heard_ms is not None and self._room_heard_ms != self._heard_ms:
            over_ms = from_ms + AHEAD_MS - WINDOW_MS
            has = sum(at_ms > over_ms for _, at_ms in self.log.places(now_ms))
            self._room = has if self._room is None else min(self._room, has)
            self._room_heard_ms = self._heard_ms

    def _set_apart(self, now_ms: int, expected: int) -> None:
        if self._room is None:
            self._keep_room(now_ms, now_ms)
        self._apart = _Apart(now_ms, expected)

    def _all_were_there(self, apart: _Apart, view: View, now_ms: int) -> bool:
        """Whether everything that was sent in the last minute is known there."""
        if apart.there_ms is None:
            apart.there_ms = view.there_ms
        self._young = not apart.expected and view.there_ms - view.since_ms < YOUNG_MS
        complete = view.oldest_ms >= apart.there_ms and view.nodes >= apart.expected and not self._young
        new = self._introduced_ms is None and not apart.expected
        nothing_missing = new and view.there_ms - view.since_ms >= APART_MS
        return complete or nothing_missing or now_ms - apart.began_ms >= APART_MS

    def _is_introduced(self, view: View) -> bool:
        """Whether all the others know of it, and so have smaller shares."""
        if self._introduced_ms is None:
            self._introduced_ms = view.there_ms
        self._introduced = self._introduced or view.oldest_ms >= self._introduced_ms
        return self._introduced

    def _note_ahead(self, now_ms: int, most_ms: int) -> None:
        while self._ahead and self._ahead[-1][1] >= most_ms:
            self._ahead.pop()
        self._ahead.append((now_ms, most_ms))
        while len(self._ahead) > 1 and self._ahead[1][0] <= now_ms - WINDOW_MS:
            del self._ahead[0]

    def _jumped(self, view: View, now_ms: int) -> bool:
        """Whether the other clock was set forward, or ran too fast: an answer is given before it comes."""
        return bool(self._ahead) and view.there_ms - now_ms > self._ahead[0][1] + JUMP_MS
