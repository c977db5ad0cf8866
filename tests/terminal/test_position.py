"""Where the listener is: what a server is told that goes on with the session (docs/wire.md 6.6)."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from realtime_client.playback import Playback
from realtime_client.player import PartKey, Player, Position

RATE = 24_000
A, B = PartKey("item_A"), PartKey("item_B")


class Heard:
    """A playback whose clock the test turns on; `told`: what the server is sent."""

    def __init__(self) -> None:
        self.player, self.clock_s, self.told = Player(), 0.0, []
        conversation = SimpleNamespace(extensions=("playback",), session={}, played=self._played)
        self.playback = Playback(conversation, SimpleNamespace(player=self.player, now=lambda: self.clock_s))

    async def _played(self, item_id: str, played_ms: int, state: str, **more: Any) -> None:
        self.told.append((item_id, played_ms, state))

    def write(self, part: PartKey, ms: int) -> None:
        self.player.write(part, bytes(2 * RATE * ms // 1000))

    async def hear(self, ms: int) -> Position | None:
        self.player.read(RATE * ms // 1000, self.clock_s)
        self.clock_s += ms / 1000
        running = asyncio.create_task(self.playback.run())
        await asyncio.sleep(0)
        running.cancel()
        return self.playback.position


async def test_it_is_in_what_sounds_and_not_in_what_waits_behind_it():
    heard = Heard()
    assert heard.playback.position is None
    heard.write(A, 200)
    heard.player.end(A)
    heard.write(B, 200)
    assert await heard.hear(100) == Position(A, 100)
    assert await heard.hear(100) == Position(A, 200, drained=True)
    assert await heard.hear(0) == Position(B, 0)
    assert await heard.hear(100) == Position(B, 100)


@pytest.mark.parametrize(("heard_ms", "position"), [(0, Position(A, 0)), (100, Position(A, 100))])
async def test_it_stays_where_the_sound_was_stopped(heard_ms, position):
    heard = Heard()
    heard.write(A, 200)
    heard.write(B, 200)
    await heard.hear(heard_ms)
    await heard.playback.handle({"type": "output_audio_buffer.cleared"})
    assert await heard.hear(100) == position


async def test_a_new_session_is_told_of_its_own_parts_only():
    heard = Heard()
    heard.write(A, 300)
    await heard.hear(100)
    await heard.playback.handle({"type": "session.created"})
    heard.told.clear()
    assert await heard.hear(100) == Position(A, 200), (
        "its server does not know this part: nothing was heard yet"
    )
    heard.write(B, 200)
    assert await heard.hear(50) == Position(B, 0)
    await heard.hear(100)
    assert await heard.hear(0) == Position(B, 50)
    assert heard.told == [("item_B", 50, "playing")]
