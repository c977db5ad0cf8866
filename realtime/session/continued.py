"""A session that another server has begun, and that goes on here: what the client must hear first.

Items that it was not told of are told again, speech without an answer is taken back, because the client sends it again,
and a reply that was not over goes on (`replying/restored.py`). Knows no socket, and not where all this was kept.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from realtime.context import Context
from realtime.core.conversation import Item
from realtime.core.messages import ChatRequest
from realtime.errors import event_broken
from realtime.metrics import Marks
from realtime.outbox import OutboxFull
from realtime.protocol import server_events as events
from realtime.protocol.echo import echoed
from realtime.protocol.response_options import ResponseOptions
from realtime.replying.playout import Playout
from realtime.replying.responses import Responses
from realtime.replying.restored import LostReply, end_lost, take_out
from realtime.translate import to_wire_item

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Continued:
    """`input_ms`: the position of the sound that the client sends next. `untold`: items that it may not know of.

    `lost`: the reply that was not over; None too if the client does not know of it: `ask_again` then.
    """

    session_id: str
    expires_unix_s: int
    input_ms: float = 0.0
    untold: frozenset[str] = frozenset()
    unanswered: str | None = None
    lost: LostReply | None = None
    ask_again: bool = False
    unseen_item: str | None = None  # of a reply that the client does not know of


async def tell_items(context: Context, items: Iterable[Item], only: frozenset[str] | None = None) -> None:
    """These items (or those of them that are in `only`), as if they were added now."""
    previous = None
    for item in map(echoed, map(to_wire_item, items)):
        if only is None or item.id in only:
            await context.outbox.room()
            context.outbox.put(events.ConversationItemAdded(previous_item_id=previous, item=item))
            context.outbox.put(events.ConversationItemDone(previous_item_id=previous, item=item))
        previous = item.id


async def go_on(
    continued: Continued,
    context: Context,
    responses: Responses,
    playout: Playout,
    *,
    request: Callable[[ResponseOptions], Awaitable[ChatRequest]],
    reply: Callable[[], None],
    options: ResponseOptions,
    marks: Marks,
) -> None:
    """Bring the client and this session together. `reply` answers anew.

    What another server had begun and cannot go on does not end the session.
    """
    try:
        if continued.unanswered is not None and continued.unanswered in context.conversation:
            context.conversation.remove(continued.unanswered)
            context.outbox.put(events.ConversationItemDeleted(item_id=continued.unanswered))
        if continued.unseen_item is not None:
            take_out(context, continued.unseen_item)
        lost = continued.lost
        told = frozenset() if lost is None else frozenset({lost.snapshot.item_id or ""})
        await tell_items(context, context.conversation.items, continued.untold - told)
        if continued.ask_again:
            reply()
        if lost is None:
            return
        previous = None if lost.snapshot.item_id is None else take_out(context, lost.snapshot.item_id)
        asked = await request(options)  # the question, without the answer
        interrupted = end_lost(lost, context, responses, playout, previous, asked, options, marks)
        if not responses.say_rest(interrupted, marks) and interrupted.unanswered:
            reply()
    except OutboxFull:
        raise
    except Exception as error:  # the session goes on without what was being said
        log.error("%s: what another server had begun does not go on", context.session_id, exc_info=error)
        context.outbox.put(events.ErrorEvent.of(event_broken()))
