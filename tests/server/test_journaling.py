"""How often a session is written in the journal, by what happens in it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from realtime.core.snapshot import Position, SessionSnapshot
from realtime.metrics import Metrics
from realtime.protocol import server_events as events
from realtime.providers.journal import FIRST_EPOCH, Kept
from realtime.server.journaling import RECORD_S, JournaledSession
from realtime.server.live_session import LiveSession
from realtime.server.recording import Recorder
from tests.core.test_snapshot import WHOLE
from tests.virtual_time import run

FRAME_S = 0.01
SOUND = events.ResponseOutputAudioDelta(response_id="resp_1", item_id="item_1", delta=b"")


class Written:
    """A journal that counts records and bare positions."""

    def __init__(self) -> None:
        self.records = self.positions = 0

    def write(
        self, session_id: str, epoch: int, *, record: bytes | None = None, position: bytes | None = None
    ):
        if record is None:
            self.positions += 1
        else:
            self.records += 1
        kept = asyncio.get_running_loop().create_future()
        kept.set_result(Kept.WRITTEN)
        return kept


class Story:
    """A session with one reply, as far as the journal sees it."""

    def __init__(self) -> None:
        self.at = Position()
        self.looked_again = 0
        self.asked = 0
        saving = SimpleNamespace(unsaved=False, again=lambda: None, changed=self.look_again)
        self.session = SimpleNamespace(restoring=False, speaking=False)
        ending = asyncio.get_running_loop().create_future()
        live = SimpleNamespace(id="sess_1", ending=ending, session=self.session, saving=saving)
        self.journal: Any = Written()
        self.entry = JournaledSession(
            cast("LiveSession", live), self.journal, FIRST_EPOCH, Metrics(), cast("Recorder", self)
        )

    def look_again(self) -> None:
        self.looked_again += 1

    def position(self) -> Position:
        self.asked += 1
        return self.at

    def queued(self, event: events.ServerEvent) -> None:
        pass

    def snapshot(self) -> SessionSnapshot:
        return WHOLE

    async def go(
        self, seconds: float, item_id: str | None = None, sound: float = 0.0, idle: bool = False
    ) -> tuple[int, int]:
        """The user is silent, and sound of this item leaves, so many times as fast as it is heard. `idle`: the idle
        timeout counts. Returns how many records and positions were written meanwhile."""
        before = self.journal.records, self.journal.positions
        loop = asyncio.get_running_loop()
        until_s, looked_s = loop.time() + seconds, loop.time()
        while loop.time() < until_s - FRAME_S / 2:
            await asyncio.sleep(FRAME_S)
            sent_ms = self.at.sent_ms + sound * FRAME_S * 1000 if item_id else 0.0
            left_ms = (until_s - loop.time()) * 1000 if idle else None
            self.at = Position(self.at.input_audio_ms + FRAME_S * 1000, item_id, sent_ms, (), left_ms)
            if sound:
                self.entry.on_event(SOUND)
            if loop.time() - looked_s >= RECORD_S - 1e-6:
                looked_s = loop.time()
                self.entry.look(looked_s)
        return self.journal.records - before[0], self.journal.positions - before[1]


def test_words_that_have_left_are_soon_written_and_little_else() -> None:
    async def story() -> None:
        told = Story()
        assert await told.go(1.0) == (1, 0)
        records, positions = await told.go(2.0, "item_1", sound=1.5)
        assert 13 <= records <= 20  # at most 0.15 s apart
        assert positions == 0
        assert told.looked_again == 1
        asked = told.asked
        records, _ = await told.go(2.0, "item_1", sound=1.5)
        assert told.asked - asked == records, "one look at the session is enough for a record"
        assert await told.go(6.0, "item_1") in [(1, 5), (1, 6), (0, 5), (0, 6)]  # it plays what it has
        assert await told.go(20.0) in [(1, 3), (1, 4)]  # the answer is over, and then nothing happens
        assert told.looked_again == 2, (
            "an answer that is over counts whole where items are kept, before its record"
        )

    run(story())


def test_while_somebody_speaks_a_position_is_written_each_second() -> None:
    async def story() -> None:
        told = Story()
        await told.go(1.0)
        told.session.speaking = True
        assert await told.go(10.0) in [(0, 9), (0, 10)]

    run(story())


def test_a_position_that_gives_up_sound_is_written_with_the_record_that_has_its_text() -> None:
    async def story() -> None:
        told = Story()
        await told.go(1.0)
        told.session.speaking = True
        before = told.journal.records, told.journal.positions
        told.at = replace(told.at, settled_ms=20_000.0)
        told.entry.look(asyncio.get_running_loop().time() + 1.0)
        assert (told.journal.records, told.journal.positions) == (before[0] + 1, before[1])

    run(story())


def test_while_the_idle_timeout_counts_a_position_is_written_each_second() -> None:
    async def story() -> None:
        told = Story()
        await told.go(1.0)
        assert await told.go(10.0, idle=True) in [(0, 9), (0, 10)]

    run(story())
