"""A conversation held by voice: the microphone goes in, replies go to the speaker and are acknowledged as they sound.

Everything happens in tasks of its own, so that sound never waits for the program that reads the events. How replies
are played and told is `playback.py`; this module joins it to a connection and a microphone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection

from .conversation import Conversation, Event
from .playback import Output, Playback
from .player import Position

ECHO_TAIL_S = 0.25  # how long a room goes on sounding after the speaker stopped
MAX_EVENTS = 1000  # that wait for a program that does not read them


class AudioInput(Protocol):
    """A microphone: `Microphone`, `FileMicrophone`, or your own. Yields 16-bit mono PCM at 24 kHz, in real time."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *error: Any) -> Any: ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class AudioOutput(Output, Protocol):
    """A speaker: `Speaker`, `FileSpeaker`, or your own. Plays what its `player` holds, by the clock `now`."""

    async def __aenter__(self) -> Any: ...

    async def __aexit__(self, *error: Any) -> Any: ...


class Talk(Conversation):
    """A `Conversation` with a speaker, a microphone, or both; `connect` makes it.

    Whoever iterates gets every event after the speaker has. At most `MAX_EVENTS` wait for that: then the oldest go, and
    are counted in `dropped_events`, so that a program may also just wait with `ended`.
    """

    def __init__(
        self,
        socket: ClientConnection,
        speaker: AudioOutput | None,
        microphone: AudioInput | None,
        *,
        headphones: bool = False,
    ) -> None:
        super().__init__(socket)
        self.plays = speaker is not None
        self.headphones = headphones  # the microphone cannot hear the speaker
        self.dropped_events = 0
        self._playback = Playback(self, speaker, self._heard) if speaker is not None else None
        self._microphone = microphone
        self._sounded_s = float("-inf")  # when we last knew that something sounded
        self._events: deque[Event] = deque()
        self._news = asyncio.Event()
        self._over = asyncio.Event()
        self._failure: Exception | None = None

    @property
    def playing(self) -> bool:
        return self._playback is not None and not self._playback.silent.is_set()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._over.is_set():
                break
            self._news.clear()
            await self._news.wait()
        await self.ended()

    async def ended(self) -> None:
        """Wait until the conversation ends. Raises ConnectionLost if nobody asked for that, or the microphone's own
        error."""
        await self._over.wait()
        if self._failure is not None:
            raise self._failure

    async def drained(self) -> None:
        """Wait until everything that has come was heard."""
        if self._playback is not None:
            await self._playback.silent.wait()

    async def interrupt(self) -> None:
        """Stop the current answer, its sound included."""
        if self._playback is not None:
            await self._playback.interrupt()
        else:
            await self.cancel()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Receive, play and listen for as long as the block."""
        jobs = {"receive": self._receive_all()}
        if self._playback is not None:
            jobs["play"] = self._unless_it_fails(self._playback.run())
        if self._microphone is not None:
            jobs["listen"] = self._unless_it_fails(self._speak(self._microphone))
        tasks = [asyncio.create_task(job, name=f"conversation: {name}") for name, job in jobs.items()]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive_all(self) -> None:
        await self._unless_it_fails(self._receive_events())
        self._finish(None)

    async def _unless_it_fails(self, job: Coroutine[Any, Any, None]) -> None:
        """The first failure ends the conversation, and is raised where somebody waits for it."""
        try:
            await job
        except Exception as error:
            self._finish(error)

    def _finish(self, failure: Exception | None) -> None:
        if not self._over.is_set():
            self._failure = failure
            self._over.set()
        self._news.set()

    async def _receive_events(self) -> None:
        async for event in self._from_socket():
            if self._playback is not None:
                await self._playback.handle(event)
            if len(self._events) >= MAX_EVENTS:
                self._events.popleft()
                self.dropped_events += 1
            self._events.append(event)
            self._news.set()

    async def _speak(self, microphone: AudioInput) -> None:
        async for pcm in microphone:
            await self.append(bytes(len(pcm)) if self._would_hear_itself() else pcm)

    def _would_hear_itself(self) -> bool:
        if self.headphones or self._playback is None:
            return False
        return self.playing or asyncio.get_running_loop().time() - self._sounded_s < ECHO_TAIL_S

    def _heard(self, position: Position) -> None:
        self._sounded_s = asyncio.get_running_loop().time()
        self.on_heard(position)
