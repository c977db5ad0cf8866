"""What is told of a turn once it is over: its replies with their marks, the tools that ran, and how it ended.

Only values. Who reads them (`tracing.py`) is unknown here, and to a conversation too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from realtime.core.messages import ChatRequest, ChatUsage
from realtime.core.turn_marks import Marks


@dataclass(slots=True)
class ToolRun:
    """One call of a function that the server runs. Times are loop seconds; `ended_s` is None while it runs."""

    name: str
    call_id: str
    arguments: str
    began_s: float
    ended_s: float | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class ReplyReport:
    """One reply that is over. `asked` and `said` are words of the conversation: nobody may show them unasked."""

    response_id: str
    conversation_id: str
    session_id: str
    model: str  # that was asked
    spoken: bool
    out_of_band: bool
    tool_round: int  # how often the model had been asked before in this turn
    marks: Marks  # `playback_started` may be missing
    ended_s: float  # when its `response.done` was queued, in loop seconds
    status: str  # completed, cancelled, incomplete, failed
    error_code: str  # "" if it did not fail
    finish_reason: str | None  # of the chat model; None: it was stopped, or it failed
    usage: ChatUsage | None
    tools: tuple[ToolRun, ...]
    trace_ids: tuple[str, ...]  # the ids by which the services know their requests
    asked: ChatRequest | None
    said: str  # as the chat model wrote it, heard or not


OnTurn = Callable[[Sequence[ReplyReport]], None]  # the replies of one turn, in order. It raises nothing
