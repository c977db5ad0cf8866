"""The replies of one session: at most one in the conversation, a few beside it; who starts, stops and forgets them.

It turns the wire's options into a plan, runs each reply as one task, and follows what the listener has heard of the
last one. Whether to answer or to stop is decided elsewhere (`core/turn.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from msgspec import UNSET

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.audio import AudioFormat
from realtime.core.messages import ChatRequest
from realtime.core.playback_clock import SpeakingRate
from realtime.errors import ProtocolError
from realtime.metrics import Marks
from realtime.protocol import server_events as events
from realtime.protocol.objects import FunctionCallItem
from realtime.protocol.response_options import ResponseOptions
from realtime.protocol.session_config import platform_voice
from realtime.providers.base import ChatModel, Voice
from realtime.replying.chat_request import again
from realtime.replying.response import ReplyPlan, Response
from realtime.replying.response_events import ResponseEvents
from realtime.tools import Toolbox

MAX_OUT_OF_BAND = 4
MAX_ROUNDS = 8  # of tools in one turn of the user; then the model has to answer
MAX_PACES = 16
CANCEL_GRACE_S = 1.0  # a cancel that crosses the end of a reply is nobody's mistake
FLUSH_PATIENCE_S = 0.3
ACK_PATIENCE_S = 5.0

StopReason = Literal["turn_detected", "client_cancelled"]


class Responses:
    """Starts, stops and remembers replies."""

    def __init__(self, context: Context, tools: Toolbox | None = None) -> None:
        self._context = context
        self._providers = context.providers
        self._settings = context.settings
        self._outbox = context.outbox
        self._tools = tools  # what the server runs itself
        self._speaking_rates: dict[
            Voice, SpeakingRate
        ] = {}  # how fast each voice speaks, learnt from its replies
        self._untold: set[str] = set()  # replies whose waterfall waits for the first acknowledgement
        self._running: dict[str, tuple[Response, asyncio.Task[None]]] = {}
        self._last_end_s = float("-inf")
        self.active: Response | None = None  # in the conversation, being generated
        self.heard: Response | None = None  # the last reply of the conversation
        self._earlier: list[
            Response
        ] = []  # replies before it that may still sound: players queue what they get
        self._paused_s: float | None = None  # since then nobody listens
        self._attended = asyncio.Event()
        self._attended.set()

    def __repr__(self) -> str:
        return f"<Responses active={self.active!r} running={len(self._running)}>"

    # -- starting ------------------------------------------------------------------------------------------------

    def prepare(
        self,
        options: ResponseOptions,
        request: Callable[[], Awaitable[ChatRequest]],
        marks: Marks,
        *,
        chat: ChatModel | None = None,
        speak_ahead: bool = False,
        tool_round: int = 0,
    ) -> Response:
        """A reply behind a closed gate. Raises ProtocolError when there are too many beside the conversation."""
        if options.out_of_band and len(self._running) - (self.active is not None) >= MAX_OUT_OF_BAND:
            raise ProtocolError(
                f"At most {MAX_OUT_OF_BAND} responses may run beside the conversation: wait for one to finish.",
                code="rate_limit_exceeded",
                type="rate_limit_error",
            )
        writer = ResponseEvents(
            self._context.new_id("resp"),
            options,
            conversation=None if options.out_of_band else self._context.conversation,
            conversation_id=self._context.conversation_id,
            outbox=self._outbox,
            new_id=self._context.new_id,
            words_wanted=self._context.config.has("words"),
        )
        writer.first_audio_sent = lambda: self._mark(marks, "first_audio_sent")
        plan = ReplyPlan(
            spoken=options.spoken,
            voice=self.voice(options),
            format=AudioFormat(options.output_format.value, options.output_format.rate),
            request=request,
            parallel_tool_calls=options.parallel_tool_calls,
            silent_timeout_s=self._settings.silent_turn_timeout_s,
            speak_ahead=speak_ahead,
            tools=self._tools,
            server_tools=self._tools.ours(options.tools) if self._tools is not None else frozenset(),
            tool_round=tool_round,
        )
        providers = self._providers
        return Response(
            plan,
            chat=chat or providers.chat,
            speech=providers.speech,
            writer=writer,
            marks=marks,
            pace=self._pace(plan.voice),
        )

    def _pace(self, voice: Voice) -> SpeakingRate:
        """What was learnt of this voice; of those not used for long nothing is kept."""
        pace = self._speaking_rates[voice] = self._speaking_rates.pop(voice, SpeakingRate())
        if len(self._speaking_rates) > MAX_PACES:
            del self._speaking_rates[next(iter(self._speaking_rates))]
        return pace

    def voice(self, options: ResponseOptions) -> Voice:
        """The platform's voice these options ask for."""
        return Voice(
            voice_id=platform_voice(options.voice, self._settings.voice_id),
            rate=options.output_format.rate,
            speed=max(0.5, options.speed),
        )

    def start(self, response: Response) -> None:
        """Run a reply; it stays unseen until `open`."""
        task = self._context.tasks.spawn(self._run(response), f"reply {response.id}")
        self._running[response.id] = (response, task)

    def open(self, response: Response) -> None:
        """Let a started reply be seen and heard."""
        if not response.writer.options.out_of_band:
            if self.active is not None:
                raise ProtocolError(
                    f"Conversation already has an active response in progress: {self.active.id}. "
                    "Wait until the response is finished before creating a new one.",
                    code="conversation_already_has_active_response",
                )
            self._queue_behind_earlier(response)
            self.active = self.heard = response
            self._context.turns.put(turns.ReplyBegan(response.id))
        response.open_gate()

    def _queue_behind_earlier(self, response: Response) -> None:
        """A player plays one reply after the other: this one sounds when those before it have ended."""
        now_s = self._now()
        if self.heard is not None:
            self._earlier.append(self.heard)
        self._earlier = [
            earlier
            for earlier in self._earlier
            if earlier.writer.awaits_flush or earlier.writer.unheard_s(now_s) > 0
        ]
        response.writer.playback.not_before_s = now_s + self.unheard_s()

    def unheard_s(self) -> float:
        """Seconds of audio that the listener may still have ahead."""
        now_s = self._now()
        return max((response.writer.unheard_s(now_s) for response in self._sounding()), default=0.0)

    def _sounding(self) -> list[Response]:
        """Every reply of the conversation that may still sound."""
        return [*self._earlier, *([self.heard] if self.heard is not None else [])]

    async def _run(self, response: Response) -> None:
        try:
            await response.run()
        finally:
            self._ended(response)

    def _ended(self, response: Response) -> None:
        self._running.pop(response.id, None)
        if not response.gate.is_set():
            return
        writer = response.writer
        if writer.open:  # its task was taken down with the session
            writer.stop("client_cancelled")
        self._last_end_s = self._now()
        error = writer.details.error if writer.details is not None else UNSET
        code = error.code if error is not UNSET else ""
        self._context.metrics.responses.labels(writer.status, code).inc()
        self._context.metrics.turn(response.marks)
        if response is self.active:
            self.active = None
            audible = self.unheard_s() > 0 and writer.status != "cancelled"
            to_continue = self._to_continue(response)
            self._context.turns.put(turns.ReplyEnded(response.id, audible, to_continue))
            if (
                audible and response is self.heard
            ):  # else the next reply has begun: for the listener it is one
                self._await_playback(response)
        if self._context.config.has("latency"):
            self._tell_latency(response)

    # -- tools of the server -------------------------------------------------------------------------------------

    def with_tools(self, options: ResponseOptions) -> ResponseOptions:
        """Our own tools are offered beside the client's in the conversation."""
        if self._tools is None or options.out_of_band:
            return options
        return replace(options, tools=self._tools.beside(options.tools))

    def _to_continue(self, response: Response) -> bool:
        """Whether the model has to be asked again, because our tools have answered every call of this reply."""
        writer = response.writer
        if writer.status != "completed" or not writer.server_items or response.plan.tool_round >= MAX_ROUNDS:
            return False
        mine = sum(isinstance(item, FunctionCallItem) for item in writer.server_items)
        return mine >= writer.calls  # else the client, whose tools were called as well, will ask

    def continue_after(
        self,
        response_id: str,
        request: Callable[[ResponseOptions], Awaitable[ChatRequest]],
        marks: Marks,
    ) -> None:
        """Ask the model again, in the same turn of the user, with what the tools of this reply gave."""
        before = self.heard
        if before is None or before.id != response_id:
            return
        tool_round = before.plan.tool_round + 1
        last = tool_round >= MAX_ROUNDS
        options = again(before.writer.options, before.writer.server_items, last=last)
        response = self.prepare(options, lambda: request(options), marks, tool_round=tool_round)
        self.open(response)
        self.start(response)

    # -- stopping ------------------------------------------------------------------------------------------------

    def stop(self, response_id: str, reason: StopReason) -> None:
        """Silence a reply now: its unsent audio is gone, its `response.done` is queued, its task ends."""
        entry = self._running.get(response_id)
        if entry is None:
            return
        response, task = entry
        self._last_end_s = self._now()
        if response is self.active:
            self.cut_playing()
            self.active = None
            response.writer.stop(reason)
            self._context.turns.put(turns.ReplyEnded(response.id, audible=False))
        else:
            response.writer.stop(reason)
        task.cancel()

    def discard(self, response: Response) -> None:
        """Forget a reply behind its gate: nobody will know."""
        entry = self._running.get(response.id)
        if entry is not None and not response.gate.is_set():
            entry[1].cancel()

    def cancel(self, response_id: str | None) -> None:
        """`response.cancel` of the client. Raises ProtocolError if there is nothing to cancel."""
        if response_id is None and self.active is not None:
            response_id = self.active.id
        entry = self._running.get(response_id or "")
        if entry is not None and entry[0].gate.is_set():
            self.stop(entry[0].id, "client_cancelled")
            return
        if self._now() - self._last_end_s < CANCEL_GRACE_S:
            return
        raise ProtocolError(
            "Cancellation failed: no active response found", code="response_cancel_not_active"
        )

    def cut_playing(self) -> None:
        """The listener was interrupted: history keeps what was heard by now, as far as we know."""
        for response in self._sounding():
            self._cut(response)

    def _cut(self, response: Response) -> None:
        writer, now_s = response.writer, self._now()
        if not writer.options.spoken or writer.message_id is None or (writer.interrupted and not writer.open):
            return
        sounding = writer.open or writer.unheard_s(now_s) > 0
        writer.silence()
        if not sounding and not writer.silenced:
            return
        acknowledged = self._context.config.has("playback")
        writer.cut(now_s, told=acknowledged)
        if acknowledged:
            self._outbox.put(events.OutputAudioBufferCleared(response_id=response.id))
            self._later(FLUSH_PATIENCE_S, writer.settle_cut)

    def silence(self) -> None:
        """Throw away every audio that has not been sent."""
        for response in self._sounding():
            response.writer.silence()

    def sent_ms(self, item_id: str) -> float | None:
        """How much audio of this item has left, where that is known."""
        response = self._speaker(item_id)
        return response.writer.playback.sent_ms if response is not None else None

    def _speaker(self, item_id: str) -> Response | None:
        """The reply that says this item, if it may still sound."""
        return next((r for r in self._sounding() if r.writer.message_id == item_id), None)

    # -- what was heard ------------------------------------------------------------------------------------------

    def played(self, item_id: str, played_ms: float, *, drained: bool, flushed: bool) -> None:
        """The player tells its position (extension `playback`). Unknown items are a race, not a mistake."""
        response = self._speaker(item_id)
        if response is None:
            return
        writer, now_s = response.writer, self._now()
        first = writer.playback.acked_ms is None
        if not writer.playback.ack(played_ms, now_s, drained=drained, flushed=flushed):
            return
        if first:
            self._mark(response.marks, "playback_started")
            self._outbox.put(events.OutputAudioBufferStarted(response_id=response.id))
            self._put_latency(response)
        if flushed:
            writer.flushed(now_s)
        if drained and not writer.open:
            self._outbox.put(events.OutputAudioBufferStopped(response_id=response.id))
            if self.heard is not None and self.active is None and self.unheard_s() <= 0:
                self._context.turns.put(turns.PlaybackEnded(self.heard.id))

    def _await_playback(self, response: Response) -> None:
        """Look again when everything that was sent must have been heard."""
        remaining_s = self.unheard_s()
        if remaining_s <= 0:
            self._context.turns.put(turns.PlaybackEnded(response.id))
            return
        if response is self.heard:
            self._later(remaining_s + 0.001, lambda: self._await_playback(response))

    def _tell_latency(self, response: Response) -> None:
        """The waterfall is told at the end, or a little later if the player is still to say when it began."""
        self._untold.add(response.id)
        writer = response.writer
        acknowledged = (
            self._context.config.has("playback") and writer.options.spoken and writer.status != "cancelled"
        )
        if not acknowledged or "playback_started" in response.marks.reached_s:
            self._put_latency(response)
        else:
            self._later(ACK_PATIENCE_S, lambda: self._put_latency(response))

    def _put_latency(self, response: Response) -> None:
        if response.id not in self._untold:
            return
        self._untold.discard(response.id)
        marks = response.marks
        self._outbox.put(
            events.ResponseLatencyDone(
                response_id=response.id, origin=marks.origin, marks=marks.since_origin_ms()
            )
        )

    def _later(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something later, unless the session has ended by then."""

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await self._attended.wait()
            action()

        self._context.tasks.spawn(wait(), "timer")

    def pause(self) -> None:
        """The listener is away: playback stands still until `go_on`."""
        if self._paused_s is None:
            self._paused_s = self._now()
            self._attended.clear()

    def go_on(self) -> None:
        """The listener is back, and plays on where it stopped."""
        if self._paused_s is None:
            return
        away_s, self._paused_s = asyncio.get_running_loop().time() - self._paused_s, None
        for response in self._sounding():
            response.writer.playback.shift(away_s)
        self._attended.set()

    def _mark(self, marks: Marks, name: str) -> None:
        marks.reach(name, self._now())

    def _now(self) -> float:
        """The listener's time."""
        return asyncio.get_running_loop().time() if self._paused_s is None else self._paused_s
