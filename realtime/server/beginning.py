"""What a session begins with: its client, what that asked for, a conversation that goes on; and the session made of it.

`joining.py` gathers it. From then on the session is `live_session.py`'s. Knows no socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from realtime.errors import ProtocolError
from realtime.metrics import Metrics
from realtime.outbox import Outbox
from realtime.server.access import Caller
from realtime.server.claimed_tools import ClaimedTools
from realtime.server.persistence import StoredConversation
from realtime.server.restoring import Restored, config_of
from realtime.server.runtime import Runtime
from realtime.server.session_ids import random_id
from realtime.server.story import Client
from realtime.session.defaults import new_session_config
from realtime.session.session import Session
from realtime.turn_report import OnTurn

if TYPE_CHECKING:
    from realtime.server.accounts import Seat


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """`stored`: a conversation that goes on. `restored`: a session that another server has begun."""

    caller: Caller
    client: Client = field(default_factory=Client)
    credential: str | None = field(default=None, repr=False)
    extensions: str = ""  # as the address named them
    binary: bool = False
    refused: Sequence[ProtocolError] = ()  # what the client asked for in vain
    stored: StoredConversation | None = None
    restored: Restored | None = None
    seat: Seat | None = None  # at one of several accounts
    careful: Callable[[], bool] = lambda: False
    on_turn: OnTurn | None = None
    new_id: Callable[[str], str] = random_id

    def session(
        self,
        runtime: Runtime,
        metrics: Metrics,
        outbox: Outbox,
        may_run_tools: Callable[[], Awaitable[bool]],
    ) -> Session:
        """A session that begins so. Raises ProtocolError for settings of another server that are not good here."""
        stored, restored = self.stored, self.restored
        if restored is None:
            config = new_session_config(
                runtime.settings, runtime.providers, self.caller.session, self.extensions
            )
            conversation_id = None if stored is None else stored.conversation_id
            kept, continued = stored, None
        else:
            config = config_of(runtime, restored.snapshot)
            conversation_id = restored.snapshot.conversation_id
            kept, continued = restored.kept, restored.continued
        return Session(
            config,
            providers=runtime.providers,
            settings=runtime.settings,
            outbox=outbox,
            metrics=metrics,
            new_id=self.new_id,
            tools=None if runtime.tools is None else ClaimedTools(runtime.tools, may_run_tools),
            refused=self.refused,
            conversation=None if kept is None else kept.to_conversation(),
            conversation_id=conversation_id,
            careful=self.careful,
            on_turn=self.on_turn,
            continued=continued,
            seat=self.seat,
        )
