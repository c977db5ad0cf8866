"""Sound that another server has heard first, and that its client sends again (docs/wire.md 6.6, step 7).

Segments that were ended there are cut out by position, whoever ends the turns now; the detector listens from where the
rest begins. What this means for turns waits until all of it is here: the user may have gone on speaking after them.
"""

from __future__ import annotations

import asyncio

from realtime import deadlines
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.audio_buffer import Samples
from realtime.core.snapshot import SegmentSnapshot
from realtime.listening.audio_input import AudioInput

AGAIN_S = 10.0  # what comes later is other sound
ROUNDING_MS = 2.0  # clients send again from a whole millisecond on


class ComesAgain:
    """Of one session; in one that has begun here nothing does."""

    def __init__(self, context: Context, audio: AudioInput) -> None:
        self._context = context
        self._audio = audio
        self._awaited: dict[str, tuple[SegmentSnapshot, asyncio.Future[Samples]]] = {}
        self._open_ms: float | None = None  # None: nothing is kept of what comes before it
        self._received_ms = 0.0
        self._all_here = asyncio.Event()
        self._all_here.set()
        self._held: list[turns.TurnEvent] = []

    def __repr__(self) -> str:
        return f"<ComesAgain {len(self._awaited)} segments up to {self._received_ms:.0f} ms>"

    def begin(self, from_ms: float, open_ms: float, received_ms: float) -> None:
        """The client sends again from `from_ms` on. No item has the sound from `open_ms` on, of which there was some up
        to `received_ms`."""
        self._audio.begin_at(from_ms, open_ms)
        # A server that was lost while sound came again had not received all of what items have
        self._open_ms, self._received_ms = open_ms, max(received_ms, open_ms)
        if self._received_ms > from_ms + ROUNDING_MS:
            self._all_here.clear()
            self._context.tasks.spawn(self._wait(), "sound that comes again")

    @property
    def received_ms(self) -> float:
        """How much audio was received in all, here or elsewhere: what comes after it is new."""
        here_ms = self._audio.received_ms
        return here_ms if self._all_here.is_set() else max(here_ms, self._received_ms)

    def expect(self, segment: SegmentSnapshot) -> asyncio.Future[Samples]:
        """The sound of this item, once it is here."""
        samples: asyncio.Future[Samples] = asyncio.get_running_loop().create_future()
        self._awaited[segment.item_id] = segment, samples
        self._keep()
        return samples

    def forget(self, item_id: str) -> None:
        """Nobody needs the sound of this item. It must not become part of what is said next all the same."""
        if item_id in self._awaited:
            self._awaited.pop(item_id)[1].cancel()
            self._keep()

    def _keep(self) -> None:
        begins = (segment.from_ms for segment, _ in self._awaited.values())
        self._audio.awaited_from_ms = min(begins, default=float("inf"))

    def cut(self) -> None:
        """More sound is here, and nobody has listened to it yet."""
        if self._all_here.is_set():
            return
        for segment, samples in sorted(self._awaited.values(), key=lambda awaited: awaited[0].to_ms):
            if not self._is_here(segment.to_ms):
                return
            if self._audio.end_ms < segment.to_ms:
                self._audio.flush()
            if not samples.done():  # nobody waits for it any more
                samples.set_result(self._audio.samples(segment.from_ms, segment.to_ms))
            del self._awaited[segment.item_id]
            self._keep()
        if self._open_ms is not None and self._is_here(self._open_ms):
            self._audio.discard(self._open_ms)
            self._open_ms = None  # what is held from now on is other sound

    def look(self) -> None:
        """What came last has been listened to."""
        if not self._all_here.is_set() and self._is_here(self._received_ms):
            self._end()

    def _is_here(self, ms: float) -> bool:
        return self._audio.received_ms + ROUNDING_MS >= ms

    async def _wait(self) -> None:
        try:
            async with deadlines.timeout(AGAIN_S):
                await self._all_here.wait()
        except TimeoutError:
            self._audio.listen()
            self._end()

    def _end(self) -> None:
        self._all_here.set()
        told, self._held = self._held, []
        with self._context.turns:
            for event in told:
                self._context.turns.put(event)

    def tell(self, event: turns.TurnEvent) -> None:
        """What was found out about an item, for the rules."""
        if self._all_here.is_set():
            self._context.turns.put(event)
        else:
            self._held.append(event)
