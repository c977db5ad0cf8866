"""How long nobody has said anything (wire: `idle_timeout_ms`), counted from the end of the last reply's sound."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from realtime.deadlines import Alarm


class IdleTimer:
    """Calls `passed` once after a silence. Stands still while the listener is away."""

    def __init__(self, passed: Callable[[], None]) -> None:
        self._alarm = Alarm(passed)  # what was said while the process stood still was said
        self._left_s: float | None = None  # while it stands still

    def __repr__(self) -> str:
        state = "running" if self.running else "paused" if self._left_s is not None else "off"
        return f"<IdleTimer {state}>"

    @property
    def left_s(self) -> float | None:
        """Seconds until it rings; None while nothing is counted."""
        if self._alarm.when_s is None:
            return self._left_s
        return max(0.0, self._alarm.when_s - asyncio.get_running_loop().time())

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._alarm.when_s is not None

    def start(self, seconds: float) -> None:
        """Begin to count, anew."""
        self.stop()
        self._alarm.set_in(seconds)

    def stop(self) -> None:
        """Somebody speaks, or the session is over."""
        self._alarm.cancel()
        self._left_s = None

    def pause(self) -> None:
        """Stand still until `resume`."""
        left_s = self.left_s
        self.stop()
        self._left_s = left_s

    def resume(self) -> None:
        """Count on from where it stood."""
        if self._left_s is not None:
            self.start(self._left_s)
