"""The user's items: committed, transcribed, told on the wire; replies wait here for the text of each."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from realtime import deadlines
from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.audio_buffer import Samples
from realtime.core.conversation import ConversationError, Item
from realtime.core.snapshot import CommitSnapshot
from realtime.errors import (
    ProtocolError,
    ProviderError,
    ProviderRejected,
    ProviderUnavailable,
    for_clients,
    without_trace,
)
from realtime.listening.audio_input import AudioInput
from realtime.listening.transcription import Transcription
from realtime.logs import story
from realtime.protocol import server_events as events
from realtime.protocol.objects import DurationUsage, FailureObject, InputAudio, MessageItem
from realtime.providers.base import VAD_RATE, Transcript
from realtime.translate import to_core_item
from realtime.upstream import facts_of
from realtime.weak_calls import weak_call

log = logging.getLogger(__name__)

AGAIN_S = 10.0  # for sound that its client sends again
ROUNDING_MS = 2.0  # clients send again from a whole millisecond on
MAX_FAILURES = 16  # transcripts that failed and are remembered: only the last turn's is asked for


@dataclass(frozen=True, slots=True)
class Unheard:
    """Sound from `from_ms` on that has no text yet. `items`: made of it by the detector; `commits`: by the client."""

    from_ms: float
    items: tuple[str, ...] = ()
    commits: tuple[CommitSnapshot, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether there are items, whose sound comes again."""
        return bool(self.items or self.commits)


@dataclass(frozen=True, slots=True)
class _Again:
    """Sound that its client sends again; `samples` is cancelled when nobody waits for it any more."""

    commit: CommitSnapshot
    samples: asyncio.Future[Samples]
    until_s: float  # in loop seconds: later sound is other sound


@dataclass(frozen=True, slots=True, eq=False)
class _Reading:
    """Of an item without text. `read`: the item, once its text is known or never will be; None when it is gone.

    Who needs the text waits for that and not for the task, which may go on although nobody needs it any more.
    """

    task: asyncio.Task[None]
    read: asyncio.Future[Item | None]


