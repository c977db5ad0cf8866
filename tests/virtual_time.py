"""An event loop whose clock jumps to the next timer: a minute of conversation takes a millisecond.

Only for code without real sockets and threads: the loop never sleeps, but moves its clock forward.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any

# The clock stands on whole ticks, and binary ones: sums and differences of times are exact, and no timer is early. With any
# number of digits, a wait of 10 s may take 9.999999999, and a test that asks for 10 fails now and then.
TICKS_A_S = 2**20


class _JumpingSelector(selectors.DefaultSelector):
    """Never waits: adds up the time that the loop would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self._ticks = 0

    @property
    def skipped_s(self) -> float:
        return self._ticks / TICKS_A_S

    def skip(self, seconds: float) -> None:
        self._ticks += max(0, math.ceil(seconds * TICKS_A_S))

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            ready = super().select(0)
            if not ready:
                raise RuntimeError("Deadlock: all tasks wait, and no timer is set.")
            return ready
        self.skip(timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = 1e-9

    def skip(self, seconds: float) -> None:
        """Let this time pass at once, as a function that blocks the loop does."""
        self._jumping.skip(seconds)

    def time(self) -> float:
        return 1000.0 + self._jumping.skipped_s


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in virtual time; fails if a task is left at the end."""
    loop = VirtualLoop()
    try:

        async def guarded() -> Any:
            result = await main
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"tasks left: {left}"
            return result

        return loop.run_until_complete(guarded())
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
