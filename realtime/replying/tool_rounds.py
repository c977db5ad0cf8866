"""Replies that follow one another without new words of the user, because a tool was called in between.

Only says so; `responses.py` makes the next reply.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.core.conversation import FunctionCallOutput, Item
from realtime.protocol.objects import FunctionCallItem
from realtime.replying.response import Response

MAX_TOOL_ROUNDS = 8  # in one turn of the user; then the model has to answer


def continues(response: Response, items: Sequence[Item]) -> bool:
    """Whether it says what comes of a tool, or is left of the reply before, and not of new words of the user.

    `items`: the conversation before it.
    """
    after_tool = response.plan.tool_round > 0 or (bool(items) and isinstance(items[-1], FunctionCallOutput))
    return response.plan.resumes or after_tool


def to_continue(response: Response) -> bool:
    """Whether the model has to be asked again, because our tools have answered every call of this reply."""
    items = response.events.items
    if response.events.status != "completed" or response.plan.tool_round >= MAX_TOOL_ROUNDS:
        return False
    ours = sum(isinstance(item, FunctionCallItem) for item in items.server_items)
    return ours > 0 and ours >= items.calls  # else the client, whose tools were called as well, will ask
