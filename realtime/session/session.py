"""One conversation: receive an event, let the rules decide, act.

    client events ──▶ Session ──▶ listening/ (the user's side)      replying/ (the assistant's side)
                         ▲              │ puts turn events                │ puts turn events
                         │              ▼                                 ▼
                      actions ◀── core/turn.step ◀──────────── one queue ─┘

The session joins and does not decide: turns are `turn_taking.py` and `core/turn.py`, memory is `core/conversation.py`,
a reply is `replying/response.py`, waiting is `outbox.py`. It knows no socket and no vendor.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

import msgspec

from realtime.contained import contained
from realtime.context import Context, Seat
from realtime.core import turn as turns
from realtime.core.conversation import Conversation
from realtime.core.snapshot import TurnSnapshot
from realtime.core.stopped_reply import StoppedReply
from realtime.errors import ProtocolError
from realtime.listening.user_input import UserInput
from realtime.listening.user_items import Unheard
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.protocol import client_events
from realtime.protocol import server_events as events
from realtime.protocol.objects import ConversationObject, MessageItem
from realtime.protocol.response_options import response_options
from realtime.protocol.session_config import SessionConfig, apply
from realtime.providers.base import Providers
from realtime.replying.fixed_response import FixedResponse
from realtime.replying.playout import Playout
from realtime.replying.responses import Responses
from realtime.replying.restored import Restoring
from realtime.replying.speculation import Speculation
from realtime.session.answering import Answering
from realtime.session.continued import Continued, GoingOn, go_on, tell_items
from realtime.session.idle_clock import IdleClock
from realtime.session.items import ItemEvents, NewItem
from realtime.session.leaving import Leaving
from realtime.session.lifetime import duration_s, until_over
from realtime.session.prewarm import Prewarm
from realtime.session.shown import ShownSession
from realtime.session.turn_taking import TurnTaking
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.tools import ServerTools
from realtime.turn_queue import TurnQueue
from realtime.turn_report import OnTurn
from realtime.weak_calls import weak_call


class Session:
    """Everything about one conversation, joined."""

    def __init__(
        self,
        config: SessionConfig,
        *,
        providers: Providers,
        settings: Settings,
        outbox: Outbox,
        metrics: Metrics,
        new_id: Callable[[str], str],
        tools: ServerTools | None = None,
        refused: Sequence[ProtocolError] = (),
        conversation: Conversation | None = None,
        conversation_id: str | None = None,
        careful: Callable[[], bool] = lambda: False,
        on_turn: OnTurn | None = None,
        continued: Continued | None = None,
        seat: Seat | None = None,
    ) -> None:
        self.id = new_id("sess") if continued is None else continued.session_id
        self._continued = continued  # another server has begun it
        self._begun = asyncio.Event()  # its client has been told all that comes first
        self._refused = refused  # what the client asked for with its address, in vain
        self._lasts_s = duration_s(settings, continued)
        self.expires_unix_s = int(time.time() + self._lasts_s)
        self._context = Context(
            session_id=self.id,
            config=config,
            conversation=Conversation() if conversation is None else conversation,  # or one that goes on
            conversation_id=conversation_id or new_id("conv"),
            outbox=outbox,
            turns=TurnQueue(weak_call(self._handle)),
            tasks=Tasks(self.id),
            providers=providers,
            settings=settings,
            metrics=metrics,
            new_id=new_id,
            careful=careful,
            on_turn=on_turn,
            seat=seat,
        )
        self._playout = Playout(self._context)
        self.responses = responses = Responses(self._context, self._playout, tools)
        self._user = UserInput(self._context)
        if continued is not None:
            self._user.go_on(continued.unheard, continued.received_ms)
        user_items = self._user.items
        self._items = ItemEvents(
            self._context,
            transcribe=user_items.transcribe_sent,
            unread_s=lambda: user_items.unread_s,
            sent_ms=self._playout.sent_ms,
        )
        self._speculation = Speculation(self._context, responses, self._user.answer_is)
        context = self._context  # no part may hold the session itself: see `weak_calls.py`
        self._answering = Answering(context, self._user, responses, self._speculation)
        self._prewarm = Prewarm(context, lambda: responses.plans.voice(response_options(context.config)))
        self._shown = ShownSession(context, self.expires_unix_s)
        self._idle = IdleClock(context, weak_call(self._idle_passed), lambda: responses.busy)
        self.leaving = Leaving(context, responses, self._playout, self._user, self._idle)
        self._turns = TurnTaking(
            context,
            user=self._user,
            responses=responses,
            playout=self._playout,
            speculation=self._speculation,
            answering=self._answering,
            prewarm=self._prewarm,
            idle=self._idle,
        )

    def __repr__(self) -> str:
        return f"<Session {self.id} {self._turns.phase.name.lower()}>"

    @property
    def config(self) -> SessionConfig:
        """The configuration in force."""
        return self._context.config

    @property
    def conversation(self) -> Conversation:
        return self._context.conversation

    @property
    def conversation_id(self) -> str:
        return self._context.conversation_id

    @property
    def replying(self) -> bool:
        return self.responses.active is not None

    # -- life ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Greet, then live until the time is up. Raises SessionEnded, or whatever went wrong in one of our tasks."""
        try:
            await self._begin()
        finally:
            self._begun.set()
        await until_over(self._context, self._lasts_s)

    async def _begin(self) -> None:
        """Tell the client what comes first: what it asks for meanwhile waits."""
        if self._continued is None:
            self._put(events.SessionCreated(session=self.session_object()))
            self._put(events.ConversationCreated(conversation=ConversationObject(id=self.conversation_id)))
            await tell_items(self._context, self.conversation.items)
        for error in self._refused:
            self._put(events.ErrorEvent.of(error))
        self._prewarm.start()
        greeting = self._context.settings.greeting
        if self._continued is not None:
            await self._go_on(self._continued)
        elif greeting:
            answering = self._answering
            answering.reply(answering.options(), answering.marks(), chat=FixedResponse(greeting))

    async def _go_on(self, continued: Continued) -> None:
        answering = self._answering
        into = Restoring(self._context, self.responses, self._playout, answering.marks())
        session = GoingOn(
            answering.request, answering.reply_again, answering.options, self._user.items.cannot_hear
        )
        self._idle.go_on(continued.idle, continued.idle_left_s)
        await go_on(continued, into, session)
        self._turns.go_on(continued.turn, continued.stopped)
        self._continued = None

    async def aclose(self) -> None:
        """Stop everything that runs for this session."""
        self._idle.stop()
        self._speculation.close()
        # At once: a place in each that does not let itself be cancelled takes its time only once
        await asyncio.gather(self._context.tasks.aclose(), self._user.aclose())
        self.responses.waterfalls.close()

    def session_object(self) -> msgspec.Raw:
        """The session as the wire shows it: JSON that all events share until the configuration changes."""
        return self._shown.now()

    @property
    def input_audio_ms(self) -> int:
        """How much audio was received in all, in whole milliseconds: what is over may come again."""
        return math.floor(self._user.received_ms + 1e-6)

    @property
    def begun(self) -> bool:
        """Whether its client has been told all that comes first. Until then what it asks for waits."""
        return self._begun.is_set()

    @property
    def restoring(self) -> bool:
        """Whether another server has begun it, and it does not go on yet."""
        return self._continued is not None

    @property
    def unheard(self) -> Unheard:
        """The user's sound that a server that goes on needs again."""
        return self._user.unheard

    @property
    def received_ms(self) -> float:
        """How much audio was received in all, with what comes again and is not here yet."""
        return self._user.again.received_ms

    @property
    def speaking(self) -> bool:
        """Whether the client was told that the user speaks, and of no end."""
        return self._user.speaking

    @property
    def turn_snapshot(self) -> TurnSnapshot:
        """What is owed to the user: a server that goes on needs it."""
        return self._turns.snapshot

    @property
    def stopped(self) -> StoppedReply | None:
        """The reply that speech has stopped, as long as it may go on."""
        return self._turns.stopped

    @property
    def idle(self) -> IdleClock:
        """When the silence is the user's, and how much of the idle timeout is left."""
        return self._idle

    def suspend(self) -> None:
        """Nobody is there to hear or speak: the idle timeout and the listener's position stand still."""
        self._user.disconnected()
        self._playout.pause()
        self._idle.pause()

    def resume(self) -> None:
        """The client is back, on a new socket."""
        self._user.reconnected()
        self._playout.resume()
        self._idle.resume()

    def sent_again(self, lengths_ms: Mapping[str, float]) -> None:
        """The end of these items' sound, so much of it, has not arrived, and is on its way again."""
        self._playout.sent_again(lengths_ms)

    # -- what the client asks ------------------------------------------------------------------------------------

    async def receive(self, event: client_events.AnyClientEvent) -> float:
        """Carry out one client event, in order. Returns how many seconds of sound it brought. Raises ProtocolError for
        a mistake; nothing has changed then."""
        return await contained(self._carry_out(event))

    async def _carry_out(self, event: client_events.AnyClientEvent) -> float:
        if not self._begun.is_set() and not isinstance(event, client_events.OutputAudioBufferPlayed):
            # What the client asks for is asked of the session as it begins or goes on
            await self._begun.wait()
        if isinstance(event, client_events.InputAudioBufferAppend):
            sound_s = await self._user.append(event.audio) / 1000
            self._idle.audio(self._now(), sound_s)
            return sound_s
        new = await self._items.prepared(event)
        with self._context.turns:
            self._receive(event, new)
        if isinstance(event, client_events.SessionUpdate):
            await self._user.hear_kept()
        self._idle.follow()
        return 0.0 if new is None else new.sound_s

    def _receive(self, event: client_events.ControlEvent, new: NewItem | None) -> None:
        match event:
            case client_events.SessionUpdate(session=patch):
                self._update(patch)
            case client_events.InputAudioBufferCommit():
                self._user.commit_buffer()
                self._context.turns.put(turns.SpeechCommitted())  # no answer comes of itself
                self._idle.user_done()
            case client_events.InputAudioBufferClear():
                self._user.discard()
                self._context.turns.put(turns.SpeechCleared())
                self._put(events.InputAudioBufferCleared())
            case client_events.OutputAudioBufferClear():
                self._clear_output()
                self._context.turns.put(turns.ReplyUnwanted())
            case client_events.OutputAudioBufferPlayed(item_id=item_id, played_ms=ms, state=state):
                if self.config.has("playback"):
                    self.responses.played(item_id, ms, drained=state == "drained", flushed=state == "flushed")
            case client_events.ResponseCreate(response=params):
                self._answering.create(params)
            case client_events.ResponseCancel(response_id=response_id):
                self._cancel(response_id)
            case client_events.ConversationItemTruncate(item_id=item_id):
                self._items.receive(event)
                self.responses.sounding.truncated(item_id)
            case client_events.ConversationItemDelete(item_id=item_id):
                self._items.receive(event)
                self.responses.sounding.deleted(item_id)
            case client_events.ConversationItemCreate(item=MessageItem(role="user")):
                self._user.goes_on_otherwise()
                self._items.receive(event, new)
                self._context.turns.put(turns.ReplyUnwanted())  # the user has gone on
                self._idle.anew()
            case client_events.ConversationItemCreate() | client_events.ConversationItemRetrieve():
                self._items.receive(event, new)
            case _:
                assert_never(event)

    def _update(self, patch: dict[str, Any]) -> None:
        before = self.config
        self._context.config = apply(before, patch, input_busy=self._user.busy)
        if self.config.truncation != before.truncation:
            self._context.conversation.shown_from.forget()
        self._turns.follow_rules()
        self._user.config_changed(before)
        if self.config.turn_detection is None:
            self._context.turns.put(turns.DetectionEnded())
        self._prewarm.settings_changed()
        self._put(events.SessionUpdated(session=self.session_object()))

    def _cancel(self, response_id: str | None) -> None:
        """What is meant is found before anything changes. Raises ProtocolError where nothing is."""
        active, of_rest = self.responses.active, self._means_rest(response_id)
        if of_rest:
            self._context.turns.put(turns.ReplyUnwanted())
        means_now = response_id is None and not self.responses.stop_comes_late
        if active is not None and (means_now or response_id == active.id):
            self._context.turns.put(turns.AskedUnwanted())
        elif means_now and self._answering.waits:
            self._context.turns.put(turns.AskedUnwanted())
            return  # that was meant: speech has stopped the one before it long ago
        try:
            self.responses.cancel(response_id)
        except ProtocolError:
            if not of_rest:
                raise

    def _means_rest(self, response_id: str | None) -> bool:
        """Whether a cancel of this id, or of none, means what speech has stopped, whose rest may still be said."""
        stopped, interrupted = self._turns.stopped, self.responses.interrupted
        if stopped is None:
            return False
        sounds = () if interrupted is None else interrupted.sounds
        return response_id in (None, stopped.response_id, *(sound.response_id for sound in sounds))

    def _clear_output(self) -> None:
        if not self.config.has("playback"):
            message = "output_audio_buffer.clear needs the extension 'playback' on a WebSocket."
            raise ProtocolError(message, param="type")
        if not self.responses.stop_comes_late:
            self._context.turns.put(turns.AskedUnwanted())
        self.responses.clear()

    # -- turns ---------------------------------------------------------------------------------------------------

    def _handle(self, event: turns.TurnEvent) -> None:
        self._turns.handle(event)

    # -- silence -------------------------------------------------------------------------------------------------

    def _idle_passed(self) -> None:
        """Nobody has spoken for the agreed time: the assistant speaks up."""
        try:
            with self._context.turns:
                self._user.commit_idle()
                self._answering.reply(self._answering.options(), self._answering.marks())
        except ProtocolError as error:
            self._put(events.ErrorEvent.of(error))

    def _put(self, event: events.ServerEvent) -> None:
        self._context.outbox.put(event)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
