"""MiniMax's own MCP server: installed once in an environment of its own, started as its users start it, and spoken to.

MCP over stdio is one JSON-RPC message on each line. Knows no tool.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from tests.stock import once

NAME = "minimax-mcp"  # the package, its command, and the word for REQUIRE
LOCK = Path(__file__).with_name("minimax-mcp.txt")
FOLDER = once.SETUP / NAME
PROTOCOL = "2025-06-18"
VENV_S = 25.0  # of once.INSTALL_S
ANSWER_S = 60.0
LONGEST_LINE = 2**26  # bytes; a designed voice comes as hex inside a line


@cache
def command() -> Path:
    """The command `minimax-mcp`; skips or fails if it cannot be installed."""
    return once.installed(FOLDER, LOCK, _install) / "bin" / NAME


def _install() -> None:
    once.run([sys.executable, "-m", "venv", "--clear", FOLDER], NAME, FOLDER.parent, VENV_S)
    pip = FOLDER / "bin" / "pip"
    options = ("--quiet", "--disable-pip-version-check", "--retries", "1", "--timeout", "15")
    install = [pip, "install", *options, "--require-hashes", "-r", LOCK]
    once.run(install, NAME, FOLDER, once.INSTALL_S - VENV_S)


class ToolFailed(Exception):
    """The server marked a tool's answer as an error; the message is what it said."""


class Server:
    """One running MCP server and the conversation with it. One request at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._requests, self._answers = process.stdin, process.stdout
        self._ids = itertools.count(1)

    @classmethod
    @asynccontextmanager
    async def started(cls, **env: str) -> AsyncIterator[Server]:
        """Start it with these variables beside the machine's own, and shake hands."""
        ours = ("MINIMAX_", "REALTIME_", "CHAT_", "PYTHON")
        clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        process = await asyncio.create_subprocess_exec(
            command(),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LONGEST_LINE,
            env={**clean, "NO_PROXY": "127.0.0.1", **env},
        )  # fmt: skip
        server = cls(process)
        try:
            hello = {
                "protocolVersion": PROTOCOL,
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            }
            await server.ask("initialize", hello)
            server._send({"method": "notifications/initialized"})
            yield server
        finally:
            server._requests.close()  # the end of its input ends an MCP server
            await _ended(process)

    async def tools(self) -> dict[str, dict[str, Any]]:
        """The schema of each tool's arguments."""
        listed = await self.ask("tools/list", {})
        return {tool["name"]: tool["inputSchema"] for tool in listed["tools"]}

    async def call(self, tool: str, **arguments: Any) -> str:
        """What a tool says. Raises ToolFailed."""
        result = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        said = "\n".join(part["text"] for part in result["content"])
        if result.get("isError"):
            raise ToolFailed(said)
        return said

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """The result of one request. Raises AssertionError for an error of the protocol."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_S):
            while (answer := await self._read()).get("id") != number:
                pass  # a notification
        assert "error" not in answer, answer
        return dict(answer["result"])

    def _send(self, message: dict[str, Any]) -> None:
        self._requests.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    async def _read(self) -> dict[str, Any]:
        """The next message; other lines, such as this server's greeting, are left out, as MCP clients do."""
        while line := await self._answers.readline():
            if line.startswith(b"{"):
                return dict(json.loads(line))
        raise AssertionError(f"{NAME} ended with status {await self._process.wait()}")


async def _ended(process: asyncio.subprocess.Process) -> None:
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
