"""Turn events on their way to the rules: either side puts them, the session handles them one after the other.

Handling is synchronous, so nothing happens between an event and what is done about it; and it is never nested: what is
put while an event is handled waits until that one is done. It knows neither the events nor what they cause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from realtime.core.turn import TurnEvent


class TurnQueue:
    """Hands each event to `handle`. What an event causes comes before what was waiting behind it.

    `with queue:` holds everything that is put in the block until its end, when whoever puts it has finished its own
    changes. Such blocks contain no `await`.
    """

    def __init__(self, handle: Callable[[TurnEvent], None]) -> None:
        self._handle = handle
        self._waiting: deque[TurnEvent] = deque()
        self._holds = 0

    def __repr__(self) -> str:
        return f"<TurnQueue {len(self._waiting)} waiting{', held' if self._holds else ''}>"

    def put(self, event: TurnEvent) -> None:
        """This happened. It is handled now, or when the block or the event that is being handled is done."""
        self._waiting.append(event)
        if not self._holds:
            self._drain()

    def __enter__(self) -> None:
        self._holds += 1

    def __exit__(self, *error: object) -> None:
        self._holds -= 1
        if not self._holds and self._waiting:
            self._drain()

    def _drain(self) -> None:
        self._holds += 1
        try:
            while self._waiting:
                event, behind = self._waiting.popleft(), self._waiting
                self._waiting = deque()
                try:
                    self._handle(event)
                finally:
                    self._waiting.extend(behind)
        finally:
            self._holds -= 1
