"""The replies of one turn: the first one, and those after tools of the server. When all are over, the turn is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from realtime.context import Context
from realtime.turn_report import ReplyReport

if TYPE_CHECKING:
    from realtime.replying.response import Response

log = logging.getLogger(__name__)


class TurnReplies:
    """Counts the replies of one turn that are seen and not told yet."""

    def __init__(self) -> None:
        self._open = 0
        self._told: list[ReplyReport] = []

    def __repr__(self) -> str:
        return f"<TurnReplies {self._open} open, {len(self._told)} told>"

    def began(self) -> None:
        """One more reply belongs to the turn."""
        self._open += 1

    def told(self, report: ReplyReport) -> list[ReplyReport]:
        """One is over. Returns the reports of all, in their order, if no more is open; else nothing."""
        self._open -= 1
        self._told.append(report)
        if self._open > 0:
            return []
        over, self._told = sorted(self._told, key=lambda reply: reply.tool_round), []
        return over


def teller_of(response: Response, context: Context, ended_s: float) -> Callable[[], None] | None:
    """Tells of this reply, which is over, when it is called; None if nobody listens."""
    if context.on_turn is None:
        return None
    return partial(_tell, response.turn, _report_of(response, context, ended_s), context)


def _tell(turn: TurnReplies, report: ReplyReport, context: Context) -> None:
    replies = turn.told(report)
    if replies and context.on_turn is not None:
        try:
            context.on_turn(replies)
        except BaseException:  # of whoever embeds the server: a turn is worth more than its report
            log.exception("who is told of turns broke")


def _report_of(response: Response, context: Context, ended_s: float) -> ReplyReport:
    events, answer, error = response.events, response.answer, response.events.error
    ids = [*response.trace_ids, error.trace_id if error is not None else None]
    return ReplyReport(
        response_id=response.id,
        conversation_id=context.conversation_id,
        session_id=context.session_id,
        model=response.model,
        spoken=events.options.spoken,
        out_of_band=events.options.out_of_band,
        tool_round=response.plan.tool_round,
        marks=response.marks,
        ended_s=ended_s,
        status=events.status,
        error_code=events.error_code,
        finish_reason=answer.finish.reason if answer.finish is not None else None,
        usage=events.usage,
        tools=tuple(response.tools.runs),
        trace_ids=tuple(dict.fromkeys(each for each in ids if each)),
        asked=answer.asked,
        said=answer.text,
    )
