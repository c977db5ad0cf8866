"""Reads standard input as it arrives without blocking the loop. A daemon thread reads: exiting never waits for it."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from realtime.errors import InvalidArgument

_MAX_QUEUED = 64
T = TypeVar("T", str, bytes)


async def read_lines() -> AsyncIterator[str]:
    """Each line, without its line end."""
    async for line in _pump(lambda: sys.stdin.readline()):
        yield line.rstrip("\r\n")


async def read_line() -> str:
    """One line, for an answer; nothing behind it is read. Empty at the end of input, and if it is no text."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def give(answer: str) -> None:
        if not line.done():  # cancelled by Ctrl-C
            line.set_result(answer)

    def work() -> None:
        try:
            answer = sys.stdin.readline()
        except (OSError, ValueError):
            answer = ""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(give, answer)

    threading.Thread(target=work, name="stdin", daemon=True).start()
    return await line


async def read_stream() -> AsyncIterator[str]:
    """Text in fragments as they arrive; a character is never split."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    descriptor = sys.stdin.fileno()
    async for data in _pump(lambda: os.read(descriptor, 4096)):
        text = decoder.decode(data)
        if text:
            yield text
    rest = decoder.decode(b"", final=True)
    if rest:
        yield rest


async def read_bytes(most_bytes: int) -> bytes:
    """All of it, until its end. Raises InvalidArgument as soon as it is more than `most_bytes`."""
    descriptor = sys.stdin.fileno()
    found = bytearray()
    async for data in _pump(lambda: os.read(descriptor, 65_536)):
        found += data
        if len(found) > most_bytes:
            raise InvalidArgument(
                f"Standard input has more than {most_bytes / 1e6:.0f} MB: that is no text to work on.",
                param="source",
            )
    return bytes(found)


async def _pump(read: Callable[[], T]) -> AsyncIterator[T]:
    """What `read` returns, until it returns nothing. The thread reads a limited number of fragments ahead."""
    loop = asyncio.get_running_loop()
    fragments: asyncio.Queue[T] = asyncio.Queue()
    free = threading.Semaphore(_MAX_QUEUED)

    def work() -> None:
        while True:
            free.acquire()
            fragment = read()
            try:
                loop.call_soon_threadsafe(fragments.put_nowait, fragment)
            except RuntimeError:  # the loop is closed
                return
            if not fragment:
                return

    threading.Thread(target=work, name="stdin", daemon=True).start()
    while fragment := await fragments.get():
        free.release()
        yield fragment
