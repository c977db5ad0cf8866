"""What a stop of the server means for one conversation: whether it is a good moment, and what is cut if there is none.

Knows who speaks, waits and listens in this conversation. `server/draining.py` decides when it ends.
"""

from __future__ import annotations

import asyncio

from realtime.context import Context
from realtime.core.conversation import FunctionCallOutput, Item, Message
from realtime.listening.user_input import UserInput
from realtime.replying.playout import Playout
from realtime.replying.responses import Responses
from realtime.session.idle_clock import IdleClock

HELD_S = 1.0  # a client that ends the turns itself and has sent nothing for so long is not speaking


class Leaving:
    """Of one session."""

    def __init__(
        self, context: Context, responses: Responses, playout: Playout, user: UserInput, idle: IdleClock
    ) -> None:
        self._context = context
        self._responses = responses
        self._playout = playout
        self._user = user
        self._idle = idle

    def __repr__(self) -> str:
        return f"<Leaving {'engaged' if self.engaged else 'quiet'}>"

    @property
    def engaged(self) -> bool:
        """Whether somebody speaks, is being transcribed, waits for an answer or hears one."""
        return (
            self._idle.turn_open
            or self._speaking
            or self._user.items.pending
            or self._responses.busy
            or self._playout.unheard_s() > 0
            or self._context.conversation.awaits_output
        )

    @property
    def _speaking(self) -> bool:
        """Without turn detection, speech is what was sent a moment ago and not committed."""
        last_s = self._user.last_audio_s
        if self._context.config.turn_detection is None and last_s is not None:
            return self._user.busy and asyncio.get_running_loop().time() - last_s < HELD_S
        return self._context.config.turn_detection is not None and self._user.busy

    @property
    def must_stay(self) -> bool:
        """Whether another server could not go on without a loss.

        The model writes, a tool runs, or speech is transcribed that the client would not send again.
        """
        return self._responses.writing or bool(self._user.unheard.sent)

    @property
    def answer_due(self) -> bool:
        """Whether the client may be about to ask for an answer: what was said last is not the assistant's."""
        items = self._context.conversation.items
        return bool(items) and _asks(items[-1])

    def silence(self) -> None:
        """What has not left for the client never will: it hears another server by now."""
        self._playout.discard_unsent()

    def cut(self) -> None:
        """End what is said in mid-word: as failed, and history holds what was heard."""
        self._responses.stop_all("server_draining")
        for event in self._playout.settle(self._playout.awaiting_flush()):
            self._context.outbox.put(event)


def _asks(item: Item) -> bool:
    return isinstance(item, FunctionCallOutput) or (isinstance(item, Message) and item.role == "user")
