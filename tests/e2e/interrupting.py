"""One command that is ended and run again, at each of its requests: what was bought is kept, and bought once.

Knows no command: a `Work` says what is done.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from tests.e2e.shell import Ended, Running, Terminal
from tests.eventually import eventually

AT_ONCE = 4  # runs of `survives` at the same time: most of a run is waiting for the task


@dataclass(frozen=True, slots=True)
class Work:
    """A command that buys something. `check` raises AssertionError if its result is not in the folder."""

    command: tuple[str, ...]
    buys: str  # path of the POST that costs
    prepare: Callable[[Path], object]  # makes the folder and what the command reads
    check: Callable[[Path], None]
    leaves: frozenset[str]  # the names in the folder at the end, besides the records
    times: int = 1  # how often it buys when nothing happens


async def survives(work: Work, sets: Sequence[str], folder: Path) -> int:
    """Run it whole, and then once for each of its requests with an end after that one: killed, or Ctrl-C.

    Each run has a sandbox of its own, with `sets`. The number of requests of the whole run. Raises AssertionError.
    """
    whole = await _run(work, sets, folder / "whole")
    room = asyncio.Semaphore(AT_ONCE)

    async def one(after: int) -> None:
        async with room:
            number = signal.SIGKILL if after % 2 else signal.SIGINT
            await _run(work, sets, folder / str(after), after, number)

    async with asyncio.TaskGroup() as group:
        for after in range(1, whole):
            group.create_task(one(after))
    return whole


async def gets_done(work: Work, sandbox: Sandbox, folder: Path, luck: random.Random, most: int = 1) -> int:
    """Run it again and again in one folder, each time ended at a random request, until it is done.

    The first time ends at one of its first `most` requests. How often it was ended. Raises AssertionError.
    """
    user = Terminal(folder, sandbox.url)
    work.prepare(folder)
    seen = sandbox.state.requests
    seen.clear()
    ends = lost = 0
    while True:
        # Each time it may get a little further, so that there is an end.
        after = len(seen) + luck.randint(1, most + ends)
        number = luck.choice((signal.SIGKILL, signal.SIGINT))
        running = await user.start(*work.command)
        ended = await _end(running, lambda after=after: len(seen) >= after, number)
        if ended.status == 0:
            break
        if forgotten := await _forget(user, ended):
            lost += forgotten
            continue
        assert ended.status in (-number, 130), ended.err
        ends += 1
    _check(work, sandbox, folder, lost)
    return ends


async def _run(
    work: Work, sets: Sequence[str], folder: Path, after: int = 0, number: signal.Signals = signal.SIGKILL
) -> int:
    """End the command when the sandbox has read so many requests of it (0: never); then run it to its end."""
    async with Sandbox(SandboxOptions.parse("local", sets)) as sandbox:
        user = Terminal(folder, sandbox.url)
        work.prepare(folder)
        seen = sandbox.state.requests
        running = await user.start(*work.command)
        if after:
            ended = await _end(running, lambda: len(seen) >= after, number)
            assert ended.status in (-number, 130) or (after > 1 and ended.status == 0), ended.err
        else:
            ended = await running.end()
            assert ended.status == 0, ended.err
        made = len(seen)
        _check(work, sandbox, folder, await _finish(user, work))
        return made


def _check(work: Work, sandbox: Sandbox, folder: Path, lost: int) -> None:
    """The result is there, nothing else is, and nothing was bought twice but what the user decided to."""
    seen = sandbox.state.requests
    bought = [request for request in seen if (request.method, request.path) == ("POST", work.buys)]
    assert work.times <= len(bought) <= work.times + lost
    work.check(folder)
    assert set(os.listdir(folder)) == work.leaves | {"state"}


async def _end(running: Running, when: Callable[[], bool], number: signal.Signals) -> Ended:
    await eventually(lambda: when() or running.has_ended)
    return await running.end(number)


async def _finish(user: Terminal, work: Work) -> int:
    """Run the command to its end; how many answers were lost, so that the user had to decide."""
    lost = 0
    while (ended := await user.run(*work.command)).status:
        forgotten = await _forget(user, ended)
        assert forgotten, ended.err
        lost += forgotten
    return lost


async def _forget(user: Terminal, ended: Ended) -> int:
    """1 if an answer was lost while it was buying: nobody can know what was accepted, so the user looks and goes on."""
    found = re.search(r"realtime tasks forget (\S+?)[).]*\s", ended.err) if ended.status == 2 else None
    if found is None:
        return 0
    await user.out("tasks", "forget", found[1])
    return 1
