"""Our server as a process of its own, for clients whose dependencies live in another environment.

REALTIME_STOCK_URL names a running server instead; REALTIME_PYTHON the interpreter that has ours installed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READY_S = 60.0


def require(module: str, how: str) -> None:
    """Skip the whole file unless this module can be imported; nothing is imported yet."""
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        pytest.skip(f"{module} is not installed here: {how}", allow_module_level=True)


def _python() -> str:
    own = ROOT / ".venv" / "bin" / "python"
    return os.environ.get("REALTIME_PYTHON") or (str(own) if own.exists() else sys.executable)


@asynccontextmanager
async def served(**env: str) -> AsyncIterator[str]:
    """The server's http address; behind it the sandbox, with ears."""
    if url := os.environ.get("REALTIME_STOCK_URL"):
        yield url
        return
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("MINIMAX_", "REALTIME_", "CHAT_", "PYTHON"))
    }
    process = await asyncio.create_subprocess_exec(
        _python(),
        *("-m", "realtime", "serve", "--port", "0"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={**clean, "TRANSCRIBER": "local", "REALTIME_LANGUAGE": "en", **env},
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = (await process.stdout.readline()).decode().split()
        assert line, "the server did not start"
        yield line[-1]
    finally:
        process.terminate()
        await process.wait()
