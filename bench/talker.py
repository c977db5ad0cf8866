"""A client of `clients/` that goes on talking until it is told to stop, and many of them at once.

What it asks and what it looks at is its subclass's: `survive.py` counts answers, `listeners.py` hears every word. Knows
no server: what happens to those is the caller's.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import numpy as np
from realtime_client import ClientError, Conversation

from bench.common import RATE, now_s
from bench.microphone import sentences

KINDS = ("speaks", "asks", "silent")  # a third of each; who asks does so in writing
FRAME_MS = 100
SILENCE_S = 1.2  # after a sentence: its turn ends


class Talker(ABC):
    """One client. `errors`: what went wrong, in words."""

    def __init__(self, conversation: Conversation, kind: str, sound: bytes, errors: list[str]) -> None:
        self._conversation, self.kind, self._sound, self._errors = conversation, kind, sound, errors
        self._stop = asyncio.Event()
        conversation.on_reconnecting = self._lost

    def stop(self) -> None:
        """Let it end the turn that it is in."""
        self._stop.set()

    async def run(self) -> None:
        """Talk, and follow what comes."""
        following = asyncio.create_task(self._follow())
        try:
            await self._talk()
        except ClientError as error:
            self._errors.append(str(error))
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    @abstractmethod
    async def _talk(self) -> None:
        """One turn after the other, until `_stop` is set."""

    @abstractmethod
    def _see(self, event: dict[str, Any]) -> None:
        """An event came."""

    @abstractmethod
    def _lost(self) -> None:
        """The line broke."""

    async def _pause(self, seconds: float | None) -> None:
        """Wait so long, or until `_stop` is set."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def _speak(self) -> float:
        """Say the sentence in real time, with the silence after it. Returns when it was begun."""
        size, start_s = RATE * FRAME_MS // 1000 * 2, now_s()
        for number, at in enumerate(range(0, len(self._sound), size), 1):
            await self._conversation.append(self._sound[at : at + size])
            await asyncio.sleep(max(0.0, start_s + number * FRAME_MS / 1000 - now_s()))
        return start_s

    async def _follow(self) -> None:
        try:
            async for event in self._conversation:
                self._see(event)
        except ClientError as error:
            self._errors.append(str(error))


T = TypeVar("T", bound=Talker)


@asynccontextmanager
async def many(
    count: int, opened: Callable[[int], AbstractAsyncContextManager[T]], apart_s: float = 0.0
) -> AsyncIterator[list[T]]:
    """So many talk inside the block, opened by their number, each so long after the one before; at its end each may
    end its turn."""
    async with AsyncExitStack() as stack:
        talkers, tasks = [], []
        for number in range(count):
            talkers.append(await stack.enter_async_context(opened(number)))
            tasks.append(asyncio.create_task(talkers[-1].run()))
            await asyncio.sleep(apart_s)
        yield talkers
        for talker in talkers:
            talker.stop()
        await asyncio.gather(*tasks)


def spoken() -> bytes:
    """A sentence, and the silence after it."""
    samples = sentences()[0].samples
    return np.concatenate([samples, np.zeros(int(RATE * SILENCE_S), np.int16)]).astype("<i2").tobytes()
