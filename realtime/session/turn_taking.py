"""Turns of one conversation: what happens goes through the rules of `core/turn.py`, and what they decide is done."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.conversation import transcript_of
from realtime.core.snapshot import StoppedSnapshot, TurnSnapshot
from realtime.core.stopped_reply import StoppedReply
from realtime.core.turn_marks import Marks
from realtime.errors import ProtocolError, event_broken
from realtime.listening.user_input import UserInput
from realtime.logs import Outline
from realtime.outbox import OutboxFull
from realtime.protocol import server_events as events
from realtime.replying.chat_request import is_unread
from realtime.replying.playout import Playout
from realtime.replying.responses import Responses
from realtime.replying.speculation import Speculation
from realtime.session.answering import Answering
from realtime.session.idle_clock import IdleClock
from realtime.session.prewarm import Prewarm

log = logging.getLogger(__name__)


class TurnTaking:
    """Of one session. Whose turn it is, and the rules that its client set."""

    def __init__(
        self,
        context: Context,
        *,
        user: UserInput,
        responses: Responses,
        playout: Playout,
        speculation: Speculation,
        answering: Answering,
        prewarm: Prewarm,
        idle: IdleClock,
    ) -> None:
        self._context = context
        self._user = user
        self._responses = responses
        self._playout = playout
        self._speculation = speculation
        self._answering = answering
        self._prewarm = prewarm
        self._idle = idle
        self._turn, self._rules = turns.Turn(), turns.TurnRules()
        self._marks: Marks | None = None  # of the last turn that was committed
        self.follow_rules()

    def __repr__(self) -> str:
        return f"<TurnTaking {self.phase.name.lower()}>"

    @property
    def phase(self) -> turns.Phase:
        return self._turn.phase

    @property
    def snapshot(self) -> TurnSnapshot:
        """What another server needs to go on."""
        turn, rules = self._turn, self._rules
        unread, waits = turn.unread, turn.asked or turn.stopped is not None or turn.untold_id is not None
        if turn.item_id is not None and (self.phase is turns.Phase.CONFIRMING or waits):
            unread |= {turn.item_id}  # this speech has ended, or its end decides what follows
        return TurnSnapshot(
            tuple(sorted(unread)),
            tuple(sorted(turn.owed)),
            turn.untold_id,
            rules.create_response,
            rules.interrupt_response,
            self._answering.asked,
        )

    @property
    def stopped(self) -> StoppedReply | None:
        """The reply that speech has stopped, as long as it may go on."""
        return self._turn.stopped

    def go_on(self, before: TurnSnapshot, stopped: StoppedSnapshot | None) -> None:
        """Another server owed the user this. What is known is told once more when all is here that was said there."""
        conversation, waits = self._context.conversation, {*before.unread, *before.owed}
        if self._context.config.turn_detection is None:
            self._rules = replace(
                self._rules,
                create_response=before.create_response,
                interrupt_response=before.interrupt_response,
            )
        active = self._responses.active
        tells = active is not None and active.events.options.input is None
        untold_id = None if tells else before.untold_id
        self._turn = replace(self._turn, unread=self._turn.unread | waits, untold_id=untold_id)
        if stopped is not None and self._responses.interrupted is not None:
            kept = StoppedReply(
                stopped.reply.response_id,
                stopped.heard,
                stopped.before_answer,
                agreed=stopped.agreed,
                at_end=stopped.at_end,
            )
            self._turn = replace(self._turn, stopped=kept)
        self._idle.turn_is(self._turn)
        if before.asked is not None:
            self._answering.go_on(before.asked)
        for item_id in waits - self._user.items.reading(waits).keys():
            item = conversation.get(item_id) if item_id in conversation else None
            known = "" if item is None else transcript_of(item)  # open speech comes again as another item
            failed = item is not None and is_unread(item)
            self._user.again.tell(
                turns.TranscriptFailed(item_id) if failed else turns.TranscriptKnown(item_id, known)
            )

    def follow_rules(self) -> None:
        """A turn that has ended is answered, or is not, as the detection that ended it said: without one, they stay."""
        detection = self._context.config.turn_detection
        if detection is not None:
            reads = self._context.providers.transcriber is not None
            self._rules = turns.TurnRules(detection.create_response, detection.interrupt_response, reads)

    def handle(self, event: turns.TurnEvent) -> None:
        """Let the rules decide what this means, and do it."""
        before, session_id = self._turn, self._context.session_id
        self._turn, actions = turns.step(before, event, self._rules)
        if self.phase is not before.phase:
            log.debug("%s ◆ %s → %s (%s)", session_id, before.phase.name, self.phase.name, Outline(event))
        if isinstance(event, turns.ReplyCutShort) and self._turn.stopped is not before.stopped:
            self._responses.cut_short(event.response_id)
        for action in actions:
            log.debug("%s → %s", session_id, Outline(action))
            self._carry_out(action)
        if self.phase is turns.Phase.SILENT:
            self._speculation.drop()  # nobody speaks and no turn waits for its words: nothing to guess at
        self._idle.noticed(event, before, self._turn)

    def _carry_out(self, action: turns.Action) -> None:
        """The net under what the rules decide: whoever told them what happened cannot handle what goes wrong here."""
        try:
            self._act(action)
        except OutboxFull:
            raise
        except ProtocolError as error:
            self._put(events.ErrorEvent.of(error))
        except (Exception, SystemExit) as error:  # also of a provider from anywhere
            log.error("%s: %s broke", self._context.session_id, type(action).__name__, exc_info=error)
            self._put(events.ErrorEvent.of(event_broken()))

    def _act(self, action: turns.Action) -> None:
        match action:
            case turns.AnnounceSpeech(onset_ms, known):
                if self._rules.interrupt_response:
                    self._playout.discard_unsent()  # also of replies that no longer count as playing
                if not known:
                    self._user.announce(onset_ms)
                self._speculation.turn_began()
                self._prewarm.turn_comes()
            case turns.CommitSpeech(item_id, at_ms):
                self._marks = self._answering.marks(self._user.speech_ended_at_s())
                self._marks.reach("turn_confirmed", asyncio.get_running_loop().time())
                self._user.commit_turn(item_id, at_ms)
            case turns.ReadSpeech(item_id, at_ms):
                self._user.read_speech(item_id, at_ms)
            case turns.DropSpeech():
                self._context.metrics.false_starts.inc()
                self._user.drop_speech()
            case turns.AnswerEarly(text):
                marks = self._answering.marks(self._user.speech_ended_at_s())
                self._speculation.suppose(text, self._answering.options(), marks)
            case turns.SpeakAhead():
                self._speculation.speak_ahead()
            case turns.HoldVoice():
                self._speculation.hold_voice()
            case turns.DropEarlyAnswer():
                self._speculation.drop()
            case turns.StartReply():
                self._answering.answer(self._marks)
            case turns.StartAsked():
                self._answering.begin_asked()
            case turns.DropAsked(by_client):
                self._answering.drop_asked(by_client=by_client)
            case _:
                self._act_on_reply(action)

    def _act_on_reply(self, action: turns.Action) -> None:
        match action:
            case turns.StopReply(response_id, keep_chat):
                self._context.metrics.interruptions.inc()
                self._responses.stop(response_id, "turn_detected", keep_chat=keep_chat)
            case turns.CutPlayback():
                self._context.metrics.interruptions.inc()
                self._responses.interrupt_playing()
            case turns.DuckReply(response_id, down):
                for told in self._playout.duck(response_id, down=down):
                    self._put(told)
            case turns.StopChat(response_id):
                self._responses.stop_chat(response_id)
            case turns.ResumeReply(response_id):
                answering = self._answering
                self._responses.resume(response_id, answering.request, answering.marks())
            case turns.ContinueReply(response_id):
                answering = self._answering
                self._responses.continue_after(response_id, answering.request, answering.marks())

    def _put(self, event: events.ServerEvent) -> None:
        self._context.outbox.put(event)
