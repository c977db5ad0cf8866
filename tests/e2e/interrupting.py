"""One command that is ended after each request that it makes, and run again: what was bought is kept, and bought once.

Knows no command: a `Work` says what is done.
"""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from realtime.sandbox.server import Sandbox
from tests.e2e.shell import Running, Terminal
from tests.server.harness import eventually


@dataclass(frozen=True, slots=True)
class Work:
    """A command that buys something. `check` raises AssertionError if its result is not in the folder."""

    command: tuple[str, ...]
    buys: str  # path of the POST that costs
    prepare: Callable[[Path], object]  # makes the folder and what the command reads
    check: Callable[[Path], None]
    leaves: frozenset[str]  # the names in the folder at the end, besides the records
    times: int = 1  # how often it buys when nothing happens


async def survives(work: Work, sandbox: Sandbox, folder: Path) -> int:
    """Run it whole, and then once for each of its requests with an end after that one: killed, or Ctrl-C.

    The number of requests of the whole run. Raises AssertionError.
    """
    whole = await _run(work, sandbox, folder / "whole")
    for after in range(1, whole):
        number = signal.SIGKILL if after % 2 else signal.SIGINT
        await _run(work, sandbox, folder / str(after), after, number)
    return whole


async def _run(
    work: Work, sandbox: Sandbox, folder: Path, after: int = 0, number: signal.Signals = signal.SIGKILL
) -> int:
    """End the command when the sandbox has read so many requests of it (0: never); then run it to its end."""
    user = Terminal(folder, sandbox.url)
    work.prepare(folder)
    seen = sandbox.state.requests
    seen.clear()
    running = await user.start(*work.command)
    if after:
        await _end(running, lambda: len(seen) >= after, number, may_be_done=after > 1)
    else:
        ended = await running.end()
        assert ended.status == 0, ended.err
    made = len(seen)
    lost = await _finish(user, work)
    bought = [request for request in seen if (request.method, request.path) == ("POST", work.buys)]
    assert work.times <= len(bought) <= work.times + lost
    work.check(folder)
    assert set(os.listdir(folder)) == work.leaves | {"state"}
    return made


async def _end(running: Running, when: Callable[[], bool], number: signal.Signals, may_be_done: bool) -> None:
    await eventually(lambda: when() or running.has_ended)
    ended = await running.end(number)
    assert ended.status in (-number, 130) or (may_be_done and ended.status == 0), ended.err


async def _finish(user: Terminal, work: Work) -> int:
    """Run the command to its end; 1 if an answer was lost, so that the user had to decide, else 0."""
    ended = await user.run(*work.command)
    forgotten = re.search(r"realtime tasks forget (\S+)", ended.err) if ended.status else None
    if forgotten:
        # It ended while it was buying. Nobody can know whether that was accepted: the user looks, and goes on.
        await user.out("tasks", "forget", forgotten[1])
        ended = await user.run(*work.command)
    assert ended.status == 0, ended.err
    return 1 if forgotten else 0
