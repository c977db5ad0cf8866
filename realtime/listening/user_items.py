"""The user's items: committed, transcribed, told on the wire; replies wait here for the text of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from realtime import deadlines
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.agreement import ending
from realtime.core.audio_buffer import Samples
from realtime.core.conversation import ConversationError, InputSpeech, Item, Message, transcript_of
from realtime.core.snapshot import SegmentSnapshot, SettledSnapshot
from realtime.errors import (
    ProtocolError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    for_clients,
    without_trace,
)
from realtime.listening.audio_input import AudioInput
from realtime.listening.comes_again import AGAIN_S, ComesAgain
from realtime.listening.segment import Settled
from realtime.listening.transcription import Transcription
from realtime.logs import story
from realtime.protocol import server_events as events
from realtime.protocol.objects import DurationUsage, FailureObject, InputAudio, MessageItem
from realtime.providers.base import VAD_RATE, Transcript
from realtime.translate import to_core_item
from realtime.upstream import facts_of
from realtime.weak_calls import weak_call

log = logging.getLogger(__name__)

NEVER_AGAIN = "The sound of this item has not come again."
MAX_FAILURES = 16  # transcripts that failed and are remembered: only the last turn's is asked for


@dataclass(frozen=True, slots=True)
class Unheard:
    """Sound from `from_ms` on that has no text yet, and the items made of it: `segments`. No item has that from
    `open_ms` on. `sent`: items that the client has brought with their sound, which it does not send again. `settled`:
    what was read of open speech, and comes before `open_ms`."""

    from_ms: float
    open_ms: float
    segments: tuple[SegmentSnapshot, ...] = ()
    sent: tuple[str, ...] = ()
    settled: SettledSnapshot | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """Of an item without text. `read`: the item, once its text is known or never will be; None when it is gone.

    Who needs the text waits for that and not for the task, which may go on although nobody needs it any more.
    """

    task: asyncio.Task[None]
    read: asyncio.Future[Item | None]
    recordings_s: float = 0.0  # that a client sent in it


class UserItems:
    """Commits audio as items and finds out what they say.

    An id may be used again when its item was deleted, so what a task finds out counts only as long as it is the one
    that reads this id.
    """

    def __init__(
        self, context: Context, audio: AudioInput, transcription: Transcription, again: ComesAgain
    ) -> None:
        self._context = context
        self._audio = audio
        self._transcription = transcription
        self._pending: dict[str, _Reading] = {}
        self._segments: dict[str, SegmentSnapshot] = {}  # of items that are pending
        self._again = again
        self._failures: dict[str, ProviderError] = {}
        context.forget.append(weak_call(self.forget))

    def __repr__(self) -> str:
        return f"<UserItems {len(self._pending)} without their text>"

    @property
    def pending(self) -> bool:
        """Whether an item is being transcribed."""
        return bool(self._pending)

    @property
    def unread_s(self) -> float:
        """Seconds of sound of the items that the client sent with it and that wait for their text."""
        return sum(reading.recordings_s for reading in self._pending.values())

    def unheard(self, open_ms: float, settled: Settled) -> Unheard:
        """The speech without text. `open_ms`: where the sound begins that no item has, after what is settled."""
        there = [item_id for item_id in self._pending if item_id in self._context.conversation]
        segments = tuple(self._segments[item_id] for item_id in there if item_id in self._segments)
        sent = tuple(item_id for item_id in there if item_id not in self._segments)
        from_ms = min([open_ms, *(each.from_ms for each in segments)])
        return Unheard(from_ms, open_ms, segments, sent, settled.snapshot)

    def add(self, item_id: str, transcript: str | None = None) -> None:
        """A committed item, told on the wire. Raises ProtocolError in a full conversation; nothing has changed then."""
        item = MessageItem(id=item_id, role="user", content=(InputAudio(transcript),))
        try:
            previous = self._context.add_item(to_core_item(item))
        except ConversationError as error:
            raise ProtocolError(error.message, code=error.code, param=error.param) from error
        outbox = self._context.outbox
        outbox.put(events.InputAudioBufferCommitted(item_id=item_id, previous_item_id=previous))
        outbox.put(events.ConversationItemAdded(previous_item_id=previous, item=item))
        outbox.put(events.ConversationItemDone(previous_item_id=previous, item=item))

    def transcribe(
        self,
        item_id: str,
        samples: Samples,
        end_ms: float | None = None,
        *,
        speech: bool | None = True,
        own: Callable[[str], str] = str,
        segment: SegmentSnapshot,
        believed: str = "",
    ) -> None:
        """Find out what an item of speech says; told on the wire, in the conversation and to the rules.

        `speech`: whether the samples hold speech; None where nobody has looked yet. `end_ms`: where it ends. `own`:
        what of the text are the user's own words. `segment`: where in the client's sound it is, and what was read
        before these samples. `believed`: words that a decode of a part of them was sure of: they were said, also where
        the whole is read as no words.
        """
        self._segments[item_id] = segment
        self._begin(item_id, self._transcribe(item_id, samples, end_ms, speech, own, segment, believed))

    def transcribe_sent(self, item_id: str, recordings: Mapping[int, Samples]) -> None:
        """The same of an item that the client sent with its sound: recordings by the index of their part. Each part has
        a text of its own, and the item is read when all are."""
        seconds = sum(map(len, recordings.values())) / VAD_RATE
        self._begin(item_id, self._transcribe_sent(item_id, recordings), seconds)

    def forget(self, item_id: str) -> None:
        """The item is gone. If it was the question, there is no answer; a reply that waits for it goes on without it.

        Sound of it that is still to come again stays awaited: it must not become part of what is said next.
        """
        self._failures.pop(item_id, None)
        if item_id in self._pending:
            self._pending[item_id].task.cancel()
            self._again.forget(item_id)
            self._is_read(item_id)
        self._context.turns.put(turns.TranscriptFailed(item_id))

    def _begin(self, item_id: str, read: Coroutine[Any, Any, None], recordings_s: float = 0.0) -> None:
        task = self._context.tasks.spawn(read, f"transcript {item_id}")
        read_soon: asyncio.Future[Item | None] = asyncio.get_running_loop().create_future()
        self._pending[item_id] = _Reading(task, read_soon, recordings_s)

    def _reads(self, item_id: str) -> bool:
        """Whether it is this task that reads the item of this id."""
        reading = self._pending.get(item_id)
        return reading is not None and reading.task is asyncio.current_task()

    async def _transcribe(
        self,
        item_id: str,
        samples: Samples,
        end_ms: float | None,
        speech: bool | None,
        own: Callable[[str], str],
        segment: SegmentSnapshot,
        believed: str = "",
    ) -> None:
        settled = Settled.restored(segment.settled)
        try:
            if speech is None:
                speech = await self._audio.holds_speech(samples)
            transcript = Transcript("")
            if speech:
                transcript = await self._final(samples, end_ms, settled)
        except ProviderError as error:
            self._failed(item_id, error, settled)
        except Exception as error:  # of a detector from anywhere
            log.error("the voice detector broke", exc_info=error)
            self._failed(item_id, ProviderUnavailable("The voice detector failed."), settled)
        else:
            text = settled.with_rest(own(transcript.text or believed))
            self._known(item_id, text, settled.seconds + len(samples) / VAD_RATE)
        finally:
            if self._reads(item_id):
                self._is_read(item_id)

    async def _transcribe_sent(self, item_id: str, recordings: Mapping[int, Samples]) -> None:
        failed = False
        try:
            for index, samples in recordings.items():
                try:
                    found: Transcript | ProviderError = await self._transcription.of_item(samples)
                except ProviderError as error:
                    found = error
                if not self._reads(item_id):
                    return
                if isinstance(found, Transcript):
                    self._completed(item_id, found.text, len(samples) / VAD_RATE, index=index)
                else:
                    failed = True
                    self._fail(item_id, found, index)
        finally:
            if self._reads(item_id):
                self._is_read(item_id)
        known = turns.TranscriptKnown(item_id, transcript_of(self._context.conversation.get(item_id)))
        self._again.tell(turns.TranscriptFailed(item_id) if failed else known)

    async def _final(self, samples: Samples, end_ms: float | None, settled: Settled) -> Transcript:
        try:
            return await self._transcription.final(samples, end_ms)
        except ProviderError:
            if not settled.text:
                raise
            return await self._transcription.final(samples, end_ms)  # a long turn is worth one more try

    # -- speech that another server has heard first ----------------------------------------------------------------

    def hear_again(self, segment: SegmentSnapshot) -> None:
        """The client sends the speech of this item once more: find out what it says when it is here."""
        if segment.item_id in self._context.conversation:
            self._segments[segment.item_id] = segment
            samples = self._again.expect(segment)
            self._begin(segment.item_id, self._again_heard(segment, samples))

    def cannot_hear(self, item_id: str) -> None:
        """Nobody sends the speech of this item again."""
        item = self._context.conversation.get(item_id)
        for index, part in enumerate(item.parts if isinstance(item, Message) else ()):
            if part == InputSpeech(None):
                self._fail(item_id, ProviderUnavailable(NEVER_AGAIN), index)

    async def _again_heard(self, segment: SegmentSnapshot, samples: asyncio.Future[Samples]) -> None:
        try:
            async with deadlines.timeout(AGAIN_S):
                heard = await samples
        except TimeoutError:
            self._again.forget(segment.item_id)
            settled = Settled.restored(segment.settled)
            self._failed(segment.item_id, ProviderUnavailable(NEVER_AGAIN), settled)
        else:
            await self._transcribe(
                segment.item_id, heard, None, None if segment.by_client else True, str, segment
            )

    def add_settled(self, settled: Settled) -> None:
        """What was read of speech of which nothing more comes, as an item of its own. It asks for no answer. Raises
        ProtocolError in a full conversation."""
        item_id = self._context.new_id("item")
        self.add(item_id)
        self._completed(item_id, settled.text, settled.seconds)

    def _is_read(self, item_id: str) -> None:
        """Its text is known, or never will be."""
        conversation, reading = self._context.conversation, self._pending.pop(item_id)
        reading.read.set_result(conversation.get(item_id) if item_id in conversation else None)
        self._segments.pop(item_id, None)

    def _known(self, item_id: str, text: str, seconds: float) -> None:
        if self._reads(item_id):
            self._completed(item_id, text, seconds, said=self._segments[item_id].said)
            self._is_read(item_id)
            self._again.tell(turns.TranscriptKnown(item_id, text))

    def _completed(self, item_id: str, text: str, seconds: float, *, index: int = 0, said: str = "") -> None:
        """`said`: what deltas have told of the text; who shows only these gets the rest of it now."""
        self._context.conversation.set_transcript(item_id, text, index)
        if self._context.config.transcription is None:
            return
        outbox, usage = self._context.outbox, DurationUsage(seconds=round(seconds, 3))
        if said and (rest := ending(said, text)):
            outbox.put(events.ConversationItemInputAudioTranscriptionDelta(item_id=item_id, delta=rest))
        outbox.put(
            events.ConversationItemInputAudioTranscriptionCompleted(
                item_id=item_id, content_index=index, transcript=text, usage=usage
            )
        )

    def _failed(self, item_id: str, error: ProviderError, settled: Settled) -> None:
        """There is no text, or of long speech only that of what was settled: nobody is asked to say that again."""
        if settled.text and self._reads(item_id):
            segment = self._segments[item_id]
            facts = {"item": item_id, "ms": round(segment.to_ms - settled.to_ms), **facts_of(error)}
            story(log, "end of a long turn lost: no text for it", facts, logging.WARNING)
            self._known(item_id, settled.text, settled.seconds)
        elif self._reads(item_id):
            self._fail(item_id, error)
            self._is_read(item_id)
            self._again.tell(turns.TranscriptFailed(item_id))

    def _fail(self, item_id: str, error: ProviderError, index: int = 0) -> None:
        story(log, "transcription failed", {"item": item_id, **facts_of(error)}, logging.WARNING)
        self._failures[item_id] = without_trace(error)
        if len(self._failures) > MAX_FAILURES:
            del self._failures[next(iter(self._failures))]
        failure = FailureObject(code=_transcription_code(error), message=for_clients(error.message))
        self._context.outbox.put(
            events.ConversationItemInputAudioTranscriptionFailed(
                item_id=item_id, content_index=index, error=failure
            )
        )

    # -- for replies -----------------------------------------------------------------------------------------------

    def reading(self, item_ids: Iterable[str]) -> dict[str, asyncio.Future[Item | None]]:
        """Those of these items whose text is still to come: each is there once it has it, or never will; None if it
        is gone by then."""
        return {item_id: self._pending[item_id].read for item_id in item_ids if item_id in self._pending}

    def check(self, item_id: str) -> None:
        """Raises ProviderRejected for an item whose text could not be found out."""
        if (error := self._failures.get(item_id)) is not None:
            raise _unanswerable(error)

    async def text_of(self, samples: Samples) -> str:
        """What sound says that is no item. Raises ProviderRejected."""
        try:
            return (await self._transcription.of_item(samples)).text
        except ProviderError as error:
            raise _unanswerable(error) from None


def _unanswerable(error: ProviderError) -> ProviderRejected:
    return ProviderRejected(error.message, code=_transcription_code(error))


def _transcription_code(error: ProviderError) -> str:
    """The wire's word for why there is no text (5.2)."""
    return error.code if error.code == "transcription_unavailable" else "transcription_failed"
