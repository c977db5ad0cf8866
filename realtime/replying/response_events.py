"""How one reply appears on the wire: the chain of its events, in their order.

Every method but `audio` is plain and immediate, so that a reply can be ended between two instructions and nothing slips
through (docs/wire.md 3.4, 3.9). What still arrives after the end is dropped: the tasks of a cancelled reply
live on for a step or two. It produces nothing itself and waits for nobody but the outbox.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any, Literal

import msgspec

from realtime.context import Context
from realtime.core import turn as turns
from realtime.core.audio import pcm_to_samples
from realtime.core.characters import is_blank
from realtime.core.chunker import Chunk
from realtime.core.messages import ChatUsage, ToolCall, WordTime
from realtime.core.spoken import SpokenPart
from realtime.core.turn_marks import Marks
from realtime.core.writable import writable
from realtime.errors import ProviderError, ProviderUnavailable, for_clients, without_trace
from realtime.outbox import Outgoing
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.protocol.response_options import ResponseOptions
from realtime.protocol.voices import voice_id
from realtime.replying.output_items import OutputItems
from realtime.replying.reply_sound import ReplySound
from realtime.translate import to_core_format

MAX_DELTA_MS = 200.0  # of audio in one message (wire 1.4)

StopReason = Literal["turn_detected", "client_cancelled", "server_draining", "server_restarting"]
RESTARTING = "The server was lost. Another one says in a new response what was not heard of this one."
DRAINING = "The server is stopping: connect again and ask once more."


class ResponseEvents:
    """The events of one reply."""

    def __init__(
        self, context: Context, options: ResponseOptions, marks: Marks, response_id: str | None = None
    ) -> None:
        self.response_id = response_id or context.new_id("resp")
        self.options = options
        self.sound = ReplySound(self.response_id, marks)
        self.items = OutputItems(context, self.response_id, options)
        self.usage: ChatUsage | None = None
        self.message_id: str | None = None
        self.status: wire.ResponseStatus = "in_progress"
        self.details: wire.StatusDetails | None = None
        self.error: ProviderError | None = None  # why it failed
        self._context = context
        self._format = to_core_format(options.output_format)
        self._message_index = 0
        self._text: list[str] = []
        self._blanks = ""  # before the first of it that can be seen
        self._reached = False  # something of it has left for the client
        self._closing = False

    def __repr__(self) -> str:
        return f"<ResponseEvents {self.response_id} {self.status}, {self.sound!r}>"

    # -- the reply as a whole ------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Announced, and not done yet."""
        return self.status == "in_progress"

    @property
    def empty(self) -> bool:
        """Nothing to see, hear or run came of it."""
        return self.message_id is None and not self.items.call_count

    @property
    def transcript(self) -> str:
        """The text announced so far."""
        return self.sound.part.text if self.options.spoken else "".join(self._text)

    @property
    def error_code(self) -> str:
        """Why it failed, "" if it did not."""
        error = self.details.error if self.details is not None else msgspec.UNSET
        return "" if error is msgspec.UNSET else error.code

    def begin(self) -> None:
        """Announce the reply."""
        self._put(events.ResponseCreated(response=self._object()))

    def finish(
        self,
        status: Literal["completed", "incomplete"],
        reason: Literal["max_output_tokens", "content_filter"] | None = None,
    ) -> None:
        """The reply has said what it had to say."""
        self._end(status, wire.incomplete(reason) if reason else None)

    def fail(self, error: ProviderError) -> None:
        """An upstream service failed; what was said so far stays."""
        self.error = without_trace(error)
        kind = "rate_limit_error" if error.code == "rate_limit_exceeded" else "server_error"
        self._end("failed", wire.failed(error.code, writable(for_clients(error.message)), type=kind))

    def stop(self, reason: StopReason) -> None:
        """Everything open is closed. Its unsent audio was discarded (`playout.py`)."""
        if reason == "server_draining":  # nobody wanted that: the reply has failed
            self.fail(ProviderUnavailable(DRAINING, code=reason))
        elif reason == "server_restarting":
            self.fail(ProviderUnavailable(RESTARTING, code=reason))
        else:
            self._end("cancelled", wire.cancelled(reason))

    def lost(self) -> None:
        """It ended at another server, before its client knew of it: nobody is told."""
        error = ProviderUnavailable(RESTARTING, code="server_restarting")
        self.status, self.details = "failed", wire.failed(error.code, error.message, type="server_error")
        self.sound.complete = True

    def _end(self, status: wire.ResponseStatus, details: wire.StatusDetails | None) -> None:
        if not self.open:
            return
        if self._closing:  # it broke right there: what is left to say is that it failed, and no numbers
            self.usage = None
        else:
            self._closing = True
            self._close_message("completed" if status == "completed" else "incomplete")
        self._put(events.ResponseDone(response=self._object(status, details)))
        self.status, self.details = status, details  # once it is told: until then it can still fail
        self.sound.complete = True

    def _object(
        self, status: wire.ResponseStatus = "in_progress", details: wire.StatusDetails | None = None
    ) -> wire.ResponseObject:
        options, done = self.options, status != "in_progress"
        usage = self.usage if done else None
        audio = wire.ResponseAudio(
            output=wire.ResponseAudioOutput(
                format=options.output_format.to_wire(), voice=voice_id(options.voice)
            )
        )
        return wire.ResponseObject(
            id=self.response_id,
            status=status,
            status_details=details,
            output=tuple(self.items.output) if done else (),
            conversation_id=None if options.out_of_band else self._context.conversation_id,
            output_modalities=(options.output_modality,),
            max_output_tokens=options.wire_max_output_tokens,
            audio=audio if options.spoken else msgspec.UNSET,
            metadata=options.metadata,
            usage=wire.text_usage(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
            if usage
            else None,
        )

    # -- the message ---------------------------------------------------------------------------------------------

    def open_message(self) -> None:
        """Announce the message item: there is something to say. Asking again does nothing."""
        if not self.open or self.message_id is not None:
            return
        self.message_id = self._context.new_id("item")
        item = wire.MessageItem(id=self.message_id, role="assistant", status="in_progress")
        self._message_index = self.items.begin(item)
        if self.options.spoken and not self.options.out_of_band:
            self.sound.item_id = item.id
            self._context.conversation.speaks(item.id, self.sound.part)
        part = wire.AudioPart() if self.options.spoken else wire.TextPart()
        self._put(events.ResponseContentPartAdded(**self._address(), part=part))

    def restored(self, message_id: str, previous_id: str | None, part: SpokenPart | None, text: str) -> None:
        """Another server has announced the reply and this message. `part` None: it is written, so far as `text`."""
        self.message_id = message_id
        item = wire.MessageItem(id=message_id, role="assistant", status="in_progress")
        self._message_index = self.items.restored(item, previous_id)
        if part is None:
            self._text = [text]
        else:
            self.sound.item_id, self.sound.part = message_id, part
            self._context.conversation.speaks(message_id, part)

    def text(self, delta: str) -> None:
        """Text of a written reply."""
        if not self.open or not (delta := self._shown(delta)):
            return
        self.open_message()
        self._reached_client()
        self._text.append(delta)
        self._put(events.ResponseOutputTextDelta(**self._address(), delta=delta))

    def _shown(self, text: str) -> str:
        """This text and the blanks before it; "" as long as there is nothing to see: no message is opened for that."""
        text, self._blanks = self._blanks + text, ""
        if self.message_id is None and is_blank(text):
            text, self._blanks = "", text
        return text

    def begin_chunk(self, chunk: Chunk) -> None:
        """The first sound of a chunk is here: its words appear."""
        if not self.open:
            return
        self.sound.part.begin_chunk(chunk.index, chunk.text, chunk.spoken, chunk.offsets)
        if text := self._shown(chunk.text):
            self.open_message()
            self._put(events.ResponseOutputAudioTranscriptDelta(**self._address(), delta=text))

    async def audio(self, index: int, pcm: bytes) -> None:
        """Sound of chunk `index`, 16-bit PCM at the format's rate, sent on at once; waits only for a slow reader. What
        a voice makes of blanks is dropped: there is no message."""
        if not self.open or self.message_id is None:
            return
        limit = int(MAX_DELTA_MS * self._format.rate / 1000) * 2
        for start in range(0, len(pcm), limit):
            part = pcm[start : start + limit]
            ms = len(part) / 2 * 1000 / self._format.rate
            sent = partial(self._sent, part, self.sound.part.audio_ms)
            self.sound.part.add_audio(index, ms)
            payload = part if self._format.type == "audio/pcm" else self._format.encode(pcm_to_samples(part))
            event = events.ResponseOutputAudioDelta(**self._address(), delta=payload)
            await self._context.outbox.put_audio(Outgoing(event, self.response_id, ms, sent))

    def _sent(self, pcm: bytes, from_ms: float, ms: float) -> None:
        """The socket took some audio, which is in the reply's own audio from `from_ms` on."""
        now_s = asyncio.get_running_loop().time()
        self.sound.playback.sent(ms, now_s)
        whole = pcm[: len(pcm) // 2 * 2]
        self._context.sent.sent(pcm_to_samples(whole), self._format.rate, now_s, self.sound.part, from_ms)
        self.sound.marks.reach("first_audio_sent", now_s)
        self._reached_client()

    def _reached_client(self) -> None:
        """The first of the reply, and nothing after it, is news for the rules."""
        if not self._reached:
            self._reached = True
            self._context.turns.put(turns.ReplyHeard(self.response_id))

    def words(self, index: int, words: Sequence[WordTime]) -> None:
        """Word times of chunk `index`, as far as known."""
        if not self.open:
            return
        self.sound.part.set_words(index, words)
        self._tell_words()

    def end_chunk(self, index: int) -> None:
        """All sound of the chunk has come."""
        if not self.open:
            return
        self.sound.part.finish_chunk(index)
        self._tell_words()

    def _tell_words(self, *, final: bool = False) -> None:
        if self.message_id is None or not self._context.config.has("words"):
            return
        new = self.sound.part.new_words(final=final)
        for aligned, group in itertools.groupby(new, key=lambda word: word.aligned):
            words = tuple(
                wire.Word(text=word.text, start_ms=word.start_ms, end_ms=word.end_ms) for word in group
            )
            source: Literal["aligned", "estimated"] = "aligned" if aligned else "estimated"
            self._put(events.ResponseOutputAudioWordsDelta(**self._address(), source=source, words=words))

    def _address(self) -> dict[str, Any]:
        assert self.message_id is not None, "nothing is told of a message that was not announced"
        return {
            "response_id": self.response_id,
            "item_id": self.message_id,
            "output_index": self._message_index,
        }

    def _close_message(self, status: wire.ItemStatus) -> None:
        if self.message_id is None:
            return
        address, transcript = self._address(), self.transcript
        part: wire.ResponsePart
        content: wire.ItemPart
        if self.options.spoken:
            if status == "completed":
                self._tell_words(final=True)
            self.sound.part.close()
            self._put(events.ResponseOutputAudioDone(**address))
            self._put(events.ResponseOutputAudioTranscriptDone(**address, transcript=transcript))
            part, content = wire.AudioPart(transcript), wire.OutputAudio(transcript)
        else:
            self._put(events.ResponseOutputTextDone(**address, text=transcript))
            part, content = wire.TextPart(transcript), wire.OutputText(transcript)
        self._put(events.ResponseContentPartDone(**address, part=part))
        item = wire.MessageItem(id=self.message_id, role="assistant", status=status, content=(content,))
        self.items.complete(item, self._message_index)

    # -- calls ---------------------------------------------------------------------------------------------------

    def call(self, call: ToolCall) -> None:
        """A complete function call for the client. Raises ProviderRejected for arguments that are not JSON."""
        if self.open:
            self.items.call(call)

    def _put(self, event: events.ServerEvent) -> None:
        self._context.outbox.put(event, self.response_id)
