"""Reads standard input as it arrives without blocking the loop. A daemon thread reads: exiting never waits for it."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from realtime.errors import InvalidArgument
from realtime.minimax.charsets import MARKS

_MAX_QUEUED = 64
T = TypeVar("T", str, bytes)


async def read_lines(param: str = "text") -> AsyncIterator[str]:
    """Each line, without its line end. Raises InvalidArgument for bytes that are no text."""
    ends = io.IncrementalNewlineDecoder(None, translate=True)
    begun = ""
    async for text in read_stream(param):
        *lines, begun = (begun + ends.decode(text)).split("\n")
        for line in lines:
            yield line
    if begun:
        yield begun


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


async def read_stream(param: str = "text") -> AsyncIterator[str]:
    """Text in fragments as they arrive; a character is never split.

    Raises InvalidArgument, whose param is `param`, for bytes that are no text.
    """
    decoder = _Decoder(param)
    descriptor = sys.stdin.fileno()
    async for data in _pump(lambda: os.read(descriptor, 4096)):
        if text := decoder.feed(data):
            yield text
    if rest := decoder.feed(b"", final=True):
        yield rest


class _Decoder:
    """UTF-8, or what a byte order mark at the beginning names; from a terminal what that is set to."""

    def __init__(self, param: str) -> None:
        self._param = param
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""  # while it may be the beginning of a mark

    def feed(self, data: bytes, *, final: bool = False) -> str:
        try:
            text = self._decode(data, final)
        except UnicodeError:
            raise InvalidArgument(
                "Standard input is no text in UTF-8. If it is a text, convert it first, "
                "like `iconv -f gb18030 -t utf-8 FILE | realtime ...`.",
                param=self._param,
            ) from None
        if "\0" in text:
            raise InvalidArgument("Standard input is binary, not a text.", param=self._param)
        return text

    def _decode(self, data: bytes, final: bool) -> str:
        if self._decoder is None:
            data = self._head = self._head + data
            if not final and any(mark.startswith(data) and mark != data for mark, _ in MARKS):
                return ""
            mark, name = next(
                ((mark, name) for mark, name in MARKS if data.startswith(mark)), (b"", _usual())
            )
            self._decoder, data = codecs.getincrementaldecoder(name)(), data[len(mark) :]
        return self._decoder.decode(data, final)


def _usual() -> str:
    return sys.stdin.encoding if sys.stdin.isatty() else "utf-8"


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
    """What `read` returns, until it returns nothing. The thread reads a limited number of fragments ahead.

    Raises OSError if `read` does.
    """
    loop = asyncio.get_running_loop()
    fragments: asyncio.Queue[T | OSError] = asyncio.Queue()
    free = threading.Semaphore(_MAX_QUEUED)

    def work() -> None:
        while True:
            free.acquire()
            fragment: T | OSError
            try:
                fragment = read()
            except OSError as error:  # a folder is no text
                fragment = error
            try:
                loop.call_soon_threadsafe(fragments.put_nowait, fragment)
            except RuntimeError:  # the loop is closed
                return
            if not fragment or isinstance(fragment, OSError):
                return

    threading.Thread(target=work, name="stdin", daemon=True).start()
    while fragment := await fragments.get():
        if isinstance(fragment, OSError):
            raise fragment
        free.release()
        yield fragment
