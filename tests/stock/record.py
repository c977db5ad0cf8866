"""Which events each stock client really met, kept over runs: the table of `docs/clients.md` comes from here.

STOCK_EVENTS names a JSON file to add to; without it nothing is kept. `python -m tests.stock.record FILE` prints the table.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

CLIENTS = ("openai-python", "agents-js Node", "agents-js Chromium", "LiveKit", "Pipecat")


def keep(client: str, *, sent: Iterable[str] = (), received: Iterable[str] = ()) -> None:
    """Add the types that this client sent and received in one conversation."""
    if not (name := os.environ.get("STOCK_EVENTS")):
        return
    path = Path(name)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        met = json.loads(file.read() or "{}")
        for direction, types in (("C", sent), ("S", received)):
            for type in types:
                clients = met.setdefault(f"{direction} {type}", {})
                clients[client] = clients.get(client, 0) + 1
        file.truncate(0)
        file.write(json.dumps(met, sort_keys=True))


def table(met: dict[str, dict[str, int]]) -> str:
    """Events x clients as Markdown; a number says how often."""
    lines = ["| | event | " + " | ".join(CLIENTS) + " |", "|---|---|" + "---:|" * len(CLIENTS)]
    for name, clients in sorted(met.items()):
        direction, _, type = name.partition(" ")
        counts = " | ".join(f"{clients[client]:,}" if client in clients else "·" for client in CLIENTS)
        lines.append(f"| {direction} | `{type}` | {counts} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(json.loads(Path(sys.argv[1]).read_text("utf-8"))))
