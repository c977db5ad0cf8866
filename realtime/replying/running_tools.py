"""The tools of the server that work for one reply, each in a task of its own. Every call gets an output."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace

from realtime.core.messages import ToolCall
from realtime.replying.output_items import STOPPED, OutputItems
from realtime.tasks import TaskGroup
from realtime.tools import ServerTools, error_output
from realtime.turn_report import ToolRun

MAX_NAME = 64  # characters
_UNUSUAL = re.compile(r"[^A-Za-z0-9_-]")  # in a name, for a chat model


class RunningTools:
    """Of one reply. `offered`: the names of those of `tools` that the model was offered."""

    def __init__(self, tools: ServerTools | None, offered: frozenset[str], items: OutputItems) -> None:
        self._tools = tools
        self._offered = offered
        self._items = items
        self._tasks: list[asyncio.Task[None]] = []
        self.runs: list[ToolRun] = []

    def __repr__(self) -> str:
        return f"<RunningTools {sum(not task.done() for task in self._tasks)} of {len(self._tasks)}>"

    def __bool__(self) -> bool:
        """Whether one still works."""
        return any(not task.done() for task in self._tasks)

    def start(self, call: ToolCall, tasks: TaskGroup) -> bool:
        """Run this call among `tasks`; False if the tool is not ours. Raises ProviderRejected like `server_call`."""
        if self._tools is None or call.name not in self._offered:
            return False
        run = self._run(self._tools, self._items.server_call(call))
        self._tasks.append(tasks.create_task(run, name=f"{call.call_id} tool {call.name}"))
        return True

    async def _run(self, tools: ServerTools, call: ToolCall) -> None:
        run = ToolRun(call.name, call.call_id, call.arguments, asyncio.get_running_loop().time())
        self.runs.append(run)
        output = STOPPED
        try:
            output = await tools.run(call)
        finally:
            run.output, run.ended_s = output, asyncio.get_running_loop().time()
            self._items.server_output(call.call_id, output)

    def refuse(self, call: ToolCall, offered: Sequence[str]) -> None:
        """The model has called what it was not offered: tell it what there is. Raises ProviderRejected like
        `server_call`."""
        made = self._items.server_call(replace(call, name=_usual(call.name)))
        there = f" There are: {', '.join(offered)}." if offered else ""
        output = error_output(f"There is no function {call.name}.{there}")
        now_s = asyncio.get_running_loop().time()
        self.runs.append(ToolRun(made.name, made.call_id, made.arguments, now_s, now_s, output))
        self._items.server_output(made.call_id, output)

    async def filler(self) -> str:
        """What is said while slow ones work, once it is known that they are slow; "" if there is nothing to say."""
        tools = self._tools
        if tools is None or tools.filler is None or not self._tasks:
            return ""
        _, slow = await asyncio.wait(self._tasks, timeout=tools.filler_after_s)
        return tools.filler if slow else ""


def _usual(name: str) -> str:
    """A name that every chat model takes: for another one it would refuse the whole conversation."""
    return _UNUSUAL.sub("_", name)[:MAX_NAME] or "unnamed"
