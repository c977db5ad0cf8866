"""Standard input as it arrives, without blocking the loop: a daemon thread reads, so that leaving never waits."""

from __future__ import annotations

import asyncio
import codecs
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

_BACKLOG = 64
T = TypeVar("T", str, bytes)


async def read_lines() -> AsyncIterator[str]:
    """Each line, without its end."""
    async for line in _pump(lambda: sys.stdin.readline()):
        yield line.rstrip("\r\n")


async def read_stream() -> AsyncIterator[str]:
    """Text in the pieces it comes in; a character is never cut."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    descriptor = sys.stdin.fileno()
    async for data in _pump(lambda: os.read(descriptor, 4096)):
        text = decoder.decode(data)
        if text:
            yield text
    rest = decoder.decode(b"", final=True)
    if rest:
        yield rest


async def _pump(read: Callable[[], T]) -> AsyncIterator[T]:
    """What `read` returns, until it returns nothing. The thread never runs more than a few pieces ahead."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[T] = asyncio.Queue()
    room = threading.Semaphore(_BACKLOG)

    def work() -> None:
        while True:
            room.acquire()
            piece = read()
            try:
                loop.call_soon_threadsafe(pieces.put_nowait, piece)
            except RuntimeError:  # the loop is closed: nobody waits for us
                return
            if not piece:
                return

    threading.Thread(target=work, name="stdin", daemon=True).start()
    while piece := await pieces.get():
        room.release()
        yield piece
