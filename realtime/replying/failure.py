"""What a reply tells when something went wrong in it: trouble of a service as it is, anything else as our own error.

The net around each reply: it ends with `response.done` (`failed`), the log has the trace, the session goes on. Only a
client that does not read gets through: then there is nobody to tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING

from realtime.context import Context
from realtime.errors import ProviderError, ProviderUnavailable, without_trace
from realtime.logs import story
from realtime.outbox import OutboxFull
from realtime.upstream import facts_of

if TYPE_CHECKING:
    from realtime.replying.response import Response

log = logging.getLogger(__name__)

BROKEN = "The server has an internal error and could not finish this response. Ask again."


def failure_of(error: Exception, response_id: str) -> ProviderError:
    """The failure of this reply. Raises OutboxFull if that is what happened."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, OutboxFull):
            raise cause
    ours = [cause for cause in causes if not isinstance(cause, ProviderError)]
    if ours:
        log.error("reply %s broke", response_id, exc_info=error)
    without_trace(error)
    if not ours:
        return next(cause for cause in causes if isinstance(cause, ProviderError))
    return ProviderUnavailable(BROKEN, code="internal_error", retryable=False)


def log_end(response: Response, context: Context) -> None:
    """How it ended, and why it failed, for the log."""
    facts = (context.session_id, response.id, response.events.status, response.marks.since_origin_ms())
    log.debug("%s: %s %s %s", *facts)
    error, seat = response.events.error, context.seat
    if error is not None:
        account = None if seat is None else seat.name
        ids = {"id": response.id, "session": context.session_id, "account": account}
        story(log, "reply failed", {**ids, **facts_of(error)}, logging.WARNING)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, or all that a group of errors holds."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    else:
        yield error
