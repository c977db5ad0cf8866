"""What the parts of one conversation have in common: its configuration, its memory, its way out, its tasks.

A part is made with the context and keeps what is its own. The context decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from realtime.core.conversation import Conversation
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.protocol.session_config import SessionConfig
from realtime.providers.base import Providers
from realtime.settings import Settings
from realtime.tasks import Tasks
from realtime.turn_queue import TurnQueue


@dataclass(slots=True, eq=False)
class Context:
    """Of one session. Only `config` is ever replaced, by `session.update`; whoever needs it reads it here."""

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

    def __repr__(self) -> str:
        return f"<Context of {self.conversation_id}, {len(self.conversation)} items>"
