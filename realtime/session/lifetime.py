"""How long a session lasts, and how it ends by itself.

A session that another server has begun has what is left of its time. Knows neither the turns nor the socket.
"""

from __future__ import annotations

import asyncio
import time

from realtime.context import Context
from realtime.errors import ProtocolError
from realtime.protocol.server_events import ErrorEvent
from realtime.session.continued import Continued
from realtime.settings import Settings


class SessionEnded(Exception):
    """The session is over; the reason is the close reason of the wire."""


def duration_s(settings: Settings, continued: Continued | None) -> float:
    """For how many seconds from now the session may last."""
    lasts_s = settings.session_minutes * 60
    if continued is not None:
        lasts_s = min(lasts_s, max(0.0, continued.expires_unix_s - time.time()))
    return lasts_s


async def until_over(context: Context, lasts_s: float) -> None:
    """Until the time is up: raises SessionEnded then, or before that whatever went wrong in a task of the session."""
    try:
        async with asyncio.timeout(lasts_s):
            await context.tasks.failure()
    except TimeoutError:
        error = ProtocolError(
            f"Your session hit the maximum duration of {context.settings.session_minutes:g} minutes.",
            code="session_expired",
        )
        context.outbox.put(ErrorEvent.of(error))
        raise SessionEnded("session_expired") from None
