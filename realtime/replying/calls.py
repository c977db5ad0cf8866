"""The functions that the model calls in one reply: put together from fragments, then handed to the client, run here, or
refused."""

from __future__ import annotations

import logging

from realtime.core.messages import ToolCall, ToolCallDelta
from realtime.core.writable import writable
from realtime.replying.answer import is_whole
from realtime.replying.reply_plan import ReplyPlan
from realtime.replying.response_events import ResponseEvents
from realtime.replying.running_tools import RunningTools
from realtime.tasks import TaskGroup

log = logging.getLogger(__name__)


class Calls:
    """Of one reply. `tools` run among `helpers`. A call is whole when the next one begins, or the answer has ended."""

    def __init__(
        self, plan: ReplyPlan, events: ResponseEvents, tools: RunningTools, helpers: TaskGroup
    ) -> None:
        self._plan = plan
        self._events = events
        self._tools = tools
        self._helpers = helpers
        self._open: dict[int, ToolCallDelta] = {}  # by their index in the answer
        self.cut = False  # the answer was cut in one of them

    def __repr__(self) -> str:
        return f"<Calls {len(self._open)} open>"

    def __bool__(self) -> bool:
        """Whether one is not carried out yet."""
        return bool(self._open)

    def __contains__(self, index: int) -> bool:
        return index in self._open

    def add(self, delta: ToolCallDelta) -> None:
        """A fragment has come. The id and the name that came first stay."""
        if (known := self._open.get(delta.index)) is not None:
            delta = ToolCallDelta(
                delta.index,
                known.call_id or delta.call_id,
                known.name or delta.name,
                known.arguments + delta.arguments,
            )
        self._open[delta.index] = delta

    def give_up(self) -> list[ToolCallDelta]:
        """Carry out none of those that are open; returns them."""
        given_up = list(self._open.values())
        self._open.clear()
        return given_up

    def give_up_cut(self) -> None:
        """The answer was cut: nobody runs half of a call."""
        if not all(map(is_whole, self._open.values())):
            self.cut = True
            self.give_up()

    def carry_out_next(self) -> None:
        """Carry out one, unless it is one too many. Raises ProviderRejected like `OutputItems.server_call`."""
        _, call = self._open.popitem()
        if self._plan.parallel_tool_calls or not self._events.items.call_count:
            texts = map(writable, (call.call_id, call.name, call.arguments or "{}"))
            self._carry_out(ToolCall(*texts))

    def _carry_out(self, call: ToolCall) -> None:
        """Hand a call to the client, or run it if the tool is ours. What was not offered nobody can carry out: the
        model is told so, where the server answers calls; where it must not call at all, its call counts for nothing."""
        offered = self._plan.offered
        known = offered is not None and call.name in offered
        if offered is None or not (known or self._events.items.in_conversation):
            log.info(
                "reply %s: the model called a function that it was not offered", self._events.response_id
            )
        elif not known:
            self._tools.refuse(call, offered)
        elif not self._tools.start(call, self._helpers):
            self._events.call(call)
