"""One reply: chat deltas become speakable chunks, chunks become sound, sound goes out. One cancellable task with an id.

    chat ──text──▶ speech feed ──chunks──▶ voice ──audio, words──▶ response events (wire and history)

The reply may be begun behind a closed gate: it thinks (and may prepare its first sound) but nothing of it is seen or
heard until the gate opens. It decides nothing about turns, and it does not know who interrupts it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from realtime import deadlines
from realtime.contained import contained
from realtime.core.characters import is_blank
from realtime.core.chunker import Chunk
from realtime.core.messages import ChatEvent, ChatFinish, ChatUsage, TextDelta, ToolCallDelta
from realtime.core.playback_clock import SpeakingRate
from realtime.core.stand_in import has_something_to_see, stand_in
from realtime.core.turn_marks import Marks
from realtime.core.writable import without_halves, writable
from realtime.errors import ProviderError, ProviderTimeout, ProviderUnavailable, without_trace
from realtime.providers.base import ChatModel, Speech
from realtime.replying.answer import Answer, in_bounds
from realtime.replying.calls import Calls
from realtime.replying.failure import failure_of
from realtime.replying.gate import Gate
from realtime.replying.guessed_chat import GuessedChat
from realtime.replying.reply_plan import ReplyPlan
from realtime.replying.response_events import ResponseEvents
from realtime.replying.running_tools import RunningTools
from realtime.replying.speech_feed import (
    AudioReceived,
    ChunkAudio,
    ChunkBegan,
    ChunkEnded,
    ChunkWords,
    SpeechFeed,
)
from realtime.replying.turn_replies import TurnReplies
from realtime.tasks import TaskGroup
from realtime.watchdog import Watchdog
from realtime.weak_calls import weak_call

log = logging.getLogger(__name__)

CHAT_ENDS_S = 1.0  # for a chat model that has said how it ended to end its stream; its usage comes meanwhile
MAX_OPENING = 2000  # characters of an answer, enough to know what kind it is
BLANK_ANSWER = "The model answered without any text."
ONLY_THOUGHT = "The model reached its limit of tokens before any visible text: allow more max_output_tokens."


class Response:
    """Runs one reply from question to `response.done`."""

    def __init__(
        self,
        plan: ReplyPlan,
        *,
        chat: ChatModel,
        speech: Speech,
        events: ResponseEvents,
        marks: Marks,
        speaking_rate: SpeakingRate | None = None,
    ) -> None:
        self.plan = plan
        self.events = events
        self.marks = marks
        self.gate = Gate()
        self._ahead = asyncio.Event()
        self.answer = Answer()
        self.tools = RunningTools(plan.tools, plan.server_tools, events.items)
        self.earlier_tools: RunningTools | None = None  # of the reply whose rest this is
        self.trace_ids: list[str] = []  # of its requests, as far as the services tell them
        self.failed = False  # behind the gate, where nobody has seen it
        # Called once when as much is in hand as may be prepared behind the gate, or when nothing will come.
        self.on_prepared: Callable[[], None] = _nobody
        self._chat = chat
        self._loop = asyncio.get_running_loop()
        self._watchdog = Watchdog(plan.silent_timeout_s)
        self._feed = SpeechFeed(
            speech, plan.voice, speaking_rate=speaking_rate, waiting=self._watchdog.waiting
        )
        self._broke_off: ProviderError | None = None  # the chat model, in the middle of what is spoken
        self._guess_failed: Callable[[ProviderError], None] | None = None
        self._helpers = TaskGroup()
        self._calls = Calls(plan, events, self.tools, self._helpers)
        self._voice_task: asyncio.Task[None] | None = None
        self._unseen = False  # it was stopped, and only the chat model and tools go on
        self._has_words = False
        self._sound_comes = False  # the voice has something to say, or will have soon
        self._question = ""
        self._opening = ""  # the first part of the answer

    def __repr__(self) -> str:
        return f"<Response {self.id} {self.gate!r}>"

    @property
    def id(self) -> str:
        return self.events.response_id

    @property
    def model(self) -> str:
        """The chat model that is asked."""
        return self._chat.name

    @property
    def turn(self) -> TurnReplies:
        """The turn that it belongs to."""
        return self.plan.turn

    def unheard(self, ahead_s: float) -> None:
        """The player says that it has yet to play so much."""
        self._feed.unheard(ahead_s)

    def guess(self, failed: Callable[[ProviderError], None]) -> None:
        """Nobody may ever want it: the chat model is asked only once behind the gate. `failed`: see `GuessedChat`."""
        self._guess_failed = failed
        self._chat = GuessedChat(self._chat, self.gate, weak_call(self._fail_guess))

    def _fail_guess(self, error: ProviderError) -> None:
        self.failed = True
        if self._guess_failed is not None:
            self._guess_failed(error)

    def speak_ahead(self) -> None:
        """Let the voice prepare the first chunk, where that is allowed."""
        self._ahead.set()

    def hold_voice(self) -> None:
        """The voice begins nothing more behind the gate, even if it was let a moment ago."""
        self._ahead.clear()

    def open_gate(self) -> None:
        """Let the reply be seen and heard. Announces it on the wire at once."""
        if not self.gate.is_open:
            self.events.begin()
            self.gate.open()
            self._ahead.set()

    def keep_reading(self) -> None:
        """It was stopped, perhaps wrongly: what the chat model says from now on is only kept, and tools work on."""
        self._unseen = True
        self.answer.calls += self._calls.give_up()
        if self._voice_task is not None:
            self._voice_task.cancel()

    async def run(self) -> None:
        """The whole reply. Whatever goes wrong ends in a failed `response.done`. Raises OutboxFull alone."""
        error = await self._produce()
        self.failed = error is not None and not self.gate.is_open
        self._prepared()
        await self.gate.wait()
        if error is None:
            error = self._concluded()
        if error is not None:
            self.events.fail(error)

    async def _produce(self) -> ProviderError | None:
        """Everything but the last words on the wire; returns what went wrong. What a tool has begun it may end, also if
        the chat model or the voice fails meanwhile: what it did is known to who asks next."""
        try:
            async with self._helpers:
                return await self._answered()
        except Exception as error:
            return failure_of(error, self.id)
        finally:
            self.answer.end()

    async def _answered(self) -> ProviderError | None:
        """The answer of the chat model and its sound; returns what went wrong."""
        try:
            async with self._watchdog:
                await contained(self._answer())
        except TimeoutError:
            return ProviderTimeout(f"Neither sound nor text came for {self.plan.silent_timeout_s:.0f} s.")
        except Exception as error:
            return failure_of(error, self.id)
        return None

    # -- the chat model ------------------------------------------------------------------------------------------

    async def _answer(self) -> None:
        request = await self.plan.request()
        self.answer.ask(request)
        self._question = next(
            (said.content for said in reversed(request.messages) if said.role == "user"), ""
        )
        self._mark("chat_request")
        said = self._chat.stream(request)
        async with aclosing(said), aclosing(in_bounds(said)) as events:
            if not self.plan.spoken or self._unseen:
                await self._read(events)
            else:
                await self._read_and_speak(events)

    async def _read_and_speak(self, events: AsyncGenerator[ChatEvent, None]) -> None:
        try:
            async with TaskGroup() as group:
                group.create_task(self._read(events), name=f"{self.id} chat")
                self._voice_task = group.create_task(self._speak(), name=f"{self.id} voice")
        finally:
            self._voice_task = None  # a task that failed knows us
        if self._broke_off is not None:
            raise self._broke_off

    async def _read(self, events: AsyncGenerator[ChatEvent, None]) -> None:
        """The chat model's answer to its end, or as far as it comes."""
        try:
            await self._take_in(events)
            self.answer.said_all = True
            await self._end_calls()
        except ProviderError as error:
            if not self._has_words or self._unseen or not self.gate.is_open:
                raise
            self._broke_off = without_trace(error)  # told once the voice has said what was written until then
            self.answer.said_all = True
            self._calls.give_up()
        if self.plan.spoken:
            await self._fill_the_wait()
            if not self._unseen:
                self._feed.finish(self._stand_in())

    async def _take_in(self, events: AsyncGenerator[ChatEvent, None]) -> None:
        """Text and calls go on as they come."""
        while (event := await self._next(events)) is not None:
            match event:
                case TextDelta(text):
                    self._mark("chat_first_delta")
                    self._watchdog.alive()
                    self._take_text(writable(text))
                case ToolCallDelta():
                    self._watchdog.alive()
                    await self._take_call(event)
                case ChatUsage():
                    self.events.usage = self.answer.usage = event
                case ChatFinish():
                    event = replace(event, reasoning=without_halves(event.reasoning))
                    self.answer.finish, self.events.items.reasoning = event, event.reasoning
                    self._known_as(event.trace_id)

    async def _next(self, events: AsyncGenerator[ChatEvent, None]) -> ChatEvent | None:
        """What the chat model says next; None at its end. Tools have time limits of their own."""
        if self.answer.finish is not None and not self.earlier_tools:
            return await self._after_finish(events)
        with self._watchdog.excused() if self.earlier_tools else self._watchdog.waiting():
            return await contained(anext(events, None))

    async def _after_finish(self, events: AsyncGenerator[ChatEvent, None]) -> ChatEvent | None:
        """The same once it has told its end: what may still come is its usage."""
        end = deadlines.timeout(CHAT_ENDS_S)
        try:
            async with end:
                return await contained(anext(events, None))
        except TimeoutError:
            if not end.expired():
                raise
            log.warning(
                "reply %s: the chat model did not end after ChatFinish: its stream is closed", self.id
            )
            return None
        finally:
            del end  # it knows its task, which knows its error, and the trace of that knows us

    def _take_text(self, text: str) -> None:
        self.answer.add(text)
        if self._unseen:
            return
        if not self.plan.spoken:
            self._prepared()
            self.gate.show(lambda: self.events.text(text))
            return
        self._feed.feed(text)
        self._opening += text[: MAX_OPENING - len(self._opening)]
        if not self._has_words and not is_blank(text):
            self._has_words = True
            self.gate.show(self.events.open_message)

    def _stand_in(self) -> str:
        """What is said if the whole answer can only be seen."""
        if self.plan.stand_in is None:
            return stand_in(self._opening, self._question, self.plan.language)
        return self.plan.stand_in if has_something_to_see(self._opening) else ""

    async def _take_call(self, delta: ToolCallDelta) -> None:
        """Collect the fragments of a call; a call is complete when the next one begins."""
        if self._unseen:
            self.answer.calls.append(delta)
            return
        if delta.index not in self._calls:
            await self._end_calls()
        self._calls.add(delta)

    async def _end_calls(self) -> None:
        if self.answer.was_cut:
            self._calls.give_up_cut()
        while self._calls:
            if not self._sound_comes:
                self._prepared()
            await self.gate.wait()  # what a call does cannot be taken back
            self._calls.carry_out_next()

    async def _fill_the_wait(self) -> None:
        """Say something while slow tools work, if the model has not."""
        if is_blank(self.answer.text) and (filler := await self.tools.filler()):
            self._take_text(filler)

    # -- the end -------------------------------------------------------------------------------------------------

    def _concluded(self) -> ProviderError | None:
        """Say the last words on the wire; returns what went wrong with them."""
        try:
            self._conclude()
        except Exception as error:
            return failure_of(error, self.id)
        return None

    def _conclude(self) -> None:
        """The last words on the wire, by how the chat model ended."""
        reason = self.answer.finish.reason if self.answer.finish is not None else "stop"
        # docs/minimax/chat.md 3: it thought until the limit
        if reason == "length" and self.events.empty and not self._calls.cut:
            self.events.fail(ProviderUnavailable(ONLY_THOUGHT, code="empty_answer", retryable=False))
        elif reason == "length":
            self.events.finish("incomplete", "max_output_tokens")
        elif reason == "content_filter":
            self.events.finish("incomplete", "content_filter")
        elif self.events.empty and not self.plan.resumes:
            self.events.fail(ProviderUnavailable(BLANK_ANSWER, code="empty_answer", retryable=False))
        else:
            self.events.finish("completed")

    # -- the voice -----------------------------------------------------------------------------------------------

    async def _speak(self) -> None:
        """Pass the chunks on as they come: their text, their audio and their word times, in order."""
        async with self._feed.speaking(self._permit) as events:
            async for event in events:
                if isinstance(event, AudioReceived):
                    self._mark("speech_first_audio")
                    self._prepared()
                    self._watchdog.alive()
                    continue
                if not self.gate.is_open:
                    self._prepared()  # without a sound: that would have come first
                    with self._watchdog.excused():
                        await self.gate.wait()
                match event:
                    case ChunkAudio(index, pcm):
                        with self._watchdog.excused():  # the client may be slow
                            await self.events.audio(index, pcm)
                    case ChunkBegan(chunk):
                        self.events.begin_chunk(chunk)
                    case ChunkWords(index, words):
                        self.events.words(index, words)
                    case ChunkEnded(index, trace_id):
                        self._known_as(trace_id)
                        self.events.end_chunk(index)

    async def _permit(self, chunk: Chunk) -> None:
        """A chunk may go to the voice once the reply may be seen; the first one sooner, where that is allowed."""
        ahead = chunk.index == 0 and bool(chunk.spoken) and self.plan.may_speak_ahead()
        self._sound_comes = self._sound_comes or ahead
        while ahead and not self._ahead.is_set():
            await self._ahead.wait()
            self._sound_comes = ahead = self.plan.may_speak_ahead()
        if not ahead:
            if not self._sound_comes:
                self._prepared()
            await self.gate.wait()
        if chunk.spoken:
            self._sound_comes = True
            self._mark("first_chunk")

    def _prepared(self) -> None:
        """As much is in hand as may be: whoever waits for it is told once."""
        tell, self.on_prepared = self.on_prepared, _nobody
        tell()

    def _known_as(self, trace_id: str | None) -> None:
        """A service knows a request of this reply by this id."""
        if trace_id is not None:
            self.trace_ids.append(trace_id)

    def _mark(self, name: str) -> None:
        self.marks.reach(name, self._loop.time())


def _nobody() -> None:
    """Nobody waits for what this reply prepares."""
