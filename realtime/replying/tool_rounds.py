"""Replies that follow one another without new words of the user, because a tool was called in between.

Only says so; `responses.py` makes the next reply.
"""

from __future__ import annotations

from collections.abc import Sequence

from realtime.core.conversation import FunctionCallOutput, Item
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
    rounds_left = response.plan.tool_round < MAX_TOOL_ROUNDS
    return response.events.status == "completed" and rounds_left and response.events.items.model_goes_on
