"""A file to upload, from a path, bytes or a binary stream: checked, measured, and readable from the start again.

Knows the disk and its surprises: missing, a folder, empty, too large, changed while it is read. A stream that cannot
seek is copied to a temporary file first. All reading is done in threads; where a pipe may have no writer, in one that
nobody waits for at the end. Knows no form and no network.
"""

from __future__ import annotations

import asyncio
import functools
import io
import os
import stat
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, TypeVar, cast

from realtime.errors import InvalidArgument
from realtime.minimax.sniff import SNIFF_BYTES

FileSource = str | os.PathLike[str] | bytes | BinaryIO
"""A path, the bytes themselves, or a stream opened in binary mode (read from where it is; not closed)."""

MB = 1024 * 1024
# The pages do not say which MB they mean. This is the larger one, so that nothing is refused that the platform takes.
# Of one file on the platform, docs/minimax/files.md 1; also what is read into memory at most
MOST_BYTES = 512 * MB
PART_BYTES = 256 * 1024

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file that is open for reading. `size` is in bytes, `first` holds its first bytes."""

    name: str
    size: int
    first: bytes
    param: str
    stream: BinaryIO
    start: int

    async def parts(self) -> AsyncIterator[bytes]:
        """All bytes from the start. Raises InvalidArgument if the file has changed since it was opened.

        It does so before the last part: a request that carries these parts never becomes whole.
        """
        before = await in_thread(_stamp, self.stream)
        await in_thread(self.stream.seek, self.start)
        left = self.size
        while left:
            part, intact = await in_thread(self._read, left, before)
            left -= len(part)
            if not intact:
                raise InvalidArgument(
                    f"{self.name} changed while it was being sent. Wait until it is complete, then send it again.",
                    param=self.param,
                )
            yield part

    def _read(self, left: int, before: tuple[int, int] | None) -> tuple[bytes, bool]:
        """The next part, and whether the file is still the one that was opened, as far as we can see."""
        try:
            part = self.stream.read(min(PART_BYTES, left))
            if len(part) == left:
                return part, not self.stream.read(1) and _stamp(self.stream) == before
        except (OSError, ValueError) as error:
            raise InvalidArgument(
                f"{self.name} cannot be read: {_reason(error)}.", param=self.param
            ) from error
        return part, bool(part)


@asynccontextmanager
async def open_source(
    source: FileSource, *, name: str | None = None, most_bytes: int = MOST_BYTES, param: str = "file"
) -> AsyncIterator[OpenFile]:
    """The source, open and measured. `name` is its name where the source has none or another one is wanted.

    Raises InvalidArgument, naming `param`, for a file that is missing, a folder, not readable, empty or larger than
    `most_bytes`, and for a stream in text mode.
    """
    file_name = name or _name_of(source)
    with ExitStack() as stack:
        stream, ours = await in_waiting_thread(_seekable, source, most_bytes, file_name, param)
        if ours:
            stack.enter_context(stream)
        yield await in_thread(_measure, stream, file_name, most_bytes, param)


async def read_path(path: str, *, most_bytes: int, param: str) -> bytes:
    """All of a file. Raises InvalidArgument, naming `param`, as `open_source` does; an empty one is empty."""

    def read() -> bytes:
        with open_path(path, param) as file:
            content = file.read(most_bytes + 1)
        if len(content) > most_bytes:
            most = readable_size(most_bytes)
            raise InvalidArgument(f"{path} has more than {most}, the most that is read.", param=param)
        return content

    return await in_waiting_thread(read)


async def in_waiting_thread(work: Callable[..., T], *args: Any, **options: Any) -> T:
    """`work(*args, **options)` in a thread of its own, for what may wait forever: a pipe that nobody writes into.

    When cancelled, nobody waits for the thread: not this call, not the end of the loop, not that of the process. So
    `work` closes by itself what it has opened, but for the file that it returns: that is closed here if it comes late.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    call = functools.partial(copy_context().run, work, *args, **options)

    def give(found: T | None, error: BaseException | None) -> None:
        if result.done():
            _close_late(found)
        elif error is not None:
            result.set_exception(error)
        else:
            result.set_result(cast("T", found))

    def run() -> None:
        found, failure = None, None
        try:
            found = call()
        except BaseException as error:
            failure = error
        try:
            loop.call_soon_threadsafe(give, found, failure)
        except RuntimeError:  # the loop is closed
            _close_late(found)

    threading.Thread(target=run, name="file", daemon=True).start()
    return await result


def _close_late(found: object) -> None:
    """Nobody else knows the file that was opened for a call that has ended."""
    stream, ours = found if isinstance(found, tuple) else (found, True)
    if ours and hasattr(stream, "close"):
        stream.close()


