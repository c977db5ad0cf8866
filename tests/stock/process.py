"""Our server as a separate process, for clients that are installed in another environment.

REALTIME_STOCK_URL names a running server instead. REALTIME_PYTHON is the interpreter that starts our server.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests import programs

ROOT = Path(__file__).parents[2]
READY_S = 60.0


def require(module: str, how: str) -> None:
    """Skip the whole file unless this module can be imported. Does not import it."""
    try:
        found = find_spec(module) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        pytest.skip(f"{module} is not installed: {how}", allow_module_level=True)


def _python() -> str:
    own = ROOT / ".venv" / "bin" / "python"
    return os.environ.get("REALTIME_PYTHON") or (str(own) if own.exists() else sys.executable)


@asynccontextmanager
async def served(**env: str) -> AsyncIterator[str]:
    """Yields the server's HTTP URL. It uses the sandbox and a local transcriber."""
    if url := os.environ.get("REALTIME_STOCK_URL"):
        yield url
        return
    clean = {
        k: v for k, v in os.environ.items() if not k.startswith(("MINIMAX_", "REALTIME_", "CHAT_", "PYTHON"))
    }
    words = ("serve", "--port", "0")
    options: dict[str, Any] = {
        "cwd": ROOT, "stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.DEVNULL,
        "env": {**clean, "TRANSCRIBER": "local", "REALTIME_LANGUAGE": "en", **env},
    }  # fmt: skip
    if _python() == sys.executable:
        process = await programs.start(*words, **options)
    else:
        process = await asyncio.create_subprocess_exec(_python(), "-m", "realtime", *words, **options)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            line = (await process.stdout.readline()).decode().split()
        assert line, "the server did not start"
        yield line[-1]
    finally:
        process.terminate()
        await process.wait()
