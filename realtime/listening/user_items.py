"""The user's items: committed, transcribed, told on the wire and kept for the replies that wait for their text."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.audio_buffer import Samples
from realtime.core.conversation import ConversationError
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

log = logging.getLogger(__name__)

MAX_FAILURES = 16  # transcripts that failed and are remembered: only the last turn's is asked for


class UserItems:
    """Commits audio as items and finds out what they say."""

    def __init__(self, context: Context, audio: AudioInput, transcription: Transcription) -> None:
        self._context = context
        self._audio = audio
        self._transcription = transcription
        self._pending: dict[str, asyncio.Task[None]] = {}
        self._from_ms: dict[
            str, float
        ] = {}  # where the speech of an item begins, of those since the oldest pending
        self._failures: dict[str, ProviderError] = {}

    def __repr__(self) -> str:
        return f"<UserItems {len(self._pending)} without their text>"

    @property
    def pending(self) -> bool:
        """Whether an item is being transcribed."""
        return bool(self._pending)

    @property
    def unread(self) -> tuple[float, tuple[str, ...]] | None:
        """Where the speech of the oldest item without text begins, and this item with those spoken after it."""
        there = [item_id for item_id in self._from_ms if item_id in self._context.conversation]
        return (self._from_ms[there[0]], tuple(there)) if there else None

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
    ) -> None:
        """Find out what an item says; told on the wire, in the conversation and to the rules.

        `speech`: whether the samples hold speech; None where nobody has looked yet. `end_ms`: where it ends. `own`:
        what of the text are the user's own words. `sent`: the client sent it as an item, nobody spoke it here.
        `from_ms`: where the speech begins, if a server that goes on could hear it again.
        """
        if from_ms is not None:
            self._from_ms[item_id] = from_ms
        task = self._transcribe(item_id, samples, end_ms, speech, own, sent)
        self._pending[item_id] = self._context.tasks.spawn(task, f"transcript {item_id}")

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
            self._pending.pop(item_id, None)
            self._forget_read()

    def _forget_read(self) -> None:
        """Speech is needed as long as it, or what was said before it, has no text."""
        while self._from_ms and (first := next(iter(self._from_ms))) not in self._pending:
            del self._from_ms[first]

    def _known(self, item_id: str, text: str, seconds: float) -> None:
        self._context.conversation.set_transcript(item_id, text)
        if self._context.config.transcription is not None:
            usage = DurationUsage(seconds=round(seconds, 3))
            self._context.outbox.put(
                events.ConversationItemInputAudioTranscriptionCompleted(
                    item_id=item_id, transcript=text, usage=usage
                )
            )
        self._context.turns.put(turns.TranscriptKnown(item_id, text))

    def _failed(self, item_id: str, error: ProviderError) -> None:
        story(log, "transcription failed", {"item": item_id, **facts_of(error)}, logging.WARNING)
        self._failures[item_id] = without_trace(error)
        if len(self._failures) > MAX_FAILURES:
            del self._failures[next(iter(self._failures))]
        failure = FailureObject(code=_transcription_code(error), message=for_clients(error.message))
        self._context.outbox.put(
            events.ConversationItemInputAudioTranscriptionFailed(item_id=item_id, error=failure)
        )
        self._context.turns.put(turns.TranscriptFailed(item_id))

    async def settled(self) -> None:
        """Wait until every committed item has its text. Raises ProviderError if the last one has none."""
        while self._pending:
            await asyncio.wait(list(self._pending.values()))
        last = self._context.conversation.last_user_item_id
        if last is not None and last in self._failures:
            error = self._failures[last]
            raise ProviderRejected(error.message, code=_transcription_code(error))


def _transcription_code(error: ProviderError) -> str:
    """The wire's word for why there is no text (5.2)."""
    return error.code if error.code == "transcription_unavailable" else "transcription_failed"
