"""Keeps to the number of tasks that an account may have unfinished, counting the tasks of this client.

A task counts from before its creation until somebody has seen its end. Tasks of other processes are not seen: for them
the platform refuses (1041), and the door sends again. Knows no endpoint.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from realtime.errors import ProviderError
from realtime.minimax.job import Job
from realtime.minimax.loops import PerLoop, lock

OnFull = Callable[[list[Job[Any]]], None]


class InFlight:
    """Room for `most` unfinished tasks (None: no bound). `on_full` is told the unfinished ones before a wait."""

    def __init__(self, most: int | None, on_full: OnFull | None = None) -> None:
        self._most = most
        self._on_full = on_full
        self._jobs: list[Job[Any]] = []
        self._creating = 0
        self._turn = lock()  # who comes first gets the first room
        self._left = PerLoop(asyncio.Event)

    def unfinished(self) -> int:
        """How many tasks are unfinished, as far as this client has seen."""
        self._jobs[:] = [job for job in self._jobs if not job.state.final]
        return len(self._jobs) + self._creating

    @asynccontextmanager
    async def room(self) -> AsyncGenerator[Callable[[Job[Any]], None], None]:
        """Wait for room; create the task inside the block and hand it over. A failed creation gives it back."""
        if self._most is None:
            yield lambda job: None
            return
        async with self._turn.here():
            await self._wait_for_room(self._most)
            self._creating += 1
        try:
            yield self._jobs.append
        finally:
            self._creating -= 1
            for left in self._left.all():
                left.set()

    async def _wait_for_room(self, most: int) -> None:
        told = False
        while self.unfinished() >= most:
            if not told and self._on_full is not None:
                self._on_full(list(self._jobs))
            told = True
            await self._one_ends()

    async def _one_ends(self) -> None:
        left = self._left.here()
        left.clear()
        waits = [asyncio.create_task(self._end_of(job)) for job in self._jobs]
        waits.append(asyncio.create_task(_set(left)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _end_of(self, job: Job[Any]) -> None:
        """Ask until the task has ended. One that cannot be asked about, or never ends, counts no more."""
        try:
            async for _ in job:
                pass
        except ProviderError:
            self._jobs[:] = [each for each in self._jobs if each is not job]


async def _set(event: asyncio.Event) -> None:
    await event.wait()
