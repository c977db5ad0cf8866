"""What the parts of one conversation have in common: its configuration, its memory, its way out, its tasks.

A part is made with the context and keeps what is its own. The context decides nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from realtime.core.context_budgets import ContextBudgets
from realtime.core.conversation import (
    FULL,
    FULL_MESSAGE,
    MAX_ITEMS,
    Conversation,
    ConversationError,
    Item,
    Message,
    held_bytes,
)
from realtime.core.sent_sound import SentSound
from realtime.errors import ProtocolError, ProviderError
from realtime.logs import story
from realtime.metrics import Metrics
from realtime.minimax.codes import is_dry
from realtime.outbox import Outbox
from realtime.protocol.server_events import ConversationItemDeleted
from realtime.protocol.session_config import SessionConfig
from realtime.protocol.voices import platform_voice
from realtime.providers.base import Providers
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.turn_queue import TurnQueue
from realtime.turn_report import OnTurn

log = logging.getLogger(__name__)


class Seat(Protocol):
    """The place of a session at one of several accounts of the platform (docs/scale.md 5)."""

    @property
    def name(self) -> str:
        """That of the account."""
        ...

    def instead(self, voice_id: str | None) -> tuple[Settings, Providers] | None:
        """What to use from now on, if another account should answer: its own one has run dry, lacks this voice, or has
        no request left in this minute. None: nothing will be spoken."""
        ...


@dataclass(slots=True, eq=False)
class Context:
    """Of one session. `config` is replaced by `session.update`, settings and providers by `providers_for`, and nothing
    else ever; whoever needs one of them reads it here."""

    session_id: str
    config: SessionConfig
    conversation: Conversation
    conversation_id: str
    outbox: Outbox
    turns: TurnQueue
    tasks: Tasks
    providers: Providers
    settings: Settings
    metrics: Metrics
    new_id: Callable[[str], str]
    careful: Callable[[], bool] = lambda: False  # whether there is no room for work that may be in vain
    on_turn: OnTurn | None = None  # is told of each turn when it is over
    sent: SentSound = field(default_factory=SentSound)  # what the listener was sent
    # Are told the id of each item that goes: it may be used again, for something else
    forget: list[Callable[[str], None]] = field(default_factory=list)
    seat: Seat | None = None  # None: the server has one account
    # That calls of replies have, also beside the conversation
    call_ids: set[str] = field(default_factory=set)
    # What refusals of requests with pictures have taught: it counts for this session alone
    picture_budgets: ContextBudgets = field(default_factory=ContextBudgets)

    def providers_for(self, voice_id: str | None) -> Providers:
        """Whom the next reply asks: from now on those of another account, where that is better (`Seat`)."""
        if self.seat is None:
            return self.providers
        before = self.seat.name
        if (moved := self.seat.instead(voice_id)) is not None:
            self.settings, self.providers = moved
            facts = {"id": self.session_id, "account": self.seat.name, "instead_of": before}
            story(log, "session goes on at another account", facts)
        return self.providers

    def providers_after(
        self, error: ProviderError, asked: Providers, voice_id: str | None
    ) -> Providers | None:
        """Who can answer instead of these, who refused with this error; None: nobody.

        Another reply of the session may have met the same before.
        """
        if not (is_dry(error) or error.code == "rate_limit_exceeded"):
            return None
        return self.providers_without_wait(asked, voice_id)

    def providers_without_wait(self, asked: Providers, voice_id: str | None) -> Providers | None:
        """Who can answer at once instead of these, who refuse or let a request wait; None: nobody."""
        found = asked if self.seat is None else self.providers_for(voice_id)
        return None if found is asked else found

    @property
    def voice_id(self) -> str | None:
        """The platform's voice of the session; None: it answers in text."""
        if self.config.output_modality == "text":
            return None
        return platform_voice(self.config.voice, self.settings.voice_id)

    def add_item(self, item: Item, after: str | None = None, *, by_reply: bool = False) -> str | None:
        """Put an item into the conversation; in a full one the oldest make room, unless truncation is 'disabled'.

        Full of pictures: the oldest with pictures. Returns the predecessor's id. Raises ConversationError like
        `Conversation.add`, also where what has to stay leaves no room.
        """
        try:
            return self.conversation.add(item, after)
        except ConversationError as error:
            if error.code != FULL:
                raise
        with self.turns:  # what it means for turns that old items go is handled when this one is there
            if self.config.truncation.mode != "disabled":
                self._make_room(item, after, by_reply=by_reply)
            return self.conversation.add(item, after, by_reply=by_reply)

    def remove_item(self, item_id: str) -> None:
        """Take an item out of the conversation, and tell everybody. Raises ConversationError for an unknown id."""
        self.conversation.remove(item_id)
        self.outbox.put(ConversationItemDeleted(item_id=item_id))
        for forget in self.forget:
            forget(item_id)

    def check_room(self) -> None:
        """Raises ProtocolError when not even an answer fits."""
        if len(self.conversation) > MAX_ITEMS and self.config.truncation.mode == "disabled":
            raise ProtocolError(FULL_MESSAGE, code=FULL)

    def _make_room(self, item: Item, after: str | None, *, by_reply: bool) -> None:
        call_id = "" if isinstance(item, Message) else item.call_id
        too_many = len(self.conversation) - MAX_ITEMS + 1
        keep, held = {after or "", call_id}, held_bytes(item)
        asks_anew = self.conversation.asks_anew(item, after)
        for item_id in self.conversation.oldest(too_many, keep, asks_anew=asks_anew):
            self.remove_item(item_id)
        large = self.conversation.oldest_large(held, keep, asks_anew=asks_anew)
        if by_reply or self.conversation.has_room_without(large, held):  # else nothing would be gained
            for item_id in large:
                self.remove_item(item_id)

    def __repr__(self) -> str:
        return f"<Context of {self.conversation_id}, {len(self.conversation)} items>"
