"""The waterfall of each reply on the wire (extension `latency`): told at its end, once the player has begun it."""

from __future__ import annotations

from realtime.context import Context
from realtime.metrics import Marks
from realtime.protocol.server_events import ResponseLatencyDone

ACK_TIMEOUT_S = 5.0  # for the player's first acknowledgement


class Waterfalls:
    """Those of one session that have not been told yet."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._untold: dict[str, Marks] = {}  # by response id

    def __repr__(self) -> str:
        return f"<Waterfalls {len(self._untold)} untold>"

    def ended(self, response_id: str, marks: Marks, *, sounds: bool) -> bool:
        """A reply has ended. `sounds`: the player will say when it began. Returns whether that is still waited for:
        then `tell` must follow, at the latest after ACK_TIMEOUT_S."""
        if not self._context.config.has("latency"):
            return False
        self._untold[response_id] = marks
        if sounds and self._context.config.has("playback") and "playback_started" not in marks.reached_s:
            return True
        self.tell(response_id)
        return False

    def tell(self, response_id: str) -> None:
        """Tell it now, unless it has been told or its reply has not ended."""
        marks = self._untold.pop(response_id, None)
        if marks is not None:
            self._context.outbox.put(
                ResponseLatencyDone(
                    response_id=response_id, origin=marks.origin, marks=marks.since_origin_ms()
                )
            )
