"""Counts the events of each stock client over several runs, for the table in `docs/clients.md`.

STOCK_EVENTS names the JSON file of the counts; without it nothing is stored. `python -m tests.stock.record FILE` prints
the table.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CLIENTS = ("openai-python", "agents-js Node", "agents-js Chromium", "LiveKit", "Pipecat")


def record(client: str, *, sent: Iterable[str] = (), received: Iterable[str] = ()) -> None:
    """Add the event types that this client sent and received in one conversation."""
    if not (name := os.environ.get("STOCK_EVENTS")):
        return
    path = Path(name)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        counts = json.loads(file.read() or "{}")
        for direction, types in (("C", sent), ("S", received)):
            for type in types:
                clients = counts.setdefault(f"{direction} {type}", {})
                clients[client] = clients.get(client, 0) + 1
        file.truncate(0)
        file.write(json.dumps(counts, sort_keys=True))


def table(counts: dict[str, dict[str, int]]) -> str:
    """The counts by event and client, as a Markdown table."""
    lines = ["| | event | " + " | ".join(CLIENTS) + " |", "|---|---|" + "---:|" * len(CLIENTS)]
    for name, clients in sorted(counts.items()):
        direction, _, type = name.partition(" ")
        row = " | ".join(f"{clients[client]:,}" if client in clients else "·" for client in CLIENTS)
        lines.append(f"| {direction} | `{type}` | {row} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