class UserItems:
    """Commits audio as items and finds out what they say.

    An id may be used again when its item was deleted, so what a task finds out counts only as long as it is the one
    that reads this id.
    """

    def __init__(self, context: Context, audio: AudioInput, transcription: Transcription) -> None:
        self._context = context
        self._audio = audio
        self._transcription = transcription
        self._pending: dict[str, _Reading] = {}
        # Where the speech of an item begins, of those since the oldest pending
        self._from_ms: dict[str, float] = {}
        self._commits: dict[str, CommitSnapshot] = {}  # of the client, of items that are pending
        self._again: dict[str, _Again] = {}  # of those, whose sound is to come again
        self._failures: dict[str, ProviderError] = {}
        context.forget.append(weak_call(self.forget))

    def __repr__(self) -> str:
        return f"<UserItems {len(self._pending)} without their text>"

    @property
    def pending(self) -> bool:
        """Whether an item is being transcribed."""
        return bool(self._pending)

    def unheard(self, open_ms: float) -> Unheard:
        """The oldest speech without text, with what was said after it. `open_ms`: where that begins that is no item."""
        there = [item_id for item_id in self._from_ms if item_id in self._context.conversation]
        commits = tuple(each for each in self._commits.values() if each.item_id in self._context.conversation)
        begins = [
            open_ms,
            *(self._from_ms[item_id] for item_id in there[:1]),
            *(each.from_ms for each in commits),
        ]
        return Unheard(min(begins), tuple(there), commits)

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
        sent: bool = False,
        from_ms: float | None = None,
        commit: CommitSnapshot | None = None,
    ) -> None:
        """Find out what an item says; told on the wire, in the conversation and to the rules.

        `speech`: whether the samples hold speech; None where nobody has looked yet. `end_ms`: where it ends. `own`:
        what of the text are the user's own words. `sent`: the client sent it as an item, nobody spoke it here.
        `from_ms`: where the speech begins, if a server that goes on could hear it again; `commit`: who ended it was the
        client.
        """
        if commit is not None:
            self._commits[item_id] = commit
        if from_ms is not None:
            self._from_ms[item_id] = from_ms
        self._begin(item_id, self._transcribe(item_id, samples, end_ms, speech, own, sent))

    def forget(self, item_id: str) -> None:
        """The item is gone. If it was the question, there is no answer; a reply that waits for it goes on without it.

        Sound of it that is still to come again stays awaited: it must not become part of what is said next.
        """
        self._failures.pop(item_id, None)
        self._from_ms.pop(item_id, None)
        if item_id in self._pending:
            self._pending[item_id].task.cancel()
            if item_id in self._again:
                self._again[item_id].samples.cancel()
            self._is_read(item_id)
        self._context.turns.put(turns.TranscriptFailed(item_id))

    def _begin(self, item_id: str, read: Coroutine[Any, Any, None]) -> None:
        task = self._context.tasks.spawn(read, f"transcript {item_id}")
        self._pending[item_id] = _Reading(task, asyncio.get_running_loop().create_future())

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
        sent: bool,
    ) -> None:
        try:
            if speech is None:
                speech = await self._audio.holds_speech(samples)
            transcript = Transcript("")
            if speech and sent:
                transcript = await self._transcription.of_item(samples)
            elif speech:
                transcript = await self._transcription.final(samples, end_ms)
        except ProviderError as error:
            self._failed(item_id, error)
        except Exception as error:  # of a detector from anywhere
            log.error("the voice detector broke", exc_info=error)
            self._failed(item_id, ProviderUnavailable("The voice detector failed."))
        else:
            self._known(item_id, own(transcript.text), len(samples) / VAD_RATE)
        finally:
            if self._reads(item_id):
                self._is_read(item_id)

    # -- speech that another server has heard first ----------------------------------------------------------------

    def hear_again(self, commit: CommitSnapshot) -> None:
        """The client sends the speech of this item once more: find out what it says when it is here."""
        if commit.item_id in self._context.conversation:
            loop = asyncio.get_running_loop()
            samples: asyncio.Future[Samples] = loop.create_future()
            self._commits[commit.item_id] = commit
            self._again[commit.item_id] = _Again(commit, samples, loop.time() + AGAIN_S)
            self._begin(commit.item_id, self._again_heard(commit.item_id, samples))

    def arrived(self) -> None:
        """More sound is here."""
        for item_id, again in list(self._again.items()):
            commit, samples = again.commit, again.samples
            if samples.cancelled() and asyncio.get_running_loop().time() > again.until_s:
                del self._again[item_id]
                continue
            if self._audio.received_ms + ROUNDING_MS < commit.to_ms:
                return
            if self._audio.end_ms < commit.to_ms:
                self._audio.flush()
            del self._again[item_id]
            if not samples.cancelled():
                samples.set_result(self._audio.samples(commit.from_ms, commit.to_ms))
            self._audio.discard(commit.to_ms)

    async def _again_heard(self, item_id: str, samples: asyncio.Future[Samples]) -> None:
        try:
            async with deadlines.timeout(AGAIN_S):
                heard = await samples
        except TimeoutError:
            self._again.pop(item_id, None)
            self._failed(item_id, ProviderUnavailable("The sound of this item has not come again."))
        else:
            await self._transcribe(item_id, heard, None, None, str, False)

    def _is_read(self, item_id: str) -> None:
        """Its text is known, or never will be. Speech is needed as long as what was said before it has no text."""
        conversation, reading = self._context.conversation, self._pending.pop(item_id)
        reading.read.set_result(conversation.get(item_id) if item_id in conversation else None)
        self._commits.pop(item_id, None)
        while self._from_ms and (first := next(iter(self._from_ms))) not in self._pending:
            del self._from_ms[first]

    def _known(self, item_id: str, text: str, seconds: float) -> None:
        if not self._reads(item_id):
            return
        self._context.conversation.set_transcript(item_id, text)
        if self._context.config.transcription is not None:
            usage = DurationUsage(seconds=round(seconds, 3))
            self._context.outbox.put(
                events.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=item_id, transcript=text, usage=usage
                )
            )
        self._is_read(item_id)
        self._context.turns.put(turns.TranscriptKnown(item_id, text))

    def _failed(self, item_id: str, error: ProviderError) -> None:
        if not self._reads(item_id):
            return
        story(log, "transcription failed", {"item": item_id, **facts_of(error)}, logging.WARNING)
        self._failures[item_id] = without_trace(error)
        if len(self._failures) > MAX_FAILURES:
            del self._failures[next(iter(self._failures))]
        failure = FailureObject(code=_transcription_code(error), message=for_clients(error.message))
        self._context.outbox.put(
            events.ConversationItemInputAudioTranscriptionFailed(item_id=item_id, error=failure)
        )
        self._is_read(item_id)
        self._context.turns.put(turns.TranscriptFailed(item_id))

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
