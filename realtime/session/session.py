"""One conversation: receive an event, let the rules decide, act.

    client events ─┐                                  ┌─▶ replies.py (reply tasks)
                   ├─▶ Session ─▶ core/turn.step ─▶ actions ─▶ outbox
    ears ──────────┘      ▲                           └─▶ transcribing.py
                          └── news of replies, transcripts, playback

The session joins and does not decide: turns are `core/turn.py`, memory is `core/conversation.py`, a reply is
`response.py`, waiting is `outbox.py`. It knows no socket and no vendor.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from realtime.core import turn as turns
from realtime.core.agreement import essence
from realtime.core.audio import AudioFormat
from realtime.core.conversation import MAX_ITEMS, Conversation, transcript_of
from realtime.core.endpointing import EndpointRules
from realtime.core.messages import ChatRequest
from realtime.errors import ProtocolError
from realtime.listening.audio_input import AudioInput
from realtime.listening.transcription import Transcription
from realtime.listening.user_input import UserInput
from realtime.metrics import Marks, Metrics
from realtime.outbox import Outbox
from realtime.protocol import client_events as asks
from realtime.protocol import server_events as events
from realtime.protocol.objects import ConversationObject, FunctionCallItem, ItemReference
from realtime.protocol.response_options import ResponseOptions, ResponseParams, response_options
from realtime.protocol.session_config import ServerVad, SessionConfig, apply, to_wire
from realtime.providers.base import ChatModel, Providers
from realtime.replying.chat_request import again, build_request
from realtime.replying.fixed_response import FixedResponse
from realtime.replying.response import Response
from realtime.replying.responses import Responses
from realtime.replying.speculation import Premise, Speculation
from realtime.session.idle_timer import IdleTimer
from realtime.session.items import ItemEvents
from realtime.session.prewarm import Prewarm
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.tools import Toolbox
from realtime.translate import to_wire_item

log = logging.getLogger(__name__)

MAX_ROUNDS = 8  # of tools in one turn of the user; then the model has to answer


class SessionEnded(Exception):
    """The session is over; the reason is the close reason of the wire."""


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
        tools: Toolbox | None = None,
        refused: Sequence[ProtocolError] = (),
        conversation: Conversation | None = None,
        conversation_id: str | None = None,
    ) -> None:
        self.id = new_id("sess")
        self.config = config
        self._providers = providers
        self._settings = settings
        self._outbox = outbox
        self._metrics = metrics
        self._new_id = new_id
        self._refused = refused  # what the client asked for with its address, in vain
        self._expires_at = int(time.time() + settings.session_minutes * 60)
        self._tasks = Tasks(self.id)
        self._turn = turns.Turn()
        self.conversation = Conversation() if conversation is None else conversation  # one that goes on
        self.responses = Responses(
            providers=providers,
            settings=settings,
            outbox=outbox,
            metrics=metrics,
            conversation=self.conversation,
            conversation_id=conversation_id or new_id("conv"),
            new_id=new_id,
            spawn=self._tasks.spawn,
            listener=self,
        )
        self._tools = self.responses.tools = tools
        self.responses.on_calls = self._follow_up
        self._rounds = 0  # of tools, in this turn of the user
        self._user = UserInput(
            AudioInput(
                providers.vad,
                AudioFormat(config.input_format.value, config.input_format.rate),
                EndpointRules(),
            ),
            Transcription(providers.transcriber, settings.transcribe_timeout_s),
            config=config,
            outbox=outbox,
            conversation=self.conversation,
            new_id=new_id,
            spawn=self._tasks.spawn,
            notice=self._notice,
            guessed=self._guessed,
            end_of_turn=providers.end_of_turn,
        )
        self._items = ItemEvents(
            self.conversation,
            outbox,
            new_id=new_id,
            transcribe=self._user.transcribe,
            sent_ms=self.responses.sent_ms,
        )
        self._speculation = Speculation(self.responses, providers, settings, metrics)
        self._prewarm = Prewarm(
            providers.chat,
            providers.speech,
            lambda: self.responses.voice(response_options(self.config)),
            self._tasks,
        )
        self._turn_marks: Marks | None = None
        self._idle = IdleTimer(self._idle_passed)
        self._heard_ms = 0.0  # audio received in all
        self._configure(config)

    def __repr__(self) -> str:
        return f"<Session {self.id} {self._turn.phase.name.lower()}>"

    @property
    def replying(self) -> bool:
        return self.responses.active is not None

    # -- life ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Greet, then live until the time is up. Raises SessionEnded, or whatever went wrong in one of our tasks."""
        self._outbox.put(events.SessionCreated(session=self.session_object()))
        self._outbox.put(
            events.ConversationCreated(conversation=ConversationObject(id=self.responses.conversation_id))
        )
        self._tell_restored()
        for error in self._refused:
            self._outbox.put(events.ErrorEvent.of(error))
        self._prewarm.start()
        if self._settings.greeting:
            self._reply(
                response_options(self.config), self._marks(), chat=FixedResponse(self._settings.greeting)
            )
        try:
            async with asyncio.timeout(self._settings.session_minutes * 60):
                await self._tasks.failure()
        except TimeoutError:
            minutes = f"{self._settings.session_minutes:g}"
            error = ProtocolError(
                f"Your session hit the maximum duration of {minutes} minutes.", code="session_expired"
            )
            self._outbox.put(events.ErrorEvent.of(error))
            raise SessionEnded("session_expired") from None

    def _tell_restored(self) -> None:
        """The items of a conversation that goes on, as if they were added now."""
        previous = None
        for item in map(to_wire_item, self.conversation.items):
            self._outbox.put(events.ConversationItemAdded(previous_item_id=previous, item=item))
            self._outbox.put(events.ConversationItemDone(previous_item_id=previous, item=item))
            previous = item.id

    async def aclose(self) -> None:
        """Stop everything that runs for this session."""
        self._idle.stop()
        self._speculation.drop()
        await self._tasks.aclose()
        await self._user.aclose()

    def session_object(self) -> dict[str, Any]:
        """The session as the wire shows it."""
        return to_wire(
            self.config,
            session_id=self.id,
            expires_at=self._expires_at,
            model=self._providers.chat.name,
            resume_window_s=math.ceil(self._settings.resume_window_s),
        )

    @property
    def input_audio_ms(self) -> int:
        """How much audio was received in all."""
        return int(self._heard_ms)

    def park(self) -> None:
        """Nobody is there to hear or speak: the idle timeout and the listener's position stand still."""
        self.responses.pause()
        self._idle.pause()

    def unpark(self) -> None:
        """The client is back."""
        self.responses.go_on()
        self._idle.go_on()

    # -- what the client asks ------------------------------------------------------------------------------------

    async def receive(self, event: asks.ClientEvent) -> None:
        """Carry out one client event, in order. Raises ProtocolError for a mistake; nothing has changed then."""
        match event:
            case asks.InputAudioBufferAppend(audio=audio):
                await self.hear(audio)
            case asks.SessionUpdate(session=patch):
                self._update(patch)
            case asks.InputAudioBufferCommit():
                self._user.commit_buffer()
                self._notice(turns.SpeechDiscarded())  # no answer comes of itself
            case asks.InputAudioBufferClear():
                self._user.forget()
                self._notice(turns.SpeechDiscarded())
                self._outbox.put(events.InputAudioBufferCleared())
            case asks.OutputAudioBufferClear():
                self._clear_output()
            case asks.OutputAudioBufferPlayed(item_id=item_id, played_ms=ms, state=state):
                if self.config.has("playback"):
                    self.responses.played(item_id, ms, drained=state == "drained", flushed=state == "flushed")
            case asks.ResponseCreate(response=params):
                self._create_response(self._options(params))
            case asks.ResponseCancel(response_id=response_id):
                self.responses.cancel(response_id)
            case asks.ConversationItemDelete(item_id=item_id):
                self._items.receive(event)
                self._notice(turns.TranscriptFailed(item_id))  # if it was the question: nothing to answer
            case _:
                self._items.receive(event)

    async def hear(self, audio: bytes) -> None:
        """Take in audio of the session's input format."""
        self._heard_ms += len(audio) / self._items.input_format.bytes_per_ms
        await self._user.hear(audio)

    def _update(self, patch: dict[str, Any]) -> None:
        self._configure(apply(self.config, patch, input_busy=self._user.busy))
        self._prewarm.settings_changed()
        self._outbox.put(events.SessionUpdated(session=self.session_object()))

    def _configure(self, config: SessionConfig) -> None:
        before, self.config = self.config, config
        self._user.configure(config)
        if config.input_format is not before.input_format:
            self._items.input_format = AudioFormat(config.input_format.value, config.input_format.rate)
            self._user.set_format(self._items.input_format)
        self.responses.extensions = config.extensions or ()
        detection = config.turn_detection
        if detection is None:
            self._notice(turns.SpeechDiscarded())
        else:
            rules = turns.TurnRules(detection.create_response, detection.interrupt_response)
            self._turn = replace(self._turn, rules=rules)

    def _clear_output(self) -> None:
        if not self.config.has("playback"):
            raise ProtocolError(
                "output_audio_buffer.clear needs the extension 'playback' on a WebSocket.", param="type"
            )
        if self.responses.active is not None:
            self.responses.stop(self.responses.active.id, "client_cancelled")
        else:
            self.responses.cut_playing()

    def _create_response(self, options: ResponseOptions) -> None:
        marks = self._marks()
        marks.reach("turn_confirmed", marks.origin_s)
        self._check_input(options)
        if not options.out_of_band:
            self._check_room()
            self._idle.stop()
            self._speculation.drop()
        self._reply(options, marks)

    def _check_room(self) -> None:
        """Raises ProtocolError when not even an answer fits."""
        if len(self.conversation) > MAX_ITEMS:
            raise ProtocolError(
                f"The conversation has more than {MAX_ITEMS} items: delete some, or begin a new session.",
                code="conversation_full",
            )

    def _check_input(self, options: ResponseOptions) -> None:
        """Raises ProtocolError for a reference to an item that is not there."""
        for number, item in enumerate(options.input or ()):
            if isinstance(item, ItemReference) and item.id not in self.conversation:
                raise ProtocolError(
                    f"Item '{item.id}' does not exist.",
                    code="item_retrieve_invalid_item_id",
                    param=f"response.input[{number}].id",
                )

    # -- turns ---------------------------------------------------------------------------------------------------

    def _notice(self, event: turns.TurnEvent) -> None:
        """Let the rules decide what this means, and do it."""
        before = self._turn
        self._turn, actions = turns.step(before, event)
        if self._turn.phase is not before.phase:
            log.debug("%s ◆ %s → %s (%s)", self.id, before.phase.name, self._turn.phase.name, event)
        for action in actions:
            log.debug("%s → %s", self.id, action)
            self._act(action)
        if self._turn.phase is turns.Phase.SILENT:
            self._speculation.drop()  # nobody speaks and no turn waits for its words: nothing to guess at

    def _act(self, action: turns.Action) -> None:
        match action:
            case turns.AnnounceSpeech(onset_ms):
                self._idle.stop()
                if self._turn.rules.interrupt_response:
                    self.responses.silence()  # first of all
                self._user.announce(onset_ms)
                self._prewarm.turn_comes()
            case turns.StopReply(response_id):
                self._metrics.interruptions.inc()
                self.responses.stop(response_id, "turn_detected")
            case turns.CutPlayback():
                self._metrics.interruptions.inc()
                self.responses.cut_playing()
            case turns.CommitSpeech(at_ms):
                self._turn_marks = self._marks(self._user.speech_ended_at_s())
                self._turn_marks.reach("turn_confirmed", self._now())
                self._notice(turns.TurnCommitted(self._user.commit_turn(at_ms)))
            case turns.StartReply():
                self._answer()
            case turns.DropSpeech():
                self._metrics.false_starts.inc()
                self._user.drop_speech()

    def reply_began(self, response_id: str) -> None:
        self._notice(turns.ReplyBegan(response_id))

    def reply_ended(self, response_id: str, *, audible: bool) -> None:
        self._notice(turns.ReplyEnded(response_id, audible))

    def playback_ended(self, response_id: str) -> None:
        self._notice(turns.PlaybackEnded(response_id))
        self._start_idle()

    # -- answering -----------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        """The user's turn is over and its words are known."""
        marks = self._turn_marks or self._marks()
        marks.reach("transcript_final", self._now())
        options, self._rounds = self._options(), 0
        *before, last = self.conversation.items
        if not self._speculation.redeem(Premise(essence(transcript_of(last)), options, tuple(before)), marks):
            self._reply(options, marks)

    def _reply(self, options: ResponseOptions, marks: Marks, chat: ChatModel | None = None) -> None:
        """Begin a reply that is seen from the start. Raises ProtocolError while another one is active."""
        response = self.responses.prepare(options, lambda: self._request(options), marks, chat=chat)
        self._rounds = self._rounds if options.out_of_band else 0
        self.responses.open(response)
        self.responses.start(response)

    def _options(self, params: ResponseParams | None = None) -> ResponseOptions:
        """What a response goes by; our own tools are offered beside the client's in the conversation."""
        options = response_options(self.config, params)
        if self._tools is None or options.out_of_band:
            return options
        return replace(options, tools=self._tools.beside(options.tools))

    def _follow_up(self, response: Response) -> bool:
        """Our tools have answered: ask the model again, in the same turn of the user. Whether that was done."""
        writer, rounds = response.writer, self._rounds + 1
        mine = sum(isinstance(item, FunctionCallItem) for item in writer.server_items)
        if self._turn.phase in (turns.Phase.SPEAKING, turns.Phase.CONFIRMING) or mine < writer.calls:
            return False  # the user, or the client whose tools were called as well, will ask
        if rounds > MAX_ROUNDS:
            return False  # it was told to answer, and calls and calls
        self._reply(again(writer.options, writer.server_items, last=rounds >= MAX_ROUNDS), self._marks())
        self._rounds = rounds
        return True

    async def _request(self, options: ResponseOptions) -> ChatRequest:
        if options.input is None:
            await self._user.settled()
        return build_request(options, self.conversation, sees_images=self._providers.chat.sees_images)

    def _guessed(self, text: str) -> None:
        """What the user has said if this pause is the end; "" when it was not."""
        if not text.strip() or self._turn.phase is not turns.Phase.SPEAKING:
            self._speculation.drop()
            return
        if not self._turn.rules.create_response or self.responses.active is not None:
            return
        premise = Premise(essence(text), self._options(), self.conversation.items)
        if self._speculation.wants(premise):
            request = build_request(
                premise.options,
                self.conversation,
                sees_images=self._providers.chat.sees_images,
                about_to_say=text,
            )
            self._speculation.begin(premise, request, self._marks(self._user.speech_ended_at_s()))

    # -- silence -------------------------------------------------------------------------------------------------

    def _start_idle(self) -> None:
        detection = self.config.turn_detection
        if isinstance(detection, ServerVad) and detection.idle_timeout_ms is not None:
            self._idle.start(detection.idle_timeout_ms / 1000)

    def _idle_passed(self) -> None:
        """Nobody has spoken for the agreed time: the assistant speaks up."""
        if self._turn.phase is turns.Phase.SILENT and self.responses.active is None:
            self._user.commit_idle()
            self._reply(self._options(), self._marks())

    def _marks(self, speech_ended_s: float | None = None) -> Marks:
        if speech_ended_s is None:
            return Marks("response_create", self._now())
        return Marks("speech_ended", speech_ended_s)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
