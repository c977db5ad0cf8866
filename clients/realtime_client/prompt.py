"""A line to type in below a running conversation: editing and history, and what is typed never meets the answer.

With prompt_toolkit the line stays at the bottom while answers appear above it. Without, there is readline's line when
nothing is being answered, and keys pressed in between are kept for it, unseen. Knows terminals; knows no conversation.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from .keyboard import Keyboard

PROMPT = "> "
_ANSI = {
    "bold cyan": "\x1b[1;36m",
    "bold green": "\x1b[1;32m",
    "bold red": "\x1b[1;31m",
    "bold": "\x1b[1m",
    "dim": "\x1b[2m",
}


# A key that moves the cursor, where nothing edits the line, and other control characters
_KEYS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO.|[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def words_of(line: str) -> str:
    """What was typed, without what keys have left in it that are no letters."""
    return _KEYS.sub("", line).strip()


def is_dumb() -> bool:
    """Whether this terminal only takes text: it knows neither colours nor places on the screen (or does not tell)."""
    return os.name != "nt" and os.environ.get("TERM", "").lower() in ("", "dumb", "unknown")


def has_prompt_toolkit() -> bool:
    return importlib.util.find_spec("prompt_toolkit") is not None


class PromptPage:
    """A page (`captions.Page`) whose unfinished line stands above the prompt. Needs prompt_toolkit."""

    def __init__(self) -> None:
        # where the cursor is does not matter here, and terminals that do not tell would get a warning
        os.environ.setdefault("PROMPT_TOOLKIT_NO_CPR", "1")
        from prompt_toolkit import PromptSession
        from prompt_toolkit.history import InMemoryHistory

        session: Any = PromptSession  # its hints name a type that ours is, in words mypy does not follow
        self._session: Any = session(
            self._message, history=InMemoryHistory(), erase_when_done=True, enable_suspend=True
        )
        self._row: list[tuple[str, str]] = []  # style and text of the unfinished line

    def width(self) -> int | None:
        return int(self._session.app.output.get_size().columns)

    def write(self, text: str, style: str) -> None:
        *done, rest = text.split("\n")
        for line in done:
            row = "".join(_ansi(*piece) for piece in (*self._row, (style, line)))
            self._row = []
            print(row, flush=True)  # above the prompt, while it is there
        if rest:
            self._row.append((style, rest))
        self._session.app.invalidate()

    def erase(self, columns: int) -> None:
        from .columns import columns as width

        while columns > 0 and self._row:
            style, text = self._row.pop()
            while text and columns > 0:
                columns -= width(text[-1])
                text = text[:-1]
            if text:
                self._row.append((style, text))

    async def lines(self) -> AsyncIterator[str]:
        """The lines that are typed, until Ctrl-D. Ctrl-C is SIGINT, as without a prompt."""
        typed: asyncio.Queue[str | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(typed), name="prompt")
        try:
            while (line := await typed.get()) is not None:
                yield line
        finally:
            reading.cancel()
            await asyncio.wait([reading])

    async def _read(self, typed: asyncio.Queue[str | None]) -> None:
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):
            while True:
                try:
                    typed.put_nowait(await self._session.prompt_async(handle_sigint=False))
                except EOFError:
                    typed.put_nowait(None)
                    return
                except KeyboardInterrupt:
                    signal.raise_signal(signal.SIGINT)
                    return

    def _message(self) -> list[tuple[str, str]]:
        above = [(_style(style), text) for style, text in self._row]
        return [*above, ("", "\n" if above else ""), ("bold", PROMPT)]


async def plain_lines(idle: Callable[[], Awaitable[None]], keyboard: Keyboard) -> AsyncIterator[str]:
    """The lines that are typed, each asked for once `idle` returns: readline edits them and keeps their history.

    What is typed into them is seen.
    """
    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  # `input` uses it from here on
    while True:
        await idle()
        with keyboard.seen():
            line = await _in_thread(lambda: input(PROMPT))
        if line is None:
            return
        yield line


async def _in_thread(read: Callable[[], str]) -> str | None:
    """What `read` returns, from a thread that nobody waits for at the end; None at the end of input."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[str | None] = loop.create_future()

    def give(line: str | None) -> None:
        if not result.done():
            result.set_result(line)

    def work() -> None:
        try:
            line: str | None = read()
        except (EOFError, OSError, ValueError):
            line = None
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(give, line)

    threading.Thread(target=work, name="typed line", daemon=True).start()
    return await result


def _ansi(style: str, text: str) -> str:
    if os.environ.get("NO_COLOR"):
        style = style.partition(" ")[0]  # bold and dim are no colours
    return f"{_ANSI[style]}{text}\x1b[0m" if style in _ANSI and text else text


def _style(style: str) -> str:
    return {"bold cyan": "bold ansicyan", "bold green": "bold ansigreen", "bold red": "bold ansired"}.get(
        style, ""
    )
