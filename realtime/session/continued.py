"""A session that another server has begun, and that goes on here: what the client must hear first.

Items that it was not told of are told again, and what has happened to others; open speech is over for it, because it
sends that again; and a reply that was not over goes on (`replying/restored.py`). Speech that had ended keeps its item.
Knows no socket, and not where all this was kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from realtime.context import Context
from realtime.core.conversation import ROOT, Item
from realtime.core.messages import ChatRequest
from realtime.core.snapshot import ChangeSnapshot, EndedSnapshot, IdleSnapshot, StoppedSnapshot, TurnSnapshot
from realtime.errors import ProtocolError, ProviderError, event_broken
from realtime.listening.user_items import Unheard
from realtime.outbox import OutboxFull
from realtime.protocol import server_events as events
from realtime.protocol.echo import echoed
from realtime.protocol.response_options import ResponseOptions, ResponseParams, read_response_params
from realtime.replying.chat_request import is_unread
from realtime.replying.reply_sound import ReplySound
from realtime.replying.responses import Question
from realtime.replying.restored import (
    LostReply,
    Restoring,
    end_latest,
    end_others,
    from_whole_word,
    goes_on,
    restore_earlier,
    restore_stopped,
    take_out,
)
from realtime.replying.said_before import Said, restore_said
from realtime.session.changes_told import tell_changes
from realtime.session.question import asked_before
from realtime.translate import to_wire_item

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Continued:
    """`unheard`: sound that the client sends again, of `received_ms` in all. `retaken`: items whose sound is heard
    again as if it had none. `speaking`: the client believes that the user speaks. `turn`: what the user is owed,
    and `stopped` a reply that goes on if there are no words in what stopped it.
    `untold`: items that the client may not know of.

    `lost`: replies that were not over, oldest first. `ended`: replies that had ended, and the client does not know it.
    `beside`: those beside the conversation that it waits for. `said`: replies that were over, and their words.
    `changes`: what has happened to items, and it does not know. `idle`: how the idle timeout stood.
    """

    session_id: str
    expires_unix_s: int
    unheard: Unheard = field(default_factory=lambda: Unheard(0.0, 0.0))
    received_ms: float = 0.0
    retaken: tuple[str, ...] = ()
    speaking: bool = False
    turn: TurnSnapshot = field(default_factory=TurnSnapshot)
    stopped: StoppedSnapshot | None = None
    untold: frozenset[str] = frozenset()
    lost: tuple[LostReply, ...] = ()
    ended: tuple[EndedSnapshot, ...] = ()
    beside: tuple[str, ...] = ()
    said: tuple[Said, ...] = ()
    changes: tuple[ChangeSnapshot, ...] = ()
    idle: IdleSnapshot = field(default_factory=IdleSnapshot)
    idle_left_s: float | None = None


async def tell_items(context: Context, items: Iterable[Item], only: frozenset[str] | None = None) -> None:
    """These items (or those of them that are in `only`), as if they were added now."""
    previous = None
    for item in map(echoed, map(to_wire_item, items)):
        if only is None or item.id in only:
            await context.outbox.room()
            context.outbox.put(events.ConversationItemAdded(previous_item_id=previous, item=item))
            context.outbox.put(events.ConversationItemDone(previous_item_id=previous, item=item))
        previous = item.id


@dataclass(frozen=True, slots=True)
class GoingOn:
    """What is asked of the session that goes on. `options`: of a response, with what its client had asked for.
    `cannot_hear`: the speech of this item does not come again."""

    request: Question
    reply: Callable[[ResponseOptions], None]
    options: Callable[[ResponseParams | None], ResponseOptions]
    cannot_hear: Callable[[str], None]


async def go_on(continued: Continued, into: Restoring, session: GoingOn) -> None:
    """Bring the client and this session together.

    What another server had begun and cannot go on does not end the session.
    """
    context = into.context
    _unduck(continued, context)
    try:
        _take_back(continued, context)
        restore_said(continued.said, into)
        rest = bool(continued.lost) and goes_on(continued.lost[-1].snapshot)
        *before, latest = map(from_whole_word, continued.lost) if rest else continued.lost or (None,)
        earlier = [restore_earlier(lost, into) for lost in before if lost is not None]
        told = {lost.snapshot.item_id for lost in continued.lost}
        await tell_items(context, context.conversation.items, continued.untold - told)
        wanted = {lost.snapshot.item_id for lost in continued.lost if not lost.snapshot.unwanted}
        tell_changes(continued.changes, context, wanted)
        for item_id in continued.unheard.sent:
            if item_id in context.conversation and is_unread(context.conversation.get(item_id)):
                session.cannot_hear(item_id)
        if continued.speaking:
            context.outbox.put(events.InputAudioBufferCleared())
        going = {lost.snapshot.response_id for lost in continued.lost[-1:]}
        ended = [each for each in continued.ended if each.response_id not in going]
        end_others(ended, continued.beside, into, session.options(None))
        if latest is not None:
            _go_on_with(latest, earlier, into, session)
        elif continued.stopped is not None:
            _keep_stopped(continued.stopped, continued.said, into, session)
    except OutboxFull:
        raise
    except Exception as error:  # the session goes on without what was being said
        log.error("%s: what another server had begun does not go on", context.session_id, exc_info=error)
        context.outbox.put(events.ErrorEvent.of(event_broken()))


def _unduck(continued: Continued, context: Context) -> None:
    """The other server may have told the player to play more quietly, and nobody knows here: take that back."""
    sounding = [lost.snapshot.response_id for lost in continued.lost if lost.known]
    if sounding and context.config.has("playback"):
        context.outbox.put(events.OutputAudioBufferGainChanged(response_id=sounding[-1], gain_db=0))


def _take_back(continued: Continued, context: Context) -> None:
    """What comes again, or never came."""
    for item_id in continued.retaken:
        if item_id in context.conversation:
            context.remove_item(item_id)
    for lost in continued.lost:
        for item_id in lost.unmade:
            if item_id in context.conversation:
                context.conversation.remove(item_id)
        if not lost.known:
            take_out(context, lost.snapshot)


def _go_on_with(latest: LostReply, earlier: list[ReplySound], into: Restoring, session: GoingOn) -> None:
    """Its end and the begin of what follows are one step: nothing that the client asks comes between."""
    snapshot = latest.snapshot
    options = session.options(_params(snapshot.options))
    previous = ROOT if snapshot.unwanted else take_out(into.context, snapshot)
    try:
        asked = asked_before(into.context, options)  # the question, without the answer
    except ProviderError:  # it cannot be asked; a reply that has to ask it says so
        asked = ChatRequest(())
    interrupted = end_latest(latest, earlier, into, previous, asked, options)
    if not goes_on(snapshot):
        into.responses.sounds_on(interrupted.response)
    elif not into.responses.say_rest(interrupted, session.request, into.marks):
        if interrupted.unanswered or not latest.known:
            session.reply(options)
        else:
            into.responses.sounds_on(interrupted.response)


def _keep_stopped(stopped: StoppedSnapshot, said: Sequence[Said], into: Restoring, session: GoingOn) -> None:
    options = session.options(_params(stopped.reply.options))
    try:
        asked = asked_before(into.context, options, stopped.reply.item_id)
    except ProviderError:
        asked = ChatRequest(())
    parts = {each.snapshot.item_id: each.part for each in said}
    restore_stopped(stopped, parts, into, asked, options)


def _params(written: dict[str, Any] | None) -> ResponseParams | None:
    """What the client had asked for; None if it wanted nothing special, or this server cannot read it."""
    try:
        return None if written is None else read_response_params(written, "response")
    except ProtocolError:
        return None
