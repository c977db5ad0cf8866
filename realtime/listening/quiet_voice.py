"""When speech that the client does not know of has not grown for a while, whether sound comes or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from realtime.context import Context
from realtime.deadlines import Alarm
from realtime.weak_calls import weak_call

STOPPED_S = 1.0  # without more voice: it has stopped, or the client sends nothing any more


class QuietVoice:
    """Of one microphone. Calls `stopped` then."""

    def __init__(self, context: Context, stopped: Callable[[], None]) -> None:
        self._stopped = stopped
        self._grew_s = 0.0  # in loop seconds
        self._alarm = Alarm(context.tasks.guarded(weak_call(self._look)))

    def __repr__(self) -> str:
        return f"<QuietVoice {self._alarm!r}>"

    def grew(self) -> None:
        """There is more of it."""
        self._grew_s = asyncio.get_running_loop().time()
        if self._alarm.when_s is None:
            self._alarm.set(self._grew_s + STOPPED_S)

    def _look(self) -> None:
        if asyncio.get_running_loop().time() < self._grew_s + STOPPED_S:
            self._alarm.set(self._grew_s + STOPPED_S)
        else:
            self._stopped()

    def close(self) -> None:
        self._alarm.cancel()
