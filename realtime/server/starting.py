"""What a start waits for, told to the operator: a provider of another package that does not come, a hung disk.

A start has no limit of its own: a model may take minutes to load, and who runs the server knows how long to wait. But
nobody should have to guess. A thread tells the log, because what is waited for may block the event loop. Knows no
provider.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from realtime.logs import story

log = logging.getLogger(__name__)

STARTS = "The server is starting."
TELL_S = 5.0  # of waiting for one thing: then the operator is told
AGAIN_S = 60.0  # and after that so often


class Starting:
    """The start of one server."""

    def __init__(self, tell_s: float = TELL_S) -> None:
        self._tell_s = tell_s
        self._waits: tuple[str, float] | None = None  # for what, and since when

    def __repr__(self) -> str:
        return f"<Starting waits for {self._waits and self._waits[0]}>"

    @contextmanager
    def waits_for(self, what: str) -> Iterator[None]:
        """A block that waits for this, as "the speech 'beeper' of the package realtime-beeper"."""
        began_s, over = time.monotonic(), threading.Event()
        self._waits = what, began_s
        telling = threading.Thread(target=self._tell, args=(what, began_s, over), name="start", daemon=True)
        telling.start()
        try:
            yield
        finally:
            self._waits = None
            over.set()

    @property
    def reason(self) -> str:
        """Why a server that starts is not ready."""
        if self._waits is None or time.monotonic() - self._waits[1] < self._tell_s:
            return STARTS
        return f"{STARTS} It waits for {self._waits[0]}."

    def _tell(self, what: str, began_s: float, over: threading.Event) -> None:
        pause_s = self._tell_s
        while not over.wait(pause_s):
            waited_s = round(time.monotonic() - began_s, 1)
            story(log, "the start waits", {"for": what, "waited_s": waited_s}, logging.WARNING)
            pause_s = AGAIN_S
