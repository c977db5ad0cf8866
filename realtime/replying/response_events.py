"""How one reply appears: the chain of events on the wire, in their order, and the items it leaves in history.

Every method but `audio` is plain and immediate, so that a reply can be ended between two instructions and nothing slips
through (shared/realtime-wire.md 3.4, 3.9). What still arrives after the end is dropped: the tasks of a cancelled reply
live on for a step or two. It produces nothing itself and waits for nobody but the outbox.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from realtime.core.audio import AudioFormat, pcm_to_samples
from realtime.core.chunker import Chunk
from realtime.core.conversation import ROOT, Conversation
from realtime.core.messages import ChatUsage, ToolCall, WordTime
from realtime.core.playback import Playback
from realtime.core.spoken import SpokenPart
from realtime.errors import ProviderError, ProviderRejected
from realtime.outbox import Outbox, Outgoing
from realtime.protocol import objects as wire
from realtime.protocol import server_events as events
from realtime.protocol.response_options import ResponseOptions
from realtime.translate import to_core_item

MAX_DELTA_MS = 200.0  # of audio in one message (wire 1.4)


class ResponseEvents:
    """One reply's voice on the wire. `conversation` is None out of band."""

    def __init__(
        self,
        response_id: str,
        options: ResponseOptions,
        *,
        conversation: Conversation | None,
        conversation_id: str | None,
        outbox: Outbox,
        new_id: Callable[[str], str],
        words_wanted: bool = False,
    ) -> None:
        self.response_id = response_id
        self.options = options
        self.part = SpokenPart()
        self.playback = Playback()
        self.usage: ChatUsage | None = None
        self.reasoning: Any = None
        self.message_id: str | None = None
        self.calls = 0
        self.server_items: list[wire.Item] = []  # calls the server runs itself, and what came of them
        self._before_calls: str | None = None  # the place before the first of them
        self.status: wire.ResponseStatus = "in_progress"
        self.details: wire.StatusDetails | None = None
        self.first_audio_sent: Callable[[], None] | None = None
        self._conversation = conversation
        self._conversation_id = conversation_id
        self._outbox = outbox
        self._new_id = new_id
        self._words_wanted = words_wanted
        self._format = AudioFormat(options.output_format.value, options.output_format.rate)
        self._message_index = 0
        self._previous: dict[str, str | None] = {}
        self._text: list[str] = []
        self._output: list[wire.Item] = []  # finished and open items, by output index
        self._begun_chunks = 0
        self._discarded_ms = 0.0
        self._cut_s: float | None = None  # when the listener was interrupted
        self._cut_untold = False

    def __repr__(self) -> str:
        return f"<ResponseEvents {self.response_id} {self.status}, {self.part.audio_ms:.0f} ms of audio>"

    # -- the reply as a whole ------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Announced, and not done yet."""
        return self.status == "in_progress"

    @property
    def empty(self) -> bool:
        """Nothing to see, hear or run came of it."""
        return self.message_id is None and not self.calls

    @property
    def transcript(self) -> str:
        """The text announced so far."""
        return self.part.text if self.options.spoken else "".join(self._text)

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
        kind = "rate_limit_error" if error.code == "rate_limit_exceeded" else "server_error"
        self._end("failed", wire.failed(error.code, error.message, type=kind))

    def stop(self, reason: Literal["turn_detected", "client_cancelled"]) -> None:
        """Silence: unsent audio is thrown away, everything open is closed."""
        self.silence()
        self._end("cancelled", wire.cancelled(reason))

    def unheard_s(self, now_s: float) -> float:
        """Seconds of this reply that may still sound: on the way to the socket, or sent and not yet played."""
        if self.interrupted or self.playback.drained or self.playback.flushed:
            return 0.0
        waiting_ms = self.part.audio_ms - self.playback.sent_ms - self._discarded_ms
        return self.playback.remaining_s(now_s) + max(0.0, waiting_ms) / 1000

    @property
    def interrupted(self) -> bool:
        """The listener was told, or has said, to play no more of it."""
        return self._cut_s is not None

    @property
    def awaits_flush(self) -> bool:
        """It was cut, and the player has yet to say where."""
        return self._cut_untold

    @property
    def silenced(self) -> bool:
        """Some of its audio was thrown away before it was sent."""
        return self._discarded_ms > 0

    def silence(self) -> None:
        """Throw away the audio that has not been sent."""
        self._discarded_ms += self._outbox.discard(self.response_id)

    def cut(self, now_s: float, *, told: bool) -> None:
        """The listener was interrupted: history keeps what was heard by now. `told`: the client awaits the words."""
        self._cut_s = now_s
        self._cut_untold = told
        self._cut_history(now_s)

    def settle_cut(self) -> None:
        """The player has said where it stopped, or will not any more: tell which words count."""
        if not self._cut_untold or self._cut_s is None or self.message_id is None:
            return
        self._cut_untold = False
        # What a player that tells nothing played after the interruption, nobody wanted to hear.
        heard_ms = self.playback.heard_ms(self._cut_s)
        if self._conversation is not None and self._cut_history(self._cut_s):
            self._put(
                events.ConversationItemTruncated(
                    item_id=self.message_id,
                    audio_end_ms=int(heard_ms),
                    transcript=self._conversation.heard_text(self.message_id),
                )
            )

    def flushed(self, now_s: float) -> None:
        """The player threw its audio away, asked or by itself."""
        if self._cut_s is None and self.playback.heard_ms(now_s) >= self.part.audio_ms:
            return  # there was nothing left to throw away
        self._cut_s = now_s if self._cut_s is None else self._cut_s
        self._cut_untold = True
        self.settle_cut()

    def _cut_history(self, now_s: float) -> bool:
        """Whether history now ends where the listener was interrupted; a `truncate` of the client wins."""
        if self.message_id is None or self._conversation is None:
            return False
        heard_ms = self.playback.heard_ms(now_s)
        return self._conversation.cut(self.message_id, heard_ms, self.playback.sent_ms)

    def _end(self, status: wire.ResponseStatus, details: wire.StatusDetails | None) -> None:
        if not self.open:
            return
        self._close_message("completed" if status == "completed" else "incomplete")
        self.status, self.details = status, details
        self._put(events.ResponseDone(response=self._object()))

    def _object(self) -> wire.ResponseObject:
        options, usage = self.options, self.usage
        audio = wire.ResponseAudio(
            output=wire.ResponseAudioOutput(format=options.output_format.to_wire(), voice=options.voice)
        )
        return wire.ResponseObject(
            id=self.response_id,
            status=self.status,
            status_details=self.details,
            output=tuple(self._output) if not self.open else (),
            conversation_id=self._conversation_id if self._conversation is not None else None,
            output_modalities=(options.output_modality,),
            max_output_tokens=options.wire_max_output_tokens,
            audio=audio if options.spoken else msgspec.UNSET,
            metadata=options.metadata,
            usage=wire.text_usage(usage.input_tokens, usage.output_tokens, usage.cached_tokens)
            if usage
            else None,
        )

    # -- the message ---------------------------------------------------------------------------------------------

    def text(self, delta: str) -> None:
        """Text of a written reply."""
        if not self.open:
            return
        self.open_message()
        self._text.append(delta)
        self._put(events.ResponseOutputTextDelta(**self._address(), delta=delta))

    def begin_chunk(self, chunk: Chunk) -> None:
        """The first sound of a chunk is here: its words appear. Asking again does nothing."""
        if not self.open:
            return
        if chunk.index < self._begun_chunks:
            return
        self._begun_chunks = chunk.index + 1
        self.open_message()
        self.part.begin_chunk(chunk.index, chunk.text, chunk.spoken, chunk.offsets)
        self._put(events.ResponseOutputAudioTranscriptDelta(**self._address(), delta=chunk.text))

    async def audio(self, index: int, pcm: bytes) -> None:
        """Sound of chunk `index`, 16-bit PCM at the format's rate, sent on at once; waits only for a slow reader."""
        if not self.open:
            return
        limit = int(MAX_DELTA_MS * self._format.rate / 1000) * 2
        for start in range(0, len(pcm), limit):
            part_pcm = pcm[start : start + limit]
            ms = len(part_pcm) / 2 * 1000 / self._format.rate
            self.part.add_audio(index, ms)
            payload = (
                part_pcm
                if self._format.type == "audio/pcm"
                else self._format.encode(pcm_to_samples(part_pcm))
            )
            event = events.ResponseOutputAudioDelta(**self._address(), delta=payload)
            await self._outbox.put_audio(Outgoing(event, self.response_id, ms, self._sent))

    def _sent(self, ms: float) -> None:
        """The socket took some audio."""
        first = self.playback.started_s is None
        self.playback.sent(ms, asyncio.get_running_loop().time())
        if first and self.first_audio_sent is not None:
            self.first_audio_sent()

    def words(self, index: int, words: Sequence[WordTime]) -> None:
        """Word times of chunk `index`, as far as known."""
        if not self.open:
            return
        self.part.set_words(index, words)
        self._tell_words()

    def end_chunk(self, index: int) -> None:
        """All sound of the chunk has come."""
        if not self.open:
            return
        self.part.finish_chunk(index)
        self._tell_words()

    def _tell_words(self, *, final: bool = False) -> None:
        if not self._words_wanted:
            return
        for aligned, group in itertools.groupby(
            self.part.new_words(final=final), key=lambda word: word.aligned
        ):
            words = tuple(
                wire.Word(text=word.text, start_ms=word.start_ms, end_ms=word.end_ms) for word in group
            )
            source: Literal["aligned", "estimated"] = "aligned" if aligned else "estimated"
            self._put(events.ResponseOutputAudioWordsDelta(**self._address(), source=source, words=words))

    def _address(self) -> dict[str, Any]:
        return {
            "response_id": self.response_id,
            "item_id": self.message_id,
            "output_index": self._message_index,
        }

    def open_message(self) -> None:
        """Announce the message item: there is something to say. Asking again does nothing."""
        if not self.open:
            return
        if self.message_id is not None:
            return
        self.message_id, self._message_index = self._new_id("item"), len(self._output)
        item = wire.MessageItem(id=self.message_id, role="assistant", status="in_progress")
        self._output.append(item)
        self._announce(item, self._message_index)
        if self._conversation is not None and self.options.spoken:
            self._conversation.speaks(item.id, self.part)
        part = wire.AudioPart() if self.options.spoken else wire.TextPart()
        self._put(events.ResponseContentPartAdded(**self._address(), part=part))

    def _close_message(self, status: wire.ItemStatus) -> None:
        if self.message_id is None:
            return
        address, transcript = self._address(), self.transcript
        part: wire.ResponsePart
        content: wire.ItemPart
        if self.options.spoken:
            if status == "completed":
                self._tell_words(final=True)
            self.part.close()
            self._put(events.ResponseOutputAudioDone(**address))
            self._put(events.ResponseOutputAudioTranscriptDone(**address, transcript=transcript))
            part, content = wire.AudioPart(transcript), wire.OutputAudio(transcript)
        else:
            self._put(events.ResponseOutputTextDone(**address, text=transcript))
            part, content = wire.TextPart(transcript), wire.OutputText(transcript)
        self._put(events.ResponseContentPartDone(**address, part=part))
        item = wire.MessageItem(id=self.message_id, role="assistant", status=status, content=(content,))
        self._complete(item, self._message_index)

    # -- calls ---------------------------------------------------------------------------------------------------

    def _call_item(self, call: ToolCall) -> wire.FunctionCallItem:
        """The item of a call, still open. Raises ProviderRejected for arguments that are not JSON."""
        try:
            msgspec.json.decode(call.arguments)
        except msgspec.DecodeError as error:
            raise ProviderRejected(
                f"The model called {call.name!r} with arguments that are not JSON."
            ) from error
        self.calls += 1
        return wire.FunctionCallItem(
            id=self._new_id("item"),
            status="in_progress",
            name=call.name,
            call_id=call.call_id or self._new_id("call"),
        )

    def call(self, call: ToolCall) -> None:
        """A complete function call: announced, spelled out and done at once, so that nobody runs half of one."""
        if not self.open:
            return
        item = self._call_item(call)
        index = len(self._output)
        self._output.append(item)
        self._announce(item, index)
        address: dict[str, Any] = {
            "response_id": self.response_id,
            "item_id": item.id,
            "output_index": index,
            "call_id": item.call_id,
        }
        self._put(events.ResponseFunctionCallArgumentsDelta(**address, delta=call.arguments))
        self._put(
            events.ResponseFunctionCallArgumentsDone(**address, name=call.name, arguments=call.arguments)
        )
        self._complete(msgspec.structs.replace(item, status="completed", arguments=call.arguments), index)

    def server_call(self, call: ToolCall) -> ToolCall:
        """A call that the server runs itself. It is an item of the conversation, and none of the response: stock
        clients run every call they see in a response.
        """
        item = self._call_item(call)
        first = not self.server_items
        self._add_server_item(item)
        if first:
            self._before_calls = self._previous.get(item.id) or ROOT
        done = msgspec.structs.replace(item, status="completed", arguments=call.arguments)
        self.server_items[-1] = done
        self._remember_server_item(done)
        return ToolCall(item.call_id, call.name, call.arguments)

    def server_output(self, call_id: str, output: str) -> None:
        """What a tool of the server gave. A call that was deleted meanwhile gets no output."""
        item = wire.FunctionCallOutputItem(id=self._new_id("item"), call_id=call_id, output=output)
        if self._conversation is None or not self._conversation.knows_call(call_id):
            return
        self._add_server_item(item)
        self._remember_server_item(item)

    def _add_server_item(self, item: wire.Item) -> None:
        assert self._conversation is not None, "tools of the server are not offered out of band"
        self.server_items.append(item)
        self._add_to_conversation(item)

    def _remember_server_item(self, item: wire.Item) -> None:
        self._remember(item)
        self._put(events.ConversationItemDone(previous_item_id=self._previous[item.id], item=item))

    # -- items on the wire and in history ------------------------------------------------------------------------

    def _announce(self, item: wire.Item, index: int) -> None:
        self._put(events.ResponseOutputItemAdded(response_id=self.response_id, output_index=index, item=item))
        if self._conversation is not None:
            self._add_to_conversation(item)

    def _add_to_conversation(self, item: wire.Item) -> None:
        assert self._conversation is not None
        after = self._before_calls if isinstance(item, wire.MessageItem) else None
        if after is not None and after not in self._conversation:
            after = ROOT if after == ROOT else None
        previous = self._conversation.add(to_core_item(item), after, by_reply=True)
        self._previous[item.id] = previous
        self._put(events.ConversationItemAdded(previous_item_id=previous, item=item))

    def _complete(self, item: wire.Item, index: int) -> None:
        self._output[index] = item
        self._put(events.ResponseOutputItemDone(response_id=self.response_id, output_index=index, item=item))
        if self._conversation is not None:
            self._remember(item)
            self._put(events.ConversationItemDone(previous_item_id=self._previous[item.id], item=item))

    def _remember(self, item: wire.Item) -> None:
        """Put the finished item into history; speech only as far as it was heard."""
        assert self._conversation is not None
        if isinstance(item, wire.MessageItem) and self.options.spoken:
            self._conversation.update_speech(item.id, item.status)
            return
        self._conversation.complete(to_core_item(item))
        if isinstance(item, wire.FunctionCallItem) and self.reasoning is not None:
            self._conversation.reasoning[item.id] = self.reasoning

    def _put(self, event: events.ServerEvent) -> None:
        self._outbox.put(event, self.response_id)
