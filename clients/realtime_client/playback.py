"""Plays the replies of a conversation and reports to the server what was heard (docs/wire.md 3.9, 6.3).

It uses the `playback` extension if the server has confirmed it. Otherwise it stops on `speech_started` and sends
`conversation.item.truncate` itself. What a session before this one said may still sound: no server knows of it,
so it is stopped here, and `on_cut` is told what was heard of it. It knows events and a player; the output knows the
device.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Sequence
from typing import Any, Protocol

from .conversation import Conversation, Event
from .player import PartKey, Player, Position

POLL_S = 0.04
REPORT_S = 0.2  # the protocol wants a report at least every 250 ms


class Output(Protocol):
    """Plays the audio of `player`. `now` is the clock of the times given to `player.read`."""

    player: Player

    def now(self) -> float: ...


async def _nobody(position: Position) -> None: ...


class Playback:
    """Call `handle` with every event, and let `run` run in a task."""

    def __init__(
        self,
        conversation: Conversation,
        output: Output,
        on_position: Callable[[Position], Any] = lambda position: None,
        on_cut: Callable[[Position], Awaitable[None]] = _nobody,
    ) -> None:
        self.conversation = conversation
        self.output = output
        self.silent = asyncio.Event()  # nothing is playing or waits to be played
        self.silent.set()
        # In what this session plays. Before anything of it has come: in what its server does not know
        self.position: Position | None = None
        self._on_position = on_position
        self._on_cut = on_cut
        self._earlier: set[PartKey] = set()  # of a session before this one
        self._reported: dict[PartKey, tuple[int, float]] = {}  # played_ms, and the time of the report

    async def handle(self, event: Event) -> None:
        """Handle one event of the server. Raises ConnectionLost."""
        player = self.output.player
        match event["type"]:
            case "response.output_audio.delta":
                self.silent.clear()
                player.write(_part(event), event["pcm"])
            case "response.output_audio.done":
                self.silent.clear()
                player.end(_part(event))
            case "output_audio_buffer.cleared":
                await self._flush()
            case "conversation.item.truncated":  # what comes after it does not count, or comes again
                player.trim(_part(event), int(event["audio_end_ms"]))
            case "output_audio_buffer.gain_changed":
                player.set_gain(float(event["gain_db"]))
            case "session.created":
                self.new_session()
            case "session.resumed" if event.get("restored"):  # this server has asked for no gain
                player.set_gain(0.0)
            case "input_audio_buffer.speech_started" if self._interruptible:
                await self._flush(self._earlier if self._negotiated else None)
            case "response.done" if not self._negotiated and _cancelled_by_us(event):
                await self._flush()

    def new_session(self) -> None:
        """The server knows nothing of what is in the player, and of that no more will come."""
        self._earlier = self.output.player.end_all()
        self._reported.clear()
        self.output.player.set_gain(0.0)

    async def interrupt(self) -> None:
        """Stop the reply for the user, at once: there may be no server for a while. Raises ConnectionLost."""
        if self._negotiated:
            await self.conversation.send("output_audio_buffer.clear")
        else:
            await self.conversation.cancel()
        await self._flush()

    async def run(self) -> None:
        """Report what has been heard, until cancelled. Raises ConnectionLost."""
        while True:
            positions = self.output.player.positions(self.output.now())
            self._place(positions)
            for position in positions:
                await self._report(position)
            if not self.output.player.active:
                self.silent.set()
            await asyncio.sleep(POLL_S)

    @property
    def _negotiated(self) -> bool:
        return "playback" in self.conversation.extensions

    @property
    def _interruptible(self) -> bool:
        audio = self.conversation.session.get("audio") or {}
        detection = (audio.get("input") or {}).get("turn_detection") or {}
        return bool(detection.get("interrupt_response", True))

    def _place(self, positions: Sequence[Position]) -> None:
        """Where the listener is: in the last part of which something was heard, or before the first one."""
        ours = [position for position in positions if position.part not in self._earlier] or positions
        if ours:
            self.position = next((position for position in reversed(ours) if position.played_ms), ours[0])

    async def _report(self, position: Position) -> None:
        self._on_position(position)
        if position.part in self._earlier:
            if position.drained:
                self._earlier.discard(position.part)
            return
        last_ms, last_s = self._reported.get(position.part, (0, float("-inf")))
        now_s = asyncio.get_running_loop().time()
        due = position.played_ms > last_ms and now_s - last_s >= REPORT_S
        if due or position.drained:
            self._reported[position.part] = (position.played_ms, now_s)
            await self._tell(position, "drained" if position.drained else "playing")
        if position.drained:
            self._reported.pop(position.part, None)

    async def _tell(self, position: Position, state: str) -> None:
        if self._negotiated:
            item_id, content_index = position.part
            await self.conversation.played(item_id, position.played_ms, state, content_index=content_index)

    async def _flush(self, only: Container[PartKey] | None = None) -> None:
        """Stop all, or these, and say how much of each was heard."""
        positions = self.output.player.flush(only)
        if not self.output.player.active:
            self.silent.set()
        self._place(positions)
        for position in positions:
            self._reported.pop(position.part, None)
            self._on_position(position)
            await self._stopped(position)

    async def _stopped(self, position: Position) -> None:
        item_id, content_index = position.part
        if position.part in self._earlier:
            self._earlier.discard(position.part)
            await self._on_cut(position)
        elif self._negotiated:
            await self._tell(position, "flushed")
        else:
            await self.conversation.truncate(item_id, position.played_ms, content_index=content_index)
            await self.conversation.retrieve(item_id)


def _part(event: Event) -> PartKey:
    return PartKey(event["item_id"], event.get("content_index", 0))


def _cancelled_by_us(event: Event) -> bool:
    details = event["response"].get("status_details") or {}
    return bool(details.get("reason") == "client_cancelled")
