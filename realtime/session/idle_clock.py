"""When the silence is the user's, and how long it has lasted (wire: `idle_timeout_ms`).

It is the user's once a reply has been heard to its end, while nothing else is awaited: no reply is in work or sounds,
nobody speaks, no words are being transcribed, no function call waits for its output, and the turn detection has such a
timeout. Whatever ends that silence, the next one is counted anew. Knows the rules' events; starts no reply.
"""

from __future__ import annotations

from collections.abc import Callable

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.snapshot import IdleSnapshot
from realtime.protocol.session_config import ServerVad
from realtime.session.idle_timer import IdleTimer
from realtime.weak_calls import weak_call

GAP_S = 1.0  # a microphone that sent nothing for longer was muted: its user has had no chance to speak


class IdleClock:
    """Calls `passed` after the agreed silence. `busy` tells of work that the rules of turns do not know."""

    def __init__(self, context: Context, passed: Callable[[], None], busy: Callable[[], bool]) -> None:
        self._context = context
        self._passed = passed
        self._busy = busy
        self._timer = IdleTimer(context.tasks.guarded(weak_call(self._ring)))
        self._timeout_s: float | None = None  # of the silence that is being counted
        self._turn = turns.Turn()
        self._replied = False  # the assistant has said something at all
        self._heard = False  # and was heard to the end, and nothing was said since
        self._prompted = False  # by this clock: should nothing come of that reply, it does not try again
        self._away = False
        self._last_audio_s: float | None = None  # until then the microphone has sent

    def __repr__(self) -> str:
        return f"<IdleClock {self._timer!r}>"

    @property
    def running(self) -> bool:
        """Whether time passes."""
        return self._timer.running

    @property
    def left_s(self) -> float | None:
        """Seconds until it rings; None while nothing is counted."""
        return self._timer.left_s

    @property
    def snapshot(self) -> IdleSnapshot:
        """What another server needs to go on, beside `left_s`."""
        return IdleSnapshot(self._replied, self._heard, self._prompted)

    def go_on(self, before: IdleSnapshot, left_s: float | None) -> None:
        """Another server has counted so far."""
        self._replied, self._heard, self._prompted = before.replied, before.heard, before.prompted
        self._timeout_s = self._wanted_s()
        if self._timeout_s is not None and left_s is not None:
            self._start(min(left_s, self._timeout_s))
        self.follow()

    @property
    def turn_open(self) -> bool:
        """Whether the user speaks, or has spoken and it is not known yet what."""
        return self._turn.phase is not turns.Phase.SILENT or bool(self._turn.unread)

    # -- what happens --------------------------------------------------------------------------------------------

    def turn_is(self, turn: turns.Turn) -> None:
        """It goes on from here."""
        self._turn = turn
        self.follow()

    def noticed(self, event: turns.TurnEvent, before: turns.Turn, after: turns.Turn) -> None:
        """The rules have handled this event."""
        self._turn = after
        answered = after.phase is turns.Phase.SILENT and (
            before.phase is turns.Phase.CONFIRMING or before.unread != after.unread
        )
        match event:
            case turns.ReplyBegan():
                self._replied, self._heard = True, False
            case turns.ReplyHeard(response_id) if response_id == before.response_id:
                self._prompted = False
            case turns.ReplyEnded(response_id, audible=False, to_continue=False) if (
                response_id == before.response_id
            ):
                self._heard, self._prompted = not self._prompted, False
            case turns.PlaybackEnded(response_id) if response_id == before.playing_id:
                self._heard, self._prompted = True, False
            case turns.TranscriptKnown(_, text) if answered and text.strip():
                self._heard = self._prompted = False
            case turns.TranscriptKnown() | turns.TranscriptFailed() if answered:
                self._heard = self._replied  # it was a noise: still nobody has said anything
            case turns.NothingToResume():
                self._heard = self._replied
        self.follow()

    def follow(self) -> None:
        """Something may have changed: count, or do not."""
        timeout_s = self._wanted_s()
        if timeout_s is None:
            self._timer.stop()
        elif self._timer.left_s is None or timeout_s != self._timeout_s:
            self._start(timeout_s)
        self._timeout_s = timeout_s

    def anew(self) -> None:
        """The user has done something else than to speak."""
        self._prompted = False
        self._timer.stop()
        self.follow()

    def user_done(self) -> None:
        """The client has ended the user's turn itself, and will ask for the answer."""
        self._heard = self._prompted = False
        self.follow()

    def audio(self, now_s: float, seconds: float) -> None:
        """So much audio has come from the microphone."""
        if self._last_audio_s is not None and now_s - self._last_audio_s > GAP_S:
            self.anew()
        self._last_audio_s = now_s + seconds

    # -- the client is away --------------------------------------------------------------------------------------

    def pause(self) -> None:
        """Stand still until `resume`."""
        self._away = True
        self._timer.pause()

    def resume(self) -> None:
        """Count on from where it stood."""
        self._away, self._last_audio_s = False, None
        self._timer.resume()

    def stop(self) -> None:
        """The session is over."""
        self._heard = False
        self._timer.stop()

    # -- counting ------------------------------------------------------------------------------------------------

    def _wanted_s(self) -> float | None:
        """The timeout of the silence now; None if it is not the user's."""
        detection = self._context.config.turn_detection
        if not isinstance(detection, ServerVad) or detection.idle_timeout_ms is None or not self._heard:
            return None
        if self._turn.phase is not turns.Phase.SILENT or self._turn.replying or self._turn.unread:
            return None
        return None if self._context.conversation.awaits_output else detection.idle_timeout_ms / 1000

    def _start(self, timeout_s: float) -> None:
        self._timer.start(timeout_s)
        if self._away:
            self._timer.pause()

    def _ring(self) -> None:
        if self._busy():
            self.follow()
        else:
            self._heard, self._prompted = False, True
            self._passed()