async def in_thread(work: Callable[..., T], *args: Any) -> T:
    """`work(*args)` in a thread. When cancelled, however often, waits until the thread has left the file alone.

    A file that `work` opened for a cancelled call is closed.
    """
    # A future, not a task: the end of a loop cancels all tasks, and this one would look ended while its thread works.
    call = functools.partial(copy_context().run, work, *args)
    running = asyncio.get_running_loop().run_in_executor(None, call)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        while not running.done():
            with suppress(asyncio.CancelledError):  # the first one goes on below
                await asyncio.wait({running})
        if running.exception() is None:  # looked at: the cancellation is the news
            opened = running.result()
            if isinstance(opened, io.IOBase):
                opened.close()  # nobody else knows it
        raise


def readable_size(size: int) -> str:
    """A number of bytes for a person: `812 bytes`, `20.0 MB`."""
    if size < 10_000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


def _seekable(source: FileSource, most_bytes: int, name: str, param: str) -> tuple[BinaryIO, bool]:
    """A stream of this source that can seek, and whether it was opened here; blocks."""
    stream, ours = _opened(source, param)
    if _can_seek(stream):
        return stream, ours
    with ExitStack() as stack:
        if ours:
            stack.enter_context(stream)
        with ExitStack() as failing:
            spooled = cast("BinaryIO", failing.enter_context(tempfile.TemporaryFile()))
            _copy(stream, spooled, most_bytes, name, param)
            failing.pop_all()
    return spooled, True


def _opened(source: FileSource, param: str) -> tuple[BinaryIO, bool]:
    """The stream, and whether it was opened here."""
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source), True
    if isinstance(source, str | os.PathLike):
        return open_path(os.fspath(source), param), True
    if not hasattr(source, "read") or isinstance(cast("object", source), io.TextIOBase):
        raise InvalidArgument(
            f"{param} is a path, bytes or a stream in binary mode, and not {type(source).__name__}.",
            param=param,
        )
    return source, False


def open_path(path: str, param: str) -> BinaryIO:
    """An open file; blocks. Raises InvalidArgument, naming `param`, for what is missing, a folder or not readable."""
    try:
        if stat.S_ISDIR(os.stat(path).st_mode):
            raise InvalidArgument(f"{path} is a folder. Give the path of one file.", param=param)
        return open(path, "rb")
    except FileNotFoundError as error:
        raise InvalidArgument(f"There is no file {path}.", param=param) from error
    except PermissionError as error:
        raise InvalidArgument(f"{path} may not be read by this user.", param=param) from error
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{path} cannot be read: {_reason(error)}.", param=param) from error


def _can_seek(stream: BinaryIO) -> bool:
    try:
        stream.seek(stream.tell())
    except (OSError, AttributeError, ValueError):
        return False
    return True


def _measure(stream: BinaryIO, name: str, most_bytes: int, param: str) -> OpenFile:
    try:
        start = stream.tell()
        first = stream.read(SNIFF_BYTES)
        size = stream.seek(0, os.SEEK_END) - start
    except OSError as error:
        raise InvalidArgument(f"{name} cannot be read: {_reason(error)}.", param=param) from error
    if not isinstance(first, bytes):
        raise InvalidArgument(f"{name} is open in text mode. Open it in binary mode.", param=param)
    if size <= 0:
        raise InvalidArgument(f"{name} is empty.", param=param)
    if size > most_bytes:
        raise InvalidArgument(
            f"{name} has {readable_size(size)}; at most {readable_size(most_bytes)} can be sent.", param=param
        )
    return OpenFile(name, size, first, param, stream, start)


def _copy(stream: BinaryIO, spooled: Any, most_bytes: int, name: str, param: str) -> None:
    copied = 0
    try:
        while part := stream.read(PART_BYTES):
            copied += len(part)
            if copied > most_bytes:
                most = readable_size(most_bytes)
                raise InvalidArgument(f"{name} has more than {most}, the most that can be sent.", param=param)
            spooled.write(part)
        spooled.seek(0)
    except TypeError as error:
        raise InvalidArgument(f"{name} is open in text mode. Open it in binary mode.", param=param) from error
    except (OSError, ValueError) as error:
        raise InvalidArgument(f"{name} cannot be read: {_reason(error)}.", param=param) from error


def _stamp(stream: BinaryIO) -> tuple[int, int] | None:
    """Size and time of change of a file on the disk; None for a stream in memory."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, AttributeError, ValueError):
        return None
    return found.st_size, found.st_mtime_ns


def _name_of(source: FileSource) -> str:
    found = source if isinstance(source, str | os.PathLike) else getattr(source, "name", None)
    name = PurePath(os.fspath(found)).name if isinstance(found, str | os.PathLike) else ""
    return name if name and not name.startswith("<") else "file"


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or type(error).__name__
