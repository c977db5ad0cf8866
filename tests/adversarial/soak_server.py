"""A server with a fast sandbox in a process of its own, which says how much it holds when it is asked.

Prints its address as JSON; then, for each line on standard input, its tasks, open files and memory. Its log goes to
standard error.
"""

import asyncio
import gc
import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from realtime import logs
from realtime.sandbox.options import SandboxOptions
from realtime.sandbox.server import Sandbox
from realtime.server.run import running
from realtime.server.state import REGISTRY
from realtime.settings import Settings
from tests.server.harness import QUICK

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


# Of connections that stay open for the next reply, at both ends: how many there are is chance, and bounded.
OF_CONNECTIONS = frozenset(
    "RequestHandler.start RequestHandler._handle_request SpeechSocket._speaker Connection.keepalive".split()
)


def report(sessions: int) -> dict[str, Any]:
    kinds = Counter(str(task.get_coro().__qualname__) for task in asyncio.all_tasks())
    return {
        "sessions": sessions,
        "tasks": len(asyncio.all_tasks()),
        "kinds": {kind: number for kind, number in kinds.items() if kind not in OF_CONNECTIONS},
        "files": len(os.listdir("/proc/self/fd")),
        "memory_mb": int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES // 2**20,
    }


async def main() -> None:
    logs.configure("info", "text", ())
    options = SandboxOptions.parse("local", [*QUICK, "speech.factor=20"])
    async with Sandbox(options, records=False) as sandbox:
        settings = Settings(
            api_key="sandbox", base_url=sandbox.url, port=0, transcriber="none", store="memory",
            speech_rpm=60_000, chat_rpm=60_000, resume_window_s=0.5, send_timeout_s=1.0, max_sessions=500,
        )  # fmt: skip
        async with running(settings) as server:
            print(json.dumps({"url": server.url}), flush=True)
            gc.collect()
            gc.freeze()
            gc.set_threshold(700, 10, 50)  # as `realtime serve` does
            while await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(report(len(server.app[REGISTRY]))), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
