"""Replies that another server has begun: here they are ended for the client, and what was not heard is said anew.

That is what is done after an interruption that was none (`interrupted.py`). History keeps what was heard. It knows
neither where the replies were kept nor why their server was lost (docs/scale.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec

from realtime.context import Context
from realtime.core.conversation import ROOT, FunctionCallOutput, Message
from realtime.core.messages import ChatFinish, ChatRequest
from realtime.core.snapshot import EndedSnapshot, ReplySnapshot, SpokenSnapshot, StoppedSnapshot
from realtime.core.spoken import SpokenPart
from realtime.core.turn_marks import Marks
from realtime.errors import ProviderUnavailable
from realtime.protocol import server_events as events
from realtime.protocol.objects import FailureObject, ResponseObject, StatusDetails
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.interrupted import InterruptedReply
from realtime.replying.playout import Playout
from realtime.replying.reply_sound import ReplySound
from realtime.replying.response import Response
from realtime.replying.response_events import ResponseEvents, StopReason
from realtime.replying.responses import Responses
from realtime.translate import to_wire_item

ASK_AGAIN = "The server was lost: ask once more."


@dataclass(frozen=True, slots=True)
class LostReply:
    """`heard_ms`: what counts as heard of it. `played_ms`: what of that has been played; the rest is in the player.

    `silence`: the player still has sound of it that will come again. `known`: the client has had its
    `response.created`; `ended`: and its `response.done`. `unmade`: items of calls that it was not told of: nobody
    has carried them out. `end`: it had one, which the client may not know.
    """

    snapshot: ReplySnapshot
    heard_ms: float = 0.0
    played_ms: float = 0.0
    silence: bool = False
    known: bool = True
    ended: bool = False
    unmade: tuple[str, ...] = ()
    end: EndedSnapshot | None = None

    @property
    def plays_on(self) -> bool:
        return not self.silence and self.heard_ms > self.played_ms


@dataclass(frozen=True, slots=True)
class Restoring:
    """What there is to go on with: the parts of the session, and the question that the latest reply answers."""

    context: Context
    responses: Responses
    playout: Playout
    marks: Marks


def goes_on(snapshot: ReplySnapshot) -> bool:
    """Whether what was not heard of it is said."""
    return not snapshot.unwanted and not _awaits_client(snapshot)


def from_whole_word(lost: LostReply) -> LostReply:
    """It goes on with the first word that lacks its end, from the beginning of that: who hears half a word, and no more
    of it, has not heard it."""
    heard_ms = _part(lost.snapshot.spoken).last_whole_ms(lost.heard_ms)
    return replace(lost, heard_ms=heard_ms, played_ms=min(lost.played_ms, heard_ms))


def take_out(context: Context, snapshot: ReplySnapshot) -> str:
    """Take its message out of history, with what a store has of it; returns the id of the one before it, or ROOT."""
    ids = [ROOT, *(item.id for item in context.conversation.items)]
    if snapshot.item_id in ids:
        context.conversation.remove(snapshot.item_id)
        return ids[ids.index(snapshot.item_id) - 1]
    calls = {call.item_id for call in snapshot.calls}  # what is said comes before them
    place = next((place for place, item_id in enumerate(ids) if item_id in calls), len(ids))
    return ids[place - 1]


def restore_earlier(lost: LostReply, into: Restoring) -> ReplySound:
    """A reply before the latest one, of which some may still sound."""
    snapshot, context = lost.snapshot, into.context
    sound = ReplySound(snapshot.response_id, into.marks)
    sound.part, sound.complete = _part(snapshot.spoken), True
    if snapshot.item_id is None:
        return sound
    if lost.known and snapshot.unwanted:  # as the client left it
        sound.part = SpokenPart()
        return sound
    previous = take_out(context, snapshot)
    if lost.known:
        sound.item_id = snapshot.item_id
        context.conversation.add(
            Message(sound.item_id, "assistant", (), "in_progress"), previous, restored=True
        )
        context.conversation.speaks(sound.item_id, sound.part)
        context.conversation.update_speech(sound.item_id, "completed")
        if sound.part.heard(lost.heard_ms) != sound.part.text.rstrip():
            context.conversation.cut(sound.item_id, lost.heard_ms, lost.heard_ms)
            _tell_cut(lost, context)
        _plays_on(_arrived(sound, lost), lost, into)
    return sound


def end_latest(
    lost: LostReply,
    earlier: list[ReplySound],
    into: Restoring,
    previous_id: str,
    asked: ChatRequest,
    options: ResponseOptions,
) -> InterruptedReply:
    """End it for the client. Its item was taken out from after `previous_id`; `asked` is the question without it."""

    snapshot, context = lost.snapshot, into.context
    response = _remade(snapshot, into, asked, options)
    if lost.known and not snapshot.unwanted and snapshot.item_id is not None:
        _put_back(context, response, snapshot, snapshot.item_id, previous_id)
    _restore_calls(response, snapshot, context)
    sound = response.events.sound
    interrupted = InterruptedReply(response, [*earlier, sound])
    if not lost.known:
        response.events.lost()
        return interrupted
    if snapshot.unwanted:
        _end(response, lost, "client_cancelled")
        return interrupted
    if sound.item_id is not None:
        context.conversation.cut(sound.item_id, lost.heard_ms, lost.heard_ms)
    whole = snapshot.complete and not into.responses.has_rest(interrupted)
    if whole and sound.item_id is not None:
        context.conversation.speaks(sound.item_id, sound.part)  # nothing of it is cut off
    _end(response, lost, None if whole or not goes_on(snapshot) else "server_restarting")
    if sound.item_id is not None:
        if not whole:
            _tell_cut(lost, context)
        elif lost.ended:
            context.conversation.update_speech(sound.item_id, "completed")
        _plays_on(_arrived(sound, lost) if goes_on(snapshot) and not whole else sound, lost, into)
    return interrupted


def restore_stopped(
    stopped: StoppedSnapshot,
    parts: Mapping[str, SpokenPart],
    into: Restoring,
    asked: ChatRequest,
    options: ResponseOptions,
) -> None:
    """Speech has stopped it at the other server: it goes on if that was none. `parts`: what was said in each item."""

    snapshot = stopped.reply
    response = _remade(snapshot, into, asked, options)
    _restore_calls(response, snapshot, into.context)
    told, sounds = response.events, list[ReplySound]()
    told.status, told.message_id = "completed" if stopped.finished else "cancelled", snapshot.item_id
    told.sound.part, told.sound.complete = _part(snapshot.spoken), True
    told.sound.item_id = None if snapshot.spoken is None else snapshot.item_id
    for item_id in stopped.sounds:
        if item_id in parts:
            sound = ReplySound("", into.marks)
            sound.part, sound.item_id, sound.complete = parts[item_id], item_id, True
            sounds.append(sound)
    into.responses.interrupted = InterruptedReply(response, [*sounds, told.sound])


def _arrived(sound: ReplySound, lost: LostReply) -> ReplySound:
    """What the player has of it: another reply says the rest, which is no part of this sound any more."""
    arrived = ReplySound(sound.response_id, sound.marks)
    arrived.part, arrived.item_id, arrived.complete = sound.part.until(lost.heard_ms), sound.item_id, True
    return arrived


def _plays_on(sound: ReplySound, lost: LostReply, into: Restoring) -> None:
    """The player has some of it, and plays that. Else what counts of it has been played."""
    if lost.plays_on:
        into.playout.restored(sound, lost.heard_ms, lost.played_ms)
    else:
        sound.playback.sent_ms, sound.playback.drained = lost.heard_ms, True


def _awaits_client(snapshot: ReplySnapshot) -> bool:
    """Whether the client has been told of a call: it asks for what follows."""
    return any(not call.ours for call in snapshot.calls)


def _end(response: Response, lost: LostReply, reason: StopReason | None) -> None:
    """Tell the client its end, unless it knows it. No reason: nothing of it is missing."""
    events = response.events
    if lost.ended:
        events.status, events.sound.complete = "completed", True
    elif reason is None:
        _end_as(None if lost.end is None else _as_it_was(lost.end), events)
    else:
        events.stop(reason)


def _end_as(it_was: ResponseObject | None, events: ResponseEvents) -> None:
    """Nothing of it is missing: it ends as it did at the other server."""
    match None if it_was is None else it_was.status_details:
        case StatusDetails(type="incomplete", reason="max_output_tokens" | "content_filter" as reason):
            events.finish("incomplete", reason)
        case StatusDetails(type="failed", error=FailureObject(code=code, message=message)):
            events.fail(ProviderUnavailable(message, code=code))
        case _:
            events.finish("completed")


def _remade(
    snapshot: ReplySnapshot, into: Restoring, asked: ChatRequest, options: ResponseOptions
) -> Response:
    """The reply, with what the model had said. One that has made calls has said enough: what follows goes on from
    them."""

    async def request() -> ChatRequest:
        return asked

    response = into.responses.prepare(
        options,
        request,
        into.marks,
        response_id=snapshot.response_id,
        tool_round=snapshot.tool_round,
        resumes=snapshot.resumes,
    )
    answer = response.answer
    answer.ask(asked)
    if snapshot.text and not snapshot.unwanted:
        answer.add(snapshot.text)
    if snapshot.complete or snapshot.unwanted or snapshot.calls:
        answer.finish = ChatFinish("stop")
    answer.end()
    return response


def _restore_calls(response: Response, snapshot: ReplySnapshot, context: Context) -> None:
    """A call of ours that has no output may have been carried out: the model is told so, and it is not made again."""
    items, conversation = response.events.items, context.conversation
    outputs = {item.call_id: item for item in conversation.items if isinstance(item, FunctionCallOutput)}
    for call in snapshot.calls:
        if call.item_id not in conversation:
            continue
        items.call_count += 1
        item = to_wire_item(conversation.get(call.item_id))
        if not call.ours:
            items.output.append(item)
            continue
        items.server_items.append(item)
        if call.call_id in outputs:
            items.server_items.append(to_wire_item(outputs[call.call_id]))
    items.end_calls()


def _part(said: SpokenSnapshot | None) -> SpokenPart:
    if said is None:
        return SpokenPart()
    return SpokenPart.restored(said.text, said.seen, said.audio_ms, said.ends, said.from_ms, said.whole_ms)


def _put_back(
    context: Context, response: Response, snapshot: ReplySnapshot, item_id: str, previous_id: str
) -> None:
    """The message is in history again, as one that is being said."""
    context.conversation.add(Message(item_id, "assistant", (), "in_progress"), previous_id, restored=True)
    part = None if snapshot.spoken is None else _part(snapshot.spoken)
    previous = None if previous_id == ROOT else previous_id
    response.events.restored(item_id, previous, part, snapshot.text)


def _tell_cut(lost: LostReply, context: Context) -> None:
    """What of it counts, and that what waits in the player comes again."""
    item_id = lost.snapshot.item_id
    if item_id is None or not context.config.has("playback"):
        return
    put, heard = context.outbox.put, context.conversation.heard_text(item_id)
    if lost.silence:
        put(events.OutputAudioBufferCleared(response_id=lost.snapshot.response_id))
    put(events.ConversationItemTruncated(item_id=item_id, audio_end_ms=int(lost.heard_ms), transcript=heard))


def end_others(
    ended: Sequence[EndedSnapshot], beside: Sequence[str], into: Restoring, options: ResponseOptions
) -> None:
    """Tell the end of replies that have ended, and end those beside the conversation: their clients ask once more."""
    for each in ended:
        there = [item_id for item_id in each.items or () if item_id in into.context.conversation]
        output = [to_wire_item(into.context.conversation.get(item_id)) for item_id in there]
        if (it_was := _as_it_was(each)) is not None:
            told = msgspec.structs.replace(it_was, output=tuple(output))
            into.context.outbox.put(events.ResponseDone(response=told), each.response_id)
            continue
        like = replace(options, output_modality=each.modality, metadata=each.metadata)
        response = _prepared(each.response_id, into, replace(like, out_of_band=each.items is None))
        response.events.items.output += output
        match each.status:
            case _ if each.items is None:
                response.events.fail(ProviderUnavailable(ASK_AGAIN, code="server_restarting"))
            case "cancelled":
                response.events.stop("turn_detected")
            case "failed":
                response.events.stop("server_restarting")
            case _:
                response.events.finish("completed")
    for response_id in beside:
        response = _prepared(response_id, into, replace(options, out_of_band=True))
        response.events.fail(ProviderUnavailable(ASK_AGAIN, code="server_restarting"))


def _as_it_was(ended: EndedSnapshot) -> ResponseObject | None:
    """None: its server did not write it, or this one cannot read it."""
    try:
        return None if ended.response is None else msgspec.convert(ended.response, ResponseObject)
    except msgspec.ValidationError:
        return None


def _prepared(response_id: str, into: Restoring, options: ResponseOptions) -> Response:
    """To tell its end, and nothing else."""

    async def request() -> ChatRequest:
        return ChatRequest(())

    return into.responses.prepare(options, request, into.marks, response_id=response_id)
