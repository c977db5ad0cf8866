"""The user's side of one session: from sound to a committed item with its transcript.

Feeds the ears, tells the session what they noticed, and does what the session decides: announce speech, commit
it, forget it. Transcripts are told on the wire here, and kept for replies that wait for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from realtime.core import turn as turns
from realtime.core.agreement import Agreement, essence
from realtime.core.audio import AudioFormat
from realtime.core.audio_buffer import Samples
from realtime.core.completeness import Completeness, completeness_of, silence_ms
from realtime.core.conversation import Conversation, ConversationError
from realtime.core.endpointing import (
    EndpointEvent,
    EndpointRules,
    Misfire,
    SpeechFaded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    SpeechStopped,
)
from realtime.core.wordbreak import atoms
from realtime.errors import ProtocolError, ProviderError, ProviderRejected
from realtime.listening.audio_input import PRE_ROLL_MS, AudioInput
from realtime.listening.end_of_turn import EndOfTurnDelay
from realtime.listening.transcription import Transcription
from realtime.outbox import Outbox
from realtime.protocol import server_events as events
from realtime.protocol.objects import DurationUsage, FailureObject, InputAudio, MessageItem
from realtime.protocol.session_config import SemanticVad, ServerVad, SessionConfig
from realtime.providers.base import VAD_RATE, EndOfTurnModel, Transcript
from realtime.translate import to_core_item

INTERIM_WHILE_SUSPECTED_MS = 250.0  # during a reply the first words decide, so ask sooner
MIN_COMMIT_MS = 100.0
WHOLE_WORDS = 3  # or Han characters; fewer may be the beginning of anything
MAX_FAILURES = 16  # transcripts that failed and are remembered: only the last turn's is asked for
ARRIVALS = 512  # chunks whose arrival time is remembered


class UserInput:
    """Sound in, user items out. `new_id` names items; `spawn` runs tasks of the session."""

    def __init__(
        self,
        ears: AudioInput,
        hearing: Transcription,
        *,
        config: SessionConfig,
        outbox: Outbox,
        conversation: Conversation,
        new_id: Callable[[str], str],
        spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]],
        notice: Callable[[turns.TurnEvent], None],
        guessed: Callable[[str], None],
        end_of_turn: EndOfTurnModel | None = None,
    ) -> None:
        self._audio = ears
        self._end_of_turn = EndOfTurnDelay(end_of_turn, ears.endpointer, spawn)
        self._transcription = hearing
        self._outbox = outbox
        self._conversation = conversation
        self._new_id = new_id
        self._spawn = spawn
        self._notice = notice
        self._guessed = guessed
        self._arrivals: deque[tuple[float, float]] = deque(maxlen=ARRIVALS)  # (position ms, loop seconds)
        self._item_id = ""  # of the user item to come
        self._onset_ms = 0.0  # of the speech that is or was open
        self._agreement = Agreement()
        self._next_interim_ms = 0.0
        self._interim = ""  # the last guess while the user speaks
        self._guess = ""  # what the session was told the user may have said
        self._paused = False  # the speech that is open has paused since it last sounded
        self._speech_end_ms: float | None = None  # of the last pause
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, ProviderError] = {}
        self.announced = False
        self.configure(config)

    def configure(self, config: SessionConfig) -> None:
        """Follow the session's settings."""
        self._config = config
        detection = config.turn_detection
        self._end_of_turn.eagerness = detection.eagerness if isinstance(detection, SemanticVad) else None
        self._audio.listens_for_turns = detection is not None
        self._transcription.language = config.transcription.language if config.transcription else None
        match detection:
            case ServerVad():
                wait_ms = detection.silence_duration_ms
                self._audio.endpointer.change(
                    EndpointRules(threshold=detection.threshold, silence_ms=wait_ms)
                )
            case SemanticVad():
                self._audio.endpointer.change(EndpointRules(silence_ms=silence_ms(None, detection.eagerness)))

    def set_format(self, format: AudioFormat) -> None:
        self._audio.set_format(format)

    @property
    def busy(self) -> bool:
        """Audio is buffered that a client still counts on, or speech is open."""
        if self._config.turn_detection is None:
            return self._audio.buffered_ms > 0
        return self._audio.endpointer.speaking

    @property
    def position_ms(self) -> float:
        return self._audio.position_ms

    # -- listening -----------------------------------------------------------------------------------------------

    async def hear(self, data: bytes) -> None:
        """Take in audio of the wire's format and tell what it means."""
        now_s = asyncio.get_running_loop().time()
        async for event in self._audio.hear(data):
            if isinstance(event, float):
                self._grow(event)
            else:
                self._endpoint(event)
        self._arrivals.append((self._audio.position_ms, now_s))

    def _endpoint(self, event: EndpointEvent) -> None:
        match event:
            case SpeechStarted(onset_ms):
                self._item_id, self._onset_ms = self._new_id("item"), onset_ms
                self._agreement = Agreement()
                self._interim = self._guess = ""
                self._paused = False
                self._next_interim_ms = INTERIM_WHILE_SUSPECTED_MS
                self._speech_end_ms = None
                self._notice(turns.SpeechBegan(onset_ms))
            case SpeechFaded(end_of_speech_ms):
                self._speech_end_ms = end_of_speech_ms
                self._transcription.guess(self._utterance(), end_of_speech_ms, self._suppose_whole)
                self._next_interim_ms = (
                    self._audio.endpointer.speech_ms + self._transcription.interim_every_ms
                )
                self._suppose_whole(self._interim)
            case SpeechPaused(end_of_speech_ms):
                self._paused = True
                self._speech_end_ms = end_of_speech_ms
                self._end_of_turn.pause_began(
                    self._utterance, text_comes=self._transcription.interim_is_cheap
                )
                self._transcription.guess(self._utterance(), end_of_speech_ms, self._on_guess)
                self._suppose_interim()
            case SpeechResumed():
                self._speech_end_ms = None
                self._end_of_turn.pause_ended()
                self._transcription.resumed()
                if self._paused:  # what only faded may still be a whole sentence: the next text will tell
                    self._suppose("")
                self._paused = False
            case SpeechStopped(end_of_speech_ms, at_ms):
                self._speech_end_ms = end_of_speech_ms
                self._end_of_turn.pause_ended()
                self._notice(turns.SpeechEnded(at_ms))
            case Misfire(at_ms):
                self._end_of_turn.pause_ended()
                self._notice(turns.SpeechEnded(at_ms))

    def _grow(self, position_ms: float) -> None:
        """After each frame: how much speech there is by now, and perhaps an interim decode."""
        endpointer = self._audio.endpointer
        if not endpointer.speaking:
            return
        speech_ms = endpointer.speech_ms
        self._notice(turns.SpeechGrew(speech_ms))
        due = speech_ms >= self._next_interim_ms and not endpointer.paused
        if due and self._transcription.takes_interim:
            self._next_interim_ms = speech_ms + self._transcription.interim_every_ms
            self._transcription.interim(self._utterance(), self._on_interim)

    def _utterance(self, to_ms: float | None = None) -> Samples:
        """The open speech with its pre-roll."""
        return self._audio.samples(max(0.0, self._onset_ms - self._pre_roll_ms), to_ms)

    @property
    def _pre_roll_ms(self) -> float:
        return max(PRE_ROLL_MS, float(self._padding_ms))

    @property
    def _padding_ms(self) -> int:
        detection = self._config.turn_detection
        return detection.prefix_padding_ms if isinstance(detection, ServerVad) else 300

    def _on_interim(self, text: str) -> None:
        """What the user has said so far. A whole sentence that stays the same may be all there is."""
        if not self._audio.endpointer.speaking:
            return
        stable, self._interim = essence(text) == essence(self._interim), text
        self._tell_interim(text)
        if self._audio.endpointer.paused:
            self._suppose_interim()
        elif self._audio.endpointer.faded:
            self._suppose_whole(text)
        elif stable and completeness_of(text) is Completeness.COMPLETE:
            self._suppose(text)
        elif essence(text) != essence(self._guess):
            self._suppose("")

    def _tell_interim(self, text: str) -> None:
        self._notice(turns.InterimText(text))
        if (
            self.announced
            and self._config.transcription is not None
            and (fresh := self._agreement.feed(text))
        ):
            self._outbox.put(
                events.ConversationItemInputAudioTranscriptionDelta(item_id=self._item_id, delta=fresh)
            )

    def _on_guess(self, text: str) -> None:
        """The text if this pause is the end: how finished it looks sets how long we wait."""
        if not self._audio.endpointer.paused:
            return
        self._suppose(text)
        self._end_of_turn.text_known(text)
        self._tell_interim(text)

    def _suppose_interim(self) -> None:
        """In a pause the last interim sentence may be all there is; the decode of the pause soon knows better."""
        if not self._guess and completeness_of(self._interim) is Completeness.COMPLETE:
            self._suppose(self._interim)

    def _suppose_whole(self, text: str) -> None:
        """Where there is hardly a pause yet, only a whole sentence may be all there is."""
        if not self._audio.endpointer.speaking:
            return  # a decode that came after the turn was over says nothing about an answer under way
        if completeness_of(text) is Completeness.COMPLETE and len(atoms(text)) >= WHOLE_WORDS:
            self._suppose(text)

    def _suppose(self, text: str) -> None:
        """The user may have said this, and no more; "": has not."""
        if text or self._guess:
            self._guess = text
            self._guessed(text)

    # -- doing what was decided ----------------------------------------------------------------------------------

    def announce(self, onset_ms: float) -> None:
        """Tell the client that the user speaks."""
        self.announced = True
        start_ms = max(0, int(onset_ms) - self._padding_ms)
        self._outbox.put(events.InputAudioBufferSpeechStarted(audio_start_ms=start_ms, item_id=self._item_id))

    def commit_turn(self, at_ms: float) -> str:
        """The detector ended the turn: make an item of the speech. Returns its id."""
        samples = self._utterance(at_ms)
        self._outbox.put(events.InputAudioBufferSpeechStopped(audio_end_ms=int(at_ms), item_id=self._item_id))
        item_id = self._item_id
        self._commit(item_id, samples, self._speech_end_ms, speech=True)
        self._audio.forget(at_ms)
        self.announced = False
        return item_id

    def commit_buffer(self) -> str:
        """The client ends the turn itself. Raises ProtocolError if there is too little audio."""
        self._audio.flush()
        buffered_ms = self._audio.buffered_ms
        if buffered_ms < MIN_COMMIT_MS:
            raise ProtocolError(
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {buffered_ms:.2f}ms of audio.",
                code="input_audio_buffer_commit_empty",
            )
        speech = self._audio.has_speech_since(self._audio.start_ms)
        item_id = self._item_id if self.announced else self._new_id("item")
        self._transcription.resumed()
        self._commit(item_id, self._audio.samples(self._audio.start_ms), None, speech=speech)
        self.forget()
        return item_id

    def forget(self) -> None:
        """Drop what is buffered and the speech that is open."""
        self._audio.forget()
        self._audio.abandon_speech()
        self._end_of_turn.pause_ended()
        self._transcription.resumed()
        self._suppose("")
        self.announced = False

    def drop_speech(self) -> None:
        """A sound during a reply that was no interruption: as if it had never been."""
        self._transcription.resumed()
        self.announced = False

    def _commit(self, item_id: str, samples: Samples, end_ms: float | None, *, speech: bool) -> None:
        self._add(MessageItem(id=item_id, role="user", content=(InputAudio(None),)))
        self.transcribe(item_id, samples, end_ms, speech=speech)

    def _add(self, item: MessageItem) -> None:
        try:
            previous = self._conversation.add(to_core_item(item))
        except ConversationError as error:
            raise ProtocolError(error.message, code=error.code, param=error.param) from error
        self._outbox.put(events.InputAudioBufferCommitted(item_id=item.id, previous_item_id=previous))
        self._outbox.put(events.ConversationItemAdded(previous_item_id=previous, item=item))
        self._outbox.put(events.ConversationItemDone(previous_item_id=previous, item=item))

    # -- transcripts ---------------------------------------------------------------------------------------------

    def transcribe(
        self, item_id: str, samples: Samples, end_ms: float | None = None, *, speech: bool = True
    ) -> None:
        """Find out what an item says; told on the wire, in the conversation and to the session."""
        task = self._spawn(self._transcribe(item_id, samples, end_ms, speech), f"transcript {item_id}")
        self._pending[item_id] = task

    async def _transcribe(self, item_id: str, samples: Samples, end_ms: float | None, speech: bool) -> None:
        try:
            transcript = await self._transcription.final(samples, end_ms) if speech else Transcript("")
        except ProviderError as error:
            self._failures[item_id] = error
            if len(self._failures) > MAX_FAILURES:
                del self._failures[next(iter(self._failures))]
            self._tell_failure(item_id, error)
            self._notice(turns.TranscriptFailed(item_id))
        else:
            self._conversation.set_transcript(item_id, transcript.text)
            self._tell_transcript(item_id, transcript.text, len(samples) / VAD_RATE)
            self._notice(turns.TranscriptKnown(item_id, transcript.text))
        finally:
            self._pending.pop(item_id, None)

    def _tell_transcript(self, item_id: str, text: str, seconds: float) -> None:
        if self._config.transcription is not None:
            self._outbox.put(
                events.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=item_id, transcript=text, usage=DurationUsage(seconds=round(seconds, 3))
                )
            )

    def _tell_failure(self, item_id: str, error: ProviderError) -> None:
        code = _transcription_code(error)
        self._outbox.put(
            events.ConversationItemInputAudioTranscriptionFailed(
                item_id=item_id, error=FailureObject(code=code, message=error.message)
            )
        )

    async def settled(self) -> None:
        """Wait until every committed item has its text. Raises ProviderError if the last one has none."""
        while self._pending:
            await asyncio.wait(list(self._pending.values()))
        last = self._conversation.last_user_item_id
        if last is not None and last in self._failures:
            error = self._failures[last]
            raise ProviderRejected(error.message, code=_transcription_code(error))

    def commit_idle(self) -> None:
        """Nobody spoke for the agreed time: an empty user item says so."""
        end_ms = int(self._audio.position_ms)
        item_id = self._new_id("item")
        start_ms = int(self._audio.start_ms)
        self._outbox.put(
            events.InputAudioBufferTimeoutTriggered(
                audio_start_ms=min(start_ms, end_ms), audio_end_ms=end_ms, item_id=item_id
            )
        )
        item = MessageItem(id=item_id, role="user", content=(InputAudio(""),))
        self._add(item)
        self._audio.forget()

    async def aclose(self) -> None:
        """Stop decoding and leave the detector."""
        self._audio.close()
        await self._transcription.aclose()

    def speech_ended_at_s(self) -> float | None:
        """When the last sample of the user's speech arrived, in loop seconds."""
        if self._speech_end_ms is None:
            return None
        for position_ms, arrived_s in self._arrivals:
            if position_ms >= self._speech_end_ms:
                return arrived_s
        return None


def _transcription_code(error: ProviderError) -> str:
    """The wire's word for why there is no text (5.2)."""
    return error.code if error.code == "transcription_unavailable" else "transcription_failed"
