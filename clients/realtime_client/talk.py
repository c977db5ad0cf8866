"""A conversation by voice: sends the microphone, plays the replies, acknowledges what was played.

It does this in tasks of its own, so that audio never waits for the program that reads the events. `playback.py` plays
and acknowledges; this module connects it with the microphone and the server.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from .conversation import Conversation, Event
from .errors import ConnectionLost
from .playback import Output, Playback
from .player import PartKey, Position
from .silence import WatchedSocket

ECHO_S = 0.25  # the echo in a room after the speaker has stopped
MAX_EVENTS = 1000  # kept for a program that does not read them


class AudioInput(Protocol):
    """A microphone: `Microphone`, `FileMicrophone`, or your own. Yields 16-bit mono PCM at 24 kHz, in real time."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *error: Any) -> Any: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class AudioOutput(Output, Protocol):
    """A speaker: `Speaker`, `FileSpeaker`, or your own. Plays the audio of its `player`, on the clock `now`."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *error: Any) -> Any: ...


class Talk(Conversation):
    """A `Conversation` with a speaker, a microphone, or both. `connect` creates it.

    It handles every event before the program gets it. If the program does not iterate, it keeps the last `MAX_EVENTS`
    events and counts the others in `dropped_events`.
    """

    def __init__(
        self,
        socket: WatchedSocket,
        speaker: AudioOutput | None,
        microphone: AudioInput | None,
        *,
        headphones: bool = False,
    ) -> None:
        super().__init__(socket)
        self.plays = speaker is not None
        self.headphones = headphones  # the microphone cannot hear the speaker
        self.dropped_events = 0
        self._playback = Playback(self, speaker, self._heard, self._cut) if speaker is not None else None
        self._microphone = microphone
        self._sounded_s = float("-inf")  # the last time that something was to be heard
        self._events: deque[Event] = deque()
        self._new_event = asyncio.Event()
        self._over = asyncio.Event()
        self._failure: Exception | None = None

    @property
    def playing(self) -> bool:
        return self._playback is not None and not self._playback.silent.is_set()

    async def receive(self) -> Event | None:
        """The next event; None when the conversation has ended. Raises what `ended` raises."""
        while not self._events:
            if self._over.is_set():
                await self.ended()
                return None
            self._new_event.clear()
            await self._new_event.wait()
        return self._events.popleft()

    async def ended(self) -> None:
        """Wait until the conversation ends. Raises ConnectionLost if the connection broke, and an error of the
        microphone as it is."""
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    async def drained(self) -> None:
        """Wait until all received audio has been played."""
        if self._playback is not None:
            await self._playback.silent.wait()

    async def interrupt(self) -> None:
        """Cancel the current answer and stop its playback."""
        if self._playback is not None:
            await self._playback.interrupt()
        else:
            await self.cancel()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Receive, play and record until the end of the block."""
        jobs = {"receive": self._receive_all()}
        if self._playback is not None:
            jobs["play"] = self._guarded(self._playback.run())
        if self._microphone is not None:
            jobs["record"] = self._guarded(self._record(self._microphone))
        tasks = [asyncio.create_task(job, name=f"conversation: {name}") for name, job in jobs.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._finish(None)

    async def _receive_all(self) -> None:
        try:
            await self._guarded(self._receive_events())
        finally:
            self._finish(None)

    async def _guarded(self, job: Coroutine[Any, Any, None]) -> None:
        """Run a job. Its error ends the conversation and is raised by `ended` and the iterator."""
        try:
            await job
        except ConnectionLost as lost:  # the microphone may notice the program's own end first
            self._finish(None if self._closed else lost)
        except Exception as error:
            self._finish(error)

    def _finish(self, failure: Exception | None) -> None:
        if not self._over.is_set():
            self._failure = failure
            self._over.set()
        self._new_event.set()

    async def _receive_events(self) -> None:
        while (event := await self._from_socket()) is not None:
            if self._playback is not None:
                await self._playback.handle(event)
            self._hand_on(event)

    def _hand_on(self, event: Event) -> None:
        if len(self._events) >= MAX_EVENTS:
            self._events.popleft()
            self.dropped_events += 1
        self._events.append(event)
        self._new_event.set()

    async def _record(self, microphone: AudioInput) -> None:
        async for pcm in microphone:
            await self.append(bytes(len(pcm)) if self._muted() else pcm)

    def _muted(self) -> bool:
        """Whether the microphone may hear the speaker. In an answer that has stopped coming, it hears the user."""
        if self.headphones or self._playback is None:
            return False
        now_s = asyncio.get_running_loop().time()
        if self._playback.output.player.audible:
            self._sounded_s = now_s
        return now_s - self._sounded_s < ECHO_S

    @property
    def position(self) -> Position | None:
        return self._playback.position if self._playback is not None else None

    def _arrived_ms(self, part: PartKey) -> int | None:
        return self._playback.output.player.received_ms(part) if self._playback is not None else None

    def _on_new_socket(self, socket: WatchedSocket, first: list[Event]) -> None:
        super()._on_new_socket(socket, first)
        if self._playback is not None and first[-1]["type"] == "session.created":
            self._playback.new_session()  # now, not when its event is read: what sounds is reported meanwhile

    async def _cut(self, position: Position) -> None:
        """An answer of a session before this one was stopped. Only this client knows what of it was heard."""
        item_id, content_index = position.part
        text, events = self._line.cut(item_id, position.played_ms) if self._line is not None else (None, [])
        heard = {} if text is None else {"transcript": text}
        part = {"item_id": item_id, "content_index": content_index, "audio_end_ms": position.played_ms}
        self._hand_on({"type": "conversation.item.truncated", **part, **heard})
        for event in events:
            await self.send(**event)

    def _heard(self, position: Position) -> None:
        if self.on_heard is not None:
            self.on_heard(position)
