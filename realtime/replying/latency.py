"""The waterfall of each reply on the wire (extension `latency`): told at its end, once the player has begun it."""

from __future__ import annotations

from collections.abc import Callable

from realtime.context import Context
from realtime.core.turn_marks import Marks
from realtime.protocol.server_events import ResponseLatencyDone

ACK_TIMEOUT_S = 5.0  # for the player's first acknowledgement


class Waterfalls:
    """Those of one session that have not been told yet."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._untold: dict[str, tuple[Marks, Callable[[], None] | None]] = {}  # by response id

    def __repr__(self) -> str:
        return f"<Waterfalls {len(self._untold)} untold>"

    def ended(
        self, response_id: str, marks: Marks, *, sounds: bool, then: Callable[[], None] | None = None
    ) -> bool:
        """A reply has ended. `sounds`: the player will say when it began. Returns whether that is still waited for:
        then `tell` must follow, at the latest after ACK_TIMEOUT_S. `then` is called once all marks are known."""
        if then is None and not self._context.config.has("latency"):
            return False
        self._untold[response_id] = marks, then
        if sounds and self._context.config.has("playback") and "playback_started" not in marks.reached_s:
            return True
        self.tell(response_id)
        return False

    def tell(self, response_id: str) -> None:
        """Tell it now, unless it has been told or its reply has not ended."""
        if response_id not in self._untold:
            return
        marks, then = self._untold.pop(response_id)
        if self._context.config.has("latency"):
            self._context.outbox.put(
                ResponseLatencyDone(
                    response_id=response_id, origin=marks.origin, marks=marks.since_origin_ms()
                )
            )
        if then is not None:
            then()

    def close(self) -> None:
        """The session is over: nobody is there to be told, and no more marks will come."""
        untold, self._untold = self._untold, {}
        for _, then in untold.values():
            if then is not None:
                then()
