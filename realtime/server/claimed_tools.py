"""The tools of a server as one session has them: no call runs before it is sure that the session is still here.

A server that was frozen may wake up when another one has gone on: a call must not run at both. Knows no journal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from realtime.core.messages import ToolCall
from realtime.protocol.session_config import FunctionTool
from realtime.tools import ServerTools


class ClaimedTools:
    """`may_run`: asked before each call. One that may not run has no end: its session has one at once."""

    def __init__(self, tools: ServerTools, may_run: Callable[[], Awaitable[bool]]) -> None:
        self._tools = tools
        self._may_run = may_run
        self.filler = tools.filler
        self.filler_after_s = tools.filler_after_s

    def __repr__(self) -> str:
        return f"<ClaimedTools of {self._tools!r}>"

    def beside(self, own: tuple[FunctionTool, ...]) -> tuple[FunctionTool, ...]:
        return self._tools.beside(own)

    def ours(self, offered: tuple[FunctionTool, ...]) -> frozenset[str]:
        return self._tools.ours(offered)

    async def run(self, call: ToolCall) -> str:
        """The output of the tool as text for the model."""
        if not await self._may_run():
            await asyncio.get_running_loop().create_future()
        return await self._tools.run(call)
