"""The processes of a server under test: its workers, their open files, its metrics. Needs Linux (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

import aiohttp


def parents() -> dict[int, int]:
    """The parent of each process."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:  # it ended
            continue
        if fields[0] != "Z":
            found[int(entry.parent.name)] = int(fields[1])
    return found


def children(*pids: int) -> set[int]:
    return {child for child, parent in parents().items() if parent in pids}


def workers_of(pid: int) -> set[int]:
    """Those of a supervisor. They are forked from a process between."""
    return children(*children(pid))


def everybody_of(pid: int) -> set[int]:
    """All processes that began with this one, without it."""
    return children(pid) | workers_of(pid)


def open_files(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def values(text: str, name: str) -> dict[str, float]:
    """The samples of one metric, by their labels as they are written."""
    found = {}
    for line in text.splitlines():
        if line.startswith((name + " ", name + "{")):
            labelled, _, value = line.rpartition(" ")
            found[labelled.removeprefix(name)] = float(value)
    return found


async def metrics_text(http: aiohttp.ClientSession, url: str) -> str:
    async with http.get(url + "/metrics") as answer:
        return await answer.text()


async def metric(http: aiohttp.ClientSession, url: str, name: str) -> float:
    """The sum of all samples of a metric."""
    return sum(values(await metrics_text(http, url), name).values())
