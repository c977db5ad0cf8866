"""The replies of one session: at most one in the conversation, a few beside it; who starts, stops and forgets them.

It turns the wire's options into a plan, runs each reply as one task, and tells the rules how it comes and goes. What
sounds of it is `sounding.py`; whether to answer or to stop is decided elsewhere (`core/turn.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.conversation import Part
from realtime.core.messages import ChatRequest
from realtime.core.turn_marks import Marks
from realtime.errors import ProtocolError
from realtime.protocol.response_options import ResponseOptions, response_options
from realtime.providers.base import ChatModel
from realtime.replying.chat_request import again
from realtime.replying.crossing import Crossing
from realtime.replying.failure import log_end
from realtime.replying.interrupted import Continuation, InterruptedReply
from realtime.replying.latency import ACK_TIMEOUT_S, Waterfalls
from realtime.replying.plans import Plans, never
from realtime.replying.playout import Playout
from realtime.replying.reply_sound import ReplySound
from realtime.replying.response import Response
from realtime.replying.response_events import ResponseEvents, StopReason
from realtime.replying.so_far import so_far
from realtime.replying.sounding import Sounding
from realtime.replying.speaking_rates import SpeakingRates
from realtime.replying.tool_rounds import MAX_TOOL_ROUNDS, continues, to_continue
from realtime.replying.turn_replies import TurnReplies, teller_of
from realtime.tools import ServerTools
from realtime.upstream import label_of

MAX_OUT_OF_BAND = 4

# What a response of these options asks that is created now; awaited, once what it waits for is there
Question = Callable[[ResponseOptions], Callable[[], Awaitable[ChatRequest]]]


class Responses:
    """Starts, stops and remembers replies."""

    def __init__(self, context: Context, playout: Playout, tools: ServerTools | None = None) -> None:
        self._context = context
        self._playout = playout
        self.plans = Plans(context, tools)
        self.waterfalls = Waterfalls(context)
        self.sounding = Sounding(context, playout, self.waterfalls)
        self._speaking_rates = SpeakingRates()
        self._running: dict[str, tuple[Response, asyncio.Task[None]]] = {}
        self._crossing = Crossing()
        self._ends_as: StopReason = "client_cancelled"  # what is open when the session ends
        self._latest: Response | None = None  # of the conversation
        self._spoken: ResponseOptions | None = None  # of the latest one of the conversation with a voice
        self.interrupted: InterruptedReply | None = None  # the latest, as long as it may go on
        self.active: Response | None = None  # in the conversation, being generated

    def __repr__(self) -> str:
        return f"<Responses active={self.active!r} running={len(self._running)}>"

    @property
    def busy(self) -> bool:
        """Whether a reply is in work, in the conversation or beside it."""
        return bool(self._running)

    @property
    def writing(self) -> bool:
        """Whether the chat model still writes the answer of the conversation, or one of our tools works for it."""
        return self.active is not None and not self.active.answer.ended and not self.only_sounds

    @property
    def only_sounds(self) -> bool:
        """Whether nothing but its sound is missing of the answer of the conversation."""
        return self.active is not None and self.active.answer.said_all and not self.active.tools

    @property
    def unfinished(self) -> Response | None:
        """The latest reply of the conversation, while it is made, may still sound, or may not have arrived."""
        latest = self._latest
        if latest is None or latest is self.active:
            return latest
        sound = latest.events.sound
        return latest if sound.unheard_s(self._playout.now_s()) > 0 or self._playout.untold(sound) else None

    @property
    def earlier(self) -> list[ReplySound]:
        """The sounds of replies before the latest one that may still sound, oldest first."""
        return [
            sound
            for sound in self._playout.sounding
            if self._latest is None or sound.response_id != self._latest.id
        ]

    @property
    def cut(self) -> dict[str, ReplySound]:
        """The sounds that were cut, by item: their players may still say where they stopped."""
        return self._playout.cut_sounds

    @property
    def beside(self) -> list[Response]:
        """Those beside the conversation that the client knows of."""
        return [each for each, _ in self._running.values() if each is not self.active and each.gate.is_open]

    def so_far(self) -> dict[str, Part]:
        """What there is of each reply that is not over, by item."""
        return so_far(self.active, self._playout)

    # -- starting ------------------------------------------------------------------------------------------------

    def prepare(
        self,
        options: ResponseOptions,
        request: Callable[[], Awaitable[ChatRequest]],
        marks: Marks,
        *,
        chat: ChatModel | None = None,
        may_speak_ahead: Callable[[], bool] = never,
        tool_round: int = 0,
        turn: TurnReplies | None = None,
        resumes: bool = False,
        response_id: str | None = None,
    ) -> Response:
        """A reply behind a closed gate. Raises ProtocolError when there are too many beside the conversation."""
        if options.out_of_band and len(self._running) - (self.active is not None) >= MAX_OUT_OF_BAND:
            raise ProtocolError(
                f"At most {MAX_OUT_OF_BAND} responses may run beside the conversation: wait for one to finish.",
                code="rate_limit_exceeded",
                type="rate_limit_error",
            )
        plan = self.plans.plan(
            options, request, may_speak_ahead, tool_round=tool_round, turn=turn, resumes=resumes
        )
        speech = self.plans.speech(plan)
        return Response(
            plan,
            chat=chat or self.plans.chat(options),
            speech=speech,
            events=ResponseEvents(self._context, options, marks, response_id),
            marks=marks,
            speaking_rate=self._speaking_rates.of(plan.voice),
        )

    def begin(self, response: Response) -> None:
        """Run a reply that is seen from the start. Raises ProtocolError while another one is active."""
        self.open(response)
        self.start(response)

    def start(self, response: Response) -> None:
        """Run a reply; it stays unseen until `open`."""
        task = self._context.tasks.spawn(self._run(response), f"reply {response.id}")
        self._running[response.id] = (response, task)

    def open(self, response: Response) -> None:
        """Let a reply be seen and heard. Raises ProtocolError while another one of the conversation is active."""
        if not response.events.options.out_of_band:
            if self.active is not None:
                raise ProtocolError(
                    f"Conversation already has an active response in progress: {self.active.id}. "
                    "Wait until the response is finished before creating a new one.",
                    code="conversation_already_has_active_response",
                )
            self.forget_interrupted()
            self._playout.begin(response.events.sound)
            self.active = response
            self._crossing.began(self._playout.now_s())
            self._now_latest(response)
            follows = continues(response, self._context.conversation.items)
            apart = response.events.options.input is not None
            self._context.turns.put(turns.ReplyBegan(response.id, follows, apart))
        response.turn.began()
        response.open_gate()

    def _now_latest(self, response: Response) -> None:
        self._latest, self.sounding.latest_id = response, response.id
        if response.events.options.spoken:
            self._spoken = response.events.options

    async def _run(self, response: Response) -> None:
        try:
            await response.run()
        finally:
            self._ended(response)

    def _ended(self, response: Response) -> None:
        """Its task is over; of a reply that was stopped or discarded everything is told already."""
        if self._running.pop(response.id, None) is None or not response.gate.is_open:
            return
        if response.events.open:  # its task was taken down with the session
            self._playout.discard(response.events.sound)
            response.events.stop(self._ends_as)
        if response is self.active:
            self._conversation_reply_ended(response)
        self._account(response)

    def _account(self, response: Response) -> None:
        """A reply has had its `response.done`."""
        events, now_s = response.events, self._playout.now_s()
        self._crossing.ended(now_s)
        self._context.metrics.responses.labels(events.status, label_of(events.error_code)).inc()
        self._context.metrics.turn(response.marks)
        log_end(response, self._context)
        sounds = events.sound.part.audio_ms > 0 and events.status != "cancelled"
        then = teller_of(response, self._context, now_s)
        if self.waterfalls.ended(response.id, response.marks, sounds=sounds, then=then):
            self._playout.later(ACK_TIMEOUT_S, lambda: self.waterfalls.tell(response.id))

    def end_at_once(self, response: Response, reason: StopReason) -> None:
        """It does not come: the client is told that it begins, and is over."""
        response.turn.began()
        response.events.begin()
        response.events.stop(reason)
        self._account(response)

    def _conversation_reply_ended(self, response: Response) -> None:
        self.active = None
        audible = self._playout.unheard_s() > 0 and response.events.status != "cancelled"
        ended = turns.ReplyEnded(response.id, audible, to_continue(response))
        self._context.turns.put(ended)
        if audible:
            self.sounding.await_end(response.id)

    def continue_after(self, response_id: str, question: Question, marks: Marks) -> None:
        """Ask the model again, in the same turn of the user, with what the tools of this reply gave."""
        before = self._latest
        # Else it was made at another server, or before a response with its own input
        if before is None or before.id != response_id:
            usual = self.plans.with_tools(response_options(self._context.config))
            options, tool_round, turn = again(usual, (), last=False), 1, None
        else:
            tool_round, turn = before.plan.tool_round + 1, before.turn
            items = before.events.items.server_items
            options = again(before.events.options, items, last=tool_round >= MAX_TOOL_ROUNDS)
        self.begin(self.prepare(options, question(options), marks, tool_round=tool_round, turn=turn))

    # -- stopping ------------------------------------------------------------------------------------------------

    def stop(self, response_id: str, reason: StopReason, *, keep_chat: bool = False) -> None:
        """Silence a reply now: its unsent audio is gone, its `response.done` is queued, its task ends. `keep_chat`: the
        chat model may write on until `stop_chat`, and nobody sees it."""
        entry = self._running.pop(response_id, None)
        if entry is None:
            return
        response, task = entry
        if response is self.active:
            self.sounding.cut()
            self.active = None
            response.events.stop(reason)
            self._context.turns.put(turns.ReplyEnded(response.id, audible=False, stopped=True))
            if reason == "turn_detected":
                self._crossing.interrupted(self._playout.now_s())
            kept = task if keep_chat else None
            self.interrupted = InterruptedReply(response, self._playout.just_cut, kept)
        else:
            self._playout.discard(response.events.sound)
            response.events.stop(reason)
        self._account(response)
        if keep_chat:
            response.keep_reading()
        else:
            task.cancel()
            response.events.items.end_calls()

    def stop_all(self, reason: StopReason) -> None:
        """Stop every reply that is made, for good: one that begins after this ends in the same way."""
        self._ends_as = reason
        for response_id in [each.id for each, _ in self._running.values() if each.gate.is_open]:
            self.stop(response_id, reason)

    def interrupt_playing(self) -> None:
        """The listener was interrupted while the latest reply, which has ended, may still sound."""
        self.sounding.cut()
        self._crossing.interrupted(self._playout.now_s())
        if self._latest is not None:
            self.interrupted = InterruptedReply(self._latest, self._playout.just_cut)

    def cut_short(self, response_id: str) -> None:
        """The last words of the latest reply, which has ended, were thrown away by its player. They may be said."""
        if self._latest is not None and self._latest.id == response_id:
            sound = self._latest.events.sound
            sound.cut_s = self._playout.now_s()
            self.interrupted = InterruptedReply(self._latest, (sound,))

    def stop_chat(self, response_id: str) -> None:
        """The interruption was meant: the chat model need not go on with this reply."""
        if self.interrupted is not None and self.interrupted.response.id == response_id:
            self.interrupted.stop_chat()

    def forget_interrupted(self) -> None:
        """What was interrupted will not go on."""
        if self.interrupted is not None:
            self.interrupted.stop_chat()
            self.interrupted = None

    def resume(self, response_id: str, question: Question, marks: Marks) -> None:
        """The interruption was none: say what nobody has heard of this reply, in a new response, or ask again."""
        interrupted, self.interrupted = self.interrupted, None
        if interrupted is None or interrupted.response.id != response_id:
            if interrupted is not None:
                interrupted.stop_chat()
            self._context.turns.put(turns.NothingToResume())
            return
        self._crossing.means_what_comes()
        if self.has_rest(interrupted):  # beyond half of a last word
            self.sounding.said_on(interrupted.sounds)
        if self.say_rest(interrupted, question, marks):
            self._context.metrics.interruptions_taken_back.inc()
            return
        if not interrupted.response.tools:  # what they give is kept
            interrupted.stop_chat()
        if interrupted.unanswered:
            options = interrupted.options
            self.begin(self.prepare(options, question(options), marks))
        else:
            self._context.turns.put(turns.NothingToResume())

    def has_rest(self, interrupted: InterruptedReply) -> bool:
        """Whether there is something that nobody has heard of it."""
        return self._rest(interrupted) is not None

    def _rest(self, interrupted: InterruptedReply) -> Continuation | None:
        options = interrupted.response.events.options
        return interrupted.continuation(self._context.conversation, self.plans.chat(options))

    def say_rest(self, interrupted: InterruptedReply, question: Question, marks: Marks) -> bool:
        """Say what nobody has heard of it in a new response; False if there is nothing left."""
        before, rest = interrupted.response, self._rest(interrupted)
        if rest is None:
            return False
        options, round_ = rest.options(self._spoken), before.plan.tool_round
        request = partial(rest.request, question(interrupted.options))
        response = self.prepare(options, request, marks, chat=rest, tool_round=round_, resumes=True)
        response.events.items.carry_on(before.events.items, before.events.message_id)
        response.earlier_tools = before.tools or before.earlier_tools
        if rest.asks_anew:
            interrupted.stop_chat()
        self.begin(response)
        return True

    def sounds_on(self, response: Response) -> None:
        """Another server has made it: what has arrived of it may still sound, and what its tools gave is answered."""
        self._now_latest(response)
        self._context.turns.put(turns.ReplyBegan(response.id))
        self._context.turns.put(turns.ReplyHeard(response.id))
        self._conversation_reply_ended(response)

    def discard(self, response: Response) -> None:
        """Drop a reply behind its gate: nobody will know."""
        entry = None if response.gate.is_open else self._running.pop(response.id, None)
        if entry is not None:
            entry[1].cancel()

    def cancel(self, response_id: str | None) -> None:
        """`response.cancel` of the client: for what is generated, or else for what of it may still sound. Raises
        ProtocolError if there is neither, and was not a moment ago."""
        if response_id is None and self.active is not None:
            if self.stop_comes_late:
                return
            response_id = self.active.id
        entry = self._running.get(response_id or "")
        if entry is not None and entry[0].gate.is_open:
            self.stop(entry[0].id, "client_cancelled")
        elif self._playout.sounds(response_id):
            self.sounding.silence(response_id)
        elif not self._crossing.excuses(self._playout.now_s(), self.sounding.cut_s):
            raise ProtocolError(
                "Cancellation failed: no active response found", code="response_cancel_not_active"
            )

    def asked_by_client(self) -> None:
        """The client has asked for a reply: what it stops from now on is that one."""
        self._crossing.means_what_comes()

    @property
    def stop_comes_late(self) -> bool:
        """Whether the client, when it stops what is made, means what was interrupted, and knows nothing later."""
        return self._crossing.means_the_one_before(self._playout.now_s(), another=self.active is not None)

    def clear(self) -> None:
        """`output_audio_buffer.clear` of the client: nothing is generated or sounds any more."""
        if self.active is None:
            if self._playout.sounds():
                self.sounding.silence()
        elif not self.stop_comes_late:
            self.stop(self.active.id, "client_cancelled")

    # -- what was heard ------------------------------------------------------------------------------------------

    def played(self, item_id: str, played_ms: float, *, drained: bool, flushed: bool) -> None:
        """The player tells its position (extension `playback`)."""
        self.sounding.played(item_id, played_ms, drained=drained, flushed=flushed)
        if self.active is not None:
            self.active.unheard(self._playout.unheard_s())
