"""A reply that another server has begun: here it is ended for the client, and what was not heard of it is said anew.

That is what is done after an interruption that was none (`interrupted.py`). History keeps what was heard. It knows
neither where the reply was kept nor why its server was lost (docs/scale.md).
"""

from __future__ import annotations

from dataclasses import dataclass

from realtime.context import Context
from realtime.core.conversation import Message
from realtime.core.messages import ChatFinish, ChatRequest
from realtime.core.snapshot import ReplySnapshot
from realtime.core.spoken import SpokenPart
from realtime.metrics import Marks
from realtime.protocol import server_events as events
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.interrupted import InterruptedReply
from realtime.replying.playout import Playout
from realtime.replying.response import Response
from realtime.replying.responses import Responses


@dataclass(frozen=True, slots=True)
class LostReply:
    """`heard_ms`: what counts as heard of it. `played_ms`: what of that has been played; the rest is in the player.

    `silence`: the player still has sound of it that will come again. `ended`: the client has had its `response.done`.
    """

    snapshot: ReplySnapshot
    heard_ms: float = 0.0
    played_ms: float = 0.0
    silence: bool = False
    ended: bool = False


def take_out(context: Context, item_id: str) -> str | None:
    """Take the item out of history, with what a store has of it; returns the id of the one before it."""
    ids = [item.id for item in context.conversation.items]
    if item_id not in ids:
        return ids[-1] if ids else None
    context.conversation.remove(item_id)
    place = ids.index(item_id)
    return ids[place - 1] if place else None


def end_lost(
    lost: LostReply,
    context: Context,
    responses: Responses,
    playout: Playout,
    previous_id: str | None,
    asked: ChatRequest,
    options: ResponseOptions,
    marks: Marks,
) -> InterruptedReply:
    """End it for the client. Its item was taken out from after `previous_id`; `asked` is the question without it."""

    async def request() -> ChatRequest:
        return asked

    snapshot = lost.snapshot
    response = responses.prepare(options, request, marks, response_id=snapshot.response_id)
    _fill(response, snapshot, asked)
    sound = response.events.sound
    if snapshot.item_id is not None:
        _put_back(context, response, snapshot, snapshot.item_id, previous_id)
        if sound.item_id is not None:
            context.conversation.cut(sound.item_id, lost.heard_ms, lost.heard_ms)
    if lost.ended:
        response.events.status, sound.complete = "completed", True
    response.events.stop("server_restarting")
    if sound.item_id is None:
        return InterruptedReply(response, [])
    _tell(lost, sound.item_id, context)
    if not lost.silence and lost.heard_ms > lost.played_ms:
        playout.restored(sound, lost.heard_ms, lost.played_ms)
    return InterruptedReply(response, [sound])


def _fill(response: Response, snapshot: ReplySnapshot, asked: ChatRequest) -> None:
    answer = response.answer
    answer.ask(asked)
    if snapshot.text:
        answer.add(snapshot.text)
    if snapshot.complete:
        answer.finish = ChatFinish("stop")
    answer.end()


def _put_back(
    context: Context, response: Response, snapshot: ReplySnapshot, item_id: str, previous_id: str | None
) -> None:
    """The message is in history again, as one that is being said."""
    context.conversation.add(Message(item_id, "assistant", (), "in_progress"), previous_id, restored=True)
    said, part = snapshot.spoken, None
    if said is not None:
        part = SpokenPart.restored(said.text, said.seen, said.audio_ms, said.ends, said.from_ms)
    response.events.restored(item_id, previous_id, part, snapshot.text)


def _tell(lost: LostReply, item_id: str, context: Context) -> None:
    """What of it counts, and that what waits in the player comes again."""
    if not context.config.has("playback"):
        return
    put, heard = context.outbox.put, context.conversation.heard_text(item_id)
    if lost.silence:
        put(events.OutputAudioBufferCleared(response_id=lost.snapshot.response_id))
    put(events.ConversationItemTruncated(item_id=item_id, audio_end_ms=int(lost.heard_ms), transcript=heard))
